"""Results that a tab keeps from one run of the script to the next, because making them takes time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.session import kept

_T = TypeVar("_T")


def once(name: str, of: tuple[object, ...], make: Callable[[], _T]) -> _T:
    """What `make` gave for these very objects (the same ones, not equal ones). One result a name is kept."""
    key = f"memo-{name}"
    known = kept().get(key)
    if known is None or not _are(known[0], of):
        known = kept()[key] = (of, make())
    made: _T = known[1]
    return made


def _are(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
