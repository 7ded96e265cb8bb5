"""Whose theirs is: the commits that made the head's side of a conflict what it is."""

from __future__ import annotations

from collections.abc import Sequence

from towline.conflict import Conflict
from towline.contract import Contract
from towline.workbench import Workbench


def sign(bench: Workbench, contract: Contract, conflicts: Sequence[Conflict], after: int) -> tuple[Conflict, ...]:
    return tuple(conflicts)
