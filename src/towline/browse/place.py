"""Where a page of a view begins."""

from __future__ import annotations

from dataclasses import dataclass

from towline.values import Value


@dataclass(frozen=True)
class Place:
    """A row, by its number in the file from 0; in a sorted view with the value that it is sorted by."""

    number: int = 0
    value: Value = None
