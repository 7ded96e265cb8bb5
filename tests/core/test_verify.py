"""Whatever somebody does to the stored history by hand is found, named where it is, and told what to do about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.test_prune import REQUESTS, Crash, a_history, cut, run
from towline import audit, commit, history, keys, prune
from towline import table as tables
from towline.errors import Corrupt, NotFound, Refused
from towline.parquet import thrift
from towline.parquet.footer import GROUPS, Chunk
from towline.parquet.tablefile import TableFile
from towline.receipts import Receipt
from towline.store import Version
from towline.verify import Finding, Verdict, verify
from towline.verify import tables as verifying
from towline.verify import versions as versions_read
from towline.verify.finding import BREAKS, NOTES
from towline.verify.records import SHARED

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def nets() -> Nets:
    """Five commits of six proposals: the third commit holds two."""
    return a_history()


def check(nets: Nets, *, quick: bool = False) -> Verdict:
    return verify(nets.pipeline.bench, NAME, quick=quick)


def kinds(verdict: Verdict) -> list[str]:
    return [finding.kind for finding in verdict.findings]


def first(nets: Nets) -> Finding:
    """The first break, which every way of looking names."""
    verdict = check(nets)
    assert not verdict.ok
    if verdict.findings[0].kind != "table.differs":
        quick = check(nets, quick=True).findings[0]
        assert (quick.kind, quick.key, quick.number) == (
            verdict.findings[0].kind,
            verdict.findings[0].key,
            verdict.findings[0].number,
        )
    return verdict.findings[0]


def records(nets: Nets) -> list[dict[str, Any]]:
    """Oldest first."""
    return [dict(record) for record in reversed(history.log(nets.pipeline.bench, NAME))]


def key_of(nets: Nets, record: Mapping[str, Any]) -> str:
    at = keys.commit_time(record["commit"])
    return nets.pipeline.bench.layout.audit_record(NAME, record["user"], record["proposal"], at)


def rewrite(nets: Nets, key: str, change: Change, *, seal: bool = False) -> None:
    """Change the JSON of an object; `seal` makes its chain value right again."""
    content = json.loads(nets.pipeline.store.get(key).body)
    change(content)
    if seal:
        content["chain"] = audit.link(content)
    nets.pipeline.store.put(key, json.dumps(content).encode())


def versions(nets: Nets) -> list[Version]:
    """Of the master, oldest first."""
    return list(nets.pipeline.store.versions(keys.master(NAME)))[::-1]


# ---- a whole history ----


@pytest.mark.parametrize("quick", [False, True])
def test_a_whole_history_is_found_whole(nets: Nets, quick: bool) -> None:
    verdict = check(nets, quick=quick)
    assert verdict.ok
    assert (verdict.commits, verdict.versions, verdict.notes) == (5, 5, ())
    assert (verdict.head, verdict.chain) == (nets.commit, records(nets)[-1]["chain"])


def test_it_writes_nothing_and_reads_as_much_as_there_is(nets: Nets) -> None:
    store = nets.pipeline.store
    before = store.requests.copy()
    check(nets)
    made = store.requests - before
    assert set(made) == {"get", "head", "list", "versions"}
    assert made["head"] == 5, "one a version"
    assert made["get"] == 1 + 6 * 3 + 5 * 3, "the contract; record, receipt, changes; version, snapshot, intent"


def test_quick_reads_no_table(nets: Nets) -> None:
    tables_read = []

    def fault(operation: str, key: str, phase: str) -> None:
        if operation == "get" and key.startswith(("data/", "snapshots/")):
            tables_read.append(key)

    nets.pipeline.store.faults = fault
    assert check(nets, quick=True).ok
    assert tables_read == []


def test_progress_is_told(nets: Nets) -> None:
    told: list[tuple[int, int]] = []
    verify(nets.pipeline.bench, NAME, seen=lambda done, whole: told.append((done, whole)))
    assert told == [(number, 5) for number in range(1, 6)]


def test_a_dataset_that_is_not_there_is_said(nets: Nets) -> None:
    with pytest.raises(NotFound, match="no dataset 'tows'"):
        verify(nets.pipeline.bench, "tows")


def test_every_kind_of_finding_has_a_way_out(nets: Nets) -> None:
    assert not BREAKS.keys() & NOTES.keys()
    nets.pipeline.store.delete(key_of(nets, records(nets)[1]))
    said = check(nets).to_json()
    assert said["ok"] is False
    assert said["findings"][0]["do"] == BREAKS["record.missing"]  # type: ignore[index]
    assert json.loads(json.dumps(said)) == said


# ---- records ----


@pytest.mark.parametrize("field", [field for field in audit.FIELDS if field != "chain"])
@pytest.mark.parametrize("place", [0, 2, 5])
def test_a_record_that_was_edited_is_named_whatever_was_edited(nets: Nets, field: str, place: int) -> None:
    record = records(nets)[place]
    rewrite(nets, key_of(nets, record), lambda content: content.update({field: "edited"}))
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("record.altered", key_of(nets, record), record["number"])


@pytest.mark.parametrize("place", range(6))
def test_a_record_that_was_edited_with_a_chain_value_to_fit_is_found_too(nets: Nets, place: int) -> None:
    """The next version of the master, or the receipt, names another."""
    record = records(nets)[place]
    rewrite(nets, key_of(nets, record), lambda content: content.update(note="edited"), seal=True)
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("record.rewritten", key_of(nets, record), record["number"])


def test_a_chain_that_was_rewritten_to_its_end_is_found(nets: Nets) -> None:
    chain = None
    for record in records(nets):

        def change(content: dict[str, Any], chain: str | None = chain) -> None:
            content.update({"note": "edited"} | ({"prev_chain": chain} if chain else {}))

        rewrite(nets, key_of(nets, record), change, seal=True)
        chain = json.loads(nets.pipeline.store.get(key_of(nets, record)).body)["chain"]
    verdict = check(nets)
    assert kinds(verdict)[0] == "record.rewritten"
    assert {finding.number for finding in verdict.findings} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("place", range(6))
def test_a_record_that_was_deleted_is_named_with_its_proposal(nets: Nets, place: int) -> None:
    record = records(nets)[place]
    nets.pipeline.store.delete(key_of(nets, record))
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("record.missing", key_of(nets, record), record["number"])
    assert record["proposal"] in found.message
    assert len(check(nets).findings) == 1


def test_a_deleted_record_without_its_receipt_is_still_found(nets: Nets) -> None:
    record = records(nets)[3]
    nets.pipeline.store.delete(key_of(nets, record))
    nets.pipeline.store.delete(keys.receipt(NAME, record["proposal"]))
    found = first(nets)
    assert (found.kind, found.number) == ("record.missing", 3)
    assert record["chain"] in found.message


def test_a_record_that_was_put_between_two_others_is_found(nets: Nets) -> None:
    model = records(nets)[1]
    forged = {**model, "proposal": "forged", "note": "always was", "prev_chain": model["chain"]}
    forged["chain"] = audit.link(forged)
    nets.pipeline.store.put(key_of(nets, forged), audit.to_line(forged))
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("record.inserted", key_of(nets, forged), 2)


def test_a_record_of_a_version_that_never_was_is_found(nets: Nets) -> None:
    forged = {**records(nets)[5], "proposal": "forged", "new_version": "f" * 32, "commit": nets.pipeline.bench.new_id()}
    forged["chain"] = audit.link(forged)
    nets.pipeline.store.put(key_of(nets, forged), audit.to_line(forged))
    found = first(nets)
    assert (found.kind, found.key) == ("version.missing", key_of(nets, forged))


def test_a_record_under_a_second_name_is_found(nets: Nets) -> None:
    key = key_of(nets, records(nets)[1])
    nets.pipeline.store.copy(key, f"{key.rsplit('/', 1)[0]}/another.jsonl")
    found = first(nets)
    assert (found.kind, found.key.rsplit("/", 1)[1], found.number) == ("record.twice", "another.jsonl", 2)
    assert key in found.message


@pytest.mark.parametrize(("one", "other"), [(1, 4), (2, 3), (0, 5)])
def test_two_records_that_changed_places_are_named(nets: Nets, one: int, other: int) -> None:
    pair = [key_of(nets, records(nets)[place]) for place in (one, other)]
    bodies = [nets.pipeline.store.get(key).body for key in pair]
    for key, body in zip(pair, reversed(bodies), strict=True):
        nets.pipeline.store.put(key, body)
    verdict = check(nets)
    assert kinds(verdict) == ["record.misplaced"] * 2
    assert {finding.key for finding in verdict.findings} == set(pair)


def test_a_tail_of_the_records_that_is_gone_is_found_commit_by_commit(nets: Nets) -> None:
    for record in records(nets)[2:]:
        nets.pipeline.store.delete(key_of(nets, record))
    verdict = check(nets)
    assert [(f.kind, f.number) for f in verdict.findings] == [("record.missing", n) for n in (3, 3, 4, 5)]


def test_a_tail_of_the_history_that_is_gone_with_its_versions_is_told_by_the_receipts(nets: Nets) -> None:
    """Only the break-glass principal can do that."""
    gone = records(nets)[4:]
    for record in gone:
        for key in (key_of(nets, record), record["snapshot_key"], record["changes_key"]):
            nets.pipeline.store.delete(key)
    nets.pipeline.store._history[keys.master(NAME)] = nets.pipeline.store._history[keys.master(NAME)][:3]
    verdict = check(nets)
    assert [(f.kind, f.number, f.commit) for f in verdict.findings] == [
        ("version.missing", record["number"], record["commit"]) for record in gone
    ]


def test_a_version_that_was_deleted_from_the_middle_is_found(nets: Nets) -> None:
    gone = nets.pipeline.store._history[keys.master(NAME)].pop(2).stat.version
    verdict = check(nets)
    told = [(f.kind, f.number, f.version) for f in verdict.findings if f.kind == "version.missing"]
    assert told == [("version.missing", 3, gone)] * 2 + [("version.missing", 4, gone)]
    assert set(kinds(verdict)) == {"version.missing", "snapshot.stray"}


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"not json", b"[1]", b"{}", b"\xff\xfe", b"null", b"{" * 3000], ids=lambda body: repr(body[:9])
)
def test_what_is_no_record_any_more_is_named(nets: Nets, body: bytes) -> None:
    record = records(nets)[3]
    nets.pipeline.store.put(key_of(nets, record), body)
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("record.unreadable", key_of(nets, record), 3)


def test_a_cut_record_is_named(nets: Nets) -> None:
    key = key_of(nets, records(nets)[4])
    nets.pipeline.store.put(key, nets.pipeline.store.get(key).body[:-30])
    found = first(nets)
    assert (found.kind, found.key, found.number) == ("record.unreadable", key, 4)
    assert "no audit record" in found.message


def test_something_strange_among_the_records_is_named(nets: Nets) -> None:
    nets.pipeline.store.put("audit/nets/README.txt", b"hello")
    assert first(nets).key == "audit/nets/README.txt"


# ---- receipts ----


@pytest.mark.parametrize(
    "field", ["status", "commit", "number", "version", "chain", "audit_key", "changes_key", "user", "note", "kind"]
)
@pytest.mark.parametrize("place", [2, 5])
def test_a_receipt_that_was_altered_is_named(nets: Nets, field: str, place: int) -> None:
    record = records(nets)[place]
    key = keys.receipt(NAME, record["proposal"])
    rewrite(nets, key, lambda content: content.update({field: 7 if field == "number" else "altered"}))
    verdict = check(nets)
    assert ("receipt.contradicts", key, record["number"]) in [(f.kind, f.key, f.number) for f in verdict.findings]


def test_a_receipt_that_is_gone_is_named(nets: Nets) -> None:
    for place in (1, 5):
        key = keys.receipt(NAME, records(nets)[place]["proposal"])
        nets.pipeline.store.delete(key)
        assert ("receipt.missing", key) in [(f.kind, f.key) for f in check(nets).findings]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"format": "towline.receipt/v1", "commit": []}'])
def test_what_is_no_receipt_any_more_is_named(nets: Nets, body: bytes) -> None:
    key = keys.receipt(NAME, records(nets)[1]["proposal"])
    nets.pipeline.store.put(key, body)
    assert [(f.kind, f.key) for f in check(nets).findings] == [("receipt.unreadable", key)]


# ---- intents ----


def rewrite_newest(nets: Nets) -> None:
    """The newest record, and its receipt to fit: no version is after it that would name its chain value."""
    record = records(nets)[-1]
    rewrite(nets, key_of(nets, record), lambda content: content.update(note="edited"), seal=True)
    chain = records(nets)[-1]["chain"]
    rewrite(nets, keys.receipt(NAME, record["proposal"]), lambda content: content.update(note="edited", chain=chain))


def test_a_newest_record_that_was_rewritten_with_its_receipt_is_told_by_the_intent(nets: Nets) -> None:
    rewrite_newest(nets)
    found = check(nets).findings[0]
    assert (found.kind, found.number) == ("intent.contradicts", 5)
    nets.pipeline.bench.finished.clear()
    nets.send(nets.edit(1, 1, volume=3.5))
    assert [(f.kind, f.number) for f in check(nets).findings] == [("intent.contradicts", 5)], "later, too"


def test_who_may_not_read_intents_verifies_all_the_rest(nets: Nets) -> None:
    def fault(operation: str, key: str, phase: str) -> None:
        if operation == "get" and key.startswith(keys.INTENTS):
            raise Refused("AccessDenied")

    nets.pipeline.store.faults = fault
    assert check(nets).ok
    nets.pipeline.store.delete(records(nets)[0]["snapshot_key"])
    assert kinds(check(nets)) == ["snapshot.missing"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"format": "towline.intent/v1"}'])
def test_an_intent_that_was_altered_is_named(nets: Nets, body: bytes) -> None:
    key = keys.intent(NAME, records(nets)[2]["commit"])
    nets.pipeline.store.put(key, body)
    assert [(f.kind, f.key, f.number) for f in check(nets).findings] == [("intent.contradicts", key, 3)]


# ---- snapshots, changes files, tables ----


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


# ---- the master ----


def overwrite(nets: Nets, body: bytes | None = None, **metadata: str) -> str:
    key = keys.master(NAME)
    version = nets.pipeline.store.put(key, body or nets.head().blob.body + b" ", metadata=metadata).version
    assert version is not None
    return version


def test_a_master_that_was_overwritten_is_a_break_until_it_is_recorded(nets: Nets) -> None:
    table = nets.head().table.slice(1)
    version = overwrite(nets, tables.to_parquet(table, CONTRACT.key, commit="", number=0))
    found = first(nets)
    assert (found.kind, found.version, found.number) == ("version.unrecorded", version, 6)
    assert "Reconcile records it" in found.do
    assert "not recorded yet" in found.message
    commit.settled_head(nets.pipeline.bench, NAME)
    verdict = check(nets)
    assert verdict.ok
    assert [(note.kind, note.version, note.number) for note in verdict.notes] == [("version.external", version, 6)]


def test_several_foreign_versions_are_each_accounted_for(nets: Nets) -> None:
    """A table, something that is none, and an old snapshot with the metadata of then."""
    store = nets.pipeline.store
    old = store.get(records(nets)[1]["snapshot_key"])
    made = [overwrite(nets, tables.to_parquet(nets.head().table.slice(1), CONTRACT.key, commit="", number=0))]
    made += [overwrite(nets, b"no table"), overwrite(nets, old.body, **old.stat.metadata)]
    assert [finding.version for finding in check(nets).findings] == made
    commit.settled_head(nets.pipeline.bench, NAME)
    nets.send(nets.edit(1, 0, volume=77.0))
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [note.version for note in verdict.notes] == made


def test_a_version_whose_record_was_removed_is_found(nets: Nets) -> None:
    version = overwrite(nets, tables.to_parquet(nets.head().table.slice(1), CONTRACT.key, commit="", number=0))
    commit.settled_head(nets.pipeline.bench, NAME)
    nets.send(nets.edit(1, 1, volume=77.0))
    record = next(record for record in records(nets) if record["prev_version"] == version)
    nets.pipeline.store.delete(key_of(nets, record))
    assert set(kinds(check(nets))) == {"record.missing", "version.unrecorded"}


def test_a_repeat_that_a_commit_could_not_tell_from_its_ground_is_a_note(nets: Nets) -> None:
    draft, store = nets.edit(1, 0, volume=88.0), nets.pipeline.store
    head = nets.head().blob
    done = []

    def fault(operation: str, key: str, phase: str) -> None:
        if (operation, key, phase) == ("put", keys.master(NAME), "before") and not done:
            done.append(store.put(key, head.body).version if not done.append("") else None)

    store.faults = fault
    nets.send(draft)
    store.faults = None
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [(note.kind, note.version) for note in verdict.notes] == [("version.repeated", done[1])]


@pytest.mark.parametrize("field", ["number", "parent", "proposal", "prev_chain", "contract", "base", "commit"])
def test_metadata_that_were_forged_are_found(nets: Nets, field: str) -> None:
    """S3 never does that: the metadata of a version are as they were put."""
    stored = nets.pipeline.store._history[keys.master(NAME)]
    for place in (2, 4):
        old = stored[place]
        metadata = {**old.stat.metadata, field: "forged"}
        stored[place] = replace(old, stat=replace(old.stat, metadata=metadata))
        verdict = check(nets, quick=True)
        assert verdict.ok == (field == "contract" and place == 2), "the contract's digest counts at the head only"
        stored[place] = old


def test_a_forged_commit_on_top_of_the_head_is_found(nets: Nets) -> None:
    head = nets.head()
    metadata = {**head.blob.stat.metadata, "commit": nets.pipeline.bench.new_id(), "number": "6"}
    metadata |= {"base": head.version, "parent": head.commit or "", "prev_chain": records(nets)[-1]["chain"]}
    version = overwrite(nets, head.blob.body, **metadata)
    found = first(nets)
    assert (found.kind, found.version, found.number) == ("version.forged", version, 6)


@pytest.mark.parametrize("proposal", ["its own", "another"])
def test_a_forged_repetition_of_the_head_is_found_and_recorded_as_what_it_is(nets: Nets, proposal: str) -> None:
    head = nets.head()
    metadata = {**head.blob.stat.metadata, "base": head.version}
    metadata |= {} if proposal == "its own" else {"proposal": proposal}
    version = overwrite(nets, head.blob.body, **metadata)
    assert (first(nets).kind, first(nets).version) == ("version.unrecorded", version)
    nets.pipeline.bench.finished.clear()
    nets.send(nets.edit(1, 1, volume=5.5))
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [(note.kind, note.version) for note in verdict.notes] == [("version.external", version)]


def test_a_deleted_master_is_found_and_is_a_note_once_it_is_back(nets: Nets) -> None:
    head = nets.head().blob.body
    nets.pipeline.store.delete(keys.master(NAME))
    assert kinds(check(nets)) == ["master.deleted"]
    overwrite(nets, head)
    commit.settled_head(nets.pipeline.bench, NAME)
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [note.kind for note in verdict.notes] == ["master.was_deleted", "version.external"]


def test_a_master_of_before_the_dataset_is_a_note() -> None:
    nets = Nets.__new__(Nets)
    from tests.pipeline import Pipeline

    nets.pipeline, nets.person = Pipeline(), "ana"
    nets.pipeline.store.put(keys.master(NAME), b"what was there before")
    nets.__post_init__()
    nets.send(nets.edit(1, 0, volume=1.0))
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [note.kind for note in verdict.notes] == ["version.external"]


def test_a_contract_that_was_altered_is_found(nets: Nets) -> None:
    rewrite(nets, keys.contract(NAME), lambda content: content["fields"][2]["constraints"].update(minimum=-5))
    assert first(nets).kind == "contract.altered"


def test_versions_of_before_they_named_their_base_are_verified_by_what_they_have(nets: Nets) -> None:
    stored = nets.pipeline.store._history
    for key, place in [(keys.master(NAME), at) for at in range(5)] + [(r["snapshot_key"], 0) for r in records(nets)]:
        old = stored[key][place]
        metadata = {k: v for k, v in old.stat.metadata.items() if k not in ("base", "prev_chain")}
        stored[key][place] = replace(old, stat=replace(old.stat, metadata=metadata))
    assert check(nets).ok
    nets.pipeline.store.delete(key_of(nets, records(nets)[3]))
    assert kinds(check(nets))[0] == "record.missing"


# ---- what is under way ----


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(1, 28))
def test_a_commit_that_is_not_finished_is_a_note_at_every_step(nets: Nets, at: int, phase: Any) -> None:
    nets.dataset.send(nets.edit(1, 1, volume=12.5))
    nets.dataset.send(nets.insert(9, 9))
    cut(nets.pipeline.store, at, phase)
    try:
        nets.pipeline.pump()
    except Crash:
        verdict = check(nets)
        assert verdict.ok, verdict.findings
        assert {note.kind for note in verdict.notes} <= {"commit.unfinished"}
        assert check(nets, quick=True).ok
        nets.pipeline.bench.finished.clear()
        commit.settled_head(nets.pipeline.bench, NAME)
    nets.pipeline.store.faults = None
    assert check(nets).notes == ()


def test_a_commit_whose_intent_is_gone_before_it_was_finished_is_a_break(nets: Nets) -> None:
    nets.dataset.send(nets.edit(1, 1, volume=12.5))

    def fault(operation: str, key: str, phase: str) -> None:
        if operation == "copy":
            raise Crash

    nets.pipeline.store.faults = fault
    with pytest.raises(Crash):
        nets.pipeline.pump()
    nets.pipeline.store.faults = None
    (note,) = check(nets).notes
    assert (note.kind, note.number) == ("commit.unfinished", 6)
    nets.pipeline.store.delete(keys.intent(NAME, nets.commit))
    assert set(kinds(check(nets))) <= {"intent.missing", "version.forged"}
    assert not check(nets).ok


def test_commits_that_land_meanwhile_are_left_out(nets: Nets) -> None:
    """Wherever in its reading verify is when others commit."""
    for moment in ("receipts/", "audit/", "changes/", "snapshots/"):
        drafts = [nets.edit(1, 0, volume=float(len(records(nets)))), nets.insert(50 + len(records(nets)), 0)]

        def fault(operation: str, key: str, phase: str, moment: str = moment, drafts: Any = drafts) -> None:
            if operation == "list" and key.startswith(moment) and phase == "before":
                nets.pipeline.store.faults = None
                nets.send(*drafts)

        nets.pipeline.store.faults = fault
        verdict = check(nets)
        assert verdict.ok, (moment, verdict.findings)
        assert check(nets).commits == verdict.commits + 1


# ---- over an archived history ----


@pytest.mark.parametrize("keep", [1, 3, 4])
@pytest.mark.parametrize("quick", [False, True])
def test_an_archived_history_is_verified_from_its_first_snapshot(nets: Nets, keep: int, quick: bool) -> None:
    run(nets, keep)
    verdict = check(nets, quick=quick)
    assert verdict.ok, verdict.findings
    assert (verdict.commits, verdict.notes) == (5, ())


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(1, REQUESTS + 1))
def test_verify_passes_while_a_history_is_being_archived(nets: Nets, at: int, phase: Any) -> None:
    cut(nets.pipeline.store, at, phase)
    with pytest.raises(Crash):
        run(nets, 3)
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert check(nets, quick=True).ok


def test_what_is_tampered_with_in_the_archive_is_found(nets: Nets) -> None:
    moves = prune.plan(nets.pipeline.bench, NAME, 1).moves
    run(nets, 1)
    store = nets.pipeline.store
    for move in moves:
        body, metadata = store.get(move.to).body, store.get(move.to).stat.metadata
        store.put(move.to, body[:-5] + b"12345", metadata=metadata)
        assert {"snapshot.altered", "record.unreadable"} & set(kinds(check(nets))), move
        store.delete(move.to)
        assert {"snapshot.missing", "record.missing"} & set(kinds(check(nets))), move
        store.put(move.to, body, metadata=metadata)
        assert check(nets).ok
    store.put("archive/nets/README.txt", b"hello")
    assert kinds(check(nets)) == ["archive.stray"]


def test_an_archived_copy_that_is_another_than_the_original_is_found(nets: Nets) -> None:
    moves = prune.plan(nets.pipeline.bench, NAME, 1).moves
    for move in moves[:2]:
        nets.pipeline.store.put(move.to, nets.pipeline.store.get(move.key).body + b"}")
        assert not check(nets).ok
        nets.pipeline.store.delete(move.to)


def test_archiving_while_verify_reads_does_no_harm(nets: Nets) -> None:
    for moment in ("receipts/", "audit/", "archive/", "snapshots/"):
        nets = a_history()

        def fault(operation: str, key: str, phase: str, nets: Nets = nets, moment: str = moment) -> None:
            if operation == "list" and key.startswith(moment) and phase == "after":
                nets.pipeline.store.faults = None
                run(nets, 1)

        nets.pipeline.store.faults = fault
        verdict = check(nets)
        assert verdict.ok, (moment, verdict.findings)


# ---- any history, any tampering ----

EDITS = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([(1, 0), (1, 1), (2, 0), (2, 1)]),
            st.sampled_from(["volume", "vessel", "delete", "insert"]),
            st.floats(0, 1e300) | st.just(float("nan")) | st.none(),
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=5,
)
COMPARED = (*SHARED, "format", "status", "version", "audit_key", "proposal", "dataset")
TAMPERING = st.sampled_from(["flip", "cut", "delete", "swap", "duplicate"])


def a_random_history(rounds: list[list[tuple[tuple[int, int], str, float | None]]]) -> Nets:
    """Commits of the edits that the dataset accepts; those that do not fit the head are left out."""
    nets, fresh = Nets(), 100
    for edits in rounds:
        drafts, here = [], {(row["tow"], row["net"]) for row in nets.head().table.to_pylist()}
        for place, what, value in edits:
            fresh += 1
            if what == "insert":
                drafts.append(nets.insert(fresh, 0, volume=value))
            elif place in here and what == "delete":
                drafts.append(nets.delete(*place))
            elif place in here:
                drafts.append(nets.edit(*place, **{what: value if what == "volume" else f"{value} {fresh}"}))
        nets.send(*drafts)
    return nets


def objects(nets: Nets) -> list[str]:
    """Everything that tells of a commit; receipts of proposals that were refused are no part of the history."""
    store = nets.pipeline.store
    receipts = [keys.receipt(NAME, record["proposal"]) for record in records(nets)]
    listed = [entry.key for prefix in ("audit/", "changes/", "snapshots/", "archive/") for entry in store.list(prefix)]
    return listed + receipts


def meaning(nets: Nets, key: str) -> object:
    """What of an object counts: of a record and a receipt what the JSON says, of a receipt what is compared."""
    blob = nets.pipeline.store.get(key)
    try:
        if key.startswith("receipts/"):
            read = json.loads(blob.body)
            return {name: read[name] for name in COMPARED}
        if key.endswith(".jsonl"):
            return json.loads(blob.body)
    except (ValueError, KeyError):
        pass
    return blob.body


def tamper(nets: Nets, how: str, key: str, other: str, at: int) -> None:
    store = nets.pipeline.store
    one, two = store.get(key), store.get(other)
    body = bytearray(one.body)
    at %= len(body)
    if how == "flip":
        body[at] ^= 1 << (at % 8)
        store.put(key, bytes(body), metadata=one.stat.metadata)
    elif how == "cut":
        store.put(key, bytes(body[:at]), metadata=one.stat.metadata)
    elif how == "delete":
        store.delete(key)
    elif how == "swap":
        store.put(key, two.body, metadata=two.stat.metadata)
        store.put(other, one.body, metadata=one.stat.metadata)
    else:
        folder, name = key.rsplit("/", 1)
        store.copy(key, f"{folder}/again_{name}")


@settings(max_examples=100, deadline=None)
@given(EDITS, st.integers(0, 6), TAMPERING, st.integers(0), st.integers(0), st.integers(0))
def test_no_tampering_goes_unnoticed_and_nothing_else_is_taken_for_one(
    rounds: Any, keep: int, how: str, one: int, two: int, at: int
) -> None:
    nets = a_random_history(rounds)
    if keep:
        run(nets, keep)
    assert check(nets).ok
    there = objects(nets)
    key = there[one % len(there)]
    alike = [name for name in there if name.split("/")[0] == key.split("/")[0]]
    other = alike[two % len(alike)]
    before = [meaning(nets, name) for name in (key, other)]
    tamper(nets, how, key, other, at)
    verdict = check(nets)
    if how == "duplicate":
        assert not verdict.ok
    elif how != "delete" and before == [meaning(nets, name) for name in (key, other)]:
        assert verdict.ok, (how, key, verdict.findings)
    else:
        assert not verdict.ok, (how, key, other)
        assert any(finding.key in (key, other) or finding.number for finding in verdict.findings)


LONG = ["\ud800", "é" * 2000, "9" * 26, "Z" * 26]
ODD = st.sampled_from([None, True, -1, 10**30, 1.5, "", "/", *LONG, [], {}, [1], {"a": []}])


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(audit.FIELDS), ODD, st.integers(0, 5), st.booleans(), st.booleans())
def test_whatever_a_forged_record_holds_verify_tells_and_never_raises(
    field: str, odd: object, place: int, seal: bool, alone: bool
) -> None:
    nets = a_history()
    record = records(nets)[place]
    if alone:
        nets.pipeline.store.delete(keys.receipt(NAME, record["proposal"]))
    rewrite(nets, key_of(nets, record), lambda content: content.update({field: odd}), seal=seal)
    is_restored = field == "chain" and seal  # sealing it again gives the value that it had
    is_whole = is_restored or json.dumps(record[field]) == json.dumps(odd)
    assert check(nets).ok == (is_whole and not alone)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(Receipt("p", NAME, "committed").to_json())), ODD, st.integers(0, 5))
def test_whatever_a_forged_receipt_holds_verify_never_raises(field: str, odd: object, place: int) -> None:
    nets = a_history()
    key = keys.receipt(NAME, records(nets)[place]["proposal"])
    rewrite(nets, key, lambda content: content.update({field: odd}))
    assert check(nets).ok == (field not in COMPARED or (field == "version" and odd is None))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["commit", "number", "parent", "base", "proposal", "contract", "prev_chain"]), ODD)
def test_whatever_a_version_put_past_towline_says_of_itself_it_is_told(field: str, odd: object) -> None:
    nets = a_history()
    head = nets.head()
    said = str(odd).encode("ascii", "replace").decode()[:1000]
    overwrite(nets, head.blob.body, **{**head.blob.stat.metadata, "base": head.version, field: said})
    assert not check(nets).ok
