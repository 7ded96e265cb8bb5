"""Rounds as JSON, as a document database exports them: an array of objects, or one object after the other.

    {"_id": {"$oid": "65a…"}, "startTime": {"$date": "2025-07-01T14:00:00Z"}, "locations": [{"fixCoordinates": […], …}]}

One round is held at a time, and some of their cells. `_id` and times may be written plainly, too.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa

from towline.errors import UnreadableFile
from towline.pipeline.definition import BronzeFile
from towline.pipeline.texts import gathered, refused
from towline.store import MIB

from .pieces import ROUND, SLOT, SLOTS_MAX, Piece

ROUND_MAX = 16 * MIB  # of text
_PIECE, _ROUNDS = 4 * MIB, 50_000  # of text whose rounds make a piece, and rounds of one: some have few characters
IDLE_MAX = 100_000  # values without an `_id`, from one that has one to the next
_READ = MIB
_WRAPPERS = {"$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal"}
_BLANK = re.compile(r"[ \t\r\n]*")
_COORDINATES = "fixCoordinates"


def read(file: BronzeFile) -> Iterator[Piece]:
    """UnreadableFile: it is no JSON from some place on, a round is longer than ROUND_MAX, or too much of it is none."""
    making = _Making()
    told: set[str] = set()
    last = 0
    with file.open() as stream:
        for row, (value, size) in enumerate(_values(stream, file.source.where), 1):
            last = row if isinstance(value, dict) and value.get("_id") else last
            if row - last > IDLE_MAX:
                raise UnreadableFile(f"{file.source.where}: {IDLE_MAX:,} values behind value {last:,} have no _id")
            making.add(row, value, size)
            if making.is_enough:
                yield making.piece(told)
                making = _Making()
    yield making.piece(told)


def plain(value: Any) -> str | None:
    """A value as a cell of a CSV file would have it; None: an empty one."""
    match value:
        case None | "":
            return None
        case str():
            return sound(value)
        case bool():
            return "true" if value else "false"
        case dict() if len(value) == 1 and value.keys() <= _WRAPPERS:
            return plain(next(iter(value.values())))
    return compact(value)


def compact(value: Any) -> str:
    """A value as JSON."""
    return sound(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def sound(text: str) -> str:
    """Halves of surrogate pairs, which JSON can spell and UTF-8 cannot, are replaced by `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class _Making:
    """A piece on its way."""

    def __init__(self) -> None:
        self._size = self._count = 0
        self._rounds: dict[str, list[Any]] = {name: [] for name in ("row", *ROUND)}
        self._slots: dict[str, list[Any]] = {name: [] for name in ("round", "index", *SLOT)}
        # Rows and values by column and reason: a table for each would be a thousand times as large as its row.
        self._refused: dict[tuple[str, str], tuple[list[int], list[str | None]]] = defaultdict(lambda: ([], []))
        self._unknown: dict[str, None] = {}

    @property
    def is_enough(self) -> bool:
        return self._size >= _PIECE or self._count >= _ROUNDS

    def add(self, row: int, value: Any, size: int) -> None:
        self._size, self._count = self._size + size, self._count + 1
        slots = value.get("locations") if isinstance(value, dict) else None
        if not isinstance(value, dict):
            self._refuse(row, "", value, "is no JSON object: expected a round")
        elif not isinstance(slots, list | None):
            self._refuse(row, "locations", slots, "is no array of locations")
        elif len(slots or ()) > SLOTS_MAX:
            self._refuse(row, "locations", len(slots), f"locations are too many: at most {SLOTS_MAX:,} are read")
        elif (wrong := next((n for n, slot in enumerate(slots or ()) if not isinstance(slot, dict | None)), -1)) >= 0:
            self._refuse(row, f"locations[{wrong}]", slots[wrong], "is no JSON object: expected a location")
        else:
            self._add_round(row, value, slots or ())

    def piece(self, told: set[str]) -> Piece:
        """`told`: unknown names that pieces before had; those of this one are added."""
        unknown = tuple(name for name in self._unknown if name not in told)
        told.update(unknown)
        return Piece(_table(self._rounds), _table(self._slots), self._refusals(), unknown)

    def _refuse(self, row: int, column: str, value: Any, reason: str) -> None:
        rows, values = self._refused[column, reason]
        rows.append(row)
        values.append(plain(value))

    def _refusals(self) -> pa.Table:
        found = [
            refused(pa.array(rows, pa.int64()), column, pa.array(values, pa.string()), reason)
            for (column, reason), (rows, values) in self._refused.items()
        ]
        return gathered(found).sort_by("row")

    def _add_round(self, row: int, value: Mapping[str, Any], slots: Sequence[Mapping[str, Any] | None]) -> None:
        at = len(self._rounds["row"])
        self._rounds["row"].append(row)
        for name in ROUND:
            self._rounds[name].append(plain(value.get(name)))
        self._note(value, ROUND, "")
        cells = [self._cells(slot or {}) for slot in slots]
        while cells and not any(cell is not None for cell in cells[-1]):
            cells.pop()
        self._slots["round"] += [at] * len(cells)
        self._slots["index"] += range(len(cells))
        for number, kind in enumerate(SLOT):
            self._slots[kind] += [each[number] for each in cells]

    def _cells(self, slot: Mapping[str, Any]) -> list[str | None]:
        place = slot.get(_COORDINATES)
        flat = {**slot, **_numbered(place)} if place is not None else slot
        self._note(flat, SLOT, "locations[i].")
        return [plain(flat.get(kind)) for kind in SLOT]

    def _note(self, value: Mapping[str, Any], known: Mapping[str, Any], prefix: str) -> None:
        for name in value:
            if name not in known and name not in ("locations", _COORDINATES):
                self._unknown[f"{prefix}{sound(name)}"] = None


def _numbered(place: Any) -> dict[str, Any]:
    """`[-112.8, 42.7]` under the names that columns have. What is no array cannot be read as a number, and says so."""
    values = place if isinstance(place, list) else [place]
    return {f"{_COORDINATES}[{number}]": value for number, value in enumerate(values)}


def _table(columns: Mapping[str, list[Any]]) -> pa.Table:
    numbers = ("row", "round", "index")
    return pa.table({n: pa.array(each, pa.int64() if n in numbers else pa.string()) for n, each in columns.items()})


def _values(stream: IO[bytes], where: str) -> Iterator[tuple[Any, int]]:
    """Each value of the array, or of the lines, and its characters."""
    text = _Text(stream, where)
    is_array = text.skip("[")
    is_first = True
    while True:
        if is_array and text.skip("]"):
            break
        if text.is_over():
            if is_array:
                text.fail("the array does not end")
            return
        if is_array and not is_first and not text.skip(","):
            text.fail("a comma is missing between two rounds")
        yield text.value()
        is_first = False
    if not text.is_over():
        text.fail("something comes behind the array")


class _Text:
    """The text of a file, of which some is held: from where reading is, on."""

    def __init__(self, stream: IO[bytes], where: str) -> None:
        self._stream, self._where = stream, where
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._held, self._at, self._before, self._is_all = "", 0, 0, False

    def skip(self, mark: str) -> bool:
        """Pass over blanks, and over the mark, if it comes next."""
        found = not self.is_over() and self._held[self._at] == mark
        self._at += found
        return found

    def is_over(self) -> bool:
        """Pass over blanks; whether nothing comes behind them."""
        while True:
            self._at = _BLANK.match(self._held, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._held):
                return False
            if not self._more():
                return True

    def value(self) -> tuple[Any, int]:
        """The next value, and its characters."""
        self.is_over()
        while True:
            try:
                value, end = self._json.raw_decode(self._held, self._at)
                # A number at the end of what is held may go on.
                if end < len(self._held) or not self._more():
                    size, self._at = end - self._at, end
                    return value, size
            except (ValueError, RecursionError) as error:
                if len(self._held) - self._at > ROUND_MAX or not self._more():
                    self.fail(f"no JSON of at most {ROUND_MAX:,} characters: {error}")

    def fail(self, what: str) -> None:
        raise UnreadableFile(f"{self._where}, character {self._before + self._at:,}: {what}")

    def _more(self) -> bool:
        """Hold more, twice as much if the same value wants still more; whether there was any."""
        if self._is_all:
            return False
        body = self._stream.read(max(_READ, len(self._held) - self._at))
        self._is_all = not body
        try:
            read = self._decoder.decode(body, final=self._is_all)
        except UnicodeDecodeError as error:
            self.fail(f"it is not UTF-8 from here on ({error.reason})")
        self._before += self._at
        self._held, self._at = self._held[self._at :] + read, 0
        return bool(body)
