"""The RowChanges of an edit, as it carries them: each row decoded strictly, and each key changed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towline.change import RowChange, same_row
from towline.contract import Contract
from towline.errors import BadProposal
from towline.values import Key, Row
from towline.violation import Report, Violation


def read(raw: object, contract: Contract) -> tuple[tuple[RowChange, ...], Report]:
    """The RowChanges of an edit, each row decoded strictly."""
    if not isinstance(raw, list) or not raw:
        raise BadProposal("an edit has a list of changes, and at least one", rule="proposal.empty")
    changes: list[RowChange] = []
    violations: list[Violation] = []
    seen: set[Key] = set()
    for number, item in enumerate(raw):
        change, wrong = _change(item, f"changes[{number}]", contract)
        if change is not None and not wrong:
            wrong = _check_keys(change, seen, contract)
            changes.append(change)
        violations += wrong
    return tuple(changes), Report.of(violations)


def _change(item: object, where: str, contract: Contract) -> tuple[RowChange | None, list[Violation]]:
    if not isinstance(item, dict) or item.keys() != {"old", "new"} or item["old"] is item["new"] is None:
        raise BadProposal(f'{where} must be {{"old": row or null, "new": row or null}}, not both null')
    rows: dict[str, Row | None] = {}
    violations: list[Violation] = []
    for side in ("old", "new"):
        rows[side] = None
        if item[side] is not None:
            rows[side], wrong = contract.decode_row(item[side], f"{where}.{side}")
            # What the old row is like is the master's business; only its columns and types must be readable.
            violations += wrong if side == "new" or rows[side] is None else []
    if violations or (rows["old"] is None and rows["new"] is None):
        return None, violations
    return RowChange(rows["old"], rows["new"]), []


def _check_keys(change: RowChange, seen: set[Key], contract: Contract) -> list[Violation]:
    """One change a key, and the same key on both sides."""
    key = change.key(contract.key)
    where = contract.key_dict(key)
    if None in key:
        column = contract.key[key.index(None)]
        return [Violation("key.null", "error", where, column, None, f"the key column {column} is empty")]
    if key in seen:
        return [_violation("key.duplicate", where, "this key is changed twice in one proposal")]
    seen.add(key)
    if change.old is not None and contract.key_of(change.old) != key:
        message = "the key itself changes; a change of key is a delete of the old row and an insert of the new"
        return [_violation("key.changed", where, message)]
    if same_row(change.old, change.new):
        return [_violation("change.nothing", where, "old and new are the same row")]
    return []


def _violation(rule: str, key: Mapping[str, Any], message: str) -> Violation:
    return Violation(rule, "error", key, None, None, message)
