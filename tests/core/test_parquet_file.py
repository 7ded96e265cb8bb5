"""Reading a Parquet file by its footer: the codec, what a footer says, rows by pages, and what is fetched for them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline import table as tables
from towline.errors import Corrupt
from towline.memory import MemoryStore
from towline.objects import open_table
from towline.parquet import thrift, writer
from towline.parquet.footer import GROUPS, MAGIC, Footer, Marks, digest, of_bytes
from towline.parquet.source import BytesSource, Span, coalesced
from towline.parquet.tablefile import TableFile
from towline.parquet.thrift import BINARY, BYTE, DOUBLE, I16, I32, I64, LIST, STRUCT, Many, Struct
from towline.sample import sample_table

KEY = ("tow", "net")


@dataclass
class Counted:
    """A file that notes what was read of it, and how often something was."""

    body: bytes
    where: str = "a file"
    spans: list[Span] = field(default_factory=list)
    rounds: int = 0

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        self.spans += spans
        self.rounds += 1
        return [self.body[start:stop] for start, stop in spans]

    @property
    def bytes(self) -> int:
        return sum(stop - start for start, stop in self.spans)


def nets(rows: int, per_tow: int = 10) -> pa.Table:
    """So many rows with the sample's schema, sorted by key."""
    sample = sample_table()
    table = pa.concat_tables([sample] * (rows // sample.num_rows + 1)).slice(0, rows)
    for name, numbers in (("tow", [n // per_tow for n in range(rows)]), ("net", [n % per_tow for n in range(rows)])):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), pa.array(numbers, pa.int64()))
    return table.combine_chunks()


def body_of(table: pa.Table, group: int = 1000) -> bytes:
    return writer.to_parquet(table, KEY, writer.commit_metadata("c1", 1), group=group)


VALUES = st.one_of(
    st.tuples(st.just(I16), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(I32), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(I64), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(BYTE), st.integers(0, 255)),
    st.tuples(st.just(BINARY), st.binary(max_size=300)),
    st.tuples(st.just(DOUBLE), st.binary(min_size=8, max_size=8)),
    st.sampled_from([(1, True), (2, False)]),
    st.tuples(st.just(LIST), st.builds(Many, st.just(I32), st.lists(st.integers(-9, 9), max_size=40))),
)
NUMBERS = st.integers(1, 2**15 - 1)
STRUCTS = st.recursive(
    st.builds(Struct, st.dictionaries(NUMBERS, VALUES, max_size=6)),
    lambda inner: st.builds(
        Struct,
        st.dictionaries(
            NUMBERS,
            st.one_of(
                VALUES,
                st.tuples(st.just(STRUCT), inner),
                st.tuples(st.just(LIST), st.builds(Many, st.just(STRUCT), st.lists(inner, max_size=20))),
            ),
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@given(STRUCTS)
def test_a_struct_is_read_as_it_was_written(struct: Struct) -> None:
    body = thrift.encode(struct)
    assert thrift.decode(body) == (struct, len(body))
    assert thrift.skip(body, 0) == len(body)
    assert thrift.encode(thrift.decode(body)[0]) == body


@given(STRUCTS, st.data())
def test_a_struct_that_was_cut_is_refused(struct: Struct, data: st.DataObject) -> None:
    body = thrift.encode(struct)
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    for read in (thrift.decode, thrift.skip):
        with pytest.raises(Corrupt, match="Thrift"):
            read(cut, 0)


def test_what_is_too_deep_or_too_many_is_refused() -> None:
    with pytest.raises(Corrupt, match="within each other"):
        thrift.decode(bytes([0x1C]) * 1000)
    with pytest.raises(Corrupt, match="claims 268,435,455 members"):
        thrift.decode(bytes([0x19, 0xF5, 0xFF, 0xFF, 0xFF, 0x7F, 0]))
    with pytest.raises(Corrupt, match="field 1 twice"):
        thrift.decode(bytes([0x15, 2, 0x05, 2, 2, 0]))


def test_a_footer_says_what_arrow_says() -> None:
    table = nets(4_321)
    footer = of_bytes(body_of(table))
    assert (footer.schema, footer.num_rows) == (table.schema, 4_321)
    assert footer.rows == [1000, 1000, 1000, 1000, 321]
    assert footer.metadata["towline.commit"] == "c1"
    for number, group in enumerate(footer.groups()):
        arrow = footer.arrow.row_group(number)
        assert group.rows == arrow.num_rows
        for at, chunk in enumerate(group.chunks):
            told = arrow.column(at)
            assert chunk.start == min(told.dictionary_page_offset or told.data_page_offset, told.data_page_offset)
            assert chunk.stop - chunk.start == told.total_compressed_size
            assert chunk.values == told.num_values


def test_each_chunk_has_the_digest_of_its_bytes() -> None:
    body = body_of(nets(2_500))
    footer = of_bytes(body)
    assert footer.digests is not None
    for number, group in enumerate(footer.groups()):
        assert footer.digests[number] == tuple(digest(body[start:stop]) for start, stop in group.spans)


def test_equal_rows_have_equal_digests_wherever_they_lie() -> None:
    table = nets(3_000)
    whole, later = of_bytes(body_of(table)).digests, of_bytes(body_of(table.slice(1000))).digests
    assert whole is not None
    assert later == whole[1:]


def test_lengths_that_lead_astray_are_not_followed() -> None:
    body = body_of(nets(3_000))
    footer = of_bytes(body)
    marks = footer.marks
    assert marks is not None
    wrong = Marks((marks.lengths[0] + 1, *marks.lengths[1:]), marks.digests)
    raws = [footer.raw_group(number) for number in range(3)]
    forged = body[: footer.start] + footer.with_groups(raws, 3_000, {GROUPS: wrong.to_text()})
    assert TableFile.of_bytes(forged).table().equals(nets(3_000))
    assert [of_bytes(forged).raw_group(number) for number in range(3)] == raws


@pytest.mark.parametrize("text", ["", "?", "AAAA", "AQ" * 20, Marks((1,), ((b"x" * 16,),)).to_text()])
def test_marks_that_do_not_fit_are_none(text: str) -> None:
    body = body_of(nets(3_000))
    footer = of_bytes(body)
    raws = [footer.raw_group(number) for number in range(3)]
    other = of_bytes(body[: footer.start] + footer.with_groups(raws, 3_000, {GROUPS: text}))
    assert (other.marks, other.digests, other.dead) == (None, None, 0)


def test_rows_are_found_by_key_with_the_pages_that_hold_them() -> None:
    table = nets(30_000)
    source = Counted(writer.to_parquet(table, KEY, {}, group=10_000))
    file = TableFile.open(source, source.body[-8_000:])
    found = file.rows([(1234, 5), (0, 0), (2999, 9), (7, 10), (-1, 0)], KEY)
    assert found == {(n // 10, n % 10): table.slice(n, 1).to_pylist()[0] for n in (12_345, 0, 29_999)}
    whole = Counted(source.body)
    TableFile.open(whole).table()
    assert source.bytes < whole.bytes / 2
    assert source.rounds <= 2, "where the rows lie in all groups, and then the pages that hold them"


def numbered(rows: int = 30_000) -> tuple[Counted, TableFile]:
    """One row group whose cells all differ: its first pages need a dictionary, and the others do not."""
    numbers = pa.array(range(rows), pa.int64())
    source = Counted(writer.to_parquet(pa.table({"tow": numbers, "depth": pc.divide(numbers, 7.0)}), ("tow",), {}))
    return source, TableFile.open(source, source.body)


@pytest.mark.parametrize(("place", "needs"), [(0, True), (29_999, False)])
def test_a_dictionary_is_read_where_a_page_needs_it(place: int, needs: bool) -> None:
    source, file = numbered()
    assert file.take(0, [place]).to_pylist() == [{"tow": place, "depth": place / 7}]
    depth = file.footer.group(0).chunks[1]
    assert ((depth.start, depth.data) in source.spans) == needs


def test_a_dictionary_that_was_not_told_of_is_read_all_the_same() -> None:
    source, file = numbered()
    group = file.footer.group(0)
    for chunk in group.chunks:
        for each in chunk.meta.get(13):  # PageEncodingStats: kind of page, encoding, count
            each.set(2, I32, 0)
    footer = file.footer.with_groups([group.to_bytes()], file.num_rows, {GROUPS: ""})
    forged = TableFile.open(Counted(source.body[: file.footer.start] + footer), footer)
    assert forged.take(0, [29_999, 5]).equals(file.take(0, [29_999, 5]))


def test_rows_come_in_the_order_they_are_asked_for() -> None:
    table = nets(30_000)
    file = TableFile.of_bytes(writer.to_parquet(table, KEY, {}, group=30_000))
    places = [29_999, 0, 8_191, 8_192, 8_192, 17]
    assert file.take(0, places).equals(table.take(places).cast(table.schema))
    many = list(range(0, 30_000, 100))
    assert file.take(0, many).equals(table.take(many))


def test_of_some_groups_and_columns_the_others_are_not_read() -> None:
    table = nets(10_000)
    source = Counted(body_of(table, 1000))
    file = TableFile.open(source, source.body[-60_000:])
    chunk = file.footer.group(3).chunks[table.schema.names.index("max_depth")]
    source.spans.clear()
    assert file.read([3], ["max_depth"]).equals(table.slice(3000, 1000).select(["max_depth"]))
    assert source.spans == [(chunk.start, chunk.stop)]
    assert file.read([1, 8]).equals(pa.concat_tables([table.slice(1000, 1000), table.slice(8000, 1000)]))
    assert pa.concat_tables(file.tables(["net", "tow"])).equals(table.select(["net", "tow"]))


def test_statistics_prune_and_tell() -> None:
    file = TableFile.of_bytes(body_of(nets(5_000)))
    assert file.bounds("tow") == [(0, 99), (100, 199), (200, 299), (300, 399), (400, 499)]
    assert file.locate([(150, 3), (499, 9), (500, 0), (150, 99)], KEY) == {1: [(150, 3)], 4: [(499, 9)]}
    assert sum(each or 0 for each in file.nulls("net_size")) == nets(5_000)["net_size"].null_count


def test_a_file_without_statistics_or_page_index_is_read_all_the_same() -> None:
    table, sink = nets(3_000), io.BytesIO()
    pq.write_table(table, sink, row_group_size=700, write_statistics=False, compression="snappy")
    file = TableFile.of_bytes(sink.getvalue())
    assert file.footer.digests is None
    assert file.bounds("tow") == [None] * 5
    assert file.rows([(250, 7)], KEY) == {(250, 7): table.slice(2507, 1).to_pylist()[0]}


def test_a_table_without_rows_is_a_table() -> None:
    file = TableFile.of_bytes(body_of(nets(0)))
    assert (file.num_rows, file.table().schema, file.rows([(1, 1)], KEY)) == (0, nets(0).schema, {})


def test_an_object_is_read_by_its_tail_and_a_few_ranges() -> None:
    store = MemoryStore()
    table = nets(200_000)
    body = tables.to_parquet(table, KEY, commit="c1", number=1)
    version = store.put("k", body).version
    store.put("k", b"another version")
    store.requests.clear()
    file = open_table(store, "k", version)
    assert file.rows([(9_999, 9)], KEY) == {(9_999, 9): table.slice(99_999, 1).to_pylist()[0]}
    assert file.table().equals(table)
    assert set(store.requests) == {"get"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "0 bytes"),
        (b"PAR1" + b"\0" * 20, "does not end as one"),
        (b"PAR1" + b"\0" * 8 + b"PARE", "encrypted"),
        (b"PAR1" + b"\0" * 8 + (99).to_bytes(4, "little") + MAGIC, "claims 99 bytes"),
        (b"PAR1" + b"\xff" * 8 + (8).to_bytes(4, "little") + MAGIC, "not a Parquet table"),
    ],
)
def test_what_is_no_parquet_file_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(Corrupt, match=said):
        Footer.read(BytesSource(body, "data/x.parquet"))


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 60)).map(lambda at: (at[0], sum(at)))), st.integers(0, 50)
)
def test_joined_spans_cover_what_was_asked(spans: list[Span], gap: int) -> None:
    joined = coalesced(spans, gap)
    assert all(any(a <= start and stop <= b for a, b in joined) for start, stop in spans)
    assert all(b + gap < c for (_, b), (c, _) in pairwise(joined))


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_the_groups_that_may_hold_a_key_are_those_whose_bounds_allow_for_it_in_whatever_order(order: list[int]) -> None:
    whole = nets(80, per_tow=25)
    table = pa.concat_tables([whole.slice(20 * number, 20) for number in order])
    file = TableFile.of_bytes(writer.to_parquet(table, KEY, {}, group=20))
    for tow, net in [(0, 0), (0, 24), (1, 3), (3, 4), (3, 99), (9, 0), (-1, 0), (None, 0)]:
        expected = [
            group
            for group, ((a, b), (c, d)) in enumerate(zip(file.bounds("tow"), file.bounds("net"), strict=True))  # type: ignore[misc]
            if (tow is None or a <= tow <= b) and c <= net <= d
        ]
        assert list(file.locate([(tow, net)], KEY)) == expected
