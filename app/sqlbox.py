"""Where SQL is written, with what can be put into it beside: tables and columns, examples, what was run lately.

A click puts a name in where the cursor is, or a whole statement in place of what is there, without a word to Python;
the browser's own undo takes either back. The text comes to Python when typing pauses, when the field is left, and with
Ctrl+Enter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

_TEXT, _RUN = "text", "run"

# `insertText` is old, but the one way of putting text in that can be undone. The text that Python has is put in where
# it set another one (`stamp`), never over what is being typed.
_JS = """
const FRAME = `<div class="tl-sqlwrite"><label for="tl-sql">Statement</label>
  <textarea id="tl-sql" spellcheck="false" autocapitalize="off" aria-describedby="tl-sqlkeys"></textarea>
  <div id="tl-sqlkeys" class="tl-quiet">Ctrl+Enter runs what reads, and previews what edits</div></div>
  <div class="tl-sqlside tl" role="group" aria-label="To put into the SQL"></div>`;

function put(area, text, whole) {
  area.focus();
  if (whole) area.select();
  else if (/[\\w"]$/.test(area.value.slice(0, area.selectionStart))) text = ` ${text}`;
  document.execCommand("insertText", false, text);
}

function fill(side, html) {
  const open = new Map([...side.querySelectorAll("details")].map((each) => [each.dataset.name, each.open]));
  side.innerHTML = side.shown = html;
  side.querySelectorAll("details").forEach((each) => { each.open = open.get(each.dataset.name) ?? each.open; });
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const box = parentElement.querySelector(":scope > .tl-sqlbox") ?? parentElement.appendChild(
    Object.assign(document.createElement("div"), { className: "tl-sqlbox", innerHTML: FRAME }));
  const area = box.querySelector("textarea"), side = box.querySelector(".tl-sqlside");
  if (box.stamp !== data.stamp) {
    area.value = box.said = data.text;
    box.stamp = data.stamp;
  }
  if (side.shown !== data.side) fill(side, data.side);
  const say = () => {
    clearTimeout(box.later);
    if (box.said !== area.value) setStateValue("text", { stamp: box.stamp, text: box.said = area.value });
  };
  area.oninput = () => {
    clearTimeout(box.later);
    box.later = setTimeout(say, 600);
  };
  area.onblur = say;
  area.onkeydown = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    say();
    setTriggerValue("run", area.value);
  };
  side.onclick = ({ target }) => {
    const button = target.closest("[data-put]");
    if (button) put(area, button.dataset.put, "whole" in button.dataset);
  };
}
"""

_component = st.components.v2.component("towline_sql", js=_JS, isolate_styles=False)


def draw(key: str, text: str, stamp: int, side: str, on_text: Callable[[], None], on_run: Callable[[], None]) -> None:
    """Draw it. `text` is put in where `stamp` is another one than before; `side` is HTML whose buttons carry `data-put`
    (a text) and, for a whole statement, `data-whole`. `on_text` is called where something was written, and `on_run`
    where it is to be run, before the script runs: `written` has what is there."""
    data = {"text": text, "stamp": stamp, "side": side}
    _component(key=key, data=data, on_text_change=on_text, on_run_change=on_run)


def written(key: str, text: str, stamp: int) -> str:
    """What is there now, of a field that was drawn with these. A button is heard before the field is, although that was
    left first: whoever needs the text asks here."""
    found = st.session_state.get(key) or {}
    said = found.get(_RUN)
    if isinstance(said, str):
        return said
    said = found.get(_TEXT)
    return str(said["text"]) if isinstance(said, Mapping) and said.get("stamp") == stamp else text
