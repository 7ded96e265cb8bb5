"""The grid alone on a page, with what Python knows beside it: driven by the browser tests and by bench/grid.py.

`?rows=50000` takes a larger table, `?types=1` one with every type of column, `?slow=0.4` makes every run of the script
take that many seconds, `?readonly=1` shows the table without letting anybody change it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[2])) not in sys.path:
    sys.path.insert(0, _root)

import streamlit as st

from app import grid as component
from app.editing.desk import Desk
from app.editing.gridsheet import ids_of
from tests.grid.tables import every_type, sheet_of

KEY = "grid"


def desk() -> Desk:
    if "desk" not in st.session_state:
        rows = int(st.query_params.get("rows", "125"))
        st.session_state.desk = Desk(every_type() if "types" in st.query_params else sheet_of(rows))
    found: Desk = st.session_state.desk
    return found


def page() -> None:
    here = desk()
    runs = st.session_state.runs = st.session_state.get("runs", 0) + 1
    with st.container(height=int(st.query_params.get("height", "560")), border=False):
        component.draw(here, KEY, readonly="readonly" in st.query_params)
    with st.container(horizontal=True):
        st.button("Undo here", on_click=here.undo)
        st.button("Redo here", on_click=here.redo)
        st.button("Revert all", on_click=here.revert_all)
        st.button("Begin anew", on_click=_begin_anew, args=(here,))
        if here.pending.lines:
            last = here.pending.lines[-1]
            (row,) = ids_of(here.log.state, [last.row])
            st.button(
                "Go to the last change", on_click=here.go, args=(row, last.cells[0].column if last.cells else None)
            )
            st.button("Revert the last change", on_click=here.revert, args=(row,))
    time.sleep(float(st.query_params.get("slow", "0")))
    st.text(json.dumps(_known(here, runs)))


def _begin_anew(here: Desk) -> None:
    """As if a newer commit were loaded."""
    here.log = here.log.restart(here.log.state)


def _known(here: Desk, runs: int) -> dict[str, object]:
    """What the tests look at; of many cells only how many there are."""
    state = here.log.state.to_json()
    is_small = len(state["cells"]) < 200
    return {
        "runs": runs,
        "at": f"{here.log.epoch}.{here.log.version}",
        "version": here.log.version,
        "rows": len(state["cells"]),
        "state": state if is_small else {},
        "changes": [line.kind for line in here.pending.lines] if is_small else [],
        "errors": here.pending.report.errors,
        "strays": here.strays if is_small else {},
    }


def other() -> None:
    st.write("Another page.")


if __name__ == "__main__":
    st.set_page_config(layout="wide", page_title="Grid")
    st.navigation([st.Page(page, title="Grid", default=True), st.Page(other, title="Other")]).run()
