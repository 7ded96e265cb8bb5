"""Names and texts as DuckDB writes them."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(literal, texts)) + "]"


def struct(texts: Iterable[tuple[str, str]]) -> str:
    """`{'a': 'BIGINT'}`, an argument of DuckDB's readers."""
    return "{" + ", ".join(f"{literal(name)}: {literal(value)}" for name, value in texts) + "}"
