"""What a contract says of rows before they become silver: masks over whole pieces, and shares of whole files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from towline import checks
from towline.contract import Contract
from towline.pipeline import partition
from towline.pipeline.texts import gathered, refused
from towline.rules.field import Constraints
from towline.rules.finding import Finding
from towline.values import shown
from towline.violation import ERROR

SWAPPED = "has been exchanged with {other}: each is out of range, and would not be in the other's place"
_LIMITS = ("constraint.minimum", "constraint.maximum", "constraint.exclusiveMinimum", "constraint.exclusiveMaximum")


@dataclass(frozen=True)
class Breach:
    """Rows (true in `mask`) that are refused because of one column."""

    column: str
    mask: pa.Array
    reason: str


@dataclass
class Tally:
    """What was seen of one file in one table. `keys`: the key columns of the rows that pass, piece by piece, where it
    matters how many of them are repeated."""

    rows: int = 0
    refused: int = 0
    nulls: Counter[str] = field(default_factory=Counter)
    keys: list[pa.Table] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return self.rows - self.refused


def judge(name: str, contract: Contract, rows: pa.Table, numbers: pa.Array, tally: Tally) -> tuple[pa.Table, pa.Table]:
    """The rows that pass, and the others as `Conformed.refused` has them, a line a breach. `rows` has the contract's
    schema in one chunk a column; `numbers` are their rows in the file."""
    found, bad = [], pa.repeat(False, len(rows))
    for breach in _breaches(contract, rows):
        bad = pc.or_(bad, breach.mask)
        values = rows.column(breach.column).combine_chunks().filter(breach.mask)
        found.append(refused(numbers.filter(breach.mask), breach.column, values, breach.reason, name))
    passed = rows.filter(pc.invert(bad)) if found else rows
    _count(contract, rows, passed, tally)
    return passed, gathered(found)


def complaints(name: str, contract: Contract, tally: Tally) -> Iterator[str]:
    """Why all of a file fails: a sentence for each threshold that it exceeds, with the figures."""
    rules = contract.silver
    for column, most in rules.null_rate.items():
        yield from _exceeded(f"{name}.{column} is empty in", tally.nulls[column], tally.rows, most)
    if rules.duplicate_rate is not None:
        yield from _exceeded(f"{name} repeats the key in", _repeated(tally), tally.passed, rules.duplicate_rate)
    if rules.quarantine_rate is not None:
        yield from _exceeded(f"{name} has to refuse", tally.refused, tally.rows, rules.quarantine_rate)


def _exceeded(what: str, count: int, of: int, most: float) -> Iterator[str]:
    if count > Decimal(str(most)) * of:  # as the contract spells it: 0.29 * 100 is a little less than 29
        yield f"{what} {count:,} of {of:,} rows ({count / of:.1%}); at most {most:.1%} may be so"


def _repeated(tally: Tally) -> int:
    if not tally.keys:
        return 0
    keys = pa.concat_tables(tally.keys).unify_dictionaries()
    return int(keys.num_rows - keys.group_by(keys.column_names).aggregate([]).num_rows)


def _count(contract: Contract, rows: pa.Table, passed: pa.Table, tally: Tally) -> None:
    tally.rows += len(rows)
    tally.refused += len(rows) - len(passed)
    for column in contract.silver.null_rate:
        tally.nulls[column] += rows.column(column).null_count
    if contract.silver.duplicate_rate is not None and len(passed):
        tally.keys.append(passed.select(list(contract.key)))


def _breaches(contract: Contract, rows: pa.Table) -> Iterator[Breach]:
    swapped = _swapped(contract, rows)
    if swapped is not None:
        yield swapped
    pair = contract.silver.swapped if swapped else None
    for finding in checks.findings(rows, contract.fields, contract.key, contract.checks):
        if finding.severity != ERROR:
            continue
        mask = _flat(finding.mask)
        if swapped and pair and finding.columns[0] in pair and finding.rule in _LIMITS:
            mask = pc.and_not(mask, swapped.mask)
        if pc.any(mask).as_py():
            yield Breach(finding.columns[0], mask, _reason(contract, finding))
    for column in contract.silver.partition:
        if contract.field(column).type == "string":
            mask = partition.unnamable(rows.column(column).combine_chunks())
            if pc.any(mask).as_py():
                yield Breach(column, mask, "cannot name a partition: it is empty, too long, or has a slash in it")


def _flat(mask: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A mask in one chunk, in which null counts as false."""
    flat = mask.combine_chunks() if isinstance(mask, pa.ChunkedArray) else mask
    return pc.fill_null(flat, False)


def _swapped(contract: Contract, rows: pa.Table) -> Breach | None:
    """The rows in which a pair of columns is out of range, and would not be if their values were exchanged."""
    if contract.silver.swapped is None:
        return None
    one, other = contract.silver.swapped
    left, right = rows.column(one), rows.column(other)
    first, second = contract.field(one).constraints, contract.field(other).constraints
    as_it_is = pc.and_(_within(left, first), _within(right, second))
    exchanged = pc.and_(_within(right, first), _within(left, second))
    mask = _flat(pc.and_(pc.invert(as_it_is), exchanged))
    return Breach(one, mask, SWAPPED.format(other=other)) if pc.any(mask).as_py() else None


def _within(column: pa.ChunkedArray, bounds: Constraints) -> pa.ChunkedArray:
    """Which values are in range; null where they are null."""
    found = pc.is_finite(column)
    for limit, holds in (
        (bounds.minimum, pc.greater_equal),
        (bounds.maximum, pc.less_equal),
        (bounds.exclusive_minimum, pc.greater),
        (bounds.exclusive_maximum, pc.less),
    ):
        if limit is not None:
            found = pc.and_(found, holds(column, limit))
    return found


def _reason(contract: Contract, finding: Finding) -> str:
    """What is wrong, in the same words for every value, so that reasons can be counted."""
    if finding.rule.startswith("check."):
        check = next(each for each in contract.checks if f"check.{each.name}" == finding.rule)
        return getattr(check, "message", None) or f"breaks the check {check.name}"
    limits = contract.field(finding.columns[0]).constraints
    unit = f" {contract.field(finding.columns[0]).unit}" if contract.field(finding.columns[0]).unit else ""
    words: Mapping[str, str] = {
        "key.null": "is empty, and part of the row's key",
        "constraint.required": "is empty",
        "constraint.minimum": f"is less than {shown(limits.minimum)}{unit}",
        "constraint.maximum": f"is more than {shown(limits.maximum)}{unit}",
        "constraint.exclusiveMinimum": f"is not more than {shown(limits.exclusive_minimum)}{unit}",
        "constraint.exclusiveMaximum": f"is not less than {shown(limits.exclusive_maximum)}{unit}",
        "constraint.minLength": f"has fewer than {limits.min_length} characters",
        "constraint.pattern": f"does not match {limits.pattern}",
        "constraint.enum": "is none of the values that the contract lists",
        "number.finite": "is not a finite number",
        "text.control": "holds a control character",
        "text.linebreak": "holds a line break",
        "text.length": f"is longer than {contract.field(finding.columns[0]).text_bound:,} characters",
    }
    return words[finding.rule]
