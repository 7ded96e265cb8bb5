"""Bounds so small that a table of a few hundred rows takes the way of a large one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest.mock import patch

from towline import body, master, store
from towline.parquet import footer, writer
from towline.parquet.splice import Shape

GROUP, SMALL, PART_MIN, TAIL = 16, 3_000, 700, 2_000  # rows of a row group; bytes


@contextmanager
def small_bounds(
    *, group: int = GROUP, small: int = SMALL, part_min: int = PART_MIN, tail: int = TAIL
) -> Iterator[None]:
    """`group`: rows of a row group; `small`: bytes of a master that is written anew; `part_min`: of a part that the
    store joins; `tail`: of a master that is read at first."""
    with ExitStack() as stack:
        for owner, name, value in (
            (body, "SHAPE", Shape(group=group, small=small)),
            (master, "TAIL", tail),
            (footer, "TAIL", tail),
            (store, "PART_MIN", part_min),
            (writer, "to_parquet", partial(writer.to_parquet, group=group)),
        ):
            stack.enter_context(patch.object(owner, name, value))
        yield
