"""Make land.json.gz from Natural Earth's land as the npm package world-atlas has it (see README.md).

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python app/explore/land/make.py package/land-50m.json

What comes out is a list of rings, each a flat list of whole hundredths of a degree: longitude and latitude of the first
corner, and from there on the steps from corner to corner. A ring inside another one is a lake.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

Corner = tuple[float, float]  # longitude, latitude

TOLERANCE = 0.01  # degrees that a coast may move by; at 1:50,000,000 a line is about as wide
SCALE = 100  # whole numbers to a degree
TARGET = Path(__file__).with_name("land.json.gz")


def rings(topology: Mapping[str, Any]) -> Iterator[list[Corner]]:
    """The rings of all polygons of a TopoJSON file, outer ones (clockwise) and lakes."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [[(x * kx + dx, y * ky + dy) for x, y in _summed(arc)] for arc in topology["arcs"]]
    for shape in topology["objects"]["land"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        for ring in (ring for polygon in polygons for ring in polygon):
            yield _unwrapped([corner for arc in ring for corner in _directed(arcs, arc)[:-1]])


def _summed(steps: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    x = y = 0
    for dx, dy in steps:
        x, y = x + dx, y + dy
        yield x, y


def _directed(arcs: Sequence[list[Corner]], number: int) -> list[Corner]:
    """TopoJSON says ~n for arc n backwards."""
    return arcs[number] if number >= 0 else arcs[~number][::-1]


def _unwrapped(ring: list[Corner]) -> list[Corner]:
    """A ring that crosses the 180th meridian goes on beyond it; one around the pole is closed along the pole."""
    turn, unwrapped = 0, ring[:1]
    for (before, _), (x, y) in zip(ring, [*ring[1:], ring[0]], strict=True):
        turn += 360 * ((x - before < -180) - (x - before > 180))
        unwrapped.append((x + turn, y))
    (x0, _), (x1, _) = ring[0], unwrapped[-1]
    return unwrapped[:-1] if not turn else [*unwrapped, (x1, -90.0), (x0, -90.0)]


def simplified(line: list[Corner]) -> list[Corner]:
    """Fewer corners, none of those left out further than TOLERANCE from the line (Douglas and Peucker)."""
    keep, spans = {0, len(line) - 1}, [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        far, place = max(((_off(line[i], line[first], line[last]), i) for i in range(first + 1, last)), default=(0, 0))
        if far > TOLERANCE:
            keep.add(place)
            spans += [(first, place), (place, last)]
    return [line[place] for place in sorted(keep)]


def _off(at: Corner, start: Corner, end: Corner) -> float:
    """How far a corner is from a line, in degrees."""
    (x, y), (x0, y0), (x1, y1) = at, start, end
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / length)) if length else 0.0
    return float(((x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2) ** 0.5)


def steps(ring: Sequence[Corner]) -> list[int]:
    """A ring in whole hundredths of a degree, as steps."""
    whole = [(round(x * SCALE), round(y * SCALE)) for x, y in ring]
    moves = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(whole)]
    return [number for pair in (whole[0], *(move for move in moves if move != (0, 0))) for number in pair]


def main(source: Path) -> None:
    found = (steps(simplified(ring)) for ring in rings(json.loads(source.read_bytes())))
    # The package has a ring of no height along the South Pole.
    body = json.dumps([ring for ring in found if any(ring[2::2]) and any(ring[3::2])], separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(body.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
