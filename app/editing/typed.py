"""Texts that a person types into a rule, as values of a column. Pure."""

from __future__ import annotations

from app.editing.cells import Misfit, is_storable, value_of
from towline.contract import Contract, Field
from towline.errors import UsageError
from towline.values import Value, shown

NUMERIC = ("integer", "number")
_NUMBERS = (Field("", "integer"), Field("", "number"))


class BadRule(ValueError):
    """A part of a rule cannot be understood. The message says why, and what to write instead."""


def field_of(column: str, contract: Contract) -> Field:
    """Raises BadRule."""
    if not column:
        raise BadRule("choose a column")
    try:
        return contract.field(column)
    except UsageError as error:
        raise BadRule(str(error)) from None


def numeric(column: str, contract: Contract, what: str) -> Field:
    """A column of numbers. `what` needs one. Raises BadRule."""
    field = field_of(column, contract)
    if field.type not in NUMERIC:
        raise BadRule(f"{column} holds {HOLDS[field.type]}; {what} needs a column of numbers")
    return field


HOLDS = {
    "string": "text",
    "integer": "whole numbers",
    "number": "numbers",
    "boolean": "True or False",
    "date": "dates",
    "datetime": "dates with times",
}


def operand(text: str, field: Field, contract: Contract, instead: str) -> Value:
    """The value that a text means in a column; never null: `instead` says what to choose then. Raises BadRule."""
    if not text:
        raise BadRule("write a value")
    value = _read(text, field, contract)
    if value is None:
        raise BadRule(f"{shown(text)} means null in {field.name}; choose “{instead}”")
    return value


def _read(text: str, field: Field, contract: Contract) -> Value:
    if not is_storable(text):
        raise BadRule(f"{shown(text)} holds half a character; type it again")
    try:
        return value_of(text, field, contract.missing_values)
    except Misfit as misfit:
        raise BadRule(str(misfit)) from None


def number(text: str) -> int | float | None:
    """A text as a number, whole where it is written so; None: it is none."""
    for field in _NUMBERS:
        try:
            value = value_of(text, field) if is_storable(text) else None
        except Misfit:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    return None
