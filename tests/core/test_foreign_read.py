"""Files of every writer, read as pyarrow reads them: whole, by row groups, by columns, by keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.foreign import (
    ALIKE,
    COLUMNLESS,
    DOTTED,
    ENCRYPTED,
    FORMS,
    KEY,
    MORE_TYPES,
    NAMELESS,
    NESTED,
    SCHEMA,
    TWICE,
    UNUSUAL,
    VIEWS,
    Form,
    by_arrow,
    same,
    towed,
)
from towline.errors import Corrupt, TowlineError
from towline.files import read_table
from towline.first_contract import choose
from towline.infer import infer
from towline.parquet.footer import of_bytes, rebuilt
from towline.parquet.source import BytesSource, Span
from towline.parquet.tablefile import TableFile
from towline.parquet.thrift import decode, encode
from towline.partfile import PartFile
from towline.values import Key, Row


@dataclass(frozen=True)
class Elsewhere:
    """A file that is not in memory, as one in a store is not: every span is asked for."""

    body: bytes
    where: str = "a file elsewhere"

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        assert all(0 <= start <= stop <= self.size for start, stop in spans)
        return [self.body[start:stop] for start, stop in spans]


def opened(form: Form) -> tuple[TableFile, ...]:
    """The file as Towline opens one of its own, and one of somebody else."""
    return TableFile.open(Elsewhere(form.body)), TableFile.foreign(BytesSource(form.body))


def picked(table: pa.Table) -> dict[Key, Row]:
    """Some rows by key: the first, the last, and a few in between."""
    places = sorted({0, 1, table.num_rows // 3, table.num_rows // 2, table.num_rows - 1} & set(range(table.num_rows)))
    return {tuple(row[name] for name in KEY): row for row in table.take(pa.array(places, pa.int64())).to_pylist()}


@pytest.mark.parametrize("form", [*FORMS, *MORE_TYPES, *UNUSUAL], ids=str)
def test_a_file_is_read_as_arrow_reads_it(form: Form) -> None:
    expected = by_arrow(form.body)
    sizes = [group.num_rows for group in groups_of(form)]
    wanted = {} if form is VIEWS else picked(expected)  # Arrow takes no rows of those
    absent: list[Key] = [(10**6, 3), (0, 99)]
    for file in opened(form):
        assert same(file.table(), expected)
        assert file.num_rows == expected.num_rows
        assert file.footer.rows == sizes
        assert same(file.read(range(file.num_groups), ["is_day", "tow"]), expected.select(["is_day", "tow"]))
        at = 0
        for number, size in list(enumerate(sizes))[:2]:
            assert same(file.read([number]), expected.slice(at, size))
            at += size
        found = file.rows([*wanted, *absent], KEY)
        assert repr(sorted(found.items())) == repr(sorted(wanted.items()))


def groups_of(form: Form) -> list[pq.RowGroupMetaData]:
    metadata = pq.read_metadata(pa.BufferReader(form.body))
    return [metadata.row_group(number) for number in range(metadata.num_row_groups)]


@pytest.mark.parametrize("form", NESTED, ids=str)
def test_nested_columns_are_read_as_they_are_but_no_row_is_looked_up_by_key(form: Form) -> None:
    for file in (TableFile.of_bytes(form.body), TableFile.open(Elsewhere(form.body))):
        assert same(file.table(), by_arrow(form.body))
        with pytest.raises(Corrupt, match="nested columns, which no table of Towline has"):
            file.rows([(0, 0)], KEY)


@pytest.mark.parametrize("form", [*FORMS, *MORE_TYPES, *NESTED, *UNUSUAL], ids=str)
def test_a_footer_is_written_again_byte_for_byte(form: Form) -> None:
    footer = of_bytes(form.body)
    struct, end = decode(footer.raw)
    assert end == len(footer.raw)
    assert encode(struct) == footer.raw
    groups = [footer.raw_group(number) for number in range(len(footer.rows))]
    assert [encode(footer.group(number).rest) for number in range(len(groups))] == groups
    if footer.metadata:
        assert rebuilt(footer.raw, groups, footer.num_rows, {})[:-8] == footer.raw


@pytest.mark.parametrize("form", ENCRYPTED, ids=str)
def test_an_encrypted_file_is_refused(form: Form) -> None:
    with pytest.raises(Corrupt, match="encrypted"):
        TableFile.foreign(BytesSource(form.body))


def test_the_forms_are_of_one_table() -> None:
    assert all(set(form.table.column_names) == set(SCHEMA.names) for form in FORMS)
    assert len({form.name for form in FORMS}) == len(FORMS)
    assert BytesSource(FORMS[0].body).size == len(FORMS[0].body)


def proposed(form: Form) -> pa.Table:
    """The table that a proposal, or the first file of a dataset, is read as."""
    table, _ = read_table(form.body, "tows.parquet")
    contract = choose(table, "tows", KEY).contract
    found, report = contract.conform(table)
    assert found is not None, report
    return found


@pytest.mark.parametrize("form", [*FORMS, *MORE_TYPES, ALIKE, DOTTED], ids=str)
def test_a_file_that_is_proposed_has_the_values_that_arrow_reads(form: Form) -> None:
    expected = by_arrow(form.body)
    assert read_table(form.body, "tows.parquet")[0].num_rows == expected.num_rows
    if expected.num_rows:
        found = proposed(form)
        assert repr(found.to_pylist()) == repr(expected.cast(found.schema).to_pylist())


@pytest.mark.parametrize(
    ("form", "said"),
    [
        *((form, "column extra holds lists or structures; a table has one value a cell") for form in NESTED),
        *((form, "column 'extra' is of type .*, which no contract has") for form in UNUSUAL),
        (TWICE, "column vessel is there more than once"),
        (NAMELESS, "column 14 has no name"),
        (COLUMNLESS, "a table needs at least its key"),
        *((form, "encrypted") for form in ENCRYPTED),
    ],
    ids=str,
)
def test_what_no_dataset_can_hold_is_refused_when_it_is_proposed(form: Form, said: str) -> None:
    with pytest.raises(TowlineError, match=said):
        proposed(form)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_part_of_any_writer_is_brought_to_the_columns_of_its_table(form: Form, tmp_path: Path) -> None:
    contract = infer(towed(1_000), "tows", KEY)
    expected, report = contract.conform(by_arrow(form.body))
    assert expected is not None, report
    path = tmp_path / "part"
    path.write_bytes(form.body)
    found = PartFile(path, "next/part").tables(contract.fields, contract.names, 2**16)
    schema = pa.schema([field.with_nullable(True) for field in contract.schema])
    assert same(pa.concat_tables([schema.empty_table(), *found]), expected.cast(schema))
