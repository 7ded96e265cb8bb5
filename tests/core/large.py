"""Bounds so small that a table of a few hundred rows takes the way of a large one."""

from __future__ import annotations

from functools import partial

import pytest

from towline import body, master, store
from towline.parquet import footer, writer
from towline.parquet.splice import Shape

GROUP, SMALL, PART_MIN, TAIL = 16, 3_000, 700, 2_000  # rows of a row group; bytes


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every bound between small and large a small one."""
    monkeypatch.setattr(body, "SHAPE", Shape(group=GROUP, small=SMALL))
    monkeypatch.setattr(master, "TAIL", TAIL)
    monkeypatch.setattr(footer, "TAIL", TAIL)
    monkeypatch.setattr(store, "PART_MIN", PART_MIN)
    monkeypatch.setattr(writer, "to_parquet", partial(writer.to_parquet, group=GROUP))
