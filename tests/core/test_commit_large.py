"""The commit protocol on masters that are too large to be read and written as a whole.

The bounds are small here (`tests.large`); the code is that of tables of gigabytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.crashing import cut_at, deliver_again
from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.promises import check_promises, records
from tests.large import small_bounds
from towline import commit, inbox, keys
from towline import table as tables
from towline.body import Body
from towline.change import RowChange
from towline.errors import Contended, NotFound, OutcomeUnknown, PreconditionFailed, TowlineError
from towline.memory import fail_once
from towline.reconcile import reconcile
from towline.workbench import Workbench

TOWS, NETS = 60, 5
VESSELS = (None, "", "Meridian", "Petrel")


@pytest.fixture(autouse=True)
def _small_bounds() -> Iterator[None]:
    with small_bounds():
        yield


def of_tows(tows: int) -> Nets:
    """A dataset of so many tows with five nets each."""
    lines = (f"{tow},{net},{tow * 7919 % 1000 / 8},v {tow * net},true" for tow in range(tows) for net in range(NETS))
    return Nets(csv="\n".join(["tow,net,volume,vessel,is_day", *lines]).encode())


@pytest.fixture
def nets() -> Nets:
    return of_tows(TOWS)


@pytest.fixture
def bodies(nets: Nets) -> list[Body]:
    """How each master was written."""
    found: list[Body] = []
    nets.pipeline.bench.wrote = lambda dataset, commit_id, body: found.append(body)
    return found


def test_an_edit_sends_what_it_changes_and_the_store_copies_the_rest(nets: Nets, bodies: list[Body]) -> None:
    before = nets.head()
    (receipt,) = nets.send(nets.edit(30, 1, volume=12.5))
    assert (receipt.status, receipt.number) == ("committed", 2)
    (body,) = bodies
    assert (body.way, body.reason) == ("append", "")
    assert not before.is_whole
    assert body.copied == before.file.footer.start, "all of the data in one range"
    assert body.sent < len(before.file.footer.raw) + 1_000, "one column of one row group, and the new footer"
    assert nets.row(30, 1)["volume"] == 12.5
    check_promises(nets)


def test_a_proposal_reads_no_more_of_a_larger_table() -> None:
    read = []
    for tows in (8 * TOWS, 12 * TOWS):  # of a smaller one, what lies apart here is fetched together
        nets = of_tows(tows)
        draft, requests = nets.edit(30, 1, volume=12.5), nets.pipeline.store.requests
        before = requests["get"]
        nets.send(draft)
        read.append(requests["get"] - before)
    assert read[0] == read[1] <= 8


def some_changes(nets: Nets, chance: Random) -> list[RowChange]:
    """Updates and deletes of rows that are there, and inserts of others, up to forty."""
    rows = {CONTRACT.key_of(row): row for row in nets.head().table.to_pylist()}
    keys_ = chance.sample([(tow, net) for tow in range(TOWS + 6) for net in range(NETS + 1)], chance.randint(1, 40))
    found = []
    for tow, net in keys_:
        new = {"tow": tow, "net": net, "volume": chance.random(), "vessel": chance.choice(VESSELS), "is_day": None}
        old = rows.get((tow, net))
        found.append(RowChange(old, None if old and chance.random() < 0.4 else new))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_edits_of_large_masters_make_the_tables_that_they_say(nets: Nets, bodies: list[Body], seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - any changes will do
    for _ in range(4):
        changes, before = some_changes(nets, chance), nets.head().table
        (receipt,) = nets.send(nets.dataset.rows(changes, "an edit", nets.commit))
        assert receipt.status == "committed", receipt
        assert nets.head().table.equals(tables.apply(before, CONTRACT.key, changes))
    assert {body.way for body in bodies} <= {"append", "compact"}
    check_promises(nets)


def test_companions_and_edits_made_on_older_commits_are_merged(nets: Nets, bodies: list[Body]) -> None:
    old = nets.edit(50, 0, vessel="old")
    sent = nets.send(nets.edit(3, 1, volume=1.0), nets.edit(3, 1, vessel="b"), nets.delete(40, 2), nets.insert(40, 9))
    assert {receipt.status for receipt in sent} == {"committed"}
    nets.send(nets.edit(50, 0, volume=5.0))
    (late,) = nets.send(old)
    assert late.status == "committed"
    assert {body.way for body in bodies} == {"append"}
    assert (nets.row(3, 1)["volume"], nets.row(3, 1)["vessel"]) == (1.0, "b")
    assert (nets.row(50, 0)["volume"], nets.row(50, 0)["vessel"]) == (5.0, "old")
    check_promises(nets)


def test_a_conflict_and_a_stale_row_are_found_in_a_large_table(nets: Nets) -> None:
    mine, theirs = nets.edit(50, 0, volume=1.0), nets.by("ben").edit(50, 0, volume=2.0)
    assert {receipt.status for receipt in nets.send(theirs, mine)} == {"committed", "conflicted"}
    row = nets.row(1, 1)
    lie = nets.dataset.rows([RowChange({**row, "volume": -7.0}, row)], "a lie", nets.commit)
    assert nets.send(lie)[0].violations[0]["rule"] == "row.stale"


def test_a_master_of_another_program_is_brought_to_canonical_form_by_its_first_commit(
    nets: Nets, bodies: list[Body]
) -> None:
    draft, sink = nets.edit(1, 1, volume=12.5), pa.BufferOutputStream()
    pq.write_table(nets.head().table.sort_by("volume"), sink, row_group_size=50)
    nets.pipeline.store.put(keys.master(NAME), bytes(sink.getvalue()))
    (receipt,) = nets.send(draft)
    assert receipt.status == "committed"
    assert nets.head().table.equals(tables.sort(nets.head().table, CONTRACT.key))
    assert nets.row(1, 1)["volume"] == 12.5
    check_promises(nets)


def test_an_old_snapshot_put_over_a_large_master_is_undone_by_ranges(nets: Nets, bodies: list[Body]) -> None:
    first, snapshot = nets.head().table, str(records(nets)[0]["snapshot_key"])
    nets.send(nets.edit(1, 1, volume=12.5))
    nets.pipeline.store.copy(snapshot, keys.master(NAME))
    assert reconcile(nets.pipeline.bench).problems == ()
    assert nets.head().number == 3
    assert nets.head().table.equals(first)
    check_promises(nets)


ANSWERS: dict[str, tuple[str, TowlineError]] = {
    "lost": ("after", OutcomeUnknown("reset")),
    "412 to our own retry": ("after", PreconditionFailed("412")),
    "404 to our own retry": ("after", NotFound("no such upload")),
    "never arrived": ("before", OutcomeUnknown("reset")),
    "409": ("before", Contended("409")),
}


@pytest.mark.parametrize(("phase", "error"), ANSWERS.values(), ids=ANSWERS)
def test_an_assemble_of_unknown_outcome_is_one_commit(nets: Nets, phase: str, error: TowlineError) -> None:
    draft = nets.edit(1, 1, volume=12.5)
    nets.pipeline.store.faults = fail_once("assemble", phase, error, prefix=keys.DATA)  # type: ignore[arg-type]
    (receipt,) = nets.send(draft)
    assert (receipt.status, receipt.number, nets.head().number) == ("committed", 2, 2)
    check_promises(nets)


def test_a_rival_who_is_first_makes_us_merge_again(nets: Nets) -> None:
    draft, rival = nets.edit(1, 1, volume=12.5), nets.by("ben").edit(9, 1, volume=3.0)
    ticket = nets.by("ben").dataset.send(rival)
    receipt = inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])
    other = Workbench(nets.pipeline.store, clock=nets.pipeline.bench.clock, pause=lambda seconds: None)

    def first(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("assemble", "before"):
            nets.pipeline.store.faults = None
            commit.commit(other, NAME, [receipt])

    nets.pipeline.store.faults = first
    assert nets.send(draft)[0].number == 3
    assert ticket.receipt().number == 2
    assert (nets.row(1, 1)["volume"], nets.row(9, 1)["volume"]) == (12.5, 3.0)
    check_promises(nets)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_crash_at_any_request_loses_nothing_and_doubles_nothing(phase: str) -> None:
    at, died = 0, True
    while died:
        nets = of_tows(12)
        assert not nets.head().is_whole
        tickets = [nets.dataset.send(nets.edit(1, 1, volume=12.5)), nets.dataset.send(nets.edit(9, 0, volume=1.5))]
        died = cut_at(nets, at, phase)
        deliver_again(nets)
        assert [ticket.receipt().status for ticket in tickets] == ["committed", "committed"]
        assert (nets.row(1, 1)["volume"], nets.row(9, 0)["volume"]) == (12.5, 1.5)
        assert Counter(r["proposal"] for r in records(nets)).most_common(1)[0][1] == 1
        check_promises(nets)
        at += 1
    assert at > 28, "every request was reached, among them those that read ranges"
