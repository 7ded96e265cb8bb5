"""Marks coloured by a column: by its few values, or along a scale of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.explore.picture import Look, Spec, legend
from app.explore.scene import Array, Scene, shown

# Okabe and Ito, "Color universal design" (2008), without black and yellow, which vanish on one of the themes.
_PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_REST, _NULL = "#8f8f8f", "#c0c0c0"
NOTHING = "null"


@dataclass(frozen=True)
class Colour:
    """The colour of some rows: the field `c` of each, and how Vega-Lite reads it."""

    values: list[Any]
    encoding: Spec
    said: tuple[str, ...] = ()


def colour(scene: Scene, name: str | None, rows: Array, look: Look) -> Colour:
    """The colour of these rows by a column; None: all the same."""
    if name is None:
        return Colour([None] * len(rows), {"value": look.plain})
    return _scaled(scene, name, rows, look) if is_scale(scene, name) else _sorted(scene, name, rows)


def is_scale(scene: Scene, name: str) -> bool:
    """Numbers go along a scale, but for whole numbers that are few enough to have a colour each."""
    field = scene.contract.field(name)
    if field.type == "number":
        return field.constraints.enum is None
    return field.type == "integer" and len(scene.column(name).unique().drop_null()) > len(_PALETTE)


def _scaled(scene: Scene, name: str, rows: Array, look: Look) -> Colour:
    values = scene.numbers(name)[rows]
    missing = int(np.count_nonzero(np.isnan(values)))
    said = (f"{missing:,} without a number in {name} {'is' if missing == 1 else 'are'} grey.",) if missing else ()
    scale = {
        "field": "c",
        "type": "quantitative",
        "title": scene.title(name),
        "scale": {"scheme": {"name": "viridis", "extent": list(look.scheme)}},
        "legend": legend(gradientLength=180),
    }
    encoding = {"condition": {"test": "isValid(datum.c)", **scale}, "value": _NULL}
    return Colour([None if np.isnan(value) else value for value in values.tolist()], encoding, said)


def _sorted(scene: Scene, name: str, rows: Array) -> Colour:
    column = scene.column(name)
    held = {each["values"]: each["counts"] for each in column.value_counts().to_pylist()}
    common = sorted(held.keys() - {None}, key=lambda value: -held[value])[: len(_PALETTE)]
    if len(common) == len(held) - (None in held):
        common.sort(key=str) if isinstance(common[0] if common else None, str | bool) else common.sort()
    # A boolean: true is light, false is dark, as day and night are.
    palette = ("#0072b2", "#e69f00") if scene.contract.field(name).type == "boolean" else _PALETTE
    labels = {value: shown(value) for value in common}
    rest = len(held) - len(common) - (None in held)
    other = f"{rest:,} others"
    values = [NOTHING if v is None else labels.get(v, other) for v in column.take(rows).to_pylist()]
    of = dict(zip(labels.values(), _of(palette, common), strict=True))
    of |= {other: _REST} if rest else {}
    of |= {NOTHING: _NULL} if None in held else {}
    encoding = {
        "field": "c",
        "type": "nominal",
        "title": scene.title(name),
        "scale": {"domain": list(of), "range": list(of.values())},
        "legend": legend(columns=3, labelLimit=120),
    }
    return Colour(values, encoding)


def _of(palette: tuple[str, ...], values: list[Any]) -> list[str]:
    """The colour of each value: of a boolean its own one, whether or not the other one occurs."""
    return [palette[int(value)] if isinstance(value, bool) else palette[n] for n, value in enumerate(values)]
