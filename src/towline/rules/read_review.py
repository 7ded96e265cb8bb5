"""Reading a contract's review policy: which proposals wait for a steward, for how many, and who may speak."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from towline.errors import ContractError
from towline.rules.document import Node

NONE, ALWAYS, WHEN = POLICIES = ("none", "always", "when")
_MEMBERS = ("policy", "required", "when", "approvals", "stewards", "own")
_CONDITIONS = ("rows_deleted", "cells_changed", "columns", "authors")
_MAX_NAMES = 1_000


@dataclass(frozen=True)
class Conditions:
    """Any of these is reason enough; None and empty ask for nothing.

    rows_deleted   more rows than this are deleted
    cells_changed  more than this share (0 to 1) of the table's cells change
    columns        one of these columns is touched
    authors        the author is none of these (names or principals)
    """

    rows_deleted: int | None = None
    cells_changed: float | None = None
    columns: frozenset[str] = frozenset()
    authors: frozenset[str] | None = None


@dataclass(frozen=True)
class ReviewPolicy:
    """Which proposals wait (`none`, `always`, or `when` a condition holds), for how many approvals, whose reviews count
    (`stewards`, names or principals; None: everybody's whom the bucket lets write one), and whether one's `own`
    does."""

    policy: str = NONE
    when: Conditions = field(default_factory=Conditions)
    approvals: int = 1
    stewards: frozenset[str] | None = None
    own: bool = False


def read_review(node: Node, columns: Collection[str]) -> ReviewPolicy:
    """The policy in `towline.review`; `columns` are the names of the contract's. Raises ContractError."""
    members = node.object(_MEMBERS)
    policy = _policy(node, members)
    if (policy == WHEN) != ("when" in members):
        raise ContractError(f'{node.path}: "when" names the conditions of the policy "when"; write both, or neither')
    found = ReviewPolicy(
        policy=policy,
        when=_conditions(members["when"], columns) if "when" in members else Conditions(),
        approvals=members["approvals"].count(1) if "approvals" in members else 1,
        stewards=_names(members["stewards"]) if "stewards" in members else None,
        own="own" in members and members["own"].flag(),
    )
    if found.stewards is not None and len(found.stewards) < found.approvals:
        raise ContractError(
            f"{node.path}: {found.approvals} approvals are asked for, of {len(found.stewards)} stewards; name more "
            "stewards, or ask for fewer approvals"
        )
    return found


def _policy(node: Node, members: Mapping[str, Node]) -> str:
    if "required" not in members:
        return members["policy"].one_of(POLICIES) if "policy" in members else WHEN if "when" in members else NONE
    if "policy" in members:
        raise ContractError(f'{node.path}: "required" is the older word for "policy"; keep "policy" alone')
    return ALWAYS if members["required"].flag() else NONE


def _conditions(node: Node, columns: Collection[str]) -> Conditions:
    members = node.object(_CONDITIONS)
    if not members:
        node.fail(f"holds no condition; name one of {', '.join(_CONDITIONS)}")
    return Conditions(
        rows_deleted=members["rows_deleted"].count() if "rows_deleted" in members else None,
        cells_changed=members["cells_changed"].share() if "cells_changed" in members else None,
        columns=_columns(members["columns"], columns) if "columns" in members else frozenset(),
        authors=_names(members["authors"]) if "authors" in members else None,
    )


def _columns(node: Node, columns: Collection[str]) -> frozenset[str]:
    for each in node.array(_MAX_NAMES):
        if each.text() not in columns:
            each.fail("is not a column; name one of the fields")
    return _names(node)


def _names(node: Node) -> frozenset[str]:
    names = frozenset(each.name() for each in node.array(_MAX_NAMES))
    if not names:
        node.fail("names nobody and nothing; name one, or leave it out")
    return names
