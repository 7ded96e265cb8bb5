"""A generated table of net tows, for the demo and for tests: invented throughout, and the same every time.

It has the shape of a real cruise's table and its oddities: depths slightly above the surface, one net that opened
and closed at once (no volume), and a net size that was mostly not noted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import pyarrow as pa

from towline.values import Row

ROWS, TOWS = 125, 13
_FEWEST, _MOST = 8, 11  # nets of a tow
_VESSEL, _CRUISES = "Meridian", ("MD2601", "MD2602")
_SEED = 2601
_CLOCK = timedelta(hours=10)  # the ship's clock is this far behind GMT
_TIME = "%Y-%m-%d %H:%M:%S"

_SCHEMA = pa.schema(
    [
        pa.field("vessel", pa.string()),
        pa.field("cruise", pa.string()),
        pa.field("tow", pa.int64(), nullable=False),
        pa.field("net", pa.int64(), nullable=False),
        pa.field("lat_decimal", pa.float64()),
        pa.field("long_decimal", pa.float64()),
        pa.field("min_depth", pa.float64()),
        pa.field("max_depth", pa.float64()),
        pa.field("volume_filtered", pa.float64()),
        pa.field("time_start_gmt", pa.string()),
        pa.field("time_start_local", pa.string()),
        pa.field("is_day", pa.bool_()),
        pa.field("net_size", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Tow:
    """One tow: its number from 1, its nets, where and when it began."""

    number: int
    nets: int
    latitude: float
    longitude: float
    start: datetime  # GMT


def sample_table() -> pa.Table:
    """125 nets of 13 tows of an invented vessel, with the schema of datasets/net_tows/contract.json."""
    random = Random(_SEED)  # noqa: S311  # a seed for invented data, not a secret
    rows = [dict(row) for tow in _tows(random) for row in _nets(random, tow)]
    rows[ROWS // 2] |= {"volume_filtered": 0.0, "max_depth": rows[ROWS // 2]["min_depth"]}
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _tows(random: Random) -> Iterator[Tow]:
    start = datetime(2026, 2, 3, 18, 10)
    for number, nets in enumerate(_net_counts(random), start=1):
        latitude = 21.4 + 0.21 * number + random.uniform(-0.05, 0.05)
        yield Tow(number, nets, latitude, -157.2 - random.uniform(0, 0.4), start)
        start += timedelta(hours=random.uniform(9, 31), seconds=random.randrange(60))


def _net_counts(random: Random) -> list[int]:
    """How many nets each tow has: ROWS in all, dealt out one by one."""
    counts = [_FEWEST] * TOWS
    while sum(counts) < ROWS:
        tow = random.randrange(TOWS)
        counts[tow] += counts[tow] < _MOST
    return counts


def _nets(random: Random, tow: Tow) -> Iterator[Row]:
    """Net 0 fishes from the surface to the deepest point; the others step up from there."""
    deepest = random.uniform(200, 1000)
    steps = _steps(random, deepest, tow.nets - 1)
    latitude, longitude, at = tow.latitude, tow.longitude, tow.start
    has_size = tow.number > TOWS * 0.7
    for net, (bottom, top) in enumerate([(deepest, _surface(random)), *steps]):
        minutes = 4 + (bottom - top) * random.uniform(0.03, 0.08)
        yield {
            "vessel": _VESSEL,
            "cruise": _CRUISES[tow.number > TOWS // 2],
            "tow": tow.number,
            "net": net,
            "lat_decimal": round(latitude, 5),
            "long_decimal": round(longitude, 5),
            "min_depth": round(top, 1),
            "max_depth": round(bottom, 1),
            "volume_filtered": round(minutes * random.uniform(35, 55), 1),
            "time_start_gmt": at.strftime(_TIME),
            "time_start_local": (at - _CLOCK).strftime(_TIME),
            "is_day": 6 <= (at - _CLOCK).hour < 18,
            "net_size": 1.0 if has_size else None,
        }
        latitude += minutes * random.uniform(0.0002, 0.0006)
        longitude += minutes * random.uniform(0.0001, 0.0004)
        at += timedelta(seconds=round(minutes * 60))


def _steps(random: Random, deepest: float, count: int) -> list[tuple[float, float]]:
    """Depths (bottom, top) of the nets on the way up: each begins about where the one before ended."""
    bounds = [deepest * math.cos(math.pi / 2 * step / count) for step in range(count)]
    tops = [bound + random.uniform(-0.2, 0.2) for bound in bounds[1:]] + [_surface(random)]
    return [(max(bottom, top), top) for bottom, top in zip(bounds, tops, strict=True)]


def _surface(random: Random) -> float:
    """What a pressure sensor reads at the surface."""
    return random.uniform(-0.7, 0.3)
