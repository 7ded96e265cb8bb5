"""How much is missing: the share of nulls in each column."""

from __future__ import annotations

from app.explore.draw.counts import lying
from app.explore.picture import Datum, Look, Picture, nothing, tip
from app.explore.plots import Plot
from app.explore.scene import Scene

_AXIS = {"format": "~%", "values": [0, 0.25, 0.5, 0.75, 1]}


def draw(plot: Plot, scene: Scene, look: Look, _: str | None) -> Picture:
    if not len(scene):
        return nothing("There are no rows.")
    data = [_datum(scene, name) for name in plot.columns]
    total = sum(bool(datum["nulls"]) for datum in data)
    said = f"{total:,} of {len(data):,} columns have nulls. The empty text and 0 are values, and not missing."
    x = {"field": "share", "title": "Share of rows without a value", "most": 1, "axis": _AXIS}
    tips = [tip("name", "Column"), tip("label", "Null"), tip("held", "With a value")]
    return lying(data, x, tips, look, [said], f"Nulls by column: {_worst(data)}")


def _datum(scene: Scene, name: str) -> Datum:
    nulls = int((scene.is_null(name) & scene.is_there).sum())
    share = nulls / len(scene)
    said = f"{nulls:,} ({share:.1%})" if nulls else "none"
    before = scene.nulls.get(name, nulls)
    was = f", was {before:,}" if before != nulls else ""
    held = f"{len(scene) - nulls:,}"
    return {"name": name, "nulls": nulls, "share": share, "label": said + was, "held": held}


def _worst(data: list[Datum]) -> str:
    most = sorted((datum for datum in data if datum["nulls"]), key=lambda datum: -datum["share"])[:3]
    return ", ".join(f"{datum['name']} {datum['label']}" for datum in most) or "none"
