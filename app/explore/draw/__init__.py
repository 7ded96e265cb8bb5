"""Drawing: from a plot and a scene to a picture."""

from __future__ import annotations

from app.explore.draw import categories, missing, numbers, positions, ranges, times
from app.explore.picture import Look, Picture
from app.explore.plots import Plot
from app.explore.scene import Scene

_BY_KIND = {
    "map": positions.draw,
    "range": ranges.draw,
    "number": numbers.draw,
    "time": times.draw,
    "category": categories.draw,
    "missing": missing.draw,
}


def draw(plot: Plot, scene: Scene, look: Look, choice: str | None = None) -> Picture:
    """The picture of a plot. `choice` is what a user chooses of it: the column that colours a map or ranges (None: no
    one), how times are counted (one of `times.MODES`); the others have none."""
    return _BY_KIND[plot.kind](plot, scene, look, choice)
