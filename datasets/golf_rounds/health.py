"""What devices logged: the rows of fact_device_health, of the rounds' captureLogs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .cells import typed
from .events import day
from .nested import compact, plain
from .pieces import TIME

_TIME, _LEVEL = ("time", "timestamp", "date", "createdAt"), ("level", "severity", "type")
_MESSAGE = ("message", "msg", "error", "text")
AT_ONCE = 50_000  # entries: a few MiB of a file can hold millions


def health(rounds: Mapping[str, pa.Array], ingest_date: date) -> Iterator[pa.Table]:
    """One row for each entry of each log, in tables of at most AT_ONCE, the first maybe without any. An entry's time
    that cannot be read is no time: the entry says what it is."""
    logs = ((at, *entry) for at, log in enumerate(rounds["capture_logs"].to_pylist()) for entry in _entries(log))
    yield _rows(list(islice(logs, AT_ONCE)), rounds, ingest_date)
    while some := list(islice(logs, AT_ONCE)):
        yield _rows(some, rounds, ingest_date)


def _rows(logs: Sequence[tuple[Any, ...]], rounds: Mapping[str, pa.Array], ingest_date: date) -> pa.Table:
    of, index, time, level, message, source = zip(*logs, strict=True) if logs else [[]] * 6
    own = {
        name: rounds[name].take(pa.array(of, pa.int64()))
        for name in ("row", "round_id", "course_id", "round_start_time")
    }
    log_time, _ = typed(pa.array(time, pa.string()), TIME)
    return pa.table(
        {
            "row": own["row"],
            "round_id": own["round_id"],
            "course_id": own["course_id"],
            "ingest_date": pa.repeat(pa.scalar(ingest_date, pa.date32()), len(logs)),
            "log_index": pa.array(index, pa.int64()),
            "log_time": log_time,
            **day(pc.coalesce(log_time, own["round_start_time"])),
            "level": pc.utf8_lower(pa.array(level, pa.string())),
            "message": pa.array(message, pa.string()),
            "device_log_json": pa.array(source, pa.string()),
            "round_start_time": own["round_start_time"],
        }
    )


def _entries(log: str | None) -> Iterator[tuple[int, str | None, str | None, str | None, str]]:
    """Number, time, level, message and JSON of each entry."""
    if log is None:
        return
    for index, entry in enumerate(_parsed(log)):
        said = entry if isinstance(entry, dict) else {}
        message = _first(said, _MESSAGE) if said else plain(entry)
        yield index, _first(said, _TIME), _first(said, _LEVEL), message, compact(entry)


def _parsed(log: str) -> list[Any]:
    """The entries of a log that is JSON; one that is not, or is no array, is one entry."""
    try:
        found = json.loads(log)
    except (ValueError, RecursionError):
        return [log]
    return found if isinstance(found, list) else [found]


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := plain(said.get(name)))), None)
