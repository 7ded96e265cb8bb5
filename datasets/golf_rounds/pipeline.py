"""GPS rounds of golf courses: wide CSV or nested JSON in, one row a fix out (docs/golf-rounds.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from towline.ahead import ahead
from towline.errors import UnreadableFile
from towline.ingest.entry import ingest_time
from towline.keys import RawKey
from towline.pipeline.definition import BronzeFile, Conformed, Pipeline
from towline.pipeline.texts import gathered, refused

from . import nested, wide
from .cells import REASONS, typed
from .events import events
from .health import health
from .pieces import ROUND, SLOT, Piece

EVENTS, HEALTH = "fact_telemetry_event", "fact_device_health"
# Of a file's rounds. The contract counts fixes, and of a round that cannot be read nobody knows how many there were.
LOST_MAX = 0.1


def header(columns: Sequence[str]) -> list[str]:
    """What keeps a file with these columns from being one of rounds."""
    lacking = [name for name in ("_id", "course") if name not in columns]
    problems = [f"there is no column {name}" for name in lacking]
    if "locations" not in columns and "locations[0].startTime" not in columns:
        problems.append("there are no fixes: neither a column locations[0].startTime (CSV) nor locations (JSON)")
    known = Counter(name for name in columns if wide.is_known(name))
    problems += [f"there are {count} columns {name}" for name, count in known.items() if count > 1]
    return problems


def partition(key: RawKey) -> Mapping[str, str]:
    """The course that sent a file: the first folder that it lies in, or what its name begins with."""
    return {"course_id": key.source[0] if key.source else key.name.split(".")[0].split("-")[0]}


def conform(file: BronzeFile) -> Iterator[Conformed]:
    """UnreadableFile: the file cannot be read, or is neither CSV nor JSON, or too many of its rounds are refused."""
    ingest_date = ingest_time(file.entry.ingest).date()
    total = lost = 0
    for piece, bad_rounds, rows, logs in ahead(lambda piece: _conformed(piece, ingest_date), pieces(file), 1):
        yield rows
        yield from (Conformed({HEALTH: more}) for more in logs)
        refused_whole = pc.count_distinct(piece.refused["row"]).as_py()
        total += piece.rounds.num_rows + refused_whole
        lost += bad_rounds + refused_whole
    if lost > LOST_MAX * total:
        raise UnreadableFile(f"{lost:,} of {total:,} rounds cannot be read; at most {LOST_MAX:.0%} may be so")


def _conformed(piece: Piece, ingest_date: date) -> tuple[Piece, int, Conformed, Iterator[pa.Table]]:
    """The piece, how many of its rounds have a value that cannot be read, its rows, and more of its logs' rows."""
    rounds, slots = (_Typed.of(*each) for each in ((piece.rounds, ROUND), (piece.slots, SLOT)))
    own = {"row": piece.rounds["row"].combine_chunks(), **rounds.columns}
    table = events(piece.slots, own, slots.columns, ingest_date)
    if rounds.bad or slots.bad:
        of_bad_round = rounds.is_bad.take(piece.slots["round"].combine_chunks())
        table = table.filter(pc.invert(pc.or_(slots.is_bad, of_bad_round)))
        own = {name: column.filter(pc.invert(rounds.is_bad)) for name, column in own.items()}
    logs = health(own, ingest_date)
    found = Conformed({EVENTS: table, HEALTH: next(logs)}, _refusals(piece, rounds, slots), piece.unknown)
    return piece, pc.sum(rounds.is_bad).as_py() or 0, found, logs


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


def _refusals(piece: Piece, rounds: _Typed, slots: _Typed) -> pa.Table:
    """A line for each text that cannot be read, beside those of the piece: its fix is refused, or all of its round."""
    row, of, index = piece.rounds["row"], piece.slots["round"], piece.slots["index"]
    found = [piece.refused]
    for name, where in rounds.bad.items():
        values = piece.rounds[name].filter(where)
        found.append(refused(row.filter(where), name, values, REASONS[ROUND[name][1]], EVENTS))
    for kind, where in slots.bad.items():
        values = piece.slots[kind].filter(where)
        lines = refused(row.take(of.filter(where)), kind, values, REASONS[SLOT[kind][1]], EVENTS)
        slot = pc.binary_join_element_wise("locations[", index.filter(where).cast(pa.string()), f"].{kind}", "")
        found.append(lines.set_column(lines.schema.get_field_index("column"), "column", slot))
    return gathered(found)


PIPELINE = Pipeline("golf_rounds", conform, header, partition)
