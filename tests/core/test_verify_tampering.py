"""Any history, any tampering: it is found, and nothing else is taken for it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.nets import NAME, Nets
from tests.core.promises import records
from tests.core.test_prune import a_history, run
from tests.core.verifying import check, key_of, overwrite, rewrite
from towline import audit, keys
from towline.receipts import Receipt
from towline.verify.records import SHARED

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
