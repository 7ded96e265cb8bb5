"""A master that somebody wrote past Towline with another program: read as it is, and brought to canonical form by the
first commit, with nothing changed but what was edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.core import large
from tests.core.foreign import (
    FORMS,
    KEY,
    Form,
    by_all,
    by_arrow,
    same,
    towed,
)
from tests.pipeline import Pipeline
from towline import infer, keys, master
from towline import table as tables
from towline.change import RowChange
from towline.dataset import Dataset
from towline.master import Head
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import to_parquet
from towline.receipts import Receipt

NAME, ROWS = "net_tows", 40
CONTRACT = infer.infer(towed(ROWS), NAME, KEY)
SMALL = [replace(form, rows=min(form.rows, ROWS)) for form in FORMS]


@pytest.fixture(scope="module")
def towline() -> Iterator[Dataset]:
    """A dataset, where a table of some rows is a large one. Each test puts its own master on top."""
    with pytest.MonkeyPatch.context() as patch:
        large.shrink(patch)
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
