"""When: how many rows by day or whatever fits, by month of the year, by hour of the day."""

from __future__ import annotations

from calendar import month_abbr

import numpy as np
import pyarrow as pa

from app.explore import columns
from app.explore.draw.counts import count, standing
from app.explore.picture import Datum, Look, Picture, Spec, left_out, nothing
from app.explore.plots import Plot
from app.explore.scene import Array, Scene

OVER, MONTHS, HOURS = "over time", "by month", "by hour of the day"
MODES = (OVER, MONTHS, HOURS)
# The longest span, in days, that is counted by that step.
_STEPS = (("h", 3), ("D", 120), ("W", 800), ("M", 3_700))
_WORDS = {"h": "hour", "D": "day", "W": "week", "M": "month", "Y": "year", "10Y": "ten years", "100Y": "hundred years"}


def modes(plot: Plot, scene: Scene) -> tuple[str, ...]:
    """How these times can be counted: dates have no hours."""
    return MODES[:2] if scene.contract.field(plot.columns[0]).type == "date" else MODES


def draw(plot: Plot, scene: Scene, look: Look, mode: str | None) -> Picture:
    (name,) = plot.columns
    is_null = scene.is_null(name)
    at = moments(scene, name)
    said = left_out(scene, (is_null, "null"), (~is_null & np.isnat(at), "that read as no date and time"))
    drawn = ~np.isnat(at)
    if not drawn.any():
        return nothing(f"No row has a time in {name}.", said)
    if mode in (None, OVER):
        return _over(scene, name, at, drawn, look, said)
    place, labels = _month(at) if mode == MONTHS else _hour(at)
    return _cycle(scene, name, place, labels, drawn, look, said)


def moments(scene: Scene, name: str) -> Array:
    """A column as datetime64[us]; NaT where it is null or, of text, no date and time."""
    column = scene.column(name)
    fields = columns.known(scene.contract, scene.table)
    form = columns.times(scene.contract, fields)[name]
    read = column if form is None else form.read(column)
    return np.asarray(read.cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")


def _month(at: Array) -> tuple[Array, list[str]]:
    return at.astype("datetime64[M]").astype(int) % 12, list(month_abbr)[1:]


def _hour(at: Array) -> tuple[Array, list[str]]:
    return at.astype("datetime64[h]").astype(int) % 24, [str(hour) for hour in range(24)]


def step_of(days: float) -> str:
    """The step that makes a readable number of bars of so many days."""
    fits = next((step for step, longest in _STEPS if days <= longest), None)
    if fits:
        return fits
    return "Y" if days <= 36_500 else "10Y" if days <= 365_000 else "100Y"


def _over(scene: Scene, name: str, at: Array, drawn: Array, look: Look, said: tuple[str, ...]) -> Picture:
    days = (at[drawn].max() - at[drawn].min()) / np.timedelta64(1, "D")
    step = step_of(float(days))
    place = np.where(drawn, at, np.datetime64(0, "us")).astype(f"datetime64[{step}]").astype(int)
    counted, marks = count(scene, place, drawn)
    every = {n: _span(n, step, counted.get(n, 0)) for n in {*counted, *(n for n, _ in marks)}}
    x = {"field": "x", "type": "temporal", "title": scene.title(name), "scale": {"type": "utc"}}
    x["axis"] = {"grid": False, "titleLimit": 400, "labelOverlap": True}
    said = (*said, f"A bar is one {_WORDS[step]}.")
    return standing(every, x, {"x2": {"field": "x2"}}, marks, look, said, f"Rows by {_WORDS[step]} of {name}")


def _cycle(
    scene: Scene, name: str, place: Array, labels: list[str], drawn: Array, look: Look, said: tuple[str, ...]
) -> Picture:
    counted, marks = count(scene, place, drawn)
    every = {n: _part(label, counted.get(n, 0)) for n, label in enumerate(labels)}
    x: Spec = {"field": "x", "type": "ordinal", "title": scene.title(name), "sort": labels}
    x |= {"scale": {"domain": labels}, "axis": {"labelAngle": 0, "titleLimit": 400}}
    return standing(every, x, {}, marks, look, said, f"Rows by {name}, from {labels[0]} to {labels[-1]}")


def _part(label: str, rows: int) -> Datum:
    return {"x": label, "middle": label, "n": rows, "rows": f"{rows:,}", "at": label}


def _span(number: int, step: str, rows: int) -> Datum:
    """A bar of time, in milliseconds, as Vega counts."""
    start, end = np.array([number, number + 1]).astype(f"datetime64[{step}]")
    low, high = (int(at.astype("datetime64[ms]").astype(int)) for at in (start, end))
    at = _said(start, step)
    return {"x": low, "x2": high, "middle": (low + high) // 2, "n": rows, "rows": f"{rows:,}", "at": at}


def _said(at: np.datetime64, step: str) -> str:
    if step == "W":
        return f"the week from {at.astype('datetime64[D]')}"
    text = str(at).replace("T", " ")
    return {"h": f"{text}:00", "10Y": f"{text[:-1]}0s"}.get(step, text)
