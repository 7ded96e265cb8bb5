"""One line of `towline doctor`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from towline.errors import Refused, TowlineError

OK, WARN, FAIL, SKIP = "ok", "warn", "fail", "skip"

T = TypeVar("T")


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, what was found, and how to mend it where it needs mending."""

    name: str
    status: str
    found: str
    fix: str = ""


def checked(name: str, look: Callable[[], T]) -> tuple[T | None, Check]:
    """What `look` returns, and the check that stands for its failure. What these credentials may not see is skipped:
    it is somebody else's to look after."""
    try:
        return look(), Check(name, OK, "")
    except Refused as error:
        return None, Check(name, SKIP, f"these credentials may not look: {error}")
    except TowlineError as error:
        return None, Check(name, FAIL, str(error), "see the message")
