"""Taking files in on every store: what is told of an object by its listing, its head and its copies has to agree."""

from __future__ import annotations

from tests.core.landed import CSV, NAME, PIPELINE, arrival
from tests.store.conftest import MakeStore
from towline import keys
from towline.ingest import heal, manifest, receive
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.store import MIB, ObjectStore, Stat
from towline.workbench import Workbench

ODD = "a b/+plus%41 é\U0001f600?versionId=1&x.csv"


def take(store: ObjectStore, stat: Stat) -> Entry:
    entry = receive.receive(Workbench(store), arrival(stat), lambda dataset: PIPELINE, lambda entry: None)
    assert entry is not None
    return entry


def test_files_are_taken_in_and_found_in_order(store: ObjectStore) -> None:
    large = CSV + b"r1,3\n" * (6 * MIB // 5)
    landed = [
        store.put(f"raw/{NAME}/{ODD}", CSV),
        store.assemble(f"raw/{NAME}/parts.csv", [large[: 5 * MIB], large[5 * MIB :]]),
        store.put(f"raw/{NAME}/whole.csv", large),
        store.put(f"raw/{NAME}/empty.csv", b""),
    ]
    found = [take(store, stat) for stat in landed]
    assert [entry.status for entry in found] == [BRONZE, BRONZE, DUPLICATE, QUARANTINED]
    assert [take(store, stat) for stat in landed] == found
    for entry, body in zip(found, (CSV, large, large, b""), strict=True):
        kept = store.get(entry.bronze or entry.quarantine)
        assert kept.body == body
        assert kept.stat.metadata["ingest"] == (entry.duplicate_of or entry.ingest)
    assert manifest.entries(store, NAME) == sorted(found, key=lambda entry: entry.ingest)
    assert heal.heal(Workbench(store)).unseen == ()
    assert manifest.compact(store, NAME, landed[0].modified, worthwhile=1) == 4
    assert manifest.entries(store, NAME) == sorted(found, key=lambda entry: entry.ingest)


def test_a_file_whose_event_was_lost_is_found(store: ObjectStore) -> None:
    stat = store.put(f"raw/{NAME}/{ODD}", CSV)
    (lost,) = heal.heal(Workbench(store)).unseen
    assert (lost.key, lost.etag, lost.size) == (stat.key, stat.etag, stat.size)


def test_a_listing_of_many_pages_is_compacted_whole(make_store: MakeStore) -> None:
    store = make_store(page_size=2)
    for number in range(5):
        take(store, store.put(f"raw/{NAME}/{number}.csv", b"round\n%d\n" % number))
    now = max(listed.modified for listed in store.list(keys.MANIFESTS))
    assert manifest.compact(store, NAME, now, worthwhile=1) == 5
    assert len(manifest.entries(store, NAME)) == 5
