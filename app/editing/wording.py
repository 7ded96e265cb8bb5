"""The one line that says a rule; sentence.py reads it. Pure."""

from __future__ import annotations

import re

from app.editing.cells import value_of
from app.editing.condition import OPERATORS, Condition
from app.editing.rule import Rule
from app.editing.sentence import FUNCTIONS, SIGNS, TEXTUAL, WORDS
from app.editing.setting import Setting
from towline.contract import Contract, Field

OPEN = "…"  # what is still to be written

_BARE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|\d{4}-\d\d-\d\d|True|False")
_WORD = re.compile(r"[^\W\d]\w*")
_STRING = Field("", "string")
_FUNCTION_OF = {action: word for word, action in FUNCTIONS.items()}
_SIGN_OF = {action: sign for sign, action in SIGNS.items()}
_COMPARISON_OF = {"is": "=", "is not": "!="}


def is_unfinished(part: Condition | Setting, contract: Contract) -> bool:
    """Whether there is something of it still to be written."""
    return OPEN in (_condition(part, contract) if isinstance(part, Condition) else _setting(part, contract))


def sentence(rule: Rule, contract: Contract) -> str:
    """The line that says a rule; `parse` reads it back, if it has no problems. What is not written yet is `…`."""
    joint = " or " if rule.is_any else " and "
    where = f"where {joint.join(_condition(c, contract) for c in rule.conditions)} " if rule.conditions else ""
    return f"{where}set {', '.join(_setting(s, contract) for s in rule.settings) or OPEN}"


def _condition(condition: Condition, contract: Contract) -> str:
    name, operator = _name(condition.column), condition.operator
    takes = OPERATORS[operator]
    if takes == 0:
        return f"{name} {operator}"
    texts = [*condition.texts, *[""] * (takes or 1)][: takes or max(1, len(condition.texts))]
    if operator in TEXTUAL:
        return f"{name} {operator} {_quoted(texts[0]) if texts[0] else OPEN}"
    values = [_value(text, condition.column, contract) for text in texts]
    if operator == "between":
        return f"{name} between {values[0]} and {values[1]}"
    if operator == "one of":
        return f"{name} one of ({', '.join(values)})"
    return f"{name} {_COMPARISON_OF.get(operator, operator)} {values[0]}"


def _setting(setting: Setting, contract: Contract) -> str:
    return f"{_name(setting.column)} = {_result(setting, contract)}"


def _result(setting: Setting, contract: Contract) -> str:
    if setting.action == "value":
        return _value(setting.text, setting.column, contract)
    if setting.action == "null":
        return "null"
    source = _name(setting.source)
    if setting.action in _FUNCTION_OF:
        return f"{_FUNCTION_OF[setting.action]}({source})"
    sign = _SIGN_OF.get(setting.action)
    by = _name(setting.text) if setting.text in contract.names else setting.text.strip() or OPEN
    computed = f"{source} {sign} {by}" if sign else source
    if not setting.digits and setting.action != "rounded":
        return computed
    return f"round({computed}, {setting.digits.strip() or OPEN})"


def _name(column: str) -> str:
    if not column:
        return OPEN
    is_plain = _WORD.fullmatch(column) and column.lower() not in WORDS
    return column if is_plain else f"`{column.replace('`', '``')}`"


def _value(text: str, column: str, contract: Contract) -> str:
    """A value of a column; bare where that can be mistaken for nothing else."""
    if not text:
        return OPEN
    is_text = column not in contract.names or contract.field(column).type == "string"
    if not is_text and _BARE.fullmatch(text.strip()):
        return text.strip()
    return _quoted(str(value_of(text, _STRING)))


def _quoted(text: str) -> str:
    marked = text.replace('"', '""')
    return f'"{marked}"'
