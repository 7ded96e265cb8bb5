"""Ranges: a bar a row from its low to its high end, in key order; depths count downwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from app.editing.cells import unit_text
from app.explore import columns
from app.explore.colour import colour
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
from app.explore.scene import DELETED, SAME, Array, Scene, cut, shown

HEIGHT = 360
LEAST = 0.006  # of the whole height, that a bar has: one without any would vanish
GAP = 1.0  # between the groups, in bars
LABELS = 60  # along the axis


@dataclass(frozen=True, eq=False)
class Places:
    """Where the bars stand: the rows in key order, the place of each, and what the axis says where."""

    rows: Array
    x: Array
    labels: list[tuple[float, str]]
    title: str

    @property
    def width(self) -> float:
        return float(self.x[-1]) + 1


def draw(plot: Plot, scene: Scene, look: Look, by: str | None) -> Picture:
    low, high = (scene.numbers(name) for name in plot.columns)
    is_null = scene.is_null(plot.columns[0]) | scene.is_null(plot.columns[1])
    odd = ~is_null & (np.isnan(low) | np.isnan(high))
    turned = low > high
    said = left_out(scene, *_reasons(plot, is_null, odd, turned))
    drawn = ~is_null & ~odd & ~turned
    if not drawn.any():
        return nothing(f"No row has {_said_of(plot)} to draw.", said)
    ordered = scene.order[drawn[scene.order]]
    if len(ordered) > MARKS:
        return _blocks(plot, scene, ordered, look, said)
    return _bars(plot, scene, places(scene, ordered), look, by, said)


def _reasons(plot: Plot, is_null: Array, odd: Array, turned: Array) -> list[tuple[Array, str]]:
    low, high = plot.columns
    return [
        (is_null, f"without {_said_of(plot)} (null)"),
        (odd, "that are no numbers (NaN, infinite or beyond 1e300)"),
        (turned, f"with {low} greater than {high}"),
    ]


def _said_of(plot: Plot) -> str:
    return " or ".join(dict.fromkeys(plot.columns))


def places(scene: Scene, rows: Array) -> Places:
    """One bar beside the other; rows that share all of the key but its last column form a group, with a gap after it.
    A key of one column makes no groups: then the bars have labels, as many as fit."""
    *group, _ = scene.contract.key
    keys = scene.keys(rows.tolist())
    if not group:
        labels = [(n + 0.5, shown(key[0])) for n, key in enumerate(keys)]
        return Places(rows, np.arange(len(rows), dtype=float), _thinned(labels), scene.contract.key[0])
    x: list[float] = []
    labels, at = [], 0.0
    for held, members in groupby(keys, lambda key: key[:-1]):
        count = len(list(members))
        x += [at + n for n in range(count)]
        labels.append((at + count / 2, " · ".join(map(shown, held))))
        at += count + GAP
    return Places(rows, np.array(x), _thinned(labels), ", ".join(group))


def _thinned(labels: list[tuple[float, str]]) -> list[tuple[float, str]]:
    return labels[:: -(-len(labels) // LABELS)]


def _bars(plot: Plot, scene: Scene, at: Places, look: Look, by: str | None, said: Sequence[str]) -> Picture:
    coloured = colour(scene, by, at.rows, look)
    names = [*dict.fromkeys(plot.columns), *([by] if by else [])]
    data, tips = facts(scene, at.rows, names)
    low, high = (scene.numbers(name)[at.rows] for name in plot.columns)
    high = np.maximum(high, low + LEAST * (high.max() - low.min()))
    ends = (low.tolist(), high.tolist())
    for datum, x, low, high, c in zip(data, at.x.tolist(), *ends, coloured.values, strict=True):
        datum |= {"x": x + 0.08, "x2": x + 0.92, "middle": x + 0.5, "low": low, "high": high, "c": c}
    x_axis, y_axis = _x(at), _y(plot, scene)
    place = {"x": x_axis, "x2": {"field": "x2"}, "y": y_axis, "y2": {"field": "high"}, "tooltip": tips}
    there = [datum for datum in data if datum["change"] != DELETED]
    gone = [datum for datum in data if datum["change"] == DELETED]
    layers = [
        layer(there, "bar", {**place, "fill": coloured.encoding}, pick=True),
        layer(gone, "bar", place, fill=None, stroke=look.ink, strokeDash=[3, 2], strokeWidth=1),
        _signs(plot, scene, data, tips, x_axis, look),
    ]
    first = next(each for each in layers if each["data"]["values"])
    first["params"] = [*first.get("params", []), zoom("x")]
    alt = f"{len(there):,} bars from {plot.columns[0]} to {plot.columns[1]} by {', '.join(scene.contract.key)}"
    return picture(layers, HEIGHT, [*said, *coloured.said], alt)


def _signs(plot: Plot, scene: Scene, data: Sequence[Datum], tips: Sequence[Spec], x: Spec, look: Look) -> Spec:
    """The signs of changed rows stand above their bars."""
    top = "low" if _is_down(plot, scene) else "high"
    values = [datum for datum in data if datum["change"] != SAME]
    y = {**_y(plot, scene), "field": top}
    return signs(values, {**x, "field": "middle"}, y, tips, look, yOffset=-9, clip=False)


def _is_down(plot: Plot, scene: Scene) -> bool:
    return columns.is_depth(scene.contract.field(plot.columns[0]))


def _x(at: Places) -> Spec:
    """The labels of the groups are said to Vega as an expression: JSON is one, whatever the texts are."""
    names = json.dumps({f"{place:g}": cut(text)[:24] for place, text in at.labels})
    axis = {
        "values": [place for place, _ in at.labels],
        "labelExpr": f"({names})[format(datum.value, '~g')] || ''",
        "grid": False,
        "labelOverlap": "greedy",
    }
    scale = {"domain": [-0.5, at.width + 0.5], "nice": False, "zero": False}
    return {"field": "x", "type": "quantitative", "title": at.title, "axis": axis, "scale": scale}


def _y(plot: Plot, scene: Scene) -> Spec:
    is_down = _is_down(plot, scene)
    low, high = plot.columns
    unit = unit_text(scene.contract.field(low).unit)
    if low == high:
        title = scene.title(high)
    elif is_down:
        title = f"Depth ({unit})" if unit else "Depth"
    else:
        title = f"{scene.title(low)} to {scene.title(high)}"
    scale = {"reverse": is_down, "zero": is_down, "nice": True}
    return {"field": "low", "type": "quantitative", "title": title, "scale": scale, "axis": {"titleLimit": 330}}


def _blocks(plot: Plot, scene: Scene, rows: Array, look: Look, said: Sequence[str]) -> Picture:
    """Where there are more rows than marks: a bar for each so many rows that follow each other."""
    rows = rows[scene.is_there[rows]]
    size = -(-len(rows) // 1_000)
    starts = np.arange(0, len(rows), size)
    low = np.minimum.reduceat(scene.numbers(plot.columns[0])[rows], starts)
    high = np.maximum.reduceat(scene.numbers(plot.columns[1])[rows], starts)
    keys = [" · ".join(map(shown, key)) for key in scene.keys(rows[starts].tolist())]
    ends = [" · ".join(map(shown, key)) for key in scene.keys(rows[np.append(starts[1:], len(rows)) - 1].tolist())]
    data = [
        {ID: "", "x": n, "x2": n + 1, "low": a, "high": b, "key": f"{key} to {end}", "span": f"{a:g} to {b:g}"}
        for n, (a, b, key, end) in enumerate(zip(low.tolist(), high.tolist(), keys, ends, strict=True))
    ]
    at = Places(rows[starts], np.arange(len(starts), dtype=float), _thinned(list(enumerate(keys))), "key order")
    tips = [tip("key", "Rows"), tip("span", "From the least to the greatest")]
    place = {"x": _x(at), "x2": {"field": "x2"}, "y": _y(plot, scene), "y2": {"field": "high"}, "tooltip": tips}
    bars = layer(data, "bar", place, fill=look.plain, stroke=look.plain, strokeWidth=1)
    bars["params"] = [zoom("x")]
    rule = (
        f"{len(rows):,} rows are drawn as {len(data):,} bars, each of {size:,} rows that follow each other in key "
        "order, from the least to the greatest; colours and changed rows are not shown."
    )
    return picture([bars], HEIGHT, [*said, rule], f"{len(data):,} bars of {size:,} rows each")
