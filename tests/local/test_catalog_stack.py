"""The catalog on a real local stack: the same tables and the same SQL as on AWS, with the real answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import towline
from tests.conftest import ROOT
from tests.e2e.researcher import Researcher
from tests.local_stack import client, invoke
from towline import catalog, keys, queries
from towline import connect as connections
from towline.aws.glue import Glue
from towline.connect import Connection, connect
from towline.contract import Contract
from towline.errors import QueryFailed
from towline.files import read_table
from towline.first_contract import choose
from towline.local.stack import StackInfo, stack_settings

NAME = "catalogued"
ODD = Contract.parse(
    {
        "fields": [
            {"name": "Tow No.", "type": "integer"},
            {"name": "Größe", "type": "number", "towline": {"nonfinite": "allow"}},
            {"name": "select", "type": "string"},
            {"name": "day", "type": "date"},
            {"name": "at", "type": "datetime"},
            {"name": "sent", "type": "datetime", "towline": {"timezone": "UTC"}},
        ],
        "primaryKey": ["Tow No."],
        "towline": {"version": 1, "dataset": "odd_names"},
    }
)
ODD_CSV = b"""\
Tow No.,Gr\xc3\xb6\xc3\x9fe,select,day,at,sent
1,0.30000000000000004,"",2026-01-04,2026-01-04T18:03:09.25,2026-01-04T18:03:09Z
2,,"a, 'b'",,,
9007199254740993,1e300,,1999-12-31,1999-12-31T23:59:59,
"""


@pytest.fixture(scope="module")
def connection(stack: StackInfo) -> Connection:
    """A bucket with a dataset that ana made, and in which ben changed two cells."""
    Researcher(stack, NAME)
    ben = Researcher(stack, NAME, "ben")
    for value in (1.5, 2.5):
        receipt = ben.send(ben.edit(3, volume_filtered=value)).wait()
        assert receipt.status == "committed"
    return connect(stack_settings(stack))


def rows(connection: Connection, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = queries.run(connection, sql, dataset=NAME).table.to_pylist()
    return found


def create(
    connection: Connection, name: str, body: bytes, contract: Contract | None = None, key: tuple[str, ...] = ()
) -> pa.Table:
    """A dataset of a CSV file; its table as Towline has it."""
    chosen = choose(read_table(body, "t.csv")[0], name, key, contract).contract
    dataset = connection.dataset(name)
    assert dataset.send(dataset.create("t.csv", body, chosen, "first load")).wait().status == "committed"
    return dataset.table()[1]


def test_the_tables_are_there_as_soon_as_a_dataset_is(connection: Connection) -> None:
    assert {*catalog.names([NAME])} <= {*connection.tables()}


def test_reconcile_finds_nothing_to_do_and_puts_right_what_somebody_broke(
    connection: Connection, stack: StackInfo
) -> None:
    glue = Glue(client(stack, "glue"), "towline")
    glue.client.delete_table(DatabaseName="towline", Name=f"{NAME}_snapshots")
    invoke(stack, "ReconcileFunction", {})
    there = glue.tables()
    assert f"{NAME}_snapshots" in there
    invoke(stack, "ReconcileFunction", {})
    assert glue.tables() == there, "the times of change are the same, too"


def test_the_master_is_read_as_it_is(connection: Connection) -> None:
    _, table = connection.dataset(NAME).table()
    found = queries.run(connection, "SELECT * FROM master", dataset=NAME)
    assert found.table.sort_by([("tow", "ascending"), ("net", "ascending")]).equals(table.cast(found.table.schema))
    assert found.scanned_bytes > 0


def test_the_audit_table_tells_who_did_what(connection: Connection) -> None:
    found = rows(connection, f"""SELECT * FROM audit WHERE "user" = 'ben' AND dataset = '{NAME}' ORDER BY number""")
    assert [(record["number"], record["kind"], record["cells_changed"]) for record in found] == [
        (2, "edit", 1),
        (3, "edit", 1),
    ]
    stored = connection.bench.store.list(f"audit/{NAME}/")
    assert (
        len(list(stored)) == rows(connection, f"SELECT count(*) AS n FROM audit WHERE dataset = '{NAME}'")[0]["n"] == 3
    )
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert {str(record["date"]) for record in found} <= {today, found[0]["timestamp"][:10]}


def test_each_change_of_a_cell_is_joined_with_why_it_was_made(connection: Connection) -> None:
    found = rows(
        connection,
        f"""
        SELECT a.number, a."user", a.note, c.key, c."column", c.old, c.new
        FROM changes c JOIN audit a ON a.dataset = c.dataset AND a.proposal = c.proposal
        WHERE c.dataset = '{NAME}' ORDER BY a.number
        """,
    )
    assert [(one["number"], one["user"], one["column"], one["new"]) for one in found] == [
        (2, "ben", "volume_filtered", "1.5"),
        (3, "ben", "volume_filtered", "2.5"),
    ]
    assert found[1]["old"] == found[0]["new"]


def test_a_snapshot_is_told_from_the_others_by_its_path(connection: Connection) -> None:
    records = {
        record["snapshot_key"]: record["number"]
        for record in rows(connection, f"SELECT * FROM audit WHERE dataset = '{NAME}'")
    }
    found = rows(connection, f'SELECT "$path" AS path, count(*) AS n FROM {NAME}_snapshots GROUP BY "$path"')
    assert {(records[one["path"].removeprefix("s3://towline/")], one["n"]) for one in found} == {
        (1, 125),
        (2, 125),
        (3, 125),
    }


def test_odd_names_and_exact_values_survive_sql_and_its_csv(connection: Connection, tmp_path: Path) -> None:
    table = create(connection, "odd_names", ODD_CSV, ODD)
    found = queries.run(connection, 'SELECT "tow no.", "größe", "select", day, at, sent FROM odd_names ORDER BY 1')
    assert [[*row.values()][:4] for row in found.table.to_pylist()] == [
        [*row.values()][:4] for row in table.to_pylist()
    ]
    assert [moment.isoformat() for moment in found.table["at"].drop_null().to_pylist()] == [
        "2026-01-04T18:03:09.250000",
        "1999-12-31T23:59:59",
    ]


def test_the_real_table_is_read_whole(connection: Connection, real_table: Path) -> None:
    table = create(connection, "tows_to_ask", real_table.read_bytes(), key=("tow", "net"))
    found = queries.run(connection, "SELECT * FROM tows_to_ask ORDER BY tow, net")
    assert found.table.equals(table.cast(found.table.schema))


def test_what_athena_cannot_run_is_told_in_its_words(connection: Connection) -> None:
    with pytest.raises(QueryFailed, match="volum"):
        rows(connection, "SELECT volum FROM master")


def test_a_query_that_takes_too_long_is_cancelled_in_athena_too(connection: Connection) -> None:
    many = ", ".join(f"UNNEST(sequence(1, 3000)) AS t{n} (x{n})" for n in range(4))
    ids: list[str] = []
    with pytest.raises(QueryFailed, match="was stopped"):
        queries.run(connection, f"SELECT sum(x0 * x1 % 7) AS n FROM {many}", timeout=0.5, started=ids.append)
    engine: Any = connection.engine
    assert engine.wait(ids[0], 20).state == "CANCELLED"


def test_a_table_made_by_hand_is_kept_as_text_and_can_be_read(connection: Connection, stack: StackInfo) -> None:
    """Exporting by a CTAS of one's own, beside `towline query --csv`."""
    place = f"s3://towline/{keys.QUERY_RESULTS}by_hand/"
    engine: Any = connection.engine
    statement = f"""
        CREATE TABLE exported WITH (format = 'TEXTFILE', field_delimiter = ',', external_location = '{place}')
        AS SELECT tow, net, volume_filtered FROM {NAME} WHERE tow = 4
    """
    ended = engine.wait(engine.start(statement, "by hand"), 30)
    assert ended.state == "SUCCEEDED", ended.reason
    assert rows(connection, "SELECT count(*) AS n FROM exported") == rows(
        connection, "SELECT count(*) AS n FROM master WHERE tow = 4"
    )
    invoke(stack, "ReconcileFunction", {})
    assert "exported" in connection.tables(), "what people made is left alone"


def test_every_query_of_the_page_on_the_catalog_runs(connection: Connection) -> None:
    page = (ROOT / "docs" / "catalog.md").read_text()
    statements = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert len(statements) >= 6
    for statement in statements:
        queries.run(connection, statement.replace("net_tows", NAME), dataset=NAME)


def test_the_python_of_the_page_on_python_gets_these_answers(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    (block,) = re.findall(r"^```python\n(found = towline\.query.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.setattr(connections, "here", lambda data_dir=None: connection)
    names: dict[str, Any] = {"towline": towline}
    exec(block.replace("net_tows", NAME), names)  # noqa: S102 - our own documentation
    assert list(names["found"]["new"]) == ["1.5", "2.5"]
    assert len(names["mean"]) > 10
