"""A master that somebody wrote past Towline with another program: read as it is, and brought to canonical form by the
first commit, with nothing changed but what was edited."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import large
from tests.core.foreign import (
    ENCRYPTED,
    FORMS,
    KEY,
    NESTED,
    TWICE,
    UNUSUAL,
    Form,
    by_all,
    by_arrow,
    same,
    towed,
)
from tests.pipeline import Pipeline
from towline import history, infer, keys, master
from towline import table as tables
from towline.change import RowChange
from towline.dataset import Dataset
from towline.master import Head
from towline.memory import MemoryStore
from towline.parquet import thrift
from towline.parquet.footer import GROUPS, digest, of_bytes
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import to_parquet
from towline.receipts import Receipt

NAME, ROWS = "net_tows", 40
CONTRACT = infer.infer(towed(ROWS), NAME, KEY)
SMALL = [replace(form, rows=min(form.rows, ROWS)) for form in FORMS]


@pytest.fixture(scope="module")
def towline() -> Iterator[Dataset]:
    """A dataset, where a table of some rows is a large one. Each test puts its own master on top."""
    yield from made()


@pytest.fixture
def fresh() -> Iterator[Dataset]:
    """One with nothing but its first commit, whose row groups are as they are written anew."""
    yield from made()


def made() -> Iterator[Dataset]:
    with large.small_bounds():
        dataset = Pipeline().dataset(NAME)
        draft = dataset.create("tows.parquet", to_parquet(towed(ROWS), KEY, {}), CONTRACT, "first load")
        assert sent(dataset, draft).status == "committed"
        yield dataset


def sent(dataset: Dataset, draft: object) -> Receipt:
    """What came of a draft."""
    pipeline = Pipeline(dataset.bench)
    return pipeline.send(dataset, draft)[0]  # type: ignore[arg-type]


def head(dataset: Dataset) -> Head:
    found = master.read(dataset.bench.store, NAME)
    assert found is not None
    return found


def body(dataset: Dataset) -> bytes:
    return dataset.bench.store.get(keys.master(NAME)).body


@pytest.mark.parametrize("form", SMALL, ids=str)
def test_the_first_commit_on_a_master_of_any_writer_changes_what_was_edited_and_the_form(
    towline: Dataset, form: Form
) -> None:
    before = str(head(towline).commit)
    towline.bench.store.put(keys.master(NAME), form.body)
    assert same(head(towline).table, by_arrow(form.body))
    expected, report = CONTRACT.conform(by_arrow(form.body))
    assert expected is not None, report
    new = {**towed(1).to_pylist()[0], "tow": 10**6 + SMALL.index(form)}
    receipt = sent(towline, towline.rows([RowChange(None, new)], "one more", before))
    assert receipt.status == "committed", receipt
    expected = tables.sort(pa.concat_tables([expected, pa.Table.from_pylist([new], CONTRACT.schema)]), KEY)
    check(towline, expected)


def check(dataset: Dataset, expected: pa.Table) -> None:
    """The master has these rows for every reader, in canonical form."""
    found = body(dataset)
    for table in by_all(found):
        assert same(table.cast(CONTRACT.schema), expected)
    file = TableFile.of_bytes(found)
    assert file.footer.digests is not None
    assert [field.nullable for field in file.schema] == [field.name not in KEY for field in file.schema]
    codecs = {file.footer.arrow.row_group(n).column(0).compression for n in range(file.num_groups)}
    assert codecs == {"ZSTD"}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        *((form, "column extra holds lists or structures") for form in NESTED),
        (UNUSUAL[0], "the contract has no column 'extra'"),
        (TWICE, "column vessel is there more than once"),
        *((form, "encrypted") for form in ENCRYPTED),
    ],
    ids=str,
)
def test_a_master_that_no_contract_can_hold_is_recorded_and_the_one_before_it_put_back(
    towline: Dataset, form: Form, said: str
) -> None:
    before = head(towline)
    towline.bench.store.put(keys.master(NAME), form.body)
    new = {**before.table.to_pylist()[0], "tow": 10**7 + before.number}
    assert sent(towline, towline.rows([RowChange(None, new)], "one more", str(before.commit))).status == "committed"
    external = history.log(towline.bench, NAME)[1]
    assert (external["kind"], external["cells_changed"]) == ("external", 0)
    assert said in external["note"]
    assert same(head(towline).table.slice(0, before.table.num_rows), before.table)


# --- digests that are not theirs -------------------------------------------------------------------------------------


def carried_along(found: bytes, table: pa.Table) -> bytes:
    """A table in the form of a master, with the digests of the master `found`: what pyarrow writes of a table that it
    read there, for it keeps the metadata of a file with the table."""
    old, made = of_bytes(found), to_parquet(table, KEY, {}, group=large.GROUP)
    new = of_bytes(made)
    groups = [new.raw_group(number) for number in range(len(new.rows))]
    return made[: new.start] + new.with_groups(groups, new.num_rows, old.metadata)


@pytest.mark.parametrize("metadata", [False, True], ids=["of nobody", "of the commit"])
def test_a_master_with_the_digests_of_another_hides_nothing(fresh: Dataset, metadata: bool) -> None:
    before = head(fresh)
    rows = before.table.to_pylist()
    rows[5] |= {"lat_decimal": rows[5]["lat_decimal"] + 0.5}
    forged = carried_along(body(fresh), pa.Table.from_pylist(rows, before.table.schema))
    assert of_bytes(forged).digests == of_bytes(body(fresh)).digests
    stat = before.blob.stat
    fresh.bench.store.put(keys.master(NAME), forged, metadata=stat.metadata if metadata else None)
    if not metadata:
        assert head(fresh).file.footer.digests is None
    assert head(fresh).foreign().footer.digests is None
    other = {**rows[20], "lat_decimal": rows[20]["lat_decimal"] + 1.0}
    receipt = sent(fresh, fresh.rows([RowChange(rows[20], other)], "a cell", str(before.commit)))
    assert receipt.status == "committed", receipt
    ours, external = history.log(fresh.bench, NAME)[:2]
    assert (external["kind"], external["cells_changed"], ours["cells_changed"]) == ("external", 1, 1)
    after = head(fresh)
    rows[20] = other
    assert same(after.table, pa.Table.from_pylist(rows, after.table.schema))
    assert after.file.footer.digests == tuple(
        tuple(digest(body(fresh)[start:stop]) for start, stop in group.spans) for group in after.file.footer.groups()
    )


def test_pyarrow_carries_the_digests_of_a_master_along(towline: Dataset) -> None:
    """Why they cannot be believed of a file that no commit made."""
    read = pq.ParquetFile(pa.BufferReader(body(towline))).read()
    sink = io.BytesIO()
    pq.write_table(read, sink)
    assert of_bytes(sink.getvalue()).metadata[GROUPS] == of_bytes(body(towline)).metadata[GROUPS]


def test_a_proposal_with_the_digests_of_another_file_is_read_by_its_values(towline: Dataset) -> None:
    before = head(towline)
    rows = before.table.to_pylist()
    rows[7] |= {"lat_decimal": 3.5}
    forged = carried_along(body(towline), pa.Table.from_pylist(rows, before.table.schema))
    receipt = sent(towline, towline.file("tows.parquet", forged, "all of it", str(before.commit)))
    assert receipt.status == "committed", receipt
    assert history.log(towline.bench, NAME)[0]["cells_changed"] == 1
    assert head(towline).table.to_pylist()[7]["lat_decimal"] == 3.5


def test_statistics_that_lie_hide_no_row() -> None:
    """Of a file of others nothing is found by its statistics or its page index."""
    table = towed(ROWS)
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=10, write_page_index=True, use_dictionary=False)
    made = of_bytes(sink.getvalue())
    raws = []
    for group in made.groups():
        meta = group.chunks[2].raw.get(3)
        for field in (1, 2, 5, 6):
            meta.get(12).set(field, thrift.BINARY, (10**9).to_bytes(8, "little"))
        raws.append(thrift.encode(group.rest))
    lying = sink.getvalue()[: made.start] + made.with_groups(raws, made.num_rows, {})
    assert TableFile.of_bytes(lying).rows([(1, 3)], KEY) == {}
    file = TableFile.foreign(BytesSource(lying))
    assert file.rows([(1, 3)], KEY) == {(1, 3): table.to_pylist()[11]}
    assert file.bounds("tow") == file.nulls("tow") == [None] * 4


def test_what_towline_wrote_is_vouched_for_unless_it_was_joined_of_the_bytes_of_others() -> None:
    store = MemoryStore()
    ours = to_parquet(towed(ROWS), KEY, {})
    joined = ours[: of_bytes(ours).start] + of_bytes(ours).with_groups(
        [of_bytes(ours).raw_group(0)], ROWS, {GROUPS: ""}
    )
    store.put("ours", ours)
    store.put("joined", joined)
    found = {
        (name, vouched): Head(NAME, store.get(name), store, vouched).file.footer.foreign
        for name in ("ours", "joined")
        for vouched in (True, False)
    }
    assert [key for key, foreign in found.items() if not foreign] == [("ours", True)]
