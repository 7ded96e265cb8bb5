"""Whatever somebody does by hand to snapshots, changes files and tables is found and named where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.promises import records
from tests.core.test_prune import a_history
from tests.core.verifying import check, first, key_of, kinds
from towline import keys
from towline import table as tables
from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.footer import GROUPS, Chunk
from towline.parquet.tablefile import TableFile
from towline.verify import tables as verifying
from towline.verify import versions as versions_read


@pytest.fixture
def nets() -> Nets:
    """Five commits of six proposals: the third commit holds two."""
    return a_history()


@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_snapshot_that_was_altered_or_deleted_is_named(nets: Nets, place: int) -> None:
    record = records(nets)[place]
    key, store = record["snapshot_key"], nets.pipeline.store
    body, metadata = store.get(key).body, store.get(key).stat.metadata
    table = tables.from_parquet(body, key)
    other = tables.to_parquet(table.slice(1), CONTRACT.key, commit=record["commit"], number=record["number"])
    for altered in (body[:-1], b"", other):
        store.put(key, altered, metadata=metadata)
        found = first(nets)
        assert (found.kind, found.key, found.number) == ("snapshot.altered", key, record["number"])
    assert f"1 of {table.num_rows} rows differ; row {{'tow': 1, 'net': 0}} should be there" in found.message
    store.delete(key)
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("snapshot.missing", key, record["number"])


def test_a_snapshot_whose_metadata_were_altered_is_named(nets: Nets) -> None:
    key = records(nets)[0]["snapshot_key"]
    nets.pipeline.store.put(key, nets.pipeline.store.get(key).body)
    assert kinds(check(nets)) == ["snapshot.altered"]


def test_a_snapshot_of_no_commit_is_named(nets: Nets) -> None:
    other = nets.pipeline.bench.layout.snapshot(NAME, nets.pipeline.bench.new_id())
    nets.pipeline.store.copy(records(nets)[0]["snapshot_key"], other)
    found = first(nets)
    assert (found.kind, found.key) == ("snapshot.stray", other)


@pytest.mark.parametrize("place", range(6))
def test_a_changes_file_that_was_altered_or_deleted_is_named(nets: Nets, place: int) -> None:
    record = records(nets)[place]
    key, store = record["changes_key"], nets.pipeline.store
    store.put(key, store.get(key).body + b" ")
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("changes.altered", key, record["number"])
    assert record["changes_sha256"] in found.message
    store.delete(key)
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("changes.missing", key, record["number"])


def test_a_changes_file_of_no_record_is_named(nets: Nets) -> None:
    store = nets.pipeline.store
    store.copy(records(nets)[1]["changes_key"], "changes/dataset=nets/date=2026-03-01/another.parquet")
    assert kinds(check(nets)) == ["changes.stray"]


def swap_body(nets: Nets, place: int, body: bytes) -> None:
    """What S3 never does: another body under an old VersionId, with everything else made to fit."""
    history_of, record = nets.pipeline.store._history, records(nets)[place]
    for key, at in ((keys.master(NAME), record["number"] - 1), (record["snapshot_key"], -1)):
        old = history_of[key][at]
        history_of[key][at] = replace(old, body=body, stat=replace(old.stat, size=len(body)))


def test_a_table_that_the_changes_do_not_lead_to_is_named_by_its_cell(nets: Nets) -> None:
    record = records(nets)[1]
    table = tables.from_parquet(nets.pipeline.store.get(record["snapshot_key"]).body, "")
    other = table.set_column(2, table.schema.field(2), pa.array([1.0, 99.0, None, 7.25]))
    swap_body(nets, 1, tables.to_parquet(other, CONTRACT.key, commit=record["commit"], number=2))
    verdict = check(nets)
    assert [(f.kind, f.number) for f in verdict.findings] == [("table.differs", 2), ("table.differs", 3)]
    assert "row {'tow': 1, 'net': 1} should have volume 0.0, and has 99.0" in verdict.findings[0].message


def test_counts_of_a_record_are_held_against_the_tables(nets: Nets) -> None:
    record = records(nets)[3]
    table = tables.from_parquet(nets.pipeline.store.get(record["snapshot_key"]).body, "")
    swap_body(nets, 3, tables.to_parquet(table.slice(1), CONTRACT.key, commit=record["commit"], number=3))
    assert "row_count: expected 4, found 5" in check(nets).findings[0].message, check(nets).findings


def test_the_commit_in_the_file_is_held_against_the_metadata(nets: Nets) -> None:
    table = tables.from_parquet(nets.pipeline.store.get(records(nets)[1]["snapshot_key"]).body, "")
    swap_body(nets, 1, tables.to_parquet(table, CONTRACT.key, commit="another", number=2))
    assert kinds(check(nets)) == ["version.contradicts"]


def forged_claim(table: pa.Table, claims: bytes, commit: str, number: int) -> bytes:
    """The file of a table, with the digests that another file claims."""
    body = tables.to_parquet(table, CONTRACT.key, commit=commit, number=number)
    mine, theirs = (TableFile.of_bytes(each).footer for each in (body, claims))
    raws = [mine.raw_group(group) for group in range(len(mine.rows))]
    return body[: mine.start] + mine.with_groups(raws, mine.num_rows, {GROUPS: theirs.metadata[GROUPS]})


def test_a_table_that_claims_the_digests_of_another_is_told_by_its_bytes(nets: Nets) -> None:
    """To whoever believes them, it is the table of the commit before it."""
    record = records(nets)[1]
    body = nets.pipeline.store.get(record["snapshot_key"]).body
    table = tables.from_parquet(body, "")
    other = table.set_column(2, table.schema.field(2), pa.array([1.0, 99.0, None, 7.25]))
    swap_body(nets, 1, forged_claim(other, body, record["commit"], 2))
    verdict = check(nets)
    told = [("version.contradicts", 2), ("table.differs", 2), ("table.differs", 3)]
    assert [(f.kind, f.number) for f in verdict.findings] == told
    assert "digest of column volume of row group 0" in verdict.findings[0].message
    assert "row {'tow': 1, 'net': 1} should have volume 0.0, and has 99.0" in verdict.findings[1].message


def test_pages_that_stayed_and_are_described_otherwise_are_read_again(nets: Nets) -> None:
    """A footer that says of the same bytes that they are compressed otherwise makes another table of them, or none."""
    record = records(nets)[1]
    body = nets.pipeline.store.get(record["snapshot_key"]).body
    footer = TableFile.of_bytes(body).footer
    group = footer.group(0)
    chunk = group.chunks[3]
    meta = chunk.meta.copy()
    meta.set(4, thrift.I32, 0)  # its codec: none
    raw = chunk.raw.copy()
    raw.set(3, thrift.STRUCT, meta)
    altered = group.having([*group.chunks[:3], Chunk(raw), *group.chunks[4:]]).to_bytes()
    swap_body(nets, 1, body[: footer.start] + footer.with_groups([altered], footer.num_rows, {}))
    assert [(f.kind, f.number) for f in check(nets).findings] == [("table.differs", 2)]


def test_a_table_out_of_order_is_named(nets: Nets) -> None:
    record = records(nets)[0]
    table = tables.from_parquet(nets.pipeline.store.get(record["snapshot_key"]).body, "").take([1, 0, 2, 3])
    swap_body(nets, 0, tables.to_parquet(table, CONTRACT.key, commit=record["commit"], number=1))
    found = check(nets).findings[0]
    assert (found.kind, found.number) == ("table.differs", 1)
    assert "not in key order (tow, net)" in found.message


@pytest.fixture
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each object the end is read first, and the rest in pieces."""
    monkeypatch.setattr(verifying, "TAIL", 700)
    monkeypatch.setattr(versions_read, "PIECE", 1000)


