"""What pictures that count rows have in common: bars, the axis of rows, the signs of changed rows above the bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from app.explore.picture import Datum, Look, Picture, Spec, layer, picture, signs, tip
from app.explore.scene import CHANGES, SAME, Array, Scene

HEIGHT, SIGNS = 250, 45  # pixels; for the signs of changed rows and their legend
ROW, WIDE_ROW, ROOM = 23, 36, 85  # pixels: of a bar that lies, where there are few of them, and for the axis below
FEW = 6
_LINE = 13  # pixels between two lines of signs
_LETTER = 7  # pixels, about

Marks: TypeAlias = Mapping[tuple[int, str], int]  # changed rows by place and change


def count(scene: Scene, place: Array, drawn: Array) -> tuple[dict[int, int], Marks]:
    """How many rows there are by place, and how many changed ones by place and change; of those that are drawn."""
    held, counts = np.unique(place[drawn & scene.is_there], return_counts=True)
    marks: dict[tuple[int, str], int] = {}
    moved = np.flatnonzero(drawn & (scene.changes != SAME))
    for at, change in zip(place[moved].tolist(), scene.changes[moved], strict=True):
        marks[at, change] = marks.get((at, change), 0) + 1
    return dict(zip(held.tolist(), counts.tolist(), strict=True)), marks


def standing(
    every: Mapping[int, Datum], x: Spec, ends: Spec, marks: Marks, look: Look, said: Sequence[str], alt: str
) -> Picture:
    """Bars that stand. `every` has for each place its `n` rows, `rows` in words, `at` what it is, `x` and where `ends`
    say so `x2`, and `middle` where its signs stand."""
    most = max((datum["n"] for datum in every.values()), default=0) or 1
    # Above the highest bar there is room for the signs.
    top = {"domainMax": {"expr": f"{most}*(height+{_LINE * 3 + 7 if marks else 4})/height"}}
    y = {"field": "n", "type": "quantitative", "title": "Rows", "scale": {"zero": True, "nice": False, **top}}
    y["axis"] = {"format": "~s", "tickMinStep": 1}
    place = {"x": x, **ends, "y": y, "y2": {"datum": 0}, "tooltip": [tip("at", "In"), tip("rows", "Rows")]}
    bars = layer([every[n] for n in sorted(every)], "bar", place, fill=look.plain, stroke=look.paper, strokeWidth=1)
    # The lines of signs are pixels: they share no scale with the rows.
    more = {"resolve": {"scale": {"y": "independent"}}} if marks else {}
    height = HEIGHT + SIGNS * bool(marks)
    return picture([bars, _signs(marks, every, {**x, "field": "middle"}, look)], height, said, alt, **more)


def _signs(marks: Marks, every: Mapping[int, Datum], x: Spec, look: Look) -> Spec:
    """A sign for each place and kind of change, a line for each kind: they would hide each other."""
    values = [
        {**every[n], "change": change, "line": 7 + _LINE * CHANGES.index(change), "said": f"{rows:,} {change}"}
        for (n, change), rows in sorted(marks.items())
    ]
    y = {"field": "line", "type": "quantitative", "scale": None, "axis": None}
    return signs(values, x, y, [tip("at", "In"), tip("said", "Changed")], look, size=60)


def lying(data: Sequence[Datum], x: Spec, tips: Sequence[Spec], look: Look, said: Sequence[str], alt: str) -> Picture:
    """Bars that lie, each with its `name` before and its `label` after it. `x` has an axis, and `most`, the largest
    value that a bar has: the labels get room beside it."""
    most, axis = x["most"], {name: held for name, held in x.items() if name != "most"}
    wide = max(len(str(datum["label"])) for datum in data) * _LETTER + 12
    room = {"domainMin": 0, "nice": False, "domainMax": {"expr": f"{most}*width/max(width-{wide},width/3)"}}
    names = [datum["name"] for datum in data]
    y: dict[str, Any] = {"field": "name", "type": "nominal", "title": None, "axis": {"labelLimit": 200}}
    y |= {"sort": names, "scale": {"domain": names}}
    place = {"x": {**axis, "type": "quantitative", "scale": room}, "y": y, "tooltip": list(tips)}
    bars = layer(data, "bar", place, fill=look.plain, height={"band": 0.72})
    text = {**place, "text": {"field": "label", "type": "nominal"}}
    labels = layer(data, "text", text, align="left", dx=5, fill=look.ink, fontSize=12, clip=False)
    row = ROW if len(data) > FEW else WIDE_ROW
    return picture([bars, labels], ROOM + row * len(data), said, alt)
