"""Violations of a contract, and reports of them: values for receipts, never exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest

from towline.values import Value, encode

ERROR, WARN = "error", "warn"
LIMIT = 100  # violations listed in one report; the totals count them all
_TEXT = 200  # characters of a text value that a report repeats


@dataclass(frozen=True)
class Violation:
    """One breach of a contract. `key` names the row, `column` the cell; either is None where there is none."""

    rule: str
    severity: str
    key: Mapping[str, Value] | None
    column: str | None
    value: Value
    message: str

    def to_json(self) -> dict[str, object]:
        key = None if self.key is None else {_text(name): _json(value) for name, value in self.key.items()}
        return {
            "rule": self.rule,
            "severity": self.severity,
            "key": key,
            "column": None if self.column is None else _text(self.column),
            "value": _json(self.value),
            "message": _safe(self.message),
        }


@dataclass(frozen=True)
class Report:
    """What a check found. `errors` and `warnings` are true totals, also when the list of violations is cut."""

    violations: tuple[Violation, ...] = ()
    errors: int = 0
    warnings: int = 0

    @property
    def ok(self) -> bool:
        """No errors; there may be warnings."""
        return self.errors == 0

    @property
    def cut(self) -> bool:
        return len(self.violations) < self.errors + self.warnings

    def to_json(self) -> dict[str, object]:
        return {
            "violations": [violation.to_json() for violation in self.violations],
            "errors": self.errors,
            "warnings": self.warnings,
            "cut": self.cut,
        }

    @staticmethod
    def of(violations: Iterable[Violation]) -> Report:
        """A report of exactly these violations."""
        listed = tuple(violations)
        errors = sum(violation.severity == ERROR for violation in listed)
        return Report(listed, errors, len(listed) - errors)

    @staticmethod
    def join(*reports: Report) -> Report:
        return Report(
            tuple(violation for report in reports for violation in report.violations),
            sum(report.errors for report in reports),
            sum(report.warnings for report in reports),
        )


@dataclass
class ReportBuilder:
    """Collects violations in groups (one rule in one column) and lists at most `limit` of them.

    Errors are listed before warnings, and the groups of one severity take turns, so that a rule broken a
    hundred thousand times does not hide one broken once.
    """

    limit: int = LIMIT
    _groups: dict[str, list[list[Violation]]] = field(default_factory=lambda: {ERROR: [], WARN: []})
    _totals: dict[str, int] = field(default_factory=lambda: {ERROR: 0, WARN: 0})

    def add(self, severity: str, examples: Iterable[Violation], total: int | None = None) -> None:
        """Add one group: some examples of it, and how many there are in truth (default: as many)."""
        group = list(examples)
        self._groups[severity].append(group[: self.limit])
        self._totals[severity] += len(group) if total is None else total

    def report(self) -> Report:
        chosen = [violation for severity in (ERROR, WARN) for violation in _turns(self._groups[severity])]
        return Report(tuple(chosen[: self.limit]), self._totals[ERROR], self._totals[WARN])


def _turns(groups: list[list[Violation]]) -> Iterable[Violation]:
    return (violation for turn in zip_longest(*groups) for violation in turn if violation is not None)


def _json(value: Value) -> object:
    return _text(value) if isinstance(value, str) else encode(value)


def _text(text: str) -> str:
    return _safe(text if len(text) <= _TEXT else text[:_TEXT] + "…")


def _safe(text: str) -> str:
    """Lone surrogates cannot be written as UTF-8: a report shows them escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
