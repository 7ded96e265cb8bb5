"""A spliced file equals the whole table with the changes applied, whatever is changed and however often."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.splicing import KEYS, RULES, SHAPE, USUAL, Edits, body_of, check, check_readers, save, written
from towline import table as tables
from towline.change import RowChange, key_of
from towline.errors import Corrupt
from towline.parquet import append, compact, indexes, regroup, verify, writer
from towline.parquet import splice as splicing
from towline.parquet.layout import Upload, layout
from towline.parquet.order import Order
from towline.parquet.outline import Listed, Outline
from towline.parquet.pieces import Keep
from towline.parquet.source import Span
from towline.parquet.splice import Shape, splice
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import Encoded, encode
from towline.values import Row


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What happened to row groups."""
    happened: Counter[str] = Counter()
    batches = regroup.batches

    def noted(rows: Sequence[int], changes: Mapping[int, Sequence[RowChange]], usual: int) -> list[regroup.Batch]:
        found = batches(rows, changes, usual)
        happened["joined"] += sum(len(batch.groups) > 1 for batch in found)
        happened["divided"] += sum(batch.is_whole and regroup.cut(batch.rows, usual) < batch.rows for batch in found)
        happened["emptied"] += sum(batch.is_whole and not batch.rows for batch in found)
        happened["in columns"] += sum(bool(batch.changes) and not batch.is_whole for batch in found)
        return found

    monkeypatch.setattr(regroup, "batches", noted)
    return happened


def saves(edits: Edits, count: int, seen: Counter[str], path: Path) -> None:
    """Splice one file again and again, beside the oracle."""
    table = edits.first()
    body = written(table, edits.key)
    for number in range(1, count + 1):
        changes = edits.save(table)
        table = tables.apply(table, edits.key, changes)
        spliced, body = save(body, edits.key, changes, number)
        assert spliced.rows == table.num_rows
        check(body, edits.key, table, number)
        seen[spliced.mode] += 1
    check_readers(body, edits.key, table, path)
    seen.update(edits.done)


def test_ten_thousand_random_edits_equal_a_rewrite(seen: Counter[str], tmp_path: Path) -> None:
    """The dice are hypothesis's: what fails is found again, and shrinks to few saves."""

    @settings(max_examples=36)
    @given(st.sampled_from(sorted(KEYS)), st.randoms(use_true_random=True), st.integers(8, 14))
    def run(kind: str, dice: random.Random, count: int) -> None:
        saves(Edits(kind, dice), count, seen, tmp_path / "table.parquet")

    run()
    assert seen["insert"] + seen["update"] + seen["delete"] >= 10_000, seen
    for what in ("append", "compact", "joined", "divided", "emptied", "in columns", "moved", "before", "behind"):
        assert seen[what] >= 3, (what, seen)


