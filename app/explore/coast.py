"""The coastline that ships with the editor (land/README.md), cut to a window."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from app.explore.scene import Array

_FILE = Path(__file__).parent / "land" / "land.json.gz"
_SCALE = 100  # whole numbers to a degree, see land/make.py
_FINEST = 700  # steps across a window that tell corners apart


@dataclass(frozen=True)
class Window:
    """A part of the map, in degrees. Longitudes may go beyond 180."""

    west: float
    south: float
    east: float
    north: float

    def meets(self, ring: Array) -> bool:
        (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
        return bool(west < self.east and east > self.west and south < self.north and north > self.south)

    @property
    def finest(self) -> float:
        return max(self.east - self.west, self.north - self.south) / _FINEST


@cache
def _rings() -> list[Array]:
    """All rings, n x 2: longitude, latitude."""
    found = json.loads(gzip.decompress(_FILE.read_bytes()))
    return [np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / _SCALE for ring in found]


def rings(window: Window) -> Iterator[tuple[Array, bool]]:
    """The land in a window: each ring, and whether it is a lake. Details that would not be seen are left out."""
    for ring in _rings():
        for turn in (-360, 0, 360, 720):
            moved = ring + np.array((turn, 0))
            if window.meets(moved) and np.ptp(moved, axis=0).max() > 2 * window.finest:
                cut = _thin(_cut(moved, window), window.finest)
                if len(cut) > 2:
                    yield cut, _is_lake(ring)


def _is_lake(ring: Array) -> bool:
    """Land goes round clockwise, lakes the other way."""
    x, y = ring.T
    return bool(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0)


def _thin(ring: Array, finest: float) -> Array:
    """The corners that are further than `finest` from the last one before."""
    corners = ring.tolist()
    kept = corners[:1]
    for x, y in corners[1:]:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) > finest:
            kept.append([x, y])
    return np.array(kept)


def _cut(ring: Array, window: Window) -> Array:
    """The part of a ring inside the window, closed along its edges (Sutherland and Hodgman)."""
    for axis, bound, side in ((0, window.west, 1), (0, window.east, -1), (1, window.south, 1), (1, window.north, -1)):
        if len(ring):
            ring = _half(ring, axis, bound, side)
    return ring


def _half(ring: Array, axis: int, bound: float, side: int) -> Array:
    """What of a ring lies on one side of a line along a meridian or parallel."""
    inside = side * (ring[:, axis] - bound) >= 0
    if inside.all():
        return ring
    kept: list[Array] = []
    for n in np.flatnonzero(inside | np.roll(inside, 1)).tolist():
        before, corner = ring[n - 1], ring[n]
        if inside[n - 1] != inside[n]:
            kept.append(before + (corner - before) * (bound - before[axis]) / (corner[axis] - before[axis]))
        if inside[n]:
            kept.append(corner)
    return np.array(kept)
