"""The distribution of a number: how many rows in which part of its range."""

from __future__ import annotations

import math
import sys

import numpy as np

from app.explore.draw.counts import count, standing
from app.explore.picture import Datum, Look, Picture, left_out, nothing
from app.explore.plots import Plot
from app.explore.scene import Array, Scene

BINS = 30  # at most


def draw(plot: Plot, scene: Scene, look: Look, _: str | None) -> Picture:
    (name,) = plot.columns
    values, is_null = scene.numbers(name), scene.is_null(name)
    odd = ~is_null & np.isnan(values)
    said = left_out(scene, (is_null, "null"), (odd, "no numbers (NaN, infinite or beyond 1e300)"))
    drawn = ~np.isnan(values)
    if not drawn.any():
        return nothing(f"No row has a number in {name}.", said)
    start, step = bins(values[drawn], whole=scene.contract.field(name).type == "integer")
    place = np.where(drawn, np.floor((np.nan_to_num(values) - start) / step + 1e-9), -1).astype(int)
    return _histogram(scene, name, place, (start, step), look, said)


def bins(values: Array, *, whole: bool = False) -> tuple[float, float]:
    """Where the first bin begins, and how wide all are: 1, 2, 2.5 or 5 times a power of ten, BINS of them at most."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        step = 1.0 if whole or not low else _power(abs(low))
        return low - (0 if whole else step / 2), step
    least = high / (BINS - 1) - low / (BINS - 1)
    power = _power(least)
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= least)
    step = max(1.0, math.ceil(step)) if whole else step
    return math.floor(low / step) * step, step


def _power(size: float) -> float:
    """The power of ten at or below; never as small as to vanish."""
    return max(10.0 ** math.floor(math.log10(size)), sys.float_info.min) if size else sys.float_info.min


def _histogram(
    scene: Scene, name: str, place: Array, at: tuple[float, float], look: Look, said: tuple[str, ...]
) -> Picture:
    counted, marks = count(scene, place, place >= 0)
    every = {n: _bin(n, at, counted.get(n, 0)) for n in {*counted, *(n for n, _ in marks)}}
    x = {"field": "x", "type": "quantitative", "title": scene.title(name), "scale": {"zero": False, "nice": False}}
    x["axis"] = {"grid": False, "titleLimit": 400}
    alt = f"Histogram of {name}: {sum(counted.values()):,} rows in {len(counted):,} bins"
    return standing(every, x, {"x2": {"field": "x2"}}, marks, look, said, alt)


def _bin(number: int, at: tuple[float, float], rows: int) -> Datum:
    start, step = at
    low, high = start + number * step, start + (number + 1) * step
    said = f"{low:.6g} up to {high:.6g}"
    return {"x": low, "x2": high, "middle": (low + high) / 2, "n": rows, "rows": f"{rows:,}", "at": said}