COMPOSITE = Edits("composite", random.Random(6))  # noqa: S311 - the same in every run
KEY = COMPOSITE.key
TABLE = tables.sort(tables.from_rows([COMPOSITE.row((n // 4, str(n % 4))) for n in range(200)], COMPOSITE.schema), KEY)
BODY = written(TABLE, KEY)
ROWS: list[Row] = TABLE.to_pylist()


def one_cell(number: int = 100) -> list[RowChange]:
    return [RowChange(ROWS[number], {**ROWS[number], "vessel": "Kestrel"})]


@dataclass
class Counted:
    """A file that notes what was read of it."""

    body: bytes
    where: str = "a file"
    spans: list[Span] = field(default_factory=list)
    reads: int = 0

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        self.spans += spans
        self.reads += 1
        return [self.body[start:stop] for start, stop in spans]


def test_a_changed_cell_costs_its_column_chunk_and_the_keys_of_its_row_group() -> None:
    file = TableFile.open(Counted(BODY), BODY)
    old = file.footer.group(5)
    spliced = splice(file, KEY, one_cell(), commit="commit-1", number=1, shape=SHAPE)
    vessel = TABLE.schema.names.index("vessel")
    read = [span for span in file.source.spans if span[0] < span[1]]
    assert sorted(set(read)) == sorted({(old.chunks[0].start, old.chunks[1].stop), old.spans[vessel]})
    keep, new, footer = spliced.pieces
    assert keep == Keep(0, file.footer.start)
    made = spliced.file.footer.group(5)
    assert len(new) < 1000 < len(footer)
    assert [one == other for one, other in zip(old.spans, made.spans, strict=True)].count(False) == 1
    assert made.spans[vessel][0] == file.footer.start
    before, after = file.footer.digests, spliced.file.footer.digests
    differ = [(g, c) for g in range(10) for c in range(8) if before[g][c] != after[g][c]]
    assert differ == [(5, vessel)]


def test_where_a_row_lies_is_not_read_again_to_change_it() -> None:
    file = TableFile.open(Counted(BODY), BODY)
    assert file.rows([key_of(ROWS[100], KEY)], KEY) == {key_of(ROWS[100], KEY): ROWS[100]}
    file.source.spans.clear()
    spliced = splice(file, KEY, one_cell(), commit="commit-1", number=1, shape=SHAPE)
    vessel = TABLE.schema.names.index("vessel")
    assert [span for span in file.source.spans if span[0] < span[1]] == [file.footer.group(5).spans[vessel]]
    check(body_of(spliced, BODY), KEY, tables.apply(TABLE, KEY, one_cell()), 1)


def test_what_many_row_groups_need_is_fetched_together() -> None:
    file = TableFile.open(Counted(BODY), BODY)
    changes = [RowChange(ROWS[n], {**ROWS[n], "vessel": "Kestrel"}) for n in range(0, 200, 20)]
    spliced = splice(file, KEY, [*changes[:9], RowChange(ROWS[180], None)], commit="c", number=1, shape=SHAPE)
    assert spliced.mode == "append"
    assert file.source.reads == 1


def test_rows_that_are_inserted_and_deleted_cost_their_row_groups() -> None:
    changes = [RowChange(None, {**ROWS[30], "net": "later"}), RowChange(ROWS[150], None)]
    spliced, _ = save(BODY, KEY, changes)
    before, after = TableFile.of_bytes(BODY).footer, spliced.file.footer
    assert spliced.mode == "append"
    assert after.rows == [20, 21, 20, 20, 20, 20, 20, 19, 20, 20]
    assert [n for n in range(10) if before.raw_group(n) != after.raw_group(n)] == [1, 7]


def test_the_dead_bytes_stay_below_a_quarter_however_often_a_cell_changes() -> None:
    table, body, modes = TABLE, BODY, Counter[str]()
    for number in range(1, 30):
        rows = table.take(list(range(number % 20, 200, 20))).to_pylist()
        changes = [RowChange(row, {**row, "count": number}) for row in rows]
        spliced, body = save(body, KEY, changes, number)
        table = tables.apply(table, KEY, changes)
        check(body, KEY, table, number)
        modes[spliced.mode] += 1
        assert spliced.file.footer.dead <= spliced.file.footer.start / 4
        assert ("would be dead" in spliced.reason) == (spliced.mode == "compact")
    assert modes["append"] > 10
    assert modes["compact"] >= 2


def test_a_file_without_rows_is_a_file_and_takes_rows_again(tmp_path: Path) -> None:
    spliced, empty = save(BODY, KEY, [RowChange(row, None) for row in ROWS])
    assert spliced.mode == "compact"  # all of it was dead
    check(empty, KEY, TABLE.slice(0, 0), 1)
    check_readers(empty, KEY, TABLE.slice(0, 0), tmp_path / "empty.parquet")
    spliced, body = save(empty, KEY, [RowChange(None, ROWS[7])], 2)
    assert (spliced.mode, spliced.reason) == ("rewrite", "it has no rows, or a row group without any")
    check(body, KEY, TABLE.slice(7, 1), 2)


def test_a_commit_without_changes_is_another_footer() -> None:
    spliced, body = save(BODY, KEY, [])
    assert spliced.pieces == (Keep(0, TableFile.of_bytes(BODY).footer.start), spliced.pieces[-1])
    check(body, KEY, TABLE, 1)


def test_a_small_file_is_written_as_it_always_was() -> None:
    file = TableFile.of_bytes(BODY)
    spliced = splice(file, KEY, one_cell(), commit="one", number=1)
    assert spliced.mode == "rewrite"
    assert spliced.reason == f"it has {len(BODY):,} bytes, and is spliced from 8,388,608 on"
    meant = tables.to_parquet(tables.apply(TABLE, KEY, one_cell()), KEY, commit="one", number=1)
    assert body_of(spliced, BODY) == meant


def foreign(table: pa.Table, **options: object) -> bytes:
    """A table as another program writes it."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


NULLABLE = pa.schema([field.with_nullable(True) for field in TABLE.schema])
SHUFFLED = TABLE.take(COMPOSITE.dice.sample(range(200), 200))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (foreign(TABLE, row_group_size=33), "carries no digests"),
        (foreign(TABLE.cast(NULLABLE), row_group_size=33, compression="gzip"), "carries no digests"),
        (foreign(SHUFFLED, row_group_size=50, write_statistics=False), "carries no digests"),
        (foreign(pa.concat_tables([TABLE.slice(100), TABLE.slice(0, 100)]), row_group_size=50), "carries no digests"),
        (written(TABLE.cast(NULLABLE), KEY), "not in canonical form"),
        (written(pa.concat_tables([TABLE.slice(100), TABLE.slice(0, 100)]), KEY), "not in key order"),
    ],
)
def test_what_is_not_in_canonical_form_is_brought_to_it(body: bytes, reason: str) -> None:
    changes = [*one_cell(), RowChange(ROWS[3], None), RowChange(None, {**ROWS[199], "net": "9"})]
    spliced, new = save(body, KEY, changes)
    assert spliced.mode == "rewrite"
    assert reason in spliced.reason
    check(new, KEY, tables.apply(TABLE, KEY, changes), 1)
    again, new = save(new, KEY, [RowChange(ROWS[0], None)], 2)
    assert again.mode == "append"
    check(new, KEY, tables.apply(tables.apply(TABLE, KEY, changes), KEY, [RowChange(ROWS[0], None)]), 2)


def test_a_file_that_only_looks_sorted_is_sorted() -> None:
    """The first part of the key is one value, so the statistics tell nothing of the order."""
    table = tables.from_rows([COMPOSITE.row((1, f"{n}")) for n in range(100)], COMPOSITE.schema)
    row = table.slice(5, 1).to_pylist()[0]
    changes = [RowChange(row, {**row, "count": 5})]
    spliced, body = save(written(table, KEY), KEY, changes)
    assert spliced.mode == "rewrite"
    assert "are not in the table" in spliced.reason
    check(body, KEY, tables.sort(tables.apply(table, KEY, changes), KEY), 1)


def test_a_key_with_a_null_cannot_be_brought_to_canonical_form() -> None:
    nulls = pa.array([None, *TABLE["tow"].to_pylist()[1:]], pa.int64())
    with pytest.raises(Corrupt, match="canonical form"):
        save(foreign(TABLE.cast(NULLABLE).set_column(0, "tow", nulls)), KEY, one_cell())


@pytest.mark.parametrize("shape", [SHAPE, Shape()], ids=["spliced", "rewritten"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (RowChange({**ROWS[9], "net": "x"}, {**ROWS[9], "net": "x", "count": 1}), "to change are not in the table"),
        (RowChange({**ROWS[9], "net": "x"}, None), "to change are not in the table"),
        (RowChange(None, ROWS[9]), "to insert are in the table"),
    ],
    ids=["update", "delete", "insert"],
)
def test_changes_that_do_not_fit_the_file_are_no_file(change: RowChange, message: str, shape: Shape) -> None:
    with pytest.raises(Corrupt, match=message):
        splice(TableFile.of_bytes(BODY), KEY, [change], commit="one", number=1, shape=shape)


def wrong_value(table: pa.Table, *rest: object, **options: int) -> Encoded:
    at = table.schema.get_field_index("count" if "count" in table.schema.names else table.schema.names[-1])
    values = pa.nulls(table.num_rows, table.schema.field(at).type)
    return encode(table.set_column(at, table.schema.field(at), values), *rest, **options)  # type: ignore[arg-type]


def off_by_one(encoded: Encoded, at: int) -> object:
    groups, body = PLACED(encoded, at)
    return [group.moved(1) for group in groups], body


def swapped(outline: Outline, old: object, **options: int) -> Outline:
    ordered = COMPACT(outline, old, **options)  # type: ignore[arg-type]
    first, second = ordered.groups[0].group, ordered.groups[1].group
    exchanged = first.having(second.chunks)
    return replace(ordered, groups=(replace(ordered.groups[0], raw=exchanged.to_bytes()), *ordered.groups[1:]))


PLACED, COMPACT, LISTED = Encoded.placed, compact.compact, Listed.of
INSERTS = [RowChange(None, {**ROWS[199], "net": str(n)}) for n in range(4, 9)]


@pytest.mark.parametrize(
    ("where", "name", "wrong", "changes", "dead", "reason"),
    [
        (append, "encode", wrong_value, INSERTS, 0.25, "reads otherwise than it was written"),
        (Encoded, "placed", off_by_one, INSERTS, 0.25, "cannot be read"),
        (writer, "shifted", lambda index, by: index, INSERTS, 0.25, "its page index says"),
        (
            Listed,
            "of",
            lambda group, digests, new: LISTED(group, digests[::-1], new),
            INSERTS,
            0.25,
            "where its footer",
        ),
        (Order, "place", lambda order, key: 0, INSERTS, 0.25, "begins before row group 0 ends"),
        (Outline, "rows", 7, INSERTS, 0.25, "was meant"),
        (verify, "is_identical", lambda one, other: False, one_cell(), 0.25, "reads otherwise"),
        (splicing, "compact", swapped, INSERTS, 0.0, "two chunks of"),
        (indexes, "shifted", lambda index, by: index, INSERTS, 0.0, "its page index says"),
    ],
)
def test_a_splice_that_went_wrong_is_found_out_and_the_file_is_written_anew(
    where: object,
    name: str,
    wrong: Callable[..., object],
    changes: list[RowChange],
    dead: float,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, name, wrong)
    file = TableFile.of_bytes(BODY)
    spliced = splice(file, KEY, changes, commit="commit-1", number=1, shape=replace(SHAPE, dead=dead))
    assert spliced.mode == "rewrite"
    assert spliced.reason.startswith("splicing it failed: ")
    assert reason in spliced.reason
    monkeypatch.undo()
    check(body_of(spliced, BODY), KEY, tables.apply(TABLE, KEY, changes), 1)


def test_a_key_is_placed_by_statistics_and_the_first_rows_where_they_are_open() -> None:
    """Where two groups share the first part of a key, the second one's first row decides."""
    table = tables.sort(tables.from_rows([COMPOSITE.row((1, f"{n:03}")) for n in range(100)], COMPOSITE.schema), KEY)
    file = TableFile.open(Counted(written(table, KEY)), written(table, KEY))
    order = Order(file, KEY)
    assert [order.place((1, f"{n:03}")) for n in (0, 19, 20, 59, 60, 99)] == [0, 0, 1, 2, 3, 4]
    assert order.place((1, "")) == 0
    assert order.place((1, "0195")) == 0
    assert order.place((0, "x")) == 0
    assert order.place((2, "x")) == 4
    keys = {file.footer.group(group).spans[0][0] for group in range(5)}
    assert {start for start, _ in file.source.spans} <= keys


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.dictionaries(st.integers(0, 11), st.integers(-30, 60)))
def test_row_groups_are_neither_small_nor_large(rows: list[int], more: dict[int, int]) -> None:
    """So many rows come or go in each group; none that is written anew stays small while it has a neighbour."""
    row = ROWS[0]
    insert, delete = RowChange(None, row), RowChange(row, None)
    counts = {n: max(count, -rows[n]) for n, count in more.items() if n < len(rows)}
    changes = {n: [insert] * count if count > 0 else [delete] * -count for n, count in counts.items()}
    found = regroup.batches(rows, changes, USUAL)
    assert [n for batch in found for n in batch.groups] == list(range(len(rows)))
    assert sum(batch.rows for batch in found) == sum(rows) + sum(counts.values())
    assert all(batch.changes or len(batch.groups) == 1 for batch in found)
    for batch in found if len(found) > 1 else ():
        assert not batch.is_small(USUAL)
        if batch.is_whole and batch.rows:
            each = regroup.cut(batch.rows, USUAL)
            sizes = [min(each, batch.rows - at) for at in range(0, batch.rows, each)]
            assert all(USUAL / 2 <= size <= USUAL * 3 / 2 for size in sizes)


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40)), max_size=20)  # what is dead before it, and how long


@given(SPANS, st.integers(0, 30), st.integers(1, 60), st.integers(-10, 200), st.integers(0, 200))
def test_the_deadest_tracts_go_first_and_no_more_moves_than_may(
    holes: list[tuple[int, int]], tail: int, length: int, much: int, most: int
) -> None:
    """Tracts cover the data, none ends within what is alive; as many go as are needed, and may."""
    at, alive = 4, []
    for dead, length_ in holes:
        alive.append((at + dead, at + dead + length_))
        at += dead + length_
    stop = at + tail
    found = list(compact.tracts(alive, stop, length))
    assert [each.start for each in found] == [4, *(each.stop for each in found)][: len(found)]
    assert not found or found[-1].stop == stop
    assert all(each.stop - each.start >= length for each in found[:-1])
    assert all(not (start < each.stop < end) for each in found for start, end in alive)
    assert sum(each.alive for each in found) == sum(end - start for start, end in alive)
    gone = list(compact.worst(found, much, most))
    assert sum(each.dead for each in gone[:-1]) < max(much, 1)
    assert sum(each.alive for each in gone) <= max(most, max((each.alive for each in gone), default=0))
    stay = [each for each in found if each not in gone]
    assert all(one.share <= other.share for one in gone for other in stay)
    enough = much <= sum(each.dead for each in gone)
    full = any(sum(each.alive for each in gone) + other.alive > most for other in stay)
    assert enough or full or not any(each.dead for each in stay)


def test_what_moves_in_one_save_is_bounded() -> None:
    """There is a hole in every row group: without any of them the file would travel as a whole."""
    rows = ROWS[3::20]
    _, holed = save(BODY, KEY, [RowChange(row, {**row, "vessel": "Kestrel", "volume": 0.5}) for row in rows])
    shape = replace(SHAPE, dead=0.0, moved=1000)
    spliced = splice(TableFile.of_bytes(holed), KEY, one_cell(), commit="commit-2", number=2, shape=shape)
    assert spliced.mode == "compact"
    lent = sum(part.borrowed for part in layout(spliced.pieces, len(holed), RULES) if isinstance(part, Upload))
    assert 0 < lent < shape.moved + shape.tract + 2 * RULES.least < TableFile.of_bytes(holed).footer.start / 2


def test_updates_of_a_row_group_are_read_in_the_order_of_its_rows() -> None:
    changes = [RowChange(ROWS[n], {**ROWS[n], "count": n, "volume": float(n)}) for n in (17, 3, 11)]
    _, body = save(BODY, KEY, changes)
    check(body, KEY, tables.apply(TABLE, KEY, changes), 1)
    assert {key_of(row, KEY): row["count"] for row in TableFile.of_bytes(body).read([0]).to_pylist()}[(0, "3")] == 3


def test_a_group_that_grew_beyond_the_usual_size_is_edited_in_its_columns() -> None:
    """As everywhere but in tests, with the usual size of a row group."""
    table = pa.table({"tow": pa.array(range(writer.ROW_GROUP), pa.int64()), "net": [0] * writer.ROW_GROUP})
    schema = pa.schema([pa.field("tow", pa.int64(), nullable=False), pa.field("net", pa.int64())])
    body = writer.to_parquet(table.cast(schema), ("tow",), {})
    for number, change in enumerate(
        (RowChange(None, {"tow": -1, "net": 0}), RowChange({"tow": 5, "net": 0}, {"tow": 5, "net": 1})), 1
    ):
        spliced = splice(TableFile.of_bytes(body), ("tow",), [change], commit="c", number=number, shape=Shape(small=0))
        assert spliced.file.footer.rows == [writer.ROW_GROUP + 1]
        body = body_of(spliced, body)
    assert TableFile.of_bytes(body).rows([(5,)], ("tow",)) == {(5,): {"tow": 5, "net": 1}}
