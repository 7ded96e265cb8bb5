"""The form of a rule, and the same rule as one line: what is changed in one changes the other.

The rule itself is in the session. Its fields are drawn from it, and drawn anew (as another version) where it was
changed other than by typing in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from app import bulk_markup, markup
from app.bulk_fields import Fields, Part
from app.editing.condition import Condition
from app.editing.now import Now
from app.editing.rule import Rule, problems
from app.editing.sentence import BadSentence, parse
from app.editing.setting import Setting
from app.editing.wording import is_unfinished, sentence
from app.session import kept
from towline.contract import Contract

EXAMPLE = 'where vessel = "Other" and net >= 2 set volume = round(volume * 1.02, 1), quality = null'
ALL, ANY = "all of these hold", "any of these holds"

_NAME, _LINE = "bulk-rule", "bulk-rule-line"
_BLANK = Rule((Condition(""),), (Setting(""),))


@dataclass
class Form:
    """The rule as far as it is written. `refused`: why the line is no rule; then the fields say what it was before."""

    contract: Contract
    rule: Rule = _BLANK
    refused: str = ""
    version: int = 0

    @staticmethod
    def here(contract: Contract) -> Form:
        form: Form | None = kept().get(_NAME)
        if form is None or form.contract is not contract:
            form = kept()[_NAME] = Form(contract)
            st.session_state[_LINE] = ""
        return form

    def take(self, rule: Rule) -> None:
        """The rule as the fields say it."""
        self.rule, self.refused = rule, ""
        st.session_state[_LINE] = sentence(rule, self.contract)

    def redraw(self, rule: Rule) -> None:
        """Another rule, which the fields do not say yet."""
        self.take(rule)
        self.version += 1

    def read(self) -> None:
        """The rule as the line says it."""
        try:
            self.rule, self.refused = parse(st.session_state[_LINE], self.contract), ""
            self.version += 1
        except BadSentence as why:
            self.refused = str(why)


def forget() -> None:
    """Begin with a blank rule next time."""
    kept().pop(_NAME, None)


def draw(now: Now) -> Rule | None:
    """The form. Returns the rule once there is nothing to mend."""
    form = Form.here(now.contract)
    found = problems(form.rule, now.contract)
    _where(form, now, found.conditions)
    _set(form, now, found.settings)
    _line(form)
    return None if found or form.refused else form.rule


def _where(form: Form, now: Now, found: Mapping[int, str]) -> None:
    rule = form.rule
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(markup.subheading("Where", "" if rule.conditions else "every row is meant"))
        if len(rule.conditions) > 1:
            _joint(form)
    for place, condition in enumerate(rule.conditions):
        _part(form, now, "conditions", place, condition, found.get(place, ""))
    _add("Add a condition", form, replace(rule, conditions=(*rule.conditions, Condition(""))))


def _set(form: Form, now: Now, found: Mapping[int, str]) -> None:
    rule = form.rule
    st.html(markup.subheading("Set"))
    for place, setting in enumerate(rule.settings):
        _part(form, now, "settings", place, setting, found.get(place, ""))
    _add("Add a column", form, replace(rule, settings=(*rule.settings, Setting(""))))


def _part(form: Form, now: Now, kind: str, place: int, part: Part, problem: str) -> None:
    """The fields of a condition or a setting, the button that takes it away, and what is wrong with it."""
    parts: Sequence[Part] = getattr(form.rule, kind)
    key = f"{_NAME}-{form.version}-{kind}-{place}"
    left, right = st.columns([12, 0.6], vertical_alignment="bottom")
    with left:
        fields = Fields(key, now, partial(_take, form, kind, place), is_first=place == 0)
        fields.condition(part) if kind == "conditions" else fields.setting(part)
    fewer = _with(form.rule, kind, [*parts[:place], *parts[place + 1 :]])
    right.button(
        "",
        key=f"{key}-away",
        icon=":material/close:",
        type="tertiary",
        help="Take it away",
        on_click=form.redraw,
        args=(fewer,),
    )
    # A place that is always there: what comes below must not move, or the browser makes fields anew and forgets what
    # was typed into them a moment ago.
    with st.container():
        if problem and form.rule != _BLANK:
            st.html(bulk_markup.problem(problem, is_unfinished=is_unfinished(part, now.contract)))


def _take(form: Form, kind: str, place: int, change: Callable[[Part], Part]) -> None:
    parts = list(getattr(form.rule, kind))
    parts[place] = change(parts[place])
    form.take(_with(form.rule, kind, parts))


def _with(rule: Rule, kind: str, parts: Sequence[Part]) -> Rule:
    """A rule with other conditions, or other settings."""
    held: dict[str, Any] = {kind: tuple(parts)}
    return replace(rule, **held)


def _joint(form: Form) -> None:
    key = f"{_NAME}-{form.version}-joint"

    def choose() -> None:
        form.take(replace(form.rule, is_any=st.session_state[key] == ANY))

    chosen = int(form.rule.is_any)
    st.radio(
        "How they are joined",
        [ALL, ANY],
        chosen,
        key=key,
        on_change=choose,
        horizontal=True,
        label_visibility="collapsed",
    )


def _add(label: str, form: Form, more: Rule) -> None:
    st.button(label, icon=":material/add:", type="tertiary", on_click=form.redraw, args=(more,))


def _line(form: Form) -> None:
    """The rule as one line, which can be typed and pasted, too."""
    label = "The same in one line, to type, paste or keep"
    st.text_input(label, key=_LINE, live=True, on_change=form.read, placeholder=EXAMPLE)
    if form.refused:
        st.html(bulk_markup.problem(form.refused))
