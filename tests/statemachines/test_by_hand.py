"""What somebody runs by hand in Athena, into a dataset's next/: promoted by itself, or refused with the reason."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.researcher import CONTRACT
from tests.local_stack import BUCKET, client, eventually, outputs
from tests.statemachines.editing import Editor, executions
from towline import keys, receipts
from towline.contract import Contract
from towline.dataset import Ticket
from towline.local.stack import StackInfo

COLUMNS = ", ".join(CONTRACT.names)


def columns(**instead: str) -> str:
    """The columns of the table, with other expressions for some."""
    return ", ".join(f"{instead[name]} AS {name}" if name in instead else name for name in CONTRACT.names)


# The shift of tow 4 as its users write it by hand: the whole table, anew.
SHIFTED = "CASE WHEN tow = 4 THEN LAG(volume_filtered) OVER (PARTITION BY tow ORDER BY net) ELSE volume_filtered END"
BY_HAND = f"SELECT * FROM (SELECT {columns(volume_filtered=SHIFTED)} FROM {{table}}) WHERE NOT (tow = 4 AND net = 0)"
AS_MERGE = """MERGE INTO master AS t
USING (SELECT tow, net, LAG(volume_filtered) OVER (ORDER BY net) AS before FROM master WHERE tow = 4) AS s
ON t.tow = s.tow AND t.net = s.net
WHEN MATCHED AND s.net = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET volume_filtered = s.before"""


@pytest.fixture(scope="module", name="ana")
def an_old_table(stack: StackInfo) -> Editor:
    """A table that nobody has changed for two seconds; its tests leave it as it is."""
    ana = Editor(stack, "by_hand")
    ana.wait_until_old()
    return ana


def test_the_users_own_shift_comes_out_the_same_by_hand_and_as_one_merge(stack: StackInfo, real_table: Path) -> None:
    hand, merge = (with_real_table(stack, name, real_table) for name in ("real_by_hand", "real_by_merge"))
    before = hand.head().table.to_pylist()
    volumes = {row["net"]: row["volume_filtered"] for row in before if row["tow"] == 4}
    assert 0 in volumes
    expected = [
        {**row, "volume_filtered": volumes[row["net"] - 1]} if row["tow"] == 4 else row
        for row in before
        if (row["tow"], row["net"]) != (4, 0)
    ]
    hand.wait_until_old()
    query = hand.by_hand(BY_HAND.format(table="real_by_hand"), note="-- note: nets of tow 4 were counted from 0\n")
    of_merge, of_hand = merge.done(AS_MERGE), hand.settled(query)
    for who, receipt in ((hand, of_hand), (merge, of_merge)):
        assert (receipt.status, receipt.number, receipt.user) == ("committed", 2, "ana"), receipt
        assert who.head().table.to_pylist() == expected
        (record, _) = who.dataset.log()
        assert (record["kind"], record["rows_deleted"], record["rows_inserted"]) == ("sql", 1, 0)
        assert record["rows_updated"] == record["cells_changed"] - len(present(before[0])) <= len(volumes) - 1
    assert of_hand.note == "nets of tow 4 were counted from 0"
    assert str(hand.dataset.log()[0]["query"]).endswith(BY_HAND.format(table="real_by_hand"))
    assert merge.dataset.log()[0]["query"] == AS_MERGE


def present(row: dict[str, object]) -> list[object]:
    return [value for value in row.values() if value is not None]


def with_real_table(stack: StackInfo, name: str, file: Path) -> Editor:
    """An editor whose dataset holds the first user's table."""
    dataset = Editor(stack, "by_hand").dataset
    dataset.name = name
    contract = Contract.parse(CONTRACT.to_json().replace(b'"net_tows"', f'"{name}"'.encode()))
    assert dataset.send(dataset.create(file.name, file.read_bytes(), contract, "first load")).wait().number == 1
    return Editor(stack, name)


def test_an_event_that_comes_twice_is_one_commit(stack: StackInfo) -> None:
    ana = Editor(stack, "told_twice")
    ana.wait_until_old()
    query = ana.by_hand(f"SELECT {columns(vessel=chr(39) + 'Aurora' + chr(39))} FROM told_twice")
    tell(stack, query)
    tell(stack, query)
    receipt = ana.settled(query)
    assert (receipt.status, receipt.number) == ("committed", 2)
    assert ana.head().number == 2
    tell(stack, query)
    eventually(lambda: "RUNNING" not in of_events(stack))
    assert ana.head().number == 2


