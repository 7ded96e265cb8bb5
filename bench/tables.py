"""Tables of net tows of any size, to measure with: invented throughout, and the same every time.

    uv run python bench/tables.py ROWS FILE

They have the columns and types of the sample (`towline.sample`) and its oddities: depths slightly above the surface,
nets that opened and closed at once (no volume), a net size that was mostly not noted, times as texts. A fleet of
invented vessels goes on one cruise after the other; tows are numbered on through all of them, so that the table is
in the order of its key (tow, net).

Every value is a function of its tow, its net and what it is of: a table is the beginning of each longer one, however
it was cut into blocks while it was made, and no more than a block is in memory.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from towline.parquet.source import FileSource
from towline.parquet.writer import ROW_GROUP, marked, writer
from towline.sample import sample_table

KEY = ("tow", "net")
SCHEMA: pa.Schema = sample_table().schema
FEWEST, MOST = 8, 11  # nets of a tow
CRUISE = 40  # tows of a cruise, one about every twelve hours
_STEP = 12 * 3600  # seconds
_BEGIN = int(datetime(1960, 1, 1, tzinfo=UTC).timestamp())  # when the fleet left port
_FIRST = ("Northern", "Southern", "Western", "Eastern", "Morning", "Silver", "Quiet", "Far")
_LAST = ("Meridian", "Petrel", "Horizon", "Current", "Plover", "Compass", "Isobath", "Lantern")
VESSELS = tuple(f"{first} {last}" for first in _FIRST for last in _LAST)
_BLOCK = 8192  # tows that are made at once


class Chance:
    """Random numbers by place: the same for the same stream, tow and net, in whatever order they are asked for.

    The numbers are those of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014),
    whose state is a counter.
    """

    def __init__(self, tows: np.ndarray, nets: np.ndarray) -> None:
        self._tows = tows.astype(np.uint64)
        self._places = (self._tows[:, None] << np.uint64(4)) | nets.astype(np.uint64)

    def of_net(self, stream: str, low: float, high: float) -> np.ndarray:
        """One number a place, tows down and nets across, from `low` up to, not including, `high`."""
        return _uniform(self._places, stream, low, high)

    def of_tow(self, stream: str, low: float, high: float) -> np.ndarray:
        return _uniform(self._tows, stream, low, high)


def _uniform(places: np.ndarray, stream: str, low: float, high: float) -> np.ndarray:
    seed = np.uint64(int.from_bytes(stream.encode()[:8], "little"))
    with np.errstate(over="ignore"):
        mixed = (places + _mixed(np.array([seed]))) * np.uint64(0x9E3779B97F4A7C15)
    return low + (high - low) * (_mixed(mixed) >> np.uint64(11)) * 2.0**-53


def _mixed(state: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def row_groups(rows: int, size: int = ROW_GROUP, block: int = _BLOCK) -> Iterator[pa.Table]:
    """The table's first `rows` rows in tables of `size` rows, the last with what is left. `block` tows at once."""
    pending, tow = SCHEMA.empty_table(), 1
    while rows:
        wanted = min(size, rows)
        while pending.num_rows < wanted:
            pending = pa.concat_tables([pending, nets_of(np.arange(tow, tow + block))])
            tow += block
        yield pending.slice(0, wanted).combine_chunks()
        pending, rows = pending.slice(wanted), rows - wanted


def nets_of(tows: np.ndarray) -> pa.Table:
    """The nets of these tows, which are numbered from 1."""
    nets = np.arange(MOST)
    chance = Chance(tows, nets)
    counts = chance.of_tow("counts", FEWEST, MOST + 1).astype(np.int64)
    there = nets < counts[:, None]  # what follows is for MOST nets a tow; those beyond its own are left out
    top, bottom = _depths(chance, counts, nets)
    minutes = 4 + (bottom - top) * chance.of_net("minutes", 0.03, 0.08)
    idle = chance.of_net("idle", 0, 1) < 1 / 125
    bottom, volume = np.where(idle, top, bottom), np.where(idle, 0, minutes * chance.of_net("volume", 35, 55))
    latitude, longitude, at = _ways(chance, tows, minutes)
    local = at - 3600 * np.round(-longitude[:, :1] / 15).astype(np.int64)
    cruises = _cruises(tows)
    has_size = cruises % 10 >= 7
    columns = {
        "vessel": _spread(pa.array(VESSELS), cruises % len(VESSELS), there),
        "cruise": _spread(pa.array(_names(cruises)), cruises - cruises[0], there),
        "tow": np.broadcast_to(tows[:, None], there.shape)[there],
        "net": np.broadcast_to(nets, there.shape)[there],
        "lat_decimal": np.round(latitude[there], 5),
        "long_decimal": np.round(longitude[there], 5),
        "min_depth": np.round(top[there], 2),
        "max_depth": np.round(bottom[there], 2),
        "volume_filtered": np.round(volume[there], 2),
        "time_start_gmt": _texts(at[there]),
        "time_start_local": _texts(local[there]),
        "is_day": ((local % 86_400 >= 6 * 3600) & (local % 86_400 < 18 * 3600))[there],
        "net_size": pa.array(np.ones(there.sum()), mask=~np.broadcast_to(has_size[:, None], there.shape)[there]),
    }
    return pa.table([pa.array(column) for column in columns.values()], schema=SCHEMA)


