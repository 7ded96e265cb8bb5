"""How a person and a link name a row: the values of its key columns in their order, as in `key=4,1`. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from app.editing.cells import Misfit, text_of, value_of
from app.editing.sheet import Sheet
from towline.contract import Contract
from towline.errors import UsageError
from towline.values import Key, Value


def read_key(text: str, contract: Contract) -> Key:
    """The key that a person writes, with commas between its values; one with a comma in it goes between quotation
    marks. UsageError says what is wrong with it."""
    parts = _parts(text, len(contract.key))
    if len(parts) != len(contract.key):
        raise UsageError(
            f"a row of {contract.dataset} is named by {', '.join(contract.key)}, with commas in between; {text!r} has "
            f"{len(parts)} of these {len(contract.key)} values"
        )
    return tuple(_value(part, name, contract) for part, name in zip(parts, contract.key, strict=True))


def _parts(text: str, count: int) -> list[str]:
    """A key of one column needs no quotation marks around a comma."""
    if count == 1 and not text.strip().startswith('"'):
        return [text.strip()]
    try:
        (parts,) = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    except (csv.Error, ValueError):
        return []
    return [part.strip() for part in parts]


def _value(text: str, name: str, contract: Contract) -> Value:
    try:
        value = value_of(text, contract.field(name), contract.missing_values)
    except Misfit as misfit:
        raise UsageError(f"{name}: {misfit}") from None
    if value is None:
        raise UsageError(f"{name} is empty, and a key has no empty values; write all of {', '.join(contract.key)}")
    return value


def write_key(key: Iterable[Value]) -> str:
    """A key as `read_key` reads it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text_of(value) or "" for value in key])
    return line.getvalue()


def row_of(sheet: Sheet, text: str) -> Key | None:
    """The key of the row that a link's text names; None where the sheet has no such row."""
    try:
        key = read_key(text, sheet.contract)
    except UsageError:
        return None
    return key if key in sheet.rows else None