def tell(stack: StackInfo, query: str) -> None:
    """Start the state machine as the rule does."""
    event = {"detail": {"queryExecutionId": query, "currentState": "SUCCEEDED"}}
    machine = outputs(stack)["BulkEditMachineArn"]
    client(stack, "stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(event))


@pytest.mark.parametrize(
    ("select", "rule", "message"),
    [
        (f"SELECT {COLUMNS.replace('volume_filtered, ', '')} FROM by_hand", "sql.result", "volume_filtered"),
        (f"SELECT {columns(volume_filtered='vessel')} FROM by_hand", "", "volume_filtered"),
        (f"SELECT {COLUMNS}, 1 AS extra FROM by_hand", "sql.result", "extra"),
        (f"SELECT {COLUMNS} FROM by_hand WHERE tow < 0", "", ""),
        (f"SELECT {columns(tow='CAST(vessel AS bigint)')} FROM by_hand", "sql.query", "INVALID_CAST_ARGUMENT"),
    ],
)
def test_what_is_no_table_of_the_dataset_is_refused(ana: Editor, select: str, rule: str, message: str) -> None:
    receipt = ana.settled(ana.by_hand(select))
    assert receipt.status == "rejected"
    assert message in receipt.message, receipt
    assert not rule or rule in [violation["rule"] for violation in receipt.violations], receipt
    assert ana.head().number == 1


def test_a_query_that_was_cancelled_is_told_of_and_cleared_up(ana: Editor, stack: StackInfo) -> None:
    many = " CROSS JOIN ".join(f"by_hand t{n}" for n in range(7))
    query = ana.by_hand(f"SELECT {COLUMNS} FROM by_hand WHERE net < (SELECT sum(t0.net * t6.net) FROM {many})")
    client(stack, "athena").stop_query_execution(QueryExecutionId=query)
    receipt = ana.settled(query)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "sql.query")
    assert "cancelled" in receipt.message.lower()


def test_what_somebody_else_put_there_stays_when_a_query_finds_it(ana: Editor) -> None:
    key = f"{keys.by_hand('by_hand', 'ana', 'taken')}part-0"
    ana.bench.store.put(key, b"of another query")
    query = ana.by_hand(f"SELECT {COLUMNS} FROM by_hand", "taken")
    receipt = Ticket(ana.bench, "by_hand", query).wait(60)
    assert receipt.status == "rejected"
    assert "HIVE_PATH_ALREADY_EXISTS" in receipt.message
    ana.cleared(query)
    assert ana.bench.store.get(key).body == b"of another query"
    ana.bench.store.delete(key)


def test_where_the_master_changed_beside_the_query_it_is_refused(stack: StackInfo) -> None:
    ana = Editor(stack, "beside")
    assert ana.send(ana.edit(3, vessel="Aurora")).wait().number == 2
    receipt = ana.settled(ana.by_hand(f"SELECT {columns(vessel='upper(vessel)')} FROM beside"))
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "sql.base")
    assert "which version it read is not known" in receipt.message
    assert ana.head().number == 2


def test_other_queries_are_nothing_to_the_state_machine(ana: Editor, stack: StackInfo) -> None:
    elsewhere = f"s3://{BUCKET}/copies/{ana.name}/"
    asked = [
        ana.ask("SELECT count(*) FROM by_hand"),
        ana.ask(f"CREATE TABLE copied WITH (external_location = '{elsewhere}') AS SELECT tow FROM by_hand"),
        ana.ask("this is no SQL"),
    ]
    athena = client(stack, "athena")
    for query in asked:
        eventually(lambda query=query: state_of(athena, query) in ("SUCCEEDED", "FAILED"))
    eventually(lambda: "RUNNING" not in of_events(stack))
    assert not [query for query in asked if receipts.load(ana.bench.store, "by_hand", query)]
    assert set(of_events(stack)) == {"SUCCEEDED"}
    assert list(ana.bench.store.list(f"copies/{ana.name}/"))


def of_events(stack: StackInfo) -> list[str]:
    """How the executions stand that the rule started: others are named as their run is, with its dataset."""
    return [each["status"] for each in executions(stack) if "." not in each["name"]]


def state_of(athena: object, query: str) -> str:
    return str(athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"])  # type: ignore[attr-defined]
