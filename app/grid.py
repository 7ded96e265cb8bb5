"""The grid in the browser, as Streamlit mounts it: the only module that knows the component. The JavaScript is built
into grid/dist (docs/grid.md); what the grid says becomes RowChanges in editing/ (gridlog, gridsheet, pending)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from app.editing.desk import Desk, Jump
from app.editing.gridlog import GridLog, Message
from app.editing.gridsheet import marks_json, marks_of, table_json

_DIST = Path(__file__).with_name("grid") / "dist"
_LOG, _STORY = "log", "story"

# Streamlit sends a component's code with its data on every run: the large part, which never changes, is a component of
# its own, so that a browser that has it is not sent it again. None is in a shadow root: a selection cannot be dragged
# there.
_code = st.components.v2.component(
    "towline_grid_code",
    js=(_DIST / "grid.js").read_text("utf-8"),
    css=(_DIST / "grid.css").read_text("utf-8"),
    isolate_styles=False,
)
_component = st.components.v2.component(
    "towline_grid", js=(_DIST / "loader.js").read_text("utf-8"), isolate_styles=False
)


def draw(desk: Desk, key: str, *, readonly: bool = False, on_story: Callable[[str, str], None] | None = None) -> None:
    """Draw the table of a desk with what was typed into it. What the grid says goes to the desk before the next run of
    the script begins. The key stays the same for as long as a browser is to keep what is on its way. `on_story` as in
    `grid`."""
    marks = marks_json(marks_of(desk.pending, desk.log.state, desk.sheet.contract))
    grid(
        key,
        desk.log,
        lambda: table_json(desk.sheet),
        marks,
        lambda: desk.hear(message(key)),
        jump=desk.jump,
        readonly=readonly,
        on_story=on_story,
    )


def message(key: str) -> Message | None:
    """What the grid of this key said last."""
    return Message.read((st.session_state.get(key) or {}).get(_LOG))


def grid(
    key: str,
    log: GridLog,
    table: Callable[[], Mapping[str, Any]],
    marks: Mapping[str, Any],
    on_change: Callable[..., None],
    *,
    jump: Jump | None = None,
    readonly: bool = False,
    height: Literal["stretch", "content"] | int = "stretch",
    on_story: Callable[[str, str], None] | None = None,
) -> None:
    """Draw the grid. `table` (see gridsheet.table_json) is asked for where the browser lacks the epoch's table;
    `marks` is gridsheet.marks_json. `on_change` is called, before the script runs, when the grid says something new: it
    lets the log `hear(message(key))`. The key stays the same for as long as the grid is to stay as it is. `on_story` is
    called, likewise, with a row (by the grid's id) and a column whose story somebody asks for; without it nobody can.
    """
    heard = message(key)
    answer: dict[str, Any] = {**log.answer(heard), "key": key, "readonly": readonly, "stories": on_story is not None}
    if "state" in answer:
        answer["table"] = table()
    if "state" in answer or heard is None or heard.marks != marks["name"]:
        answer["marks"] = marks
    if jump is not None:
        answer["jump"] = {"serial": jump.serial, "row": jump.row, "column": jump.column}
    # As bytes: Streamlit would walk through a mapping, and sort it, on every run.
    body = json.dumps(answer, separators=(",", ":")).encode()
    _code(key=f"{key}-towline-code")

    def asked() -> None:
        place = (st.session_state.get(key) or {}).get(_STORY)
        if place and on_story is not None:
            on_story(place["row"], place["column"])

    _component(key=key, data=body, height=height, on_log_change=on_change, on_story_change=asked)
