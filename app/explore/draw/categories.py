"""How many rows of each value."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from app.explore.draw.counts import lying
from app.explore.picture import Datum, Look, Picture, nothing, tip
from app.explore.plots import Plot
from app.explore.scene import CHANGES, SAME, Scene, shown

SHOWN = 30  # values; the rest is counted together
_AXIS = {"format": "~s", "tickMinStep": 1}


def draw(plot: Plot, scene: Scene, look: Look, _: str | None) -> Picture:
    (name,) = plot.columns
    column = scene.column(name)
    counted = column.filter(pa.array(scene.is_there)).value_counts().to_pylist()
    held = Counter({each["values"]: each["counts"] for each in counted})
    if not held:
        return nothing("There are no rows.")
    moved = np.flatnonzero(scene.changes != SAME)
    changes = Counter(zip(column.take(pa.array(moved)).to_pylist(), scene.changes[moved], strict=True))
    listed = _listed(scene, name, held)
    data = [_datum(value, held[value], changes) for value in listed]
    rest = [count for value, count in held.items() if value not in set(listed)]
    if rest:
        data.append({"name": f"{len(rest):,} other values", "n": sum(rest), "label": f"{sum(rest):,}"})
    said = (f"Of {len(held):,} values the {SHOWN} most common have a bar each.",) if rest else ()
    alt = f"Rows by {name}: " + ", ".join(f"{datum['name']} {datum['n']:,}" for datum in data[:5])
    x = {"field": "n", "title": "Rows", "most": max(d["n"] for d in data) or 1, "axis": _AXIS}
    return lying(data, x, [tip("name", scene.title(name)), tip("label", "Rows")], look, said, alt)


def _listed(scene: Scene, name: str, held: Counter[Any]) -> list[Any]:
    """Numbers, booleans and enumerations in their own order, texts by how common they are; null last."""
    common = [value for value, _ in held.most_common(SHOWN) if value is not None]
    enum = scene.contract.field(name).constraints.enum
    if enum is not None:
        common = [value for value in enum if value in held][:SHOWN] + [v for v in common if v not in enum][:SHOWN]
    elif scene.contract.field(name).type != "string":
        common.sort()
    return common + [None] * (None in held)


def _datum(value: Any, rows: int, changes: Counter[tuple[Any, str]]) -> Datum:
    moved = ", ".join(f"{changes[value, c]:,} {c}" for c in CHANGES if changes[value, c])
    return {"name": shown(value), "n": rows, "label": f"{rows:,} ({moved})" if moved else f"{rows:,}"}
