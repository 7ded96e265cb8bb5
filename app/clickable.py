"""HTML with buttons in it: one element on the page for a long list, instead of several widgets a row.

A button says in `data-act` what it is for; that text comes back as it is. All else is said in the HTML.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_ACT = "act"

# The HTML is put in only where it differs: a list that was replaced between press and release would lose the click.
# It is looked up in the parent at every call, for which Streamlit may have made a new one.
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(":scope > .tl-clickable") ?? parentElement.appendChild(
    Object.assign(document.createElement("div"), { className: "tl-clickable" }));
  if (list.shown !== data) {
    const act = list.contains(document.activeElement) ? document.activeElement.dataset.act : undefined;
    list.innerHTML = list.shown = data;
    if (act) list.querySelector(`[data-act="${CSS.escape(act)}"]`)?.focus();
  }
  list.onclick = ({ target }) => {
    const button = target.closest("[data-act]");
    if (button) setTriggerValue("act", button.dataset.act);
  };
}
"""

_component = st.components.v2.component("towline_clickable", js=_JS, isolate_styles=False)


def draw(html: str, key: str, do: Callable[[str], None]) -> None:
    """Draw HTML whose values are escaped; `do` is called, before the next run of the script, with the act of the button
    that was clicked."""

    def clicked() -> None:
        act = (st.session_state.get(key) or {}).get(_ACT)
        if act:
            do(act)

    _component(key=key, data=html, on_act_change=clicked)
