"""GPS rounds of golf courses: wide CSV or nested JSON in, one row a fix out (docs/golf-rounds.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UnreadableFile
from towline.ingest.entry import ingest_time
from towline.keys import RawKey
from towline.pipeline.definition import BronzeFile, Conformed, Pipeline

from . import nested, wide
from .cells import REASONS, typed
from .events import events
from .health import health
from .pieces import REFUSED, ROUND, SLOT, Piece, refused

EVENTS, HEALTH = "fact_telemetry_event", "fact_device_health"


def header(columns: Sequence[str]) -> list[str]:
    """What keeps a file with these columns from being one of rounds."""
    lacking = [name for name in ("_id", "course") if name not in columns]
    problems = [f"there is no column {name}" for name in lacking]
    if "locations" not in columns and "locations[0].startTime" not in columns:
        problems.append("there are no fixes: neither a column locations[0].startTime (CSV) nor locations (JSON)")
    known = [name for name in columns if wide.is_known(name)]
    problems += [f"there are two columns {name}" for name in dict.fromkeys(known) if known.count(name) > 1]
    return problems


def partition(key: RawKey) -> Mapping[str, str]:
    """The course that sent a file: the first folder that it lies in, or what its name begins with."""
    return {"course_id": key.source[0] if key.source else key.name.split(".")[0].split("-")[0]}


def conform(file: BronzeFile) -> Iterator[Conformed]:
    """UnreadableFile: the file cannot be read, or is neither CSV nor JSON."""
    ingest_date = ingest_time(file.entry.ingest).date()
    for piece in pieces(file):
        rounds, slots = (_Typed.of(*each) for each in ((piece.rounds, ROUND), (piece.slots, SLOT)))
        refusals = [*_refusals(piece, rounds, slots)]
        table = events(piece.slots, rounds.columns, slots.columns, ingest_date)
        logs = health(rounds.columns, ingest_date)
        if refusals:
            table = table.filter(pc.invert(pc.or_(slots.is_bad, rounds.is_bad.take(piece.slots["round"]))))
        told = pa.concat_tables([piece.refused, pa.Table.from_pylist(refusals, REFUSED)])
        yield Conformed({EVENTS: table, HEALTH: logs}, told, piece.unknown)


def pieces(file: BronzeFile) -> Iterator[Piece]:
    """The file's rounds as text, some at a time."""
    match file.kind.removesuffix(".gz"):
        case "csv":
            return wide.read(file)
        case "tsv":
            return wide.read(file, "\t")
        case "json" | "jsonl":
            return nested.read(file)
    raise UnreadableFile(f"{file.source.where} is {file.kind or 'of no known kind'}; rounds come as CSV or JSON")


@dataclass(frozen=True)
class _Typed:
    """Columns by silver's names; where each of the file's has a text that cannot be read; and which rows have one."""

    columns: Mapping[str, pa.Array]
    bad: Mapping[str, pa.Array]
    is_bad: pa.Array

    @classmethod
    def of(cls, texts: pa.Table, known: Mapping[str, tuple[str, str]]) -> _Typed:
        read = {name: typed(texts[name].combine_chunks(), kind) for name, (_, kind) in known.items()}
        bad = {name: where for name, (_, where) in read.items() if where is not None}
        none = pa.repeat(False, texts.num_rows)
        return cls(
            {known[name][0]: values for name, (values, _) in read.items()}, bad, reduce(pc.or_, bad.values(), none)
        )


def _refusals(piece: Piece, rounds: _Typed, slots: _Typed) -> Iterator[dict[str, object]]:
    """A row of REFUSED for each text that cannot be read: its fix is refused, or all of its round."""
    for name, where in rounds.bad.items():
        for at in pc.indices_nonzero(where).to_pylist():
            yield refused(
                piece.rounds["row"][at].as_py(), name, piece.rounds[name][at].as_py(), REASONS[ROUND[name][1]]
            )
    for kind, where in slots.bad.items():
        for at in pc.indices_nonzero(where).to_pylist():
            slot = piece.slots.slice(at, 1).to_pylist()[0]
            row = piece.rounds["row"][slot["round"]].as_py()
            yield refused(row, f"locations[{slot['index']}].{kind}", slot[kind], REASONS[SLOT[kind][1]])


PIPELINE = Pipeline("golf_rounds", conform, header, partition)