@pytest.mark.usefixtures("as_if_large")
def test_tables_that_are_read_in_pieces_are_verified_as_others_are(nets: Nets) -> None:
    assert check(nets).ok
    test_a_snapshot_that_was_altered_or_deleted_is_named(a_history(), 2)
    test_a_snapshot_whose_metadata_were_altered_is_named(a_history())
    test_a_table_that_the_changes_do_not_lead_to_is_named_by_its_cell(a_history())
    test_a_table_that_claims_the_digests_of_another_is_told_by_its_bytes(a_history())
    test_pages_that_stayed_and_are_described_otherwise_are_read_again(a_history())
    test_counts_of_a_record_are_held_against_the_tables(a_history())
    test_the_commit_in_the_file_is_held_against_the_metadata(a_history())


@pytest.mark.usefixtures("as_if_large")
@pytest.mark.parametrize("at", [0, 1500, -1])
def test_a_byte_of_a_snapshot_that_is_read_in_pieces_is_held_against_that_of_the_version(nets: Nets, at: int) -> None:
    key, store = records(nets)[1]["snapshot_key"], nets.pipeline.store
    body, metadata = bytearray(store.get(key).body), store.get(key).stat.metadata
    body[at] ^= 1
    store.put(key, bytes(body), metadata=metadata)
    assert [(f.kind, f.key) for f in check(nets).findings] == [("snapshot.altered", key)]


@pytest.mark.usefixtures("as_if_large")
def test_of_a_version_nothing_is_decoded_that_stood_in_the_one_before(
    nets: Nets, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[object] = []
    read = TableFile.read

    def noted(file: TableFile, groups: Any, columns: Any = None) -> pa.Table:
        decoded.append(columns)
        return read(file, groups, columns)

    monkeypatch.setattr(TableFile, "read", noted)
    assert check(nets).ok
    assert decoded.count(None) == 1 + 2 * 2, "the first table; a commit that inserts, and one that deletes"


def test_a_table_with_nan_and_negative_zero_replays() -> None:
    nets = Nets()
    nets.send(nets.edit(1, 0, volume=-0.0))
    nets.send(nets.edit(1, 1, volume=float("nan")), nets.edit(2, 0, volume=5e-324))
    nets.send(nets.edit(1, 1, vessel="Aurora"))
    assert check(nets).ok


@pytest.mark.parametrize(
    ("field", "kind"),
    [("snapshot_key", "snapshot.altered"), ("changes_key", "changes.altered"), ("key", "record.unreadable")],
)
def test_what_the_store_itself_calls_corrupt_is_a_finding(nets: Nets, field: str, kind: str) -> None:
    record = records(nets)[1]
    broken = {**record, "key": key_of(nets, record)}[field]

    def fault(operation: str, key: str, phase: str) -> None:
        if (operation, key) == ("get", broken):
            raise Corrupt("the checksum is another")

    nets.pipeline.store.faults = fault
    found = check(nets).findings[0]
    assert (found.kind, found.key, found.number) == (kind, broken, 2)
    assert "the checksum is another" in found.message
