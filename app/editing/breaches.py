"""What is wrong with changes, beside texts that do not fit: worked out once for each key, and kept while the changes of
that key stay what they are. So the five-thousandth edit is checked as fast as the first. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.editing.sheet import Sheet
from towline import plan
from towline.change import RowChange, row_json
from towline.contract import Contract
from towline.values import Key
from towline.violation import ERROR, Report, ReportBuilder, Violation


@dataclass(frozen=True)
class Found:
    """The changes of one key (more than one only by mistake), and what is wrong with them."""

    changes: tuple[RowChange, ...]
    violations: tuple[Violation, ...] = ()


def breaches(sheet: Sheet, changes: Iterable[RowChange], known: Mapping[Key, Found]) -> dict[Key, Found]:
    """By key, everything that a proposal of these changes would be refused or warned for. `known` is what was found in
    the same sheet before."""
    groups: dict[Key, list[RowChange]] = defaultdict(list)
    for change in changes:
        groups[place(change.key(sheet.contract.key))].append(change)
    kept = {key: known[key] for key, group in groups.items() if key in known and known[key].changes == tuple(group)}
    fresh = _checked(sheet, {key: tuple(group) for key, group in groups.items() if key not in kept})
    return {key: kept.get(key) or fresh[key] for key in groups}


def ordered(violations: Iterable[Violation]) -> Report:
    """A report that lists everything: errors first, and the rules take turns, so that whoever reads only the beginning
    meets each of them."""
    groups: dict[tuple[str, str, str | None], list[Violation]] = defaultdict(list)
    for violation in violations:
        groups[violation.severity, violation.rule, violation.column].append(violation)
    builder = ReportBuilder(limit=sum(map(len, groups.values())))
    for (severity, _, _), group in groups.items():
        builder.add(severity, group)
    return builder.report()


def place(key: Key) -> Key:
    """The key as something that equals itself, which NaN does not."""
    return tuple("nan" if value != value else value for value in key)


def _checked(sheet: Sheet, groups: Mapping[Key, tuple[RowChange, ...]]) -> dict[Key, Found]:
    sheet.fetch(key for key, (first, *_) in groups.items() if first.old is None)
    wrong = {key: list(_refused(sheet, group)) for key, group in groups.items()}
    sound = [change for key, group in groups.items() if not wrong[key] for change in group]
    # Reports list rules by turns, so that their order depends on all rows: within a row it must not.
    for violation in sorted(plan.breaches(sound, sheet.contract), key=lambda each: _order(each, sheet.contract)):
        wrong[place(tuple((violation.key or {}).values()))].append(violation)
    return {key: Found(group, tuple(wrong[key])) for key, group in groups.items()}


def _order(violation: Violation, contract: Contract) -> tuple[int, str]:
    return (contract.names.index(violation.column) if violation.column in contract.names else -1, violation.rule)


def _refused(sheet: Sheet, group: Sequence[RowChange]) -> Iterator[Violation]:
    """What a proposal could not even say: text that cannot be stored, keys that are not those of one row."""
    contract = sheet.contract
    for change in group:
        key = change.key(contract.key)
        if change.new is not None:
            yield from contract.decode_row(row_json(change.new))[1]
        if len(group) > 1 and None not in key:
            yield _key_violation(contract, key, "key.duplicate", "two rows have this key")
        elif change.old is None and key in sheet.rows:
            yield _key_violation(contract, key, "row.exists", "there is a row with this key already")


def _key_violation(contract: Contract, key: Key, rule: str, what: str) -> Violation:
    message = f"{what}; change {' or '.join(contract.key)} here, or delete one of the rows"
    return Violation(rule, ERROR, contract.key_dict(key), None, None, message)
