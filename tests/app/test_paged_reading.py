"""What is read of a large table: the end of its file, the row group of the page, and the rows that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest

from app.editing import paged
from app.editing.desk import Desk
from app.editing.gridsheet import table_json
from app.editing.paged import PagedSheet
from app.editing.remote import news, open_sheet
from tests.app.sheets import at
from tests.large import TAIL, small_bounds
from tests.pipeline import Clock, Pipeline
from towline import keys, objects
from towline.change import RowChange
from towline.contract import Contract
from towline.files import write_table
from towline.memory import MemoryStore
from towline.store import Blob, Span
from towline.workbench import Workbench

NAME, ROWS, GROUP = "hauls", 4_000, 128
CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "haul", "type": "integer"},
            {"name": "length", "type": "number"},
            {"name": "note", "type": "string"},
        ],
        "primaryKey": ["haul"],
        "towline": {"version": 1, "dataset": NAME},
    }
)


class Reads(MemoryStore):
    """A store that counts what is read of the table."""

    read = 0  # bytes

    def get(self, key: str, **how: Any) -> Blob:
        found = super().get(key, **how)
        if key.endswith(".parquet"):
            self.read += len(found.body)
        return found

    def during(self) -> int:
        """Bytes since this was asked last."""
        count, self.read = self.read, 0
        return count


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setattr(paged, "LARGE", 100)
    monkeypatch.setattr(paged, "PAGE", 50)
    monkeypatch.setattr(objects, "GAP", 0)  # else small pieces are fetched along, of which such a file consists
    clock = Clock()
    with small_bounds(group=GROUP):
        made = Pipeline(Workbench(Reads(clock=clock), clock=clock, pause=lambda seconds: None))
        numbers = range(ROWS)
        columns = [numbers, [n * 37 % 1009 / 8 for n in numbers], [f"note {n * 7919 % 100_003}" for n in numbers]]
        table = pa.table([pa.array(each) for each in columns], names=list(CONTRACT.names))
        dataset = made.dataset(NAME)
        (receipt,) = made.send(dataset, dataset.create("t.parquet", write_table(table, "parquet"), CONTRACT, "first"))
        assert receipt.status == "committed", receipt
        reads(made).during()
        yield made


def reads(pipeline: Pipeline) -> Reads:
    assert isinstance(pipeline.store, Reads)
    return pipeline.store


def opened(pipeline: Pipeline) -> PagedSheet:
    sheet = open_sheet(pipeline.bench, NAME)
    assert isinstance(sheet, PagedSheet)
    return sheet


def of_group(sheet: PagedSheet) -> int:
    """The bytes of the largest row group, with its page index."""
    groups = sheet.book.file.footer.groups()
    indexes = [each for group in groups[:1] for chunk in group.chunks if (each := chunk.offset_index)]
    spans = max(([*group.spans] for group in groups), key=_size)
    return _size(spans) + _size(indexes)


def _size(spans: Sequence[Span]) -> int:
    return sum(stop - start for start, stop in spans)


def test_a_first_page_is_the_end_of_the_file_and_one_row_group(pipeline: Pipeline) -> None:
    sheet = opened(pipeline)
    size = pipeline.store.head(keys.master(NAME)).size
    footer = size - sheet.book.file.footer.start
    assert reads(pipeline).during() <= footer + TAIL
    assert len(table_json(sheet)["ids"]) == 50
    assert 0 < reads(pipeline).during() <= of_group(sheet)


def test_edits_are_checked_and_pages_turned_without_reading_more_than_their_row_groups(pipeline: Pipeline) -> None:
    desk = Desk(opened(pipeline))
    reads(pipeline).during()
    desk.do(at(3, length="1"))
    assert desk.pending.ready
    assert reads(pipeline).during() <= 3 * of_group(page(desk))
    desk.turn(page(desk).at(3_210))
    desk.do(at(3_210, length="2"))
    assert desk.pending.ready
    assert [line.row for line in desk.pending.lines] == [(3,), (3_210,)]
    assert reads(pipeline).during() <= 2 * of_group(page(desk))


def page(desk: Desk) -> PagedSheet:
    assert isinstance(desk.sheet, PagedSheet)
    return desk.sheet


def test_what_others_changed_is_found_by_the_row_groups_that_differ(pipeline: Pipeline) -> None:
    before = opened(pipeline)
    dataset = pipeline.dataset(NAME, "bo")
    row = before.rows[(77,)]
    changes = [RowChange(row, {**row, "length": -1.0})]
    (receipt,) = pipeline.send(dataset, dataset.rows(changes, "because", before.commit))
    assert receipt.status == "committed"
    reads(pipeline).during()
    found = news(pipeline.bench, before)
    assert [change.key(CONTRACT.key) for change in found.changes] == [(77,)]
    assert found.is_told
    assert reads(pipeline).during() < pipeline.store.head(keys.master(NAME)).size / 2


def test_a_newer_commit_is_met_without_reading_its_page(pipeline: Pipeline) -> None:
    desk = Desk(opened(pipeline))
    desk.do(at(3, length="1"))
    assert desk.pending.ready
    newer = opened(pipeline)
    assert not desk.clashes(newer)
    assert "page" not in newer.__dict__
