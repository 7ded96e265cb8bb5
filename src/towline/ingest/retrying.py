"""Trying a file again that is in quarantine, or whose rows are.

Who asks puts retries/<dataset>/<ingest>/<principal>.json. Where that says {"fingerprint": "..."}, as the file's entry
does, its entries are found at once; else by reading the manifest from the second on at which it was written.

A refused file is looked at again, and taken in as if it had come now, under its old place in time. Of a file that is in
bronze, whose rows or columns the load refused, nothing is copied, unless that is gone: an entry says that its bronze
file is to be loaded again, in the place of what was loaded before. Either way the new entry has `.<n>` behind the
ingest's id, and says by `retry` what it answers, so that asking once is trying once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from towline import keys
from towline.errors import NotFound
from towline.inbox import Arrival
from towline.ingest import manifest, places
from towline.ingest.entry import BRONZE, QUARANTINED, Entry, attempt, is_ingest, original
from towline.ingest.rawfile import RawFile
from towline.ingest.receive import PipelineOf, Tell, take_in
from towline.pipeline.definition import Pipeline, by_source
from towline.store import ObjectStore, Stat, TooLarge, stat_of
from towline.workbench import Workbench

LETTER_MAX = 4 * 2**10  # bytes of what asks for a retry
_FINGERPRINT = re.compile(r"[0-9A-Za-z-]{1,200}")
_CONTINUED = re.compile(r"-[0-9a-f]{64}$")


def ask(store: ObjectStore, entry: Entry, principal: str) -> Stat:
    """Ask that a file be tried again. Asking once more is another request. The fingerprint goes along, by which the
    file's entries are found at once."""
    body = json.dumps({"fingerprint": entry.fingerprint}).encode()
    key = keys.retry(entry.dataset, original(entry.ingest), principal)
    return store.put(key, body, content_type="application/json")


def receive(bench: Workbench, arrival: Arrival, pipeline_of: PipelineOf, tell: Tell) -> Entry | None:
    """Try the file again that is asked for; its new entry, or the one that this request had got before. None: there is
    no such file, or it is a duplicate, which has nothing of its own to be tried."""
    asked = keys.parse_retry(arrival.key)
    if asked is None or not is_ingest(asked[1]):
        return None
    dataset, ingest, _ = asked
    story = _story(bench.store, arrival, dataset, original(ingest))
    request = request_name(arrival)
    if answered := [entry for entry in story if entry.retry == request]:
        return answered[-1]
    if not story or story[-1].status not in (BRONZE, QUARANTINED):
        return None
    again, last = f"{original(ingest)}.{attempt(story[-1].ingest) + 1}", story[-1]
    if last.status == QUARANTINED:
        file = replace(_held(bench.store, last), ingest=again, retry_of=last.ingest, retry=request)
        return take_in(bench, file, pipeline_of(dataset), tell)
    kept = _in_bronze(bench.store, last, again, pipeline_of(dataset))
    return manifest.record(bench.store, _reloaded(kept, again, request, bench.clock()))


def request_name(arrival: Arrival) -> str:
    """What one request for a retry is called in the entry that answers it: who asked, and the version of the object."""
    principal = arrival.key.rsplit("/", 1)[-1].removesuffix(".json")
    return f"{principal} {arrival.version or arrival.etag}"


def _story(store: ObjectStore, arrival: Arrival, dataset: str, ingest: str) -> Sequence[Entry]:
    """The entries of a file, from its first to its last retry."""
    if (known_by := _fingerprint(store, arrival)) and (story := _with(store, dataset, known_by, ingest)):
        return story
    found = manifest.find(store, dataset, ingest)  # asked for by hand, maybe
    return _with(store, dataset, _CONTINUED.sub("", found.fingerprint), ingest) if found else ()


def _with(store: ObjectStore, dataset: str, known_by: str, ingest: str) -> Sequence[Entry]:
    """The same, of a file whose bytes have this fingerprint: a request to list, and one for each entry."""
    prefix = keys.entry(dataset, known_by).removesuffix(".json")
    listed = [each.key for each in store.list(prefix)]
    ours = [key for key in listed if f".{ingest}." in key or "." not in key[len(prefix) :].removesuffix(".json")]
    read = [entry for key in ours if (entry := manifest.read(store, key)) and original(entry.ingest) == ingest]
    return sorted(read, key=lambda entry: attempt(entry.ingest))


def _fingerprint(store: ObjectStore, arrival: Arrival) -> str | None:
    """What the request says of the file's fingerprint; None: nothing that could be one."""
    try:
        body = store.get(arrival.key, version=arrival.version, max_bytes=LETTER_MAX).body
        said = json.loads(body).get("fingerprint", "")
    except (NotFound, TooLarge, ValueError, AttributeError):
        return None
    known_by = _CONTINUED.sub("", str(said))
    return known_by if _FINGERPRINT.fullmatch(known_by) else None


def _held(store: ObjectStore, last: Entry) -> RawFile:
    """The file as it came, or what the quarantine kept of it. NotFound: both are gone."""
    written = datetime.fromtimestamp(last.mtime, UTC)
    raw = Stat(last.raw, last.size, last.etag, last.version, written, {})
    known_by = _CONTINUED.sub("", last.fingerprint)
    return RawFile(store, raw, _as_it_came(store, last) or store.head(last.quarantine), known_by, last.ingest)


def _as_it_came(store: ObjectStore, last: Entry) -> Stat | None:
    held = stat_of(store, last.raw, version=last.version)
    return held if held and held.etag == last.etag else None  # without versions another file may have the name by now


def _in_bronze(store: ObjectStore, last: Entry, again: str, pipeline: Pipeline | None) -> Entry:
    """The entry with its bronze object. One that is gone is made anew, of the raw file or another with the same bytes;
    where there is none of these either, the load says so once more."""
    if stat_of(store, last.bronze, version=last.bronze_version):
        return last
    listed = store.list(keys.entry(last.dataset, _CONTINUED.sub("", last.fingerprint)).removesuffix(".json"))
    alike = [each for at in listed if (each := manifest.read(store, at.key)) and each.sha256 == last.sha256]
    held = next((stat for each in [last, *alike] if (stat := _as_it_came(store, each))), None)
    key = keys.parse_raw(last.raw)
    if held is None or key is None:
        return last
    target = places.bronze(key, (pipeline.partition if pipeline else by_source)(key), again, places.mark(again))
    about = places.metadata(again, last.raw, last.version)
    there = store.copy(held.key, target, version=held.version, metadata=about)
    return replace(last, bronze=there.key, bronze_version=there.version)


def _reloaded(last: Entry, again: str, request: str, at: datetime) -> Entry:
    """An entry that lets the bronze file be loaded again. It is of the same bytes as the one that claims them."""
    return replace(
        last,
        ingest=again,
        fingerprint=_CONTINUED.sub("", last.fingerprint),
        duplicate_of=last.duplicate_of or last.ingest,
        retry_of=last.ingest,
        retry=request,
        ingested=at.isoformat(timespec="milliseconds"),
    )
