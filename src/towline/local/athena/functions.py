"""What the tables of functions are made of: a call with bound arguments, and templates for the plain cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from towline.local.athena.casts import coerce
from towline.local.athena.errors import AthenaError, failing, quoted
from towline.local.athena.expressions import Binder
from towline.local.athena.parsing import place
from towline.local.athena.refusals import reason, refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import INTEGERS, Type, fits


@dataclass(frozen=True)
class Call:
    """A function called with `args`."""

    binder: Binder
    node: exp.Expr
    name: str
    args: Sequence[Bound]

    def unexpected(self) -> AthenaError:
        given = ", ".join(str(each.type) for each in self.args)
        message = f"{place(self.node)}: Unexpected parameters ({given}) for function {self.name}"
        return AthenaError("FUNCTION_NOT_FOUND", message)

    def invalid(self, message: str) -> AthenaError:
        return AthenaError("INVALID_FUNCTION_ARGUMENT", f"{place(self.node)}: {message}")

    def count(self, *allowed: int) -> None:
        if len(self.args) not in allowed:
            raise self.unexpected()

    def take(self, number: int, *kinds: Type) -> Bound:
        """The argument as the first of `kinds` that takes it. Raises AthenaError."""
        bound = self.args[number]
        for kind in kinds:
            if bound.type.name == kind.name or fits(bound.type, kind):
                return bound if bound.type.name == kind.name else coerce(bound, kind)
        raise self.unexpected()

    def constant(self, number: int) -> str:
        """A text that is written out. Raises AthenaError."""
        bound = self.args[number]
        if bound.type.name != "varchar":
            raise self.unexpected()
        if not isinstance(bound.literal, str):
            refuse(self.node, "pattern from a column")
        return bound.literal

    def whole(self, number: int) -> int:
        """A whole number that is written out. Raises AthenaError."""
        bound = self.args[number]
        if bound.type.name not in INTEGERS:
            raise self.unexpected()
        if not isinstance(bound.literal, int):
            refuse(self.node, "pattern from a column")
        return bound.literal

    def refusing(self, key: str) -> str:
        """SQL that refuses while the query runs. Within TRY, which would hide it, the query is refused."""
        if self.binder.trying:
            refuse(self.node, key)
        return failing("NOT_SUPPORTED", quoted(reason(key)))


Function = Callable[[Call], Bound]


def plain(template: str, result: Type, *kinds: Type | Sequence[Type]) -> Function:
    """A function that is a template of its arguments, one for each of `kinds`; one of several types may be named."""

    def function(call: Call) -> Bound:
        call.count(len(kinds))
        args = [
            call.take(number, *([kind] if isinstance(kind, Type) else kind)).sql for number, kind in enumerate(kinds)
        ]
        return Bound(template.format(*args), result)

    return function
