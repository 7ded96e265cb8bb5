"""History of tables that are too large to be read as a whole: what did not change is not read.

The bounds are small here (`tests.large`); the code is that of tables of gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest

from tests import large
from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.promises import check_promises
from tests.core.test_commit_large import of_tows
from tests.runs import Runs
from towline import blame, history, keys, objects, rowgroups
from towline import table as tables
from towline.bulk import results
from towline.change import RowChange
from towline.diff import diff
from towline.errors import NotFound
from towline.parquet.tablefile import TableFile
from towline.store import Blob
from towline.verify import tables as verifying
from towline.verify import verify, versions

TOWS = 60


@pytest.fixture(autouse=True)
def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (verifying, results):
        monkeypatch.setattr(module, "TAIL", large.TAIL)
    monkeypatch.setattr(versions, "PIECE", 3_000)
    monkeypatch.setattr(objects, "GAP", 0)
    for name, rows in (("ROW_GROUP", large.GROUP), ("_LEAST", large.GROUP // 2), ("_MOST", large.GROUP * 3 // 2)):
        monkeypatch.setattr(rowgroups, name, rows)
    with large.small_bounds():
        yield


@pytest.fixture
def nets() -> Nets:
    return of_tows(TOWS)


def share_read(nets: Nets, act: Callable[[], object]) -> float:
    """What share of a master an act reads of masters and snapshots, beside their footers."""
    store, read = nets.pipeline.store, [0]
    get = store.get

    def counted(key: str, **more: Any) -> Blob:
        blob = get(key, **more)
        if key.startswith(("data/", "snapshots/")):
            start = more["span"][0] if more.get("span") else blob.stat.size - len(blob.body)
            read[0] += max(0, min(start + len(blob.body), footer(get(key, version=more.get("version")))) - start)
        return blob

    store.get = counted  # type: ignore[method-assign, assignment]
    try:
        act()
    finally:
        store.get = get  # type: ignore[method-assign]
    return read[0] / footer(get(keys.master(NAME)))


def footer(blob: Blob) -> int:
    """Where it begins."""
    return TableFile.of_bytes(blob.body).footer.start


def busy(nets: Nets) -> None:
    """Commits of every kind."""
    nets.send(nets.edit(30, 1, volume=12.5))
    nets.send(nets.insert(30, 7), nets.edit(2, 2, vessel="Petrel"))
    nets.send(nets.delete(59, 4), nets.delete(0, 0))
    nets.send(nets.dataset.rows([RowChange(nets.row(30, 1), None), RowChange(None, {**nets.row(30, 1), "net": 9})],
                                "another key", nets.commit))  # fmt: skip


def test_a_diff_is_that_of_the_tables_and_reads_what_differs(nets: Nets) -> None:
    busy(nets)
    for old, new in [(1, 2), (2, 3), (3, 4), (4, 5), (1, 5), (5, 1)]:
        found, one, other = history.compare(nets.pipeline.bench, NAME, str(old), str(new))
        sides = [nets.dataset.table(commit)[1] for commit in (one, other)]
        assert found == diff(*sides, CONTRACT.key)
    assert share_read(nets, lambda: history.difference(nets.pipeline.bench, NAME, "1", "2")) < 0.1


def test_a_commit_is_undone_and_a_row_restored_by_what_differs(nets: Nets) -> None:
    before = nets.dataset.table()[1]
    busy(nets)
    wanted, base = nets.dataset.wish("1")
    assert nets.send(nets.dataset.restore(wanted, base, "as it was"))[0].status == "committed"
    assert nets.dataset.table()[1].equals(before)
    nets.send(nets.edit(30, 1, volume=99.0), nets.edit(31, 1, volume=98.0))
    wanted, base = nets.dataset.wish("1", {"tow": 30, "net": 1})
    assert wanted.keys == ((30, 1),)
    (receipt,) = nets.send(nets.dataset.restore(wanted, base, "only this one"))
    assert receipt.status == "committed"
    assert (nets.row(30, 1)["volume"], nets.row(31, 1)["volume"]) == (before.to_pylist()[151]["volume"], 98.0)
    with pytest.raises(NotFound, match="no row of nets has tow=77"):
        nets.dataset.wish("1", {"tow": 77, "net": 0})
    check_promises(nets)


def test_a_table_file_is_compared_with_its_base(nets: Nets) -> None:
    table = nets.dataset.table()[1]
    rows = [{**row, "volume": 1.0} if row["tow"] == 7 else row for row in table.to_pylist()]
    body = tables.to_parquet(tables.from_rows(rows[3:], CONTRACT.schema), CONTRACT.key, commit="", number=0)
    (receipt,) = nets.send(nets.dataset.file("nets.parquet", body, "a tow was measured again", nets.commit))
    assert receipt.status == "committed"
    assert nets.dataset.table()[1].to_pylist() == rows[3:]
    found = history.difference(nets.pipeline.bench, NAME, "1", "2")
    assert [found.count(kind) for kind in ("insert", "update", "delete")] == [0, 5, 3]


def test_the_story_of_a_cell_reads_its_row_alone(nets: Nets) -> None:
    busy(nets)

    def ask() -> None:
        (touch,) = blame.ask(nets.pipeline.bench, NAME, {"tow": 20, "net": 2}, "volume")
        assert (touch.change, touch.number, touch.new) == ("create", 1, 20 * 7919 % 1000 / 8)

    assert share_read(nets, ask) < 0.1
    told = blame.ask(nets.pipeline.bench, NAME, {}, "volume")
    assert len(told) == nets.dataset.table()[1].num_rows
    assert [touch.new for touch in told if touch.key == (30, 9)] == [12.5]


def test_a_history_is_verified_and_each_table_replayed(nets: Nets) -> None:
    busy(nets)
    assert verify(nets.pipeline.bench, NAME).ok
    key = nets.pipeline.bench.layout.snapshot(NAME, history.resolve(nets.pipeline.bench, NAME, "3"))
    blob = nets.pipeline.store.get(key)
    body = bytearray(blob.body)
    body[len(body) // 3] ^= 1
    nets.pipeline.store.put(key, bytes(body), metadata=blob.stat.metadata)
    assert [finding.kind for finding in verify(nets.pipeline.bench, NAME).findings] == ["snapshot.altered"]


def test_verifying_decodes_no_table_but_the_first(nets: Nets, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(nets)
    decoded: list[int] = []
    read = TableFile.read

    def noted(file: TableFile, groups: list[int], columns: object = None) -> pa.Table:
        if columns is None:
            decoded.extend(groups)
        return read(file, groups, columns)  # type: ignore[arg-type]

    monkeypatch.setattr(TableFile, "read", noted)
    assert verify(nets.pipeline.bench, NAME).ok
    groups = len(TableFile.of_bytes(nets.pipeline.store.get(keys.master(NAME)).body).footer.rows)
    assert len(decoded) < 2 * groups, "the first table, and groups with inserts and deletes"


# ---- edits by SQL ----


def rewritten(table: pa.Table) -> pa.Table:
    """What an UPDATE and a DELETE make of a table, in the order in which a query leaves it: none."""
    rows = [{**row, "volume": row["volume"] + 1} if row["tow"] == 20 else row for row in table.to_pylist()]
    rows = [row for row in rows if row["tow"] != 40]
    Random(4).shuffle(rows)  # noqa: S311 - no secret
    return tables.from_rows(rows, CONTRACT.schema)


def test_an_edit_by_sql_is_checked_and_promoted_by_what_it_changes(nets: Nets) -> None:
    nets.send(nets.edit(10, 1, volume=3.5), nets.insert(10, 9))
    before = nets.dataset.table()[1]
    runs = Runs(nets=nets, answer=rewritten)
    with patch.object(TableFile, "table", side_effect=AssertionError("a whole table was read")):
        run = runs.sql("UPDATE master SET volume = volume + 1 WHERE tow = 20", preview=True)
        runs.pump()
        shown = json.loads(runs.store.get(run.preview).body)
        base, result = (TableFile.of_bytes(runs.store.get(key).body).footer for key in (run.base, run.result))
        runs.promote(run)
    assert shown["rows"] == {"before": 301, "after": 296, "inserted": 0, "updated": 5, "deleted": 5}
    same = set(base.digests or ()) & set(result.digests or ())
    assert len(same) >= len(base.rows) - 4, "but where tows 20 and 40 are"
    assert runs.receipt(run).status == "committed"
    after = nets.dataset.table()[1]
    assert sorted(map(repr, after.to_pylist())) == sorted(map(repr, rewritten(before).to_pylist()))


def twice(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table, table.slice(3, 1), table.slice(3, 2), table.slice(250, 1)])


def test_a_key_that_is_there_twice_in_a_large_result_is_named(nets: Nets) -> None:
    runs = Runs(nets=nets, answer=twice)
    run = runs.sql("INSERT INTO master SELECT * FROM master WHERE tow = 0")
    runs.pump()
    receipt = runs.receipt(run)
    assert (receipt.status, receipt.errors) == ("rejected", 3)
    assert [violation["rule"] for violation in receipt.violations] == ["key.duplicate"] * 3
    assert "tow=0, net=3 occurs 3 times" in receipt.violations[0]["message"]
