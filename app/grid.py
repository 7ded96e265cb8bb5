"""The grid. The only module that knows which widget it is: today `st.data_editor` with text in every column.

Text, because the widget would turn a pasted `12,5` into 125 and drop what is no number. The frame that it is given
stays the same for a whole epoch of the desk, and what it reports is never fed back: it would drop every second edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.editing.cells import unit_text
from app.editing.desk import Desk
from app.editing.edits import Events, texts
from towline.contract import Contract, Field

ROW_HEIGHT = 29  # pixels
# The widget tells of an edit 150 ms after it was made: a click on a button can be faster.
SETTLE = 0.25  # seconds

# What a person can do in the widget, and how.
KEYS = {
    "change a cell": "type over it; in a frozen key column, Enter or a double click opens it first",
    "empty a cell (null)": "Delete",
    "the empty text": 'type ""',
    "copy and paste blocks": "Ctrl+C, Ctrl+V, also from and to a spreadsheet",
    "fill down": "Ctrl+D, or drag the corner of the selection",
    "add a row": "+ above the table, or click below its last row",
    "delete rows": "tick them at the left edge, then Delete",
    "search": "Ctrl+F",
}


def draw(desk: Desk) -> Events:
    """Draw the grid of a desk and return what was done in it since its epoch began."""
    key = f"grid-{desk.sheet.dataset}-{desk.epoch}"
    st.data_editor(
        _frame(desk),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        height="stretch",
        row_height=ROW_HEIGHT,
        placeholder="null",
        column_order=_order(desk.sheet.contract),
        column_config=_columns(desk.sheet.contract),
        alt=f"The rows of {desk.sheet.dataset}, to be edited",
    )
    return _events(st.session_state[key])


def _frame(desk: Desk) -> pd.DataFrame:
    rows = [texts(desk.sheet, desk.drawn, row) for row in desk.rows]
    return pd.DataFrame(rows, columns=list(desk.sheet.contract.names), dtype="object")


def _order(contract: Contract) -> list[str]:
    """Key columns first."""
    return [*contract.key, *(name for name in contract.names if name not in contract.key)]


def _columns(contract: Contract) -> dict[str, Any]:
    return {field.name: _column(field, is_key=field.name in contract.key) for field in contract.fields}


def _column(field: Field, *, is_key: bool) -> Any:
    unit = unit_text(field.unit)
    return st.column_config.TextColumn(
        f"{field.name} ({unit})" if unit else field.name,
        help=_help(field, is_key=is_key),
        pinned=is_key,
        alignment="right" if field.type in ("integer", "number") else "left",
    )


def _help(field: Field, *, is_key: bool) -> str:
    """What the contract says of a column: shown when the mouse rests on its header."""
    kind = f"{field.type}{', part of the key' if is_key else ''}{f', in {field.unit}' if field.unit else ''}"
    # The widget takes no typing over a frozen cell.
    way = "Enter or a double click opens it." if is_key else ""
    return "\n\n".join(part for part in (field.title, field.description, kind, way) if part)


def _events(state: Mapping[str, Any]) -> Events:
    return Events(
        edited={int(place): dict(cells) for place, cells in state["edited_rows"].items()},
        added=[dict(cells) for cells in state["added_rows"]],
        deleted=[int(place) for place in state["deleted_rows"]],
    )