def _depths(chance: Chance, counts: np.ndarray, nets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Net 0 fishes from the surface to the deepest point; the others step up from there. (top, bottom), metres."""
    deepest = chance.of_tow("deepest", 200, 1000)[:, None]
    steps = (counts - 1)[:, None]
    bound = deepest * np.cos(np.pi / 2 * np.minimum(nets, steps) / steps)  # of net n on the way up: where it ends
    surface = chance.of_net("surface", -0.7, 0.3)
    at_surface = (nets == 0) | (nets >= steps)
    top = np.where(at_surface, surface, bound + chance.of_net("waver", -0.2, 0.2))
    below = np.concatenate([deepest, bound[:, :-1]], axis=1)
    return top, np.maximum(below, top)


def _ways(chance: Chance, tows: np.ndarray, minutes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where and when each net opened: a ship drifts on from net to net, and from tow to tow of its cruise.
    (degrees north, degrees east, seconds of 1970)"""
    cruises, leg = _cruises(tows), (tows - 1) % CRUISE
    port = Chance(cruises, np.zeros(1))
    latitude = port.of_tow("latitude", -55, 55) + 0.08 * leg + chance.of_tow("north", -0.05, 0.05)
    longitude = port.of_tow("longitude", -170, 170) + 0.05 * leg + chance.of_tow("east", -0.4, 0.4)
    voyage = cruises // len(VESSELS)  # of its vessel
    start = _BEGIN + (voyage * CRUISE + leg) * _STEP + chance.of_tow("start", 0, _STEP / 2).astype(np.int64)
    north = minutes * chance.of_net("northward", 0.0002, 0.0006)
    east = minutes * chance.of_net("eastward", 0.0001, 0.0004)
    return (
        latitude[:, None] + _before(north),
        longitude[:, None] + _before(east),
        start[:, None] + _before(np.round(minutes * 60).astype(np.int64)),
    )


def _before(steps: np.ndarray) -> np.ndarray:
    """What the nets before each net of a tow add up to."""
    return np.cumsum(steps, axis=1) - steps


def _cruises(tows: np.ndarray) -> np.ndarray:
    return (tows - 1) // CRUISE


def _names(cruises: np.ndarray) -> list[str]:
    """The cruises' names, from the first one to the last."""
    return [f"{_initials(cruise)}{cruise // len(VESSELS) + 1:04}" for cruise in range(cruises[0], cruises[-1] + 1)]


def _initials(cruise: int) -> str:
    first, last = VESSELS[cruise % len(VESSELS)].split()
    return f"{first[0]}{last[:2]}".upper()


def _spread(values: pa.Array, which: np.ndarray, there: np.ndarray) -> pa.Array:
    """A value a tow, for each of its nets."""
    return values.take(pa.array(np.broadcast_to(which[:, None], there.shape)[there]))


def _texts(seconds: np.ndarray) -> pa.Array:
    return pa.array(seconds).cast(pa.timestamp("s")).cast(pa.string())


def write(rows: int, path: Path) -> None:
    """The table as a file in the canonical form, without a commit's id."""
    with writer(str(path), SCHEMA, KEY) as out:
        for group in row_groups(rows):
            out.write_table(group, ROW_GROUP)
    mark(path, {})


def mark(path: Path, metadata: Mapping[str, str]) -> None:
    """Give a file that `writer` wrote, or that was marked before, the footer of the canonical form."""
    source = FileSource(path)
    start, footer = marked(source, metadata)
    with path.open("r+b") as file:
        file.truncate(start)
        file.seek(start)
        file.write(footer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=count)
    parser.add_argument("file", type=Path)
    chosen = parser.parse_args()
    write(chosen.rows, chosen.file)
    print(f"{chosen.file}: {chosen.rows:,} rows, {chosen.file.stat().st_size:,} bytes")


def count(text: str) -> int:
    """Rows as people write them: 100k, 10M, 1_000."""
    return int(text.lower().replace("k", "000").replace("m", "000000"))


if __name__ == "__main__":
    main()
