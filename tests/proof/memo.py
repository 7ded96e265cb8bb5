"""Pure functions of src/towline, remembered while a case is explored.

The same table is written, read and merged in hundreds of thousands of states. What is remembered is told by content, or
by identity where the thing itself is remembered (and so is never thrown away).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from towline import changefile, plan, proposals
from towline import table as tables
from towline.contract import Contract
from towline.errors import TowlineError
from towline.intent import Intent
from towline.objects import ObjectSource
from towline.rows import Edited, Filed, InMemory, Rows

_memory: dict[object, Any] = {}
_kept: dict[int, Any] = {}  # what is told by identity


def same(thing: Any) -> int:
    """What a thing is told by that is remembered itself."""
    _kept[id(thing)] = thing
    return id(thing)


def told(rows: Rows) -> object:
    """What rows are told by: those of one table are the same, whoever read it. Of a file its last bytes tell, which
    have the id of its commit."""
    if isinstance(rows, Edited):
        return (told(rows.under), same(rows.diff))
    if isinstance(rows, Filed):
        assert isinstance(rows.file.source, ObjectSource)
        return rows.file.source.tail
    assert isinstance(rows, InMemory)
    return same(rows.whole)


def _is_read(rows: Rows | None) -> bool:
    """Whether asking for rows is a request."""
    return isinstance(rows, Filed) or (isinstance(rows, Edited) and _is_read(rows.under))


def _remember(function: Callable[..., Any], told_by: Callable[..., object]) -> Callable[..., Any]:
    def remembered(*arguments: Any, **options: Any) -> Any:
        told = told_by(*arguments, **options)
        if told is None:
            return function(*arguments, **options)
        key = (function, told)
        if key not in _memory:
            try:
                _memory[key] = (function(*arguments, **options), None)
            except TowlineError as error:
                _memory[key] = (None, error)
        value, error = _memory[key]
        if error is not None:
            raise error.with_traceback(None)
        return value

    return remembered


def _from_json(function: Callable[..., Any]) -> Callable[..., Any]:
    """A proposal that names no file needs nothing fetched."""

    def remembered(body: bytes, contract: Contract | None, fetch: proposals.Fetch, **options: bool) -> Any:
        key = (function, body, contract.digest if contract else None)
        if b'"file"' in body:
            return function(body, contract, fetch, **options)
        if key not in _memory:
            _memory[key] = function(body, contract, fetch)
        return _memory[key]

    return remembered


@contextmanager
def remembering() -> Iterator[None]:
    with ExitStack() as stack:

        def put(owner: Any, name: str, told_by: Callable[..., object]) -> None:
            stack.enter_context(patch.object(owner, name, _remember(getattr(owner, name), told_by)))

        put(tables, "from_parquet", lambda body, where: body)
        put(tables, "to_parquet", lambda table, key, **commit: (same(table), key, *commit.values()))
        put(tables, "sort", lambda table, key: (same(table), tuple(key)))
        put(plan, "plan", lambda proposal, contract, *rows: (
            None if any(map(_is_read, rows)) else
            (same(proposal), contract.digest, *(each and told(each) for each in rows))
        ))  # fmt: skip
        put(plan, "check", lambda changes, contract: (same(changes), contract.digest))
        put(changefile, "to_parquet", lambda diff, **whose: (same(diff), *whose.values()))
        put(Contract, "parse", lambda raw: json.dumps(raw))
        put(Intent, "from_bytes", lambda body: body)
        stack.enter_context(patch.object(proposals, "from_json", _from_json(proposals.from_json)))
        yield
