"""Cross-column checks, read from the `checks` of a contract's towline block."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from towline.errors import ContractError
from towline.rules.cross import OPERATORS, UNITS, Bounds, Check, Compare, DatetimeText, Offset, Range
from towline.rules.document import Node
from towline.rules.field import Field
from towline.rules.read_fields import SEVERITIES
from towline.rules.times import TimeFormat
from towline.values import shown
from towline.violation import ERROR

MAX_CHECKS = 500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NUMBERS = ("integer", "number")
_COMMON = ("name", "check", "severity", "message")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_MEMBERS = {
    "compare": ("left", "op", "right", "tolerance"),
    "range": ("column", *_BOUNDS),
    "offset": ("left", "right", "unit", "multiple", *_BOUNDS),
    "datetime_text": ("column", "format"),
}


class Common(TypedDict):
    """What every check declares."""

    name: str
    severity: str
    message: str | None


@dataclass(frozen=True)
class Source:
    """One check as JSON, and the fields it may speak of."""

    node: Node
    members: Mapping[str, Node]
    fields: Mapping[str, Field]

    @staticmethod
    def of(node: Node, fields: Mapping[str, Field]) -> Source:
        kind = Source(node, node.object(), fields).member("check").one_of(_MEMBERS)
        return Source(node, node.object((*_COMMON, *_MEMBERS[kind])), fields)

    @property
    def kind(self) -> str:
        return self.member("check").text()

    def member(self, name: str) -> Node:
        if name not in self.members:
            raise ContractError(f"{self.node.path}: this check has no {shown(name)}; add it")
        return self.members[name]

    def column(self, member: str, types: tuple[str, ...] | None = None) -> Field:
        node = self.member(member)
        name = node.text()
        if name not in self.fields:
            node.fail("is not a column; name one of the fields")
        if types and self.fields[name].type not in types:
            node.fail(f"is of type {self.fields[name].type}; this check needs {' or '.join(types)}")
        return self.fields[name]

    def common(self, *columns: Field) -> Common:
        message = self.members["message"].text() if "message" in self.members else None
        severity = self.members["severity"].one_of(SEVERITIES) if "severity" in self.members else ERROR
        return Common(name=self._name(*columns), severity=severity, message=message)

    def _name(self, *columns: Field) -> str:
        given = self.members.get("name")
        name = given.text() if given else "_".join((self.kind, *(column.name for column in columns)))
        if not _NAME.fullmatch(name):
            path = f"{self.node.path}.name"
            raise ContractError(
                f"{path}: {shown(name)} cannot name a check; use lower-case letters, digits and underscores"
            )
        return name

    def bounds(self) -> Bounds:
        given = [self.members[name].number() if name in self.members else None for name in _BOUNDS]
        low = max((bound for bound in (given[0], given[2]) if bound is not None), default=None)
        high = min((bound for bound in (given[1], given[3]) if bound is not None), default=None)
        if low is not None and high is not None and low > high:
            raise ContractError(f"{self.node.path}: at least {low:g} and at most {high:g} leaves nothing; swap them")
        return Bounds(*given)


def read_checks(node: Node, fields: Mapping[str, Field]) -> tuple[Check, ...]:
    sources = [Source.of(each, fields) for each in node.array(MAX_CHECKS)]
    texts = [_datetime_text(source) for source in sources if source.kind == "datetime_text"]
    formats = {each.column: each.format for each in texts}
    checks = tuple(_READERS[source.kind](source, formats) for source in sources)
    names = [check.name for check in checks]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ContractError(f"{node.path}[{index}].name: {shown(name)} is taken by another check; rename one")
    return checks


def _datetime_text(source: Source) -> DatetimeText:
    column = source.column("column", ("string",))
    text = source.member("format").text()
    format = TimeFormat(text, utc="%z" in text)
    problem = format.problem()
    if problem:
        source.member("format").fail(f"cannot be read: {problem}")
    return DatetimeText(**source.common(column), column=column.name, format=format)


def _compare(source: Source) -> Compare:
    left, right = source.column("left"), source.column("right")
    both_numbers = left.type in _NUMBERS and right.type in _NUMBERS
    if not both_numbers and left.arrow != right.arrow:
        source.member("right").fail(f"cannot be compared with {left.name}: {right.arrow} is not {left.arrow}")
    return Compare(
        **source.common(left, right),
        left=left.name,
        op=source.member("op").one_of(OPERATORS),
        right=right.name,
        tolerance=_tolerance(source, left) if "tolerance" in source.members else 0.0,
    )


def _tolerance(source: Source, left: Field) -> float:
    node = source.member("tolerance")
    tolerance = node.number()
    if left.type not in _NUMBERS:
        node.fail(f"applies to numbers; {left.name} is of type {left.type}")
    if tolerance < 0:
        node.fail("is negative; a tolerance is zero or more")
    return tolerance


def _range(source: Source) -> Range:
    column, bounds = source.column("column", _NUMBERS), source.bounds()
    if bounds == Bounds():
        raise ContractError(f"{source.node.path}: this check has no bounds; add one of {', '.join(_BOUNDS)}")
    return Range(**source.common(column), column=column.name, bounds=bounds)


def _offset(source: Source, formats: Mapping[str, TimeFormat]) -> Offset:
    left, right = (_timed(source, side, formats) for side in ("left", "right"))
    unit = source.member("unit").one_of(UNITS)
    offset = Offset(
        **source.common(left, right),
        left=left.name,
        right=right.name,
        unit=unit,
        bounds=source.bounds(),
        multiple=_multiple(source.member("multiple"), unit) if "multiple" in source.members else None,
        formats={field.name: formats[field.name] for field in (left, right) if field.type == "string"},
    )
    if offset.bounds == Bounds() and offset.multiple is None:
        raise ContractError(f"{source.node.path}: this check has no bounds; add minimum, maximum or multiple")
    return offset


def _timed(source: Source, side: str, formats: Mapping[str, TimeFormat]) -> Field:
    field = source.column(side, ("datetime", "string"))
    if field.type == "string" and field.name not in formats:
        source.member(side).fail("is text; declare how it writes its times with a datetime_text check")
    return field


def _multiple(node: Node, unit: str) -> float:
    multiple = node.number()
    if round(multiple * UNITS[unit]) < 1:
        node.fail("is not a step; write a positive number")
    return multiple


_READERS: dict[str, Callable[[Source, Mapping[str, TimeFormat]], Check]] = {
    "compare": lambda source, _: _compare(source),
    "range": lambda source, _: _range(source),
    "offset": _offset,
    "datetime_text": lambda source, _: _datetime_text(source),
}
