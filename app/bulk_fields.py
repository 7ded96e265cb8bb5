"""The fields of one condition, and of one setting, of a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import streamlit as st

from app.editing.condition import OPERATORS, Condition
from app.editing.now import Now
from app.editing.setting import ARITHMETIC, Setting
from app.editing.typed import NUMERIC
from towline.contract import Field

OFFERED = 200  # different texts of a column, up to which they are offered to choose from
ACTIONS = {
    "value": "a value",
    "null": "null (no value)",
    "column": "another column",
    "plus": "column + number",
    "minus": "column \N{MINUS SIGN} number",
    "times": "column \N{MULTIPLICATION SIGN} number",
    "divided by": "column ÷ number",
    "rounded": "column, rounded",
    "trimmed": "column, spaces trimmed",
    "upper case": "column, UPPER CASE",
    "lower case": "column, lower case",
}
TEXTUAL = ("contains", "begins with", "matches")
EXAMPLES = {"date": "2024-05-04", "datetime": "2024-05-04 18:03:09", "integer": "12", "number": "12.5"}

Part: TypeAlias = Any  # a Condition, or a Setting
Change: TypeAlias = Callable[[Part, Any], Part]  # a part with what stands in a field


@dataclass(frozen=True)
class Fields:
    """A line of fields. `key` begins the keys of its widgets. `take` is given what becomes of the part when a field is
    changed: of the part as it is then, for two fields may be changed at once."""

    key: str
    now: Now
    take: Callable[[Callable[[Part], Part]], None]
    is_first: bool  # it bears the labels of those below

    def condition(self, condition: Condition) -> None:
        column, comparison, values = st.columns([2, 1.4, 4], vertical_alignment="bottom")
        with column:
            self._column("Column", "column", condition.column, lambda part, name: replace(part, column=name))
        with comparison:
            options = list(OPERATORS)
            self._choice(
                "Comparison", "operator", options, condition.operator, lambda part, name: replace(part, operator=name)
            )
        with values:
            self._operands(condition)

    def _operands(self, condition: Condition) -> None:
        takes = OPERATORS[condition.operator]
        if takes is None:
            self._several(condition)
        elif takes == 2:
            low, high = st.columns(2)
            with low:
                self._operand(condition, 0, "From")
            with high:
                self._operand(condition, 1, "To")
        elif takes == 1:
            self._operand(condition, 0, "Value")

    def _operand(self, condition: Condition, nth: int, label: str) -> None:
        def change(part: Condition, text: str) -> Condition:
            texts = [*part.texts, *[""] * (nth + 1 - len(part.texts))]
            texts[nth] = text
            return replace(part, texts=tuple(texts))

        held = condition.texts[nth] if nth < len(condition.texts) else ""
        if condition.operator in TEXTUAL:
            self._text(
                label,
                f"text-{nth}",
                held,
                change,
                "a regular expression" if condition.operator == "matches" else "a text",
            )
        else:
            self._value(label, f"value-{nth}", condition.column, held, change)

    def _several(self, condition: Condition) -> None:
        key, offers = f"{self.key}-several", dict.fromkeys([*condition.texts, *self._offers(condition.column)])
        st.multiselect(
            "Values",
            list(offers),
            condition.texts,
            key=key,
            on_change=self._changed,
            args=(key, lambda part, texts: replace(part, texts=tuple(texts))),
            accept_new_options=True,
            placeholder="Choose, or type and press Enter",
            label_visibility=self._labels,
        )

    def setting(self, setting: Setting) -> None:
        column, action, inputs = st.columns([2, 1.6, 3.8], vertical_alignment="bottom")
        with column:
            self._column("Column", "column", setting.column, lambda part, name: replace(part, column=name))
        with action:
            self._choice("To", "action", list(ACTIONS), setting.action, _with_action, ACTIONS.__getitem__)
        with inputs:
            self._inputs(setting)

    def _inputs(self, setting: Setting) -> None:
        if setting.action == "value":
            self._value("Value", "value", setting.column, setting.text, lambda part, text: replace(part, text=text))
        elif setting.action != "null":
            self._computed(setting)

    def _computed(self, setting: Setting) -> None:
        has_number, has_digits = setting.action in ARITHMETIC, setting.action in (*ARITHMETIC, "rounded")
        places = iter(st.columns([2, *[1.5] * has_number, *[1] * has_digits], vertical_alignment="bottom"))
        with next(places):
            self._column("From column", "source", setting.source, lambda part, name: replace(part, source=name))
        if has_number:
            with next(places):
                self._text("Number", "number", setting.text, lambda part, text: replace(part, text=text), "or a column")
        if has_digits:
            with next(places):
                hint = "all" if has_number else "how many"
                self._text("Decimals", "digits", setting.digits, lambda part, text: replace(part, digits=text), hint)

    def _column(self, label: str, name: str, held: str, change: Change) -> None:
        self._choice(label, name, list(self.now.contract.names), held, change)

    def _choice(
        self,
        label: str,
        name: str,
        options: Sequence[str],
        held: str,
        change: Change,
        says: Callable[[str], str] = str,
        *,
        accepts_others: bool = False,
    ) -> None:
        key = f"{self.key}-{name}"
        st.selectbox(
            label,
            options,
            options.index(held) if held in options else None,
            says,
            key=key,
            on_change=self._changed,
            args=(key, change),
            placeholder="Choose or type" if accepts_others else "Choose",
            accept_new_options=accepts_others,
            label_visibility=self._labels,
        )

    def _value(self, label: str, name: str, column: str, held: str, change: Change) -> None:
        """A value of a column: to be chosen where it has few different ones, else to be typed."""
        offers = self._offers(column)
        if offers:
            options = list(dict.fromkeys([*offers, *[held] * bool(held)]))
            self._choice(label, f"{name}-of-{column}", options, held, change, accepts_others=True)
        else:
            field = self._field(column)
            self._text(label, name, held, change, EXAMPLES.get(field.type, "") if field else "")

    def _text(self, label: str, name: str, held: str, change: Change, hint: str = "") -> None:
        key = f"{self.key}-{name}"
        st.text_input(
            label,
            held,
            key=key,
            on_change=self._changed,
            args=(key, change),
            placeholder=hint,
            live=True,
            label_visibility=self._labels,
        )

    def _changed(self, key: str, change: Change) -> None:
        held = st.session_state[key]
        self.take(lambda part: change(part, "" if held is None else held))

    def _offers(self, column: str) -> list[str]:
        """The texts of a column that has few; numbers and dates are rather typed."""
        field = self._field(column)
        if field is None or field.type in (*NUMERIC, "date", "datetime"):
            return []
        if field.type == "boolean":
            return ["True", "False"]
        texts = {text for text in self.now.texts(column) if text is not None}
        return sorted(texts) if len(texts) <= OFFERED else []

    def _field(self, column: str) -> Field | None:
        return self.now.contract.field(column) if column in self.now.contract.names else None

    @property
    def _labels(self) -> Any:
        return "visible" if self.is_first else "collapsed"


def _with_action(setting: Setting, action: str) -> Setting:
    """Another action; what is computed is computed from the column itself, until another is chosen."""
    return replace(setting, action=action, source=setting.source or setting.column)
