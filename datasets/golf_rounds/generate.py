"""Files of golf rounds as courses send them, made up: for tests, for benchmarks, and to play with.

    uv run python datasets/golf_rounds/generate.py DIR [--files 12] [--rounds 200] [--kinds csv,json] [--broken]

Makes DIR/<course>/<course>-<number>.<kind>. Courses have 9, 18 and 27 holes, and take turns; each file is about a
stretch of days of one course, and all of it follows from the seed. Some days start on all holes at once (shotgun),
groups fall behind their goal and catch up, devices keep fixes for later, work positions out, report problems, lose
their time or place and leave slots empty. Files differ in how many slots they have, lack columns, or have ones that
nobody knows. Some rounds come twice: in one file, and again in the course's next one. `--broken` adds files that are to
be refused.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

SLOTS = 117  # the most that a file has
FIXES = 40  # of a round, in the mean
ROUNDS_A_DAY = 150
KINDS = ("csv", "json", "jsonl", "csv.gz")
_METRES_A_DEGREE = 111_320.0
_FIRST_DAY = np.datetime64("2025-05-01", "ms")
_MINUTE, _DAY = 60_000, 86_400_000  # milliseconds
_OPTIONAL = (
    "goalTimeFraction",
    "goalName",
    "captureLogs",
    "positionalGap",
    "isProblem",
    "batteryPercentage",
    "section",
)
_ERRORS = ("GPS signal lost", "battery below 10 percent", "upload failed, 3 tries", "clock off by 41 s, set again")


@dataclass(frozen=True)
class Course:
    """Where a course is, and how many holes it has."""

    name: str
    holes: int
    longitude: float
    latitude: float

    def place(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longitudes and latitudes of places along the course: 3.25 is a quarter down the fourth hole. Each nine is a
        loop of its own that begins and ends at the club house."""
        nine, around = along // 9, (along % 9) / 9 * 2 * math.pi
        reach = 420 + 90 * np.sin(5 * around)  # metres
        towards = nine * 2 * math.pi / max(1, self.holes // 9)
        east = reach * np.cos(around + towards) + 450 * np.cos(towards)
        north = reach * np.sin(around + towards) + 450 * np.sin(towards)
        shrink = _METRES_A_DEGREE * math.cos(math.radians(self.latitude))
        return self.longitude + east / shrink, self.latitude + north / _METRES_A_DEGREE


COURSES = (
    Course("cedarhollow", 9, -112.8521, 42.7863),
    Course("heronpoint", 18, -88.3947, 43.2418),
    Course("threelakes", 27, -79.4702, 35.1893),
    Course("kestrelridge", 18, 18.8604, -33.9321),
)


@dataclass(frozen=True)
class Batch:
    """Some rounds of a course, a row each; of slots a row a round and a column a slot. `has`: which slots hold what."""

    columns: Mapping[str, np.ndarray]
    slots: Mapping[str, np.ndarray]
    has: Mapping[str, np.ndarray]
    logs: Sequence[str | None]


def rounds(course: Course, count: int, day: int, seed: Sequence[int], fixes: int = FIXES) -> Batch:
    """`count` rounds from the `day`-th day on."""
    random = np.random.default_rng(list(seed))
    began, start_hole = _starts(course, count, day, random)
    sent = np.clip(random.normal(fixes, fixes / 3, count), 3, SLOTS).astype(int)
    width = int(sent.max(initial=1))
    slot = np.arange(width)
    played = min(18, course.holes * 2)
    apart = random.integers(200_000, 500_000, (count, width))  # milliseconds
    at = began[:, None] + np.cumsum(apart, axis=1)
    repeated = (random.random((count, width)) < 0.01) & (slot > 0)
    at = np.where(repeated, np.roll(at, 1, axis=1), at)
    along = (start_hole[:, None] - 1 + slot / np.maximum(sent, fixes)[:, None] * played) % course.holes
    longitude, latitude = course.place(along)
    noise = random.normal(0, 4 / _METRES_A_DEGREE, (2, count, width))
    pace = np.cumsum(random.normal(3, 25, (count, width)), axis=1)
    slots = {
        "startTime": at,
        "fixCoordinates[0]": np.round(longitude + noise[0], 7),
        "fixCoordinates[1]": np.round(latitude + noise[1], 7),
        "hole": along.astype(int) + 1,
        "section": (along % 1 * 5).astype(int) + 1,
        "pace": np.round(pace, 1),
        "paceGap": np.round(pace - np.roll(pace, 1, axis=0), 1),
        "positionalGap": np.round(random.gamma(4, 120, (count, width)), 1),
        "batteryPercentage": np.clip(100 - slot * 0.8 - random.integers(0, 5, (count, 1)), 1, 100).round(),
        "isCache": (random.random((count, width)) < 0.08) | repeated,
        "isProjected": random.random((count, width)) < 0.05,
        "isProblem": random.random((count, width)) < 0.01,
    }
    columns = {
        "startTime": began,
        "endTime": began + np.where(slot < sent[:, None], apart, 0).sum(axis=1) + 2 * _MINUTE,
        "startHole": start_hole,
        "goalTime": np.full(count, 14.0 * played),
        "goalTimeFraction": np.round(random.normal(1.0, 0.07, count), 4),
        "isComplete": sent >= fixes * 0.8,
        "id": random.integers(0, 2**62, count),
    }
    return Batch(columns, slots, _filled(random, sent, width), _logs(random, at, sent))


def _starts(course: Course, count: int, day: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """When each round began, in milliseconds since 1970, and on which hole."""
    days = day + np.arange(count) // ROUNDS_A_DAY
    turn = np.arange(count) % ROUNDS_A_DAY
    shotgun = days % 5 == 2
    minute = np.where(shotgun, 8 * 60 + 240 * (turn // (course.holes * 2)), 390 + turn * 4)
    began = _FIRST_DAY.astype("int64") + days * _DAY + minute * _MINUTE + random.integers(0, 60_000, count)
    tenth = (random.random(count) < 0.2) & (course.holes > 9)
    return began, np.where(shotgun, turn % course.holes + 1, np.where(tenth, 10, 1))


def _filled(random: np.random.Generator, sent: np.ndarray, width: int) -> Mapping[str, np.ndarray]:
    """Which slots have a time, a place, a hole, and the rest."""
    within = np.arange(width) < sent[:, None]
    chance = random.random((len(sent), width))
    nothing, hole_only, no_place, no_time = (chance < up for up in (0.010, 0.018, 0.023, 0.026))
    return {
        "hole": within & ~nothing,
        "rest": within & ~nothing & ~hole_only,
        "place": within & (~no_place | (no_time & ~no_place)),
        "time": within & (~no_time | (no_place & ~hole_only)),
    }


def _logs(random: np.random.Generator, at: np.ndarray, sent: np.ndarray) -> list[str | None]:
    """What some devices logged: mostly entries with their time, now and then mere text."""
    logs: list[str | None] = [None] * len(sent)
    for number in np.flatnonzero(random.random(len(sent)) < 0.15):
        entries = []
        for slot in sorted(random.integers(0, sent[number], random.integers(1, 4))):
            message = _ERRORS[random.integers(len(_ERRORS))]
            level = ("error", "warn", "info")[random.integers(3)]
            entries.append({"time": _texts(at[number, slot : slot + 1])[0].as_py(), "level": level, "message": message})
        logs[number] = (
            json.dumps(entries) if random.random() < 0.95 else f"{entries[0]['level']}: {entries[0]['message']}"
        )
    return logs


def _texts(milliseconds: np.ndarray) -> pa.Array:
    """`2025-07-01T14:03:09.250Z`"""
    texts = np.datetime_as_string(milliseconds.astype("datetime64[ms]"))
    return pc.binary_join_element_wise(pa.array(texts, pa.string()), "Z", "")


def table(course: Course, batch: Batch) -> pa.Table:
    """The batch as a CSV file has it."""
    own = batch.columns
    count = len(own["id"])
    made: dict[str, pa.Array] = {
        "_id": pa.array([f"{0x65A00000 + number % 2**24:08x}{number:016x}" for number in own["id"].tolist()]),
        "course": pa.repeat(course.name, count),
        "startTime": _texts(own["startTime"]),
        "endTime": _texts(own["endTime"]),
        **{name: pa.array(own[name]) for name in ("startHole", "goalTime")},
        "goalName": pa.array([f"{int(goal) // 60}:{int(goal) % 60:02}" for goal in own["goalTime"]]),
        **{name: pa.array(own[name]) for name in ("goalTimeFraction", "isComplete")},
        "captureLogs": pa.array(batch.logs, pa.string()),
    }
    groups = {
        "startTime": "time",
        "fixCoordinates[0]": "place",
        "fixCoordinates[1]": "place",
        "hole": "hole",
        "section": "hole",
    }
    for slot in range(batch.has["hole"].shape[1]):
        for kind, values in batch.slots.items():
            here = batch.has[groups.get(kind, "rest")][:, slot]
            cells = _texts(values[:, slot]) if kind == "startTime" else pa.array(values[:, slot])
            made[f"locations[{slot}].{kind}"] = pc.if_else(pa.array(here), cells, None)
    return pa.table(made)


def file(number: int, count: int, seed: int = 7, fixes: int = FIXES) -> tuple[Course, pa.Table]:
    """The `number`-th file: some of its rounds come again in the course's next one."""
    course = COURSES[number % len(COURSES)]
    turn = number // len(COURSES)
    days = -(-count // ROUNDS_A_DAY)
    again = max(1, count // 50)
    batches = [rounds(course, max(1, count - again), turn * days, (seed, number), fixes)]
    if turn:
        batches.append(rounds(course, again, (turn - 1) * days, (seed, number - len(COURSES), 1), fixes))
    own = rounds(course, again, turn * days, (seed, number, 1), fixes)
    whole = pa.concat_tables([table(course, each) for each in [*batches, own]], promote_options="default")
    return course, _drifted(whole.slice(0, max(count, 1)), np.random.default_rng([seed, number, 2]))


def _drifted(whole: pa.Table, random: np.random.Generator) -> pa.Table:
    """Without some columns, or with ones that nobody knows; slots in their order."""
    lacking = {name for name in _OPTIONAL if random.random() < 0.1}
    names = sorted(whole.column_names, key=_slot)
    kept = whole.select([name for name in names if name.rsplit(".", 1)[-1] not in lacking])
    if random.random() < 0.2:
        kept = kept.append_column("deviceModel", pa.repeat("TM-4", kept.num_rows))
    if random.random() < 0.1:
        kept = kept.append_column("locations[0].heldUp", pa.repeat(False, kept.num_rows))
    return kept


def _slot(name: str) -> int:
    return int(name[10 : name.index("]")]) if name.startswith("locations[") else -1


def to_csv(whole: pa.Table) -> bytes:
    body = io.BytesIO()
    body.write((",".join(whole.column_names) + "\n").encode())
    pyarrow.csv.write_csv(whole, body, pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed"))
    return body.getvalue()


def to_json(whole: pa.Table, lines: bool = False) -> bytes:
    """The same rounds, nested: an array of objects, or one a line."""
    objects = [json.dumps(each, separators=(",", ":")) for each in nested(whole)]
    return ("\n".join(objects) + "\n" if lines else "[" + ",\n".join(objects) + "]\n").encode()


def nested(whole: pa.Table) -> Iterator[dict[str, Any]]:
    for row in whole.to_pylist():
        made: dict[str, Any] = {}
        locations: dict[int, dict[str, Any]] = {}
        for name, value in row.items():
            slot = _slot(name)
            into, own = (made, name) if slot < 0 else (locations.setdefault(slot, {}), name.split(".", 1)[1])
            if value is not None:
                into[own] = _wrapped(own, value)
        made["locations"] = [_placed(locations.get(slot, {})) for slot in range(max(locations, default=-1) + 1)]
        yield made


def _wrapped(name: str, value: Any) -> Any:
    if name == "_id":
        return {"$oid": value}
    if name.endswith("Time") and isinstance(value, str):
        return {"$date": value}
    return json.loads(value) if name == "captureLogs" and value.startswith("[") else value


def _placed(slot: dict[str, Any]) -> dict[str, Any]:
    place = [slot.pop(f"fixCoordinates[{axis}]", None) for axis in (0, 1)]
    return slot if place == [None, None] else {"fixCoordinates": place, **slot}


def body(whole: pa.Table, kind: str) -> bytes:
    match kind:
        case "json" | "jsonl":
            return to_json(whole, lines=kind == "jsonl")
        case "csv.gz":
            return gzip.compress(to_csv(whole), mtime=0)
    return to_csv(whole)


def broken() -> dict[str, bytes]:
    """Files that are to be refused, whole or in part, by name."""
    course = COURSES[0]  # so far west that its longitudes can be no latitudes
    whole = table(course, rounds(course, 20, 0, (0,)))
    text = to_csv(whole).decode()
    lines = text.splitlines()
    return {
        "empty.csv": b"",
        "header-only.csv": f"{lines[0]}\n".encode(),
        "no-id.csv": text.replace("_id,", "", 1).encode(),
        "no-fixes.csv": b"_id,course,startTime\n1,cedarhollow,2025-05-01T08:00:00Z\n",
        "ragged.csv": "\n".join([*lines[:8], *(f"{line},one,more" for line in lines[8:16]), *lines[16:]]).encode(),
        "swapped.csv": text.replace("Coordinates[0]", "#")
        .replace("Coordinates[1]", "Coordinates[0]")
        .replace("#", "Coordinates[1]")
        .encode(),
        "unreadable-times.csv": text.replace('Z",', " o'clock\",").encode(),
        "cut.json": to_json(whole)[:-3000],
        "not-utf8.csv": text.replace("cedarhollow", "cedarholl\u00f6w").encode("latin-1"),
        "binary.csv": bytes(range(256)) * 40,
    }


def write(directory: Path, files: int, count: int, kinds: Sequence[str] = ("csv",), **options: int) -> list[Path]:
    """`files` files of `count` rounds each, of these kinds in turn."""
    written = []
    for number in range(files):
        course, whole = file(number, count, **options)
        # Courses take turns, too; so that each sends all kinds, the kinds' turn moves on with each of theirs.
        kind = kinds[(number + number // len(COURSES)) % len(kinds)]
        path = directory / course.name / f"{course.name}-{number:04}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body(whole, kind))
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--files", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=200, help="of each file")
    parser.add_argument("--fixes", type=int, default=FIXES, help="of a round, in the mean")
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=["csv"], help=", ".join(KINDS))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--broken", action="store_true")
    chosen = parser.parse_args()
    if unknown := set(chosen.kinds) - set(KINDS):
        parser.error(f"no kind of file: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    write(chosen.directory, chosen.files, chosen.rounds, chosen.kinds, seed=chosen.seed, fixes=chosen.fixes)
    for name, content in (broken() if chosen.broken else {}).items():
        path = chosen.directory / "broken" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
