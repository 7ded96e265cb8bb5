"""Where on the globe a map looks.

Degrees of longitude are drawn as wide as they are at the middle of the data (equirectangular, fitted to the data), so
that shapes are right there; latitude and longitude are straight lines that can be read off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.explore import coast
from app.explore.coast import Window
from app.explore.picture import Look, Spec, layer
from app.explore.scene import Array

ALONE = 1.0  # degrees that are shown around a single position
CLOSEST = 0.01  # degrees: nothing is drawn larger than that at first
_MARGIN = 1.16


@dataclass(frozen=True, eq=False)
class View:
    """Where the data lie: `x` and `y` in degrees by row, NaN where there is none, and how much is seen at first."""

    x: Array
    y: Array

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, east, south, north."""
        return tuple(float(end(axis)) for axis in (self.x, self.y) for end in (np.nanmin, np.nanmax))  # type: ignore[return-value]

    @property
    def centre(self) -> tuple[float, float]:
        west, east, south, north = self.bounds
        return (west + east) / 2, (south + north) / 2

    @property
    def narrowing(self) -> float:
        """How wide a degree of longitude is, of one of latitude."""
        return max(0.1, math.cos(math.radians(self.centre[1])))

    @property
    def span(self) -> tuple[float, float]:
        """Width and height of what is to be seen, both in degrees of latitude."""
        west, east, south, north = self.bounds
        wide, high = east - west, north - south
        if not wide and not high:
            return ALONE, ALONE
        return max(CLOSEST, wide * self.narrowing * _MARGIN), max(CLOSEST, high * _MARGIN)

    @property
    def window(self) -> Window:
        """What can come into sight, whatever the picture's proportions; some way beyond for who moves it."""
        (x, y), reach = self.centre, 2.0 * max(self.span)
        wide = min(180.0, reach / self.narrowing)
        return Window(x - wide, max(-90.0, y - reach), x + wide, min(90.0, y + reach))


def around(longitudes: Array) -> Array:
    """Longitudes without a jump: positions on both sides of the 180th meridian lie beside each other."""
    folded = (longitudes + 180) % 360 - 180
    held = np.unique(folded[~np.isnan(folded)])
    if len(held) < 2:
        return folded
    gaps = np.diff(held)
    widest = int(np.argmax(gaps))
    inside = 360 - (held[-1] - held[0])
    return np.where(folded <= held[widest], folded + 360, folded) if gaps[widest] > inside else folded


def axes(view: View) -> tuple[Spec, Spec]:
    """The scales follow the picture's size, which only the browser knows: `step` is degrees of latitude a pixel."""
    (x, y), (wide, high) = view.centre, view.span
    step = f"max({wide!r}/width,{high!r}/height)"
    longitude = "(((datum.value+540)%360+360)%360-180)"
    across = _axis("x", f"{x!r}", f"width/2*{step}/{view.narrowing!r}", longitude, ("W", "E", 180))
    return across, _axis("y", f"{y!r}", f"height/2*{step}", "datum.value", ("S", "N", 90))


def _axis(field: str, middle: str, reach: str, value: str, ends: tuple[str, str, int]) -> Spec:
    """A coordinate: which value is at the middle, how far the picture reaches from there, and how ends are called."""
    below, above, last = ends
    letter = f"{value}==0||abs({value})=={last}?'':{value}<0?'{below}':'{above}'"
    label = f"abs({value})>{last}?'':format(abs({value}),'.5~f')+'°'+({letter})"
    domain = {"domainMin": {"expr": f"{middle}-{reach}"}, "domainMax": {"expr": f"{middle}+{reach}"}}
    return {
        "field": field,
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": False, **domain},
        "axis": {"labelExpr": label, "tickCount": 5, "grid": True, "labelBound": True},
    }


def land(view: View, look: Look) -> list[Spec]:
    """The land, and the lakes on it."""
    found = [(np.round(ring, 3), is_lake) for ring, is_lake in coast.rings(view.window)]
    return [
        _rings(view, [ring for ring, is_lake in found if is_lake == lakes], fill, look)
        for lakes, fill in ((False, look.land), (True, look.paper))
    ]


def _rings(view: View, found: Sequence[Array], fill: str, look: Look) -> Spec:
    corners = [
        {"x": x, "y": y, "n": n, "ring": number}
        for number, ring in enumerate(found)
        for n, (x, y) in enumerate(ring.tolist())
    ]
    x, y = axes(view)
    # Its colour is said in the mark: as an encoding, it would share the scale of the rows' colours.
    encoding = {"x": x, "y": y, "detail": {"field": "ring"}, "order": {"field": "n", "type": "quantitative"}}
    style: Spec = {"fill": fill, "stroke": look.coast, "strokeWidth": 1, "interpolate": "linear-closed"}
    return layer(corners, "line", encoding, **style, tooltip=None)
