"""The settings of a rule: what becomes of a column's cells. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.editing.arithmetic import Number, Stuck, as_float, computed, rounded
from app.editing.cells import Misfit, Text, text_of, value_of
from app.editing.now import UNFIT, Meaning, Now
from app.editing.preview import Change, change_of
from app.editing.typed import HOLDS, NUMERIC, BadRule, field_of, number, numeric, operand
from towline.contract import Contract, Field
from towline.values import Value, shown

ARITHMETIC = ("plus", "minus", "times", "divided by")
LETTERS: Mapping[str, Callable[[str], str]] = {"trimmed": str.strip, "upper case": str.upper, "lower case": str.lower}
ACTIONS = ("value", "null", "column", *ARITHMETIC, "rounded", *LETTERS)

_DIGITS = 15  # decimals, or zeros before the point: more than a float has


@dataclass(frozen=True)
class Setting:
    """What a column is set to. All texts are as they are typed.

    | action                           | text                             | source   | digits                       |
    |----------------------------------|----------------------------------|----------|------------------------------|
    | value                            | the value                        |          |                              |
    | null                             |                                  |          |                              |
    | column                           |                                  | a column |                              |
    | plus, minus, times, divided by   | a number, or a column of numbers | a column | how many; empty: all         |
    | rounded                          |                                  | a column | how many                     |
    | trimmed, upper case, lower case  |                                  | a column |                              |
    """

    column: str
    action: str = "value"
    text: str = ""
    source: str = ""
    digits: str = ""


Compute: TypeAlias = Callable[[Now, Sequence[int]], Change]  # of the rows at these places


def change_by(setting: Setting, contract: Contract) -> Compute:
    """The setting as a function of what the grid shows and of the rows that are meant. Raises BadRule."""
    if setting.action not in ACTIONS:
        raise BadRule(f"{shown(setting.action)} cannot be done; choose one of {', '.join(ACTIONS)}")
    target = field_of(setting.column, contract)
    if setting.action in ("value", "null"):
        return _one_for_all(setting, target, contract)
    source = field_of(setting.source, contract)
    if setting.action == "column":
        return _copied(source, target)
    if setting.action in LETTERS:
        return _of_text(setting.action, source, target)
    return _of_numbers(setting, source, target, contract)


def _one_for_all(setting: Setting, target: Field, contract: Contract) -> Compute:
    is_null = setting.action == "null"
    text = None if is_null else text_of(operand(setting.text, target, contract, "null"))
    return lambda now, places: change_of(now, target.name, dict.fromkeys(places, text))


def _copied(source: Field, target: Field) -> Compute:
    """Another column's values. Where the types differ they are as if typed again, and may not fit."""
    if (source.type, target.type) == ("integer", "number"):
        return _each([source], target, lambda value: value)

    def compute(now: Now, places: Sequence[int]) -> Change:
        texts = now.texts(source.name)
        return change_of(now, target.name, {place: texts[place] for place in places})

    return compute


def _of_text(action: str, source: Field, target: Field) -> Compute:
    if source.type != "string":
        raise BadRule(f"{source.name} holds {HOLDS[source.type]}; “{action}” needs a column of text")
    return _each([source], target, LETTERS[action])


def _of_numbers(setting: Setting, source: Field, target: Field, contract: Contract) -> Compute:
    numeric(source.name, contract, f"“{setting.action}”")
    if target.type not in (*NUMERIC, "string"):
        raise BadRule(f"{target.name} holds {HOLDS[target.type]}; a number does not fit there")
    digits = _digits(setting)
    if setting.action == "rounded":
        return _each([source], target, lambda value: _rounded(value, digits))
    other = number(setting.text)
    if other is not None:
        return _each([source], target, lambda value: _rounded(computed(value, setting.action, other), digits))
    by = _column_of_numbers(setting, contract)
    return _each([source, by], target, lambda a, b: _rounded(computed(a, setting.action, b), digits))


def _column_of_numbers(setting: Setting, contract: Contract) -> Field:
    """What stands where a number is due, and is none. Raises BadRule."""
    if not setting.text:
        raise BadRule("write a number, or a column of numbers")
    if setting.text in contract.names:
        return numeric(setting.text, contract, f"“{setting.action}”")
    try:
        value_of(setting.text, Field(setting.column, "number"))
    except Misfit as misfit:
        raise BadRule(f"{misfit}. A column of numbers will do, too") from None
    raise BadRule(f"{shown(setting.text)} is no number; write one, or a column of numbers")


def _digits(setting: Setting) -> int | None:
    """How many decimals; None: as many as there are. Raises BadRule."""
    if not setting.digits and setting.action != "rounded":
        return None
    digits = number(setting.digits)
    if not isinstance(digits, int) or abs(digits) > _DIGITS:
        raise BadRule(f"to how many digits? Write a whole number from -{_DIGITS} to {_DIGITS}")
    return digits


def _rounded(value: Number, digits: int | None) -> Number:
    return value if digits is None else rounded(value, digits)


def _each(sources: Sequence[Field], target: Field, compute: Callable[..., Value]) -> Compute:
    """What is computed from each row's values. Null where one of them is; a text that does not fit sticks."""

    def change(now: Now, places: Sequence[int]) -> Change:
        columns = [now.meanings(source.name) for source in sources]
        texts: dict[int, Text] = {}
        stuck: dict[int, str] = {}
        for place in places:
            try:
                texts[place] = text_of(_result([column[place] for column in columns], sources, target, compute))
            except Stuck as why:
                stuck[place] = str(why)
        return change_of(now, target.name, texts, stuck)

    return change


def _result(values: Sequence[Meaning], sources: Sequence[Field], target: Field, compute: Callable[..., Value]) -> Value:
    for value, source in zip(values, sources, strict=True):
        if value is UNFIT:
            raise Stuck(f"what {source.name} holds does not fit its column; mend it first")
    if None in values:
        return None
    result = compute(*values)
    return as_float(result) if isinstance(result, int) and target.type == "number" else result
