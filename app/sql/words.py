"""What a statement begins with, and statements to begin with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from towline.contract import Contract
from towline.rules.field import Field

EDITS = ("UPDATE", "DELETE", "INSERT", "MERGE")
# A statement's first word, behind comments and brackets.
_FIRST = re.compile(r"(?>\s|--[^\n]*|/\*(?>[^*]|\*(?!/))*\*/|\()*+([A-Za-z]+)")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
# Words that Athena takes for its own where they are not in quotes.
_RESERVED = """
alter and as between by case cast constraint create cross cube current_date current_time current_timestamp current_user
deallocate delete describe distinct drop else end escape except execute exists extract false for from full group
grouping having in inner insert intersect into is join left like natural normalize not null on or order outer prepare
recursive right rollup select skip table then trim true uescape union unnest user using values when where with
"""


def verb(statement: str) -> str:
    """The first word, in capitals; empty where there is none."""
    found = _FIRST.match(statement)
    return found[1].upper() if found else ""


def is_edit(statement: str) -> bool:
    """Whether it can only be meant as an edit. What begins with SELECT, WITH or VALUES can be meant either way."""
    return verb(statement) in EDITS


def quoted(name: str) -> str:
    """A name as SQL writes it: in quotes where it needs them."""
    return name if _PLAIN.fullmatch(name) and name not in _RESERVED.split() else '"' + name.replace('"', '""') + '"'


def examples(contract: Contract) -> list[tuple[str, str]]:
    """Statements for this dataset, each with its title: two that read and, where its columns allow, some that edit."""
    return list(_examples(contract))


def _examples(contract: Contract) -> Iterator[tuple[str, str]]:
    table, key = quoted(contract.dataset), [quoted(name) for name in contract.key]
    yield "Look at the table", f"SELECT *\nFROM {table}\nORDER BY {', '.join(key)}\nLIMIT 100"
    numbers = _columns(contract, ("number",))
    lead, last = key[0], key[-1]
    if numbers:
        one = numbers[0]
        figures = f"count(*) AS rows, avg({one}) AS mean_{_bare(one)}, min({one}) AS least, max({one}) AS most"
        yield "Sum up by group", f"SELECT {lead}, {figures}\nFROM {table}\nGROUP BY {lead}\nORDER BY {lead}"
        yield "Change values", f"UPDATE {table}\nSET {one} = {one} * 1.02\nWHERE {_equals(contract, lead)}"
    one_row = " AND ".join(_equals(contract, name) for name in key)
    yield "Delete rows", f"DELETE FROM {table}\nWHERE {one_row}"  # noqa: S608 - to be put into the field, and run by nobody
    if numbers and len(key) > 1:
        yield "Shift within a group (the whole table anew)", _shift(contract, numbers[0], lead, last)


def _shift(contract: Contract, column: str, group: str, order: str) -> str:
    """A column moved on by a row within each group: what takes a window function."""
    window = f"lag({column}) OVER (PARTITION BY {group} ORDER BY {order})"
    names = (f"{window} AS {column}" if quoted(name) == column else quoted(name) for name in contract.names)
    return f"SELECT {', '.join(names)}\nFROM {quoted(contract.dataset)}"


def _columns(contract: Contract, types: Sequence[str]) -> list[str]:
    return [quoted(f.name) for f in contract.fields if f.type in types and f.name not in contract.key]


def _equals(contract: Contract, name: str) -> str:
    """A condition that somebody fills in: the value is an example of its type."""
    field = next(field for field in contract.fields if quoted(field.name) == name)
    return f"{name} = {_sample(field)}"


def _sample(field: Field) -> str:
    samples = {
        "integer": "1",
        "number": "1.0",
        "boolean": "true",
        "date": "DATE '2026-01-01'",
        "datetime": "TIMESTAMP '2026-01-01 00:00:00'",
    }
    return samples.get(field.type, "'…'")


def _bare(name: str) -> str:
    return name.strip('"') if _PLAIN.fullmatch(name.strip('"')) else "value"
