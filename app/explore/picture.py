"""A picture as Vega-Lite says it, and what all pictures have in common: their colours, the signs of changed rows, what
the mouse shows, what is said of rows that are not in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.editing.links import write_key
from app.explore.scene import CHANGES, DELETED, INSERTED, SAME, UPDATED, Array, Scene, shown

MARKS = 5_000  # marks that a browser draws and moves without effort; beyond them rows are drawn together
PICK = "pick"  # the selection that a click on a row makes
ID = "id"  # the field of a mark that names its row, as links do

Spec = dict[str, Any]
Datum = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """The colours of one theme. Blue and orange are told apart with every common colour blindness."""

    ink: str
    paper: str
    quiet: str
    land: str
    coast: str
    plain: str
    mark: str
    scheme: tuple[float, float]  # which part of viridis stands out from the paper


LIGHT = Look("#1b1f24", "#ffffff", "#6b7280", "#e9e5da", "#a8a08c", "#0072b2", "#d55e00", (0, 0.92))
DARK = Look("#f3f4f6", "#0e1117", "#9ca3af", "#31353d", "#6b7280", "#56b4e9", "#ff8c42", (0.3, 1))

# Shapes as SVG paths within a square from -1 to 1: a plus, a diamond, a cross.
_SHAPES = {
    INSERTED: "M-.35,-1L.35,-1L.35,-.35L1,-.35L1,.35L.35,.35L.35,1L-.35,1L-.35,.35L-1,.35L-1,-.35L-.35,-.35Z",
    UPDATED: "diamond",
    DELETED: "M-1,-.55L-.55,-1L0,-.45L.55,-1L1,-.55L.45,0L1,.55L.55,1L0,.45L-.55,1L-1,.55L-.45,0Z",
}


@dataclass(frozen=True)
class Picture:
    """`spec` is Vega-Lite with its data in it, None where there is nothing to draw; `said` goes below it: what is not
    in it, and why; `alt` says in words what it shows."""

    spec: Spec | None
    said: tuple[str, ...]
    marks: int
    alt: str


def picture(layers: Sequence[Spec], height: int, said: Iterable[str], alt: str, **more: Any) -> Picture:
    """A picture of layers, the undermost first. It is SVG whatever its size, so that it can be saved as such."""
    held = [layer for layer in layers if layer["data"]["values"]]
    marks = sum(len(layer["data"]["values"]) for layer in held if layer["mark"]["type"] not in ("line", "text"))
    spec = {"height": height, "layer": held, "usermeta": {"embedOptions": {"renderer": "svg"}}, **more}
    return Picture(spec, tuple(said), marks, alt)


def nothing(why: str, said: Iterable[str] = ()) -> Picture:
    return Picture(None, (why, *said), 0, why)


def layer(values: Sequence[Datum], mark: str, encoding: Spec, *, pick: bool = False, **more: Any) -> Spec:
    """One layer; `pick`: a click on a mark selects its row."""
    found: Spec = {
        "data": {"values": list(values)},
        "mark": {"type": mark, "clip": True, **more},
        "encoding": encoding,
    }
    if pick:
        found["params"] = [{"name": PICK, "select": {"type": "point", "fields": [ID], "toggle": False}}]
    return found


def zoom(*channels: str) -> Spec:
    """Dragging moves the picture; the wheel alone scrolls the page, with Shift it zooms; a double click goes back."""
    select = {"type": "interval", "encodings": list(channels), "zoom": "wheel![event.shiftKey]"}
    return {"name": "zoom", "select": select, "bind": "scales"}


def legend(**more: Any) -> Spec:
    """Colours are explained above, signs below: side by side they would not fit a narrow card."""
    return {"orient": "top", "direction": "horizontal", "titleLimit": 320, "labelLimit": 220, **more}


def signs(values: Sequence[Datum], x: Spec, y: Spec, tips: Sequence[Spec], look: Look, **more: Any) -> Spec:
    """The layer of changed rows: each datum has its `change`, and a shape of its own for it."""
    present = [change for change in CHANGES if any(datum["change"] == change for datum in values)]
    symbols = {"symbolFillColor": look.mark, "symbolStrokeColor": look.ink, "symbolSize": 90}
    shape = {
        "field": "change",
        "type": "nominal",
        "title": None,
        "scale": {"domain": present, "range": [_SHAPES[change] for change in present]},
        "legend": legend(orient="bottom", labelExpr="'row ' + datum.label", **symbols),
    }
    style = {"filled": True, "fill": look.mark, "stroke": look.ink, "strokeWidth": 1, "size": 90, "opacity": 1}
    return layer(values, "point", {"x": x, "y": y, "shape": shape, "tooltip": list(tips)}, **{**style, **more})


def tip(field: str, title: str, **more: Any) -> Spec:
    """A line of what the mouse shows."""
    return {"field": field, "type": "nominal", "title": title, **more}


def facts(scene: Scene, rows: Array, names: Iterable[str]) -> tuple[list[Datum], list[Spec]]:
    """For each row the fields that name it and what it holds; and how the mouse shows them. Columns are known to Vega
    by numbers: their names may mean something to it."""
    columns = list(dict.fromkeys([*scene.contract.key, *names]))
    held = scene.table.select(columns).take(rows).to_pylist()
    changes = scene.changes[rows]
    data = [
        {ID: _link(scene, row, change), "change": change, "moved": change or "no", **_texts(row, columns)}
        for row, change in zip(held, changes, strict=True)
    ]
    tips = [tip(f"t{n}", scene.title(name)) for n, name in enumerate(columns)]
    return data, [*tips, *([tip("moved", "Changed")] if np.any(changes != SAME) else [])]


def _link(scene: Scene, row: Mapping[str, Any], change: str) -> str:
    """A row's key as links have it; a deleted one can be gone to no more."""
    return "" if change == DELETED else write_key(scene.contract.key_of(row))


def _texts(row: Mapping[str, Any], columns: Sequence[str]) -> Datum:
    return {f"t{n}": shown(row[name]) for n, name in enumerate(columns)}


def left_out(scene: Scene, *reasons: tuple[Array, str]) -> tuple[str, ...]:
    """What is said of rows that are not drawn: each reason with a mask of its rows."""
    counted = [(int(np.count_nonzero(mask & scene.is_there)), why) for mask, why in reasons]
    total = sum(number for number, _ in counted)
    if not total:
        return ()
    rows = "row" if len(scene) == 1 else "rows"
    why = ", ".join(f"{number:,} {why}" for number, why in counted if number)
    return (f"{total:,} of {len(scene):,} {rows} {'is' if total == 1 else 'are'} not drawn: {why}.",)
