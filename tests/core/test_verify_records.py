"""Whatever somebody does by hand to records, receipts and intents is found and named where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.core.nets import NAME, Nets
from tests.core.promises import records
from tests.core.test_prune import a_history
from tests.core.verifying import check, first, key_of, kinds, rewrite
from towline import audit, keys
from towline.errors import Refused


@pytest.fixture
def nets() -> Nets:
    """Five commits of six proposals: the third commit holds two."""
    return a_history()


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
