"""Taking a raw file in: a copy in bronze, or in quarantine with a report, and an entry in the manifest.

An event says that an object version arrived: at least once, in any order, maybe to two workers at the same time.

    known already                                    nothing is done, the entry is what it was
    other bytes of this fingerprint are in bronze    the fingerprint is continued with the SHA-256, and so on as below
    the same bytes are in bronze                     `duplicate`, with the first file's bronze key
    it cannot be read, or the pipeline complains     `quarantined`: copied there, a report beside it, and told
    else                                             `bronze`: copied there

The entry is the last thing that is written, in one put, and only where there is none: all that comes before follows
from the file and its ingest alone, so whoever does it again finds it done. Of two files with the same bytes that come
at the same time both are copied, and the one whose entry came second takes its copy back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from towline import keys
from towline.errors import Contended, Corrupt, NotFound, PreconditionFailed
from towline.inbox import Arrival
from towline.ingest import manifest, places
from towline.ingest.entry import BRONZE, DUPLICATE, QUARANTINED, Entry
from towline.ingest.rawfile import WHOLE, RawFile
from towline.pipeline.definition import Pipeline, by_source
from towline.sampling.look import Look, look
from towline.store import ABSENT, ObjectStore, Stat, stat_of
from towline.workbench import Workbench

PipelineOf = Callable[[str], Pipeline | None]
Tell = Callable[[Entry], None]


def receive(bench: Workbench, arrival: Arrival, pipeline_of: PipelineOf, tell: Tell) -> Entry | None:
    """Take in what arrived; its entry. None: it is no raw file, or not yet (a folder marker, a name that begins with
    `temp_`), or its version is gone. `pipeline_of` gives a dataset's pipeline, if it has one; `tell` is told of each
    file in quarantine, before its entry is written: maybe twice, but never not at all."""
    key = keys.parse_raw(arrival.key)
    if key is None or key.is_incomplete:
        return None
    try:
        file = RawFile.open(bench.store, arrival)
        return take_in(bench, file, pipeline_of(key.dataset), tell)
    except NotFound:
        if _is_there(bench.store, arrival):
            raise
        return None


def find(store: ObjectStore, dataset: str, fingerprint: str, ingest: str) -> Entry | None:
    """The entry of an ingest, if there is one yet."""
    for key in (keys.entry(dataset, fingerprint), keys.entry(dataset, fingerprint, ingest)):
        entry = manifest.read(store, key)
        if entry is not None and entry.ingest == ingest:
            return entry
    return None


def take_in(bench: Workbench, file: RawFile, pipeline: Pipeline | None, tell: Tell) -> Entry:
    """The entry of a file, which is made if there is none yet."""
    claim, first = _first(file)
    if first is not None and first.ingest == file.ingest:
        return first
    if (known := manifest.read(bench.store, keys.entry(file.key.dataset, file.fingerprint, file.ingest))) is not None:
        if known.status == DUPLICATE:
            _take_back(file, pipeline)
        return known
    if first is not None:
        return _duplicate(bench, file, first, pipeline)
    found = look(file.source, file.key.name)
    if reasons := _complaints(found, pipeline):
        return _refuse(bench, file, found, reasons, tell)
    copied = _to_bronze(file, pipeline)
    seen = {"kind": found.kind, "columns": found.columns, "bronze": copied.key, "bronze_version": copied.version}
    written = manifest.record(bench.store, file.entry(BRONZE, bench.clock(), fingerprint=claim, **seen).brief())
    if written.ingest != file.ingest:
        return take_in(bench, file, pipeline, tell)
    if written.bronze != copied.key:  # another delivery of the file took its other place meanwhile
        file.store.delete(copied.key)
    return written


def _first(file: RawFile) -> tuple[str, Entry | None]:
    """The fingerprint under which a file's bytes are claimed, and the entry that does so, if there is one. MD5 can be
    made to say the same of different bytes: then the SHA-256 tells."""
    claim = file.fingerprint
    first = manifest.read(file.store, keys.entry(file.key.dataset, claim))
    if first is None or first.sha256 is None or file.sha256 in (None, first.sha256):
        return claim, first
    claim = f"{claim}-{file.sha256}"
    return claim, manifest.read(file.store, keys.entry(file.key.dataset, claim))


def _complaints(found: Look, pipeline: Pipeline | None) -> Sequence[str]:
    """What is wrong with a file, by a look at it."""
    if found.problems or pipeline is None or not found.columns:
        return found.problems
    return tuple(pipeline.header(found.columns))


def _refuse(bench: Workbench, file: RawFile, found: Look, reasons: Sequence[str], tell: Tell) -> Entry:
    """Keep a file in quarantine, whole, beside a report of why."""
    place = places.quarantine(file.key, file.ingest)
    file.store.copy(file.held.key, place, version=file.held.version, metadata=_about(file))
    seen = {"kind": found.kind, "columns": found.columns, "reasons": tuple(reasons)}
    entry = file.entry(QUARANTINED, bench.clock(), quarantine=place, **seen)
    report = json.dumps(json.loads(entry.to_line()), ensure_ascii=False, indent=1).encode()
    file.store.put(places.report(entry.dataset, entry.ingest), report, content_type="application/json")
    tell(entry.brief())
    return manifest.record(file.store, entry.brief())


def _duplicate(bench: Workbench, file: RawFile, first: Entry, pipeline: Pipeline | None) -> Entry:
    _take_back(file, pipeline)
    known = {"kind": first.kind, "columns": first.columns, "duplicate_of": first.ingest}
    same = {"bronze": first.bronze, "bronze_version": first.bronze_version}
    return manifest.record(file.store, file.entry(DUPLICATE, bench.clock(), **known, **same))


def _to_bronze(file: RawFile, pipeline: Pipeline | None) -> Stat:
    """The bronze copy, which is made if there is none yet. Whether it is where a copy is tried first is told by that
    copy, and asked before only of a file that costs more than asking."""
    targets = _targets(file, pipeline)
    for there in _copies(file, targets if file.held.size > WHOLE else targets[1:]):
        return there
    for target in targets:
        there = _copy(file, target)
        if there.metadata.get(places.INGEST) == file.ingest:
            return there
    raise Corrupt(f"{target} says that it is of ingest {there.metadata.get(places.INGEST)}, which cannot be: move it")


def _copy(file: RawFile, target: str) -> Stat:
    """Copy to where nothing is; what is there then, ours or another's."""
    try:
        return file.store.copy(file.held.key, target, version=file.held.version, when=ABSENT, metadata=_about(file))
    except PreconditionFailed as error:
        if (there := stat_of(file.store, target)) is None:
            raise Contended(
                f"another write of {target} interfered, and nothing was written: deliver it again"
            ) from error
        return there


def _take_back(file: RawFile, pipeline: Pipeline | None) -> None:
    """Delete the bronze copy of a file whose bytes another one has brought, if there is one: from before that was
    known, or of a worker that did not live to do it."""
    for there in _copies(file, _targets(file, pipeline)):
        file.store.delete(there.key)


def _copies(file: RawFile, targets: Sequence[str]) -> Iterator[Stat]:
    """The copies that there are of a file at these bronze keys."""
    for target in targets:
        there = stat_of(file.store, target)
        if there is not None and there.metadata.get(places.INGEST) == file.ingest:
            yield there


def _targets(file: RawFile, pipeline: Pipeline | None) -> list[str]:
    """The file's bronze key, and the one that it has where another of its name, partition and second was first."""
    partition = (pipeline.partition if pipeline else by_source)(file.key)
    marks = ("", places.mark(file.ingest))
    return [places.bronze(file.key, partition, file.ingest, mark) for mark in marks]


def _about(file: RawFile) -> dict[str, str]:
    return places.metadata(file.ingest, file.stat.key, file.stat.version)


def _is_there(store: ObjectStore, arrival: Arrival) -> bool:
    try:
        return bool(store.head(arrival.key, version=arrival.version))
    except NotFound:
        return False
