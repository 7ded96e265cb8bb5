"""The map: rows at their positions, over the coastline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.explore.colour import colour, is_scale
from app.explore.draw.view import View, around, axes, land
from app.explore.picture import (
    ID,
    MARKS,
    Datum,
    Look,
    Picture,
    Spec,
    facts,
    layer,
    left_out,
    nothing,
    picture,
    signs,
    tip,
    zoom,
)
from app.explore.plots import Plot
from app.explore.scene import CHANGES, DELETED, SAME, Array, Scene

HEIGHT = 640
CELLS = (40, 28)  # across and up, where there are more rows than MARKS
_DOT: Spec = {"filled": True, "opacity": 0.85, "stroke": "#808080", "strokeWidth": 0.6}
ORIENTATION = "Coastline: Natural Earth 1:50,000,000, for orientation only."


def draw(plot: Plot, scene: Scene, look: Look, by: str | None) -> Picture:
    latitude, longitude = plot.columns
    y, x = scene.numbers(latitude), scene.numbers(longitude)
    is_null = scene.is_null(latitude) | scene.is_null(longitude)
    off = ~is_null & ~((np.abs(y) <= 90) & (x >= -180) & (x <= 360))
    said = left_out(scene, (is_null, "without a position (null)"), (off, "off the globe or no number"))
    drawn = ~is_null & ~off
    if not drawn.any():
        return nothing("No row has a position.", said)
    x, y = np.where(drawn, around(x), np.nan), np.where(drawn, y, np.nan)
    return _map(scene, View(x, y), plot.columns, look, by, said)


def _map(scene: Scene, view: View, names: Sequence[str], look: Look, by: str | None, said: Sequence[str]) -> Picture:
    rows = np.flatnonzero(~np.isnan(view.x))
    draw_rows = _points if len(rows) <= MARKS else _cells
    layers, also = draw_rows(scene, view, rows, names, look, by)
    alt = f"Map of {len(rows):,} rows, {_said_of(view)}"
    return picture([*land(view, look), *layers], HEIGHT, [*said, *also, ORIENTATION], alt)


def _said_of(view: View) -> str:
    west, east, south, north = view.bounds
    return f"latitude {south:.2f} to {north:.2f}, longitude {west:.2f} to {east:.2f}"


def _points(
    scene: Scene, view: View, rows: Array, names: Sequence[str], look: Look, by: str | None
) -> tuple[list[Spec], tuple[str, ...]]:
    """A mark a row."""
    coloured = colour(scene, by, rows, look)
    data, tips = facts(scene, rows, [*names, *([by] if by else [])])
    for datum, x, y, c in zip(data, view.x[rows].tolist(), view.y[rows].tolist(), coloured.values, strict=True):
        datum |= {"x": x, "y": y, "c": c}
    x_axis, y_axis = axes(view)
    there = [datum for datum in data if datum["change"] != DELETED]
    encoding = {"x": x_axis, "y": y_axis, "tooltip": tips, "fill": coloured.encoding}
    points = layer(there, "circle", encoding, pick=True, size=55, **_DOT)
    moved = [datum for datum in data if datum["change"] != SAME]
    layers = [points, signs(moved, x_axis, y_axis, tips, look)]
    _first_with_marks(layers)["params"] = [*_first_with_marks(layers).get("params", []), zoom("x", "y")]
    return layers, coloured.said


def _first_with_marks(layers: Sequence[Spec]) -> Spec:
    """The layer that carries the zoom: one that is drawn."""
    return next(each for each in layers if each["data"]["values"])


def _cells(
    scene: Scene, view: View, rows: Array, names: Sequence[str], look: Look, by: str | None
) -> tuple[list[Spec], tuple[str, ...]]:
    """A circle a cell of a grid, at the mean of its rows, as large as they are many."""
    cell = _cell_of(view, rows)
    there = scene.changes[rows] != DELETED
    scale = by if by is not None and is_scale(scene, by) else None
    data = _heaps(scene, view, rows[there], cell[there], scale)
    x_axis, y_axis = axes(view)
    tips = [tip("rows", "Rows here"), *([tip("mean", f"Mean of {scene.title(scale)}")] if scale else [])]
    size = {"field": "n", "type": "quantitative", "title": "Rows", "scale": {"range": [20, 260]}, "legend": None}
    encoding = {"x": x_axis, "y": y_axis, "size": size, "tooltip": tips, **_mean_colour(scene, scale, look)}
    circles = layer(data, "circle", encoding, **_DOT)
    moved: list[Datum] = []
    for change in CHANGES:
        of = scene.changes[rows] == change
        moved += [{**heap, "change": change} for heap in _heaps(scene, view, rows[of], cell[of], None)]
    layers = [circles, signs(moved, x_axis, y_axis, [tip("rows", "Rows here"), tip("change", "Changed")], look)]
    _first_with_marks(layers)["params"] = [zoom("x", "y")]
    return layers, _said_of_cells(len(rows), len(data), by, scale)


def _said_of_cells(rows: int, circles: int, by: str | None, scale: str | None) -> tuple[str, ...]:
    one = f"{rows:,} rows are drawn as {circles:,} circles, each as large as the rows around it are many"
    why = f"more than {MARKS:,} marks would be too many for a browser."
    lost = (f"They have no colour: a circle has rows of several {by}.",) if by and not scale else ()
    return (f"{one}; {why}", *lost)


def _cell_of(view: View, rows: Array) -> Array:
    """The number of the grid's cell that each row lies in."""
    across, up = (_steps(axis[rows], count) for axis, count in zip((view.x, view.y), CELLS, strict=True))
    return np.asarray(up * CELLS[0] + across)


def _steps(values: Array, count: int) -> Array:
    low, wide = values.min(), np.ptp(values)
    return np.zeros(len(values), int) if not wide else np.minimum((values - low) / wide * count, count - 1).astype(int)


def _heaps(scene: Scene, view: View, rows: Array, cell: Array, by: str | None) -> list[Datum]:
    """For each cell with rows: their mean position, their number, and the mean of a column."""
    held, place, n = np.unique(cell, return_inverse=True, return_counts=True)
    x, y = (np.bincount(place, axis[rows], len(held)) / n for axis in (view.x, view.y))
    data: list[Datum] = [
        {ID: "", "x": a, "y": b, "n": k, "rows": f"{k:,}"}
        for a, b, k in zip(x.tolist(), y.tolist(), n.tolist(), strict=True)
    ]
    if by is not None:
        for datum, mean in zip(data, _means(scene.numbers(by)[rows], place, len(held)), strict=True):
            datum |= {"c": mean, "mean": "null" if mean is None else f"{mean:.4g}"}
    return data


def _means(values: Array, place: Array, count: int) -> list[float | None]:
    is_there = ~np.isnan(values)
    total = np.bincount(place[is_there], values[is_there], count)
    n = np.bincount(place[is_there], minlength=count)
    return [t / k if k else None for t, k in zip(total.tolist(), n.tolist(), strict=True)]


def _mean_colour(scene: Scene, by: str | None, look: Look) -> Spec:
    if by is None:
        return {"fill": {"value": look.plain}}
    return {"fill": colour(scene, by, np.array([], int), look).encoding}
