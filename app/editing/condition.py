"""The conditions of a rule: which rows it means. Pure.

Values are compared as what they are: numbers by size, dates by time, texts letter by letter. A null is never less or
more than anything, and neither is a text that does not fit its column. `contains`, `begins with` and `matches` look at
the text as it is shown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.editing import patterns
from app.editing.now import UNFIT, Now
from app.editing.patterns import BadPattern, Pattern
from app.editing.typed import HOLDS, BadRule, field_of, number, operand
from towline.contract import Contract, Field
from towline.values import Value, shown

# How many texts an operator takes; None: at least one.
OPERATORS: Mapping[str, int | None] = {
    "is": 1,
    "is not": 1,
    "is null": 0,
    "is not null": 0,
    "<": 1,
    "<=": 1,
    ">": 1,
    ">=": 1,
    "between": 2,
    "contains": 1,
    "begins with": 1,
    "matches": 1,
    "one of": None,
}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """A column, an operator, and the texts that it takes, as they are typed."""

    column: str
    operator: str = "is"
    texts: tuple[str, ...] = ()


Test: TypeAlias = Callable[[Now], Sequence[bool]]  # by place


def meant_by(condition: Condition, contract: Contract) -> Test:
    """The condition as a function of what the grid shows. Raises BadRule, and BadPattern when it is called."""
    if not condition.column:
        raise BadRule("choose a column, or take this condition away")
    field = field_of(condition.column, contract)
    texts = _texts(condition)
    if condition.operator in ("is null", "is not null"):
        is_null = condition.operator == "is null"
        return lambda now: [(text is None) == is_null for text in now.texts(field.name)]
    if condition.operator in ("contains", "begins with", "matches"):
        return _of_texts(condition.operator, texts[0], field)
    if condition.operator in ("is", "is not", "one of"):
        return _equal([operand(text, field, contract, "is null") for text in texts], field, condition.operator)
    return _ordered(condition.operator, [_bound(text, field, contract) for text in texts], texts, field)


def _texts(condition: Condition) -> tuple[str, ...]:
    """As many texts as the operator takes. Raises BadRule."""
    if condition.operator not in OPERATORS:
        raise BadRule(f"{shown(condition.operator)} is no comparison; choose one of {', '.join(OPERATORS)}")
    takes = OPERATORS[condition.operator]
    texts = condition.texts if takes is None else condition.texts[:takes]
    if len(texts) < (takes or 0) or not all(texts) or (takes is None and not texts):
        raise BadRule("write two values" if takes == 2 else "write a value")
    return texts


def _equal(wanted: Sequence[Value], field: Field, operator: str) -> Test:
    values = {value for value in wanted if value == value}
    has_nan = len(values) < len(set(wanted))
    expected = operator != "is not"

    def test(now: Now) -> Sequence[bool]:
        # A column holds values of one type, so that True does not meet 1 here; NaN alone differs from itself.
        return [(v in values or (has_nan and v != v)) == expected for v in now.meanings(field.name)]

    return test


def _bound(text: str, field: Field, contract: Contract) -> Value:
    """What values are compared with: for whole numbers any number. Raises BadRule."""
    if field.type == "boolean":
        raise BadRule(f"{field.name} holds {HOLDS['boolean']}, and neither is more; choose “is”")
    bound = number(text) if field.type == "integer" else None
    return operand(text, field, contract, "is null") if bound is None else bound


def _ordered(operator: str, bounds: Sequence[Any], texts: Sequence[str], field: Field) -> Test:
    if operator == "between":
        low, high = bounds
        if low > high:
            raise BadRule(f"{shown(texts[0])} is more than {shown(texts[1])}; write the smaller one first")
        return lambda now: [_is_known(v) and low <= v <= high for v in now.meanings(field.name)]
    compare, bound = _ORDER[operator], bounds[0]
    return lambda now: [_is_known(v) and compare(v, bound) for v in now.meanings(field.name)]


def _is_known(value: Any) -> bool:
    return value is not None and value is not UNFIT


def _of_texts(operator: str, text: str, field: Field) -> Test:
    hits = _HITS[operator](text)

    def test(now: Now) -> Sequence[bool]:
        texts = now.texts(field.name)
        words = list(dict.fromkeys(text for text in texts if text is not None))
        found = dict(zip(words, hits(words), strict=True))
        return [text is not None and found[text] for text in texts]

    return test


def _holding(text: str) -> Callable[[Sequence[str]], list[bool]]:
    wanted = text.casefold()
    return lambda words: [wanted in word.casefold() for word in words]


def _beginning(text: str) -> Callable[[Sequence[str]], list[bool]]:
    wanted = text.casefold()
    return lambda words: [word.casefold().startswith(wanted) for word in words]


def _matches(text: str) -> Callable[[Sequence[str]], list[bool]]:
    try:
        source = patterns.typed(text)
    except BadPattern as error:
        raise BadRule(str(error)) from None
    return lambda words: Pattern(source).found(words)


_HITS: Mapping[str, Callable[[str], Callable[[Sequence[str]], list[bool]]]] = {
    "contains": _holding,
    "begins with": _beginning,
    "matches": _matches,
}
