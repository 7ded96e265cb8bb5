"""Many authors at once on the local stack, whose workers and then the whole of which are killed in the middle: every
proposal has exactly one outcome, what was committed is in the table, and the history has no gap."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from tests.e2e.researcher import Researcher
from tests.local_stack import PROJECT, again, kill, kill_workers, running
from towline import audit, keys
from towline.audit import GENESIS
from towline.change import RowChange
from towline.dataset import Dataset, Ticket
from towline.errors import Unavailable
from towline.local import stack as stacks
from towline.local.stack import StackInfo
from towline.receipts import Receipt
from towline.values import Value
from towline.verify import verify

AUTHORS, EACH = 32, 20
OWN = ("vessel", "cruise", "volume_filtered", "lat_decimal", "long_decimal")
SHARED, SHARED_ROWS = "volume_filtered", range(96, 120)  # these cells are everybody's
THINKING = 0.8  # seconds before each edit, so that commits and kills come in between
RETRY = 0.4  # seconds; that the stack is down is no reason to keep the machine busy
PATIENCE = 120.0  # seconds for all that is left to be decided

T = TypeVar("T")


@dataclass(frozen=True)
class Edit:
    """One cell set to a value that no other edit sets. `row` is a place in the table, where rows stay in theirs."""

    author: int
    row: int
    column: str
    value: Value

    @property
    def cell(self) -> tuple[int, str]:
        return self.row, self.column


@dataclass(frozen=True)
class Sent:
    edit: Edit
    ticket: Ticket


def edits(author: int) -> Iterator[Edit]:
    """Three of four in a cell of the author's own, in rows where others have theirs; every fourth where all write."""
    for step in range(EACH):
        turn, place = divmod(step, 4)
        if place == 3:
            row = SHARED_ROWS[(author + turn) % len(SHARED_ROWS)]
            yield Edit(author, row, SHARED, 10_000.0 + author * EACH + step)
        else:
            row, column = divmod((turn * 3 + place) * AUTHORS + author, len(OWN))
            yield Edit(author, row, OWN[column], _value(OWN[column], author, step))


def _value(column: str, author: int, step: int) -> Value:
    if column in ("vessel", "cruise"):
        return f"{author}-{step}"
    return author + step / 100  # is a volume, and a latitude, and a longitude


def write(dataset: Dataset, author: int) -> list[Sent]:
    """What an author does, through every interruption: read the head, edit it, send that, and on to the next."""
    sent = []
    for edit in edits(author):
        time.sleep(THINKING)
        commit, table = persist(dataset.table)
        old = table.slice(edit.row, 1).to_pylist()[0]
        draft = dataset.rows([RowChange(old, {**old, edit.column: edit.value})], f"by {author}", commit)
        sent.append(Sent(edit, persist(partial(dataset.send, draft))))  # the very same again: the inbox takes it once
    return sent


def persist(do: Callable[[], T]) -> T:
    """Do something that fails while the stack is down, until it does not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return do()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY)


def test_640_proposals_of_32_authors_survive_kills(tmp_path: Path) -> None:
    with running(tmp_path, PROJECT) as info:
        someone = Researcher(info, "crowd")
        before = someone.head().table.to_pylist()
        with ThreadPoolExecutor(AUTHORS) as pool:
            going = [
                pool.submit(write, Dataset(someone.bench, "crowd", f"author{number:02}"), number)
                for number in range(AUTHORS)
            ]
            for number in (8, 30):
                info = interrupt(info, someone, number)
            sent = [one for author in going for one in author.result()]
        final = [one.ticket.wait(PATIENCE) for one in sent]
        check(someone, before, sent, final)


def interrupt(info: StackInfo, someone: Researcher, number: int) -> StackInfo:
    """Once the head is this commit: kill -9 of the functions' workers, a moment later of the whole stack; and a
    start. (What a killed worker held comes back once its visibility timeout is over, or with a start.)"""
    deadline = time.monotonic() + PATIENCE
    while persist(someone.head).number < number:
        assert time.monotonic() < deadline
        time.sleep(RETRY)
    assert kill_workers(info)
    time.sleep(0.3)
    kill(info)
    return stacks.start(Path(info.data_dir), again(info, PROJECT))


def receipts_of(someone: Researcher) -> list[str]:
    return [entry.key for entry in someone.bench.store.list(f"{keys.RECEIPTS}{someone.name}/")]


def check(someone: Researcher, before: list[dict[str, Value]], sent: list[Sent], final: list[Receipt]) -> None:
    """Nothing is lost, nothing is doubled, nothing is hidden."""
    outcome = dict(zip((one.ticket.proposal for one in sent), final, strict=True))
    counts = Counter(receipt.status for receipt in final)
    assert len(outcome) == AUTHORS * EACH
    assert counts.keys() <= {"committed", "conflicted"}
    assert len(receipts_of(someone)) == len(outcome) + 1  # and the creation's
    records = someone.dataset.log()[::-1]
    by_proposal = Counter(str(record["proposal"]) for record in records[1:])
    assert by_proposal == {proposal: 1 for proposal, receipt in outcome.items() if receipt.status == "committed"}
    edit_of = {one.ticket.proposal: one.edit for one in sent}
    _check_table(someone, before, [edit_of[str(record["proposal"])] for record in records[1:]])
    _check_conflicts(sent, outcome)
    _check_chain(someone, records)
    verdict = verify(someone.bench, someone.name)
    assert verdict.ok, verdict.says
    numbers = [int(str(record["number"])) for record in records]
    print(f"{dict(counts)} in {numbers[-1]} commits")


def _check_table(someone: Researcher, before: list[dict[str, Value]], committed: list[Edit]) -> None:
    """The table is what it was, with the committed edits in the order of the history, and nothing else."""
    expected = [dict(row) for row in before]
    for edit in committed:
        expected[edit.row][edit.column] = edit.value
    assert someone.head().table.to_pylist() == expected


def _check_conflicts(sent: list[Sent], outcome: Mapping[str, Receipt]) -> None:
    """Nobody is refused but where another author's value was committed to the same cell."""
    values = {
        (one.edit.cell, one.edit.value): one.edit.author
        for one in sent
        if outcome[one.ticket.proposal].status == "committed"
    }
    for one in sent:
        receipt = outcome[one.ticket.proposal]
        if receipt.status == "conflicted":
            (conflict,) = receipt.conflicts
            (cell,) = conflict["cells"]  # type: ignore[misc]
            assert (one.edit.row in SHARED_ROWS, cell["column"]) == (True, SHARED)
            assert cell["ours"] == one.edit.value
            assert values[one.edit.cell, cell["theirs"]] != one.edit.author


def _check_chain(someone: Researcher, records: list[Mapping[str, object]]) -> None:
    """One chain, numbers without a gap, and every version of the master is some commit's."""
    assert records[0]["prev_chain"] == GENESIS
    for record in records:
        assert audit.link(record) == record["chain"]
    for one, then in pairwise(records):
        assert then["prev_chain"] == one["chain"]
        assert (then["number"], then["parent"]) in {(one["number"], one["parent"]), (_next(one), one["commit"])}
    versions = {version.version for version in someone.bench.store.versions(keys.master(someone.name))}
    assert versions == {record["new_version"] for record in records}


def _next(record: Mapping[str, object]) -> int:
    return int(str(record["number"])) + 1
