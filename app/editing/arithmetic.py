"""Numbers as rules compute with them: as the decimals that a person sees, and nothing that is no number. Pure.

Floats are binary: 1349.6 * 1.025 gives 1383.3399999999997 there, and 2.675 to two digits 2.67. Here it is 1383.34 and
2.68, the nearest that can be stored to what one would work out by hand. Whole numbers are exact, however long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeAlias

from app.editing.cells import text_of
from towline.values import EXACT_FLOAT

Number: TypeAlias = int | float

# More digits than the largest float has before the point and the smallest behind it; than two factors have together,
# and than a quotient needs to tell on which side of the middle of two floats it lies.
_ALL = Context(prec=800, traps=[])
_WORKED_OUT = Context(prec=60, traps=[])
# More than the largest float has before the point.
_LONG = Context(prec=400, rounding=ROUND_HALF_UP, traps=[])

_OPERATIONS: Mapping[str, tuple[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "plus": ("+", _ALL.add),
    "minus": ("-", _ALL.subtract),
    "times": ("*", _WORKED_OUT.multiply),
    "divided by": ("/", _WORKED_OUT.divide),
}


class Stuck(ValueError):
    """There is no result. The message says why."""


def computed(a: Number, action: str, b: Number) -> Number:
    """`a` plus, minus, times or divided by `b`; whole where both are and nothing is left over. Raises Stuck where the
    result is no number that can be stored."""
    sign, compute = _OPERATIONS[action]
    if b == 0 and action == "divided by":
        raise Stuck(f"{text_of(a)} cannot be divided by 0")
    if not (math.isfinite(a) and math.isfinite(b)):
        raise Stuck(f"{text_of(a)} {sign} {text_of(b)} is not a number that can be stored")
    exact = compute(_decimal(a), _decimal(b))
    if isinstance(a, int) and isinstance(b, int) and exact == exact.to_integral_value():
        return int(exact)
    if math.isinf(float(exact)):
        raise Stuck(f"{text_of(a)} {sign} {text_of(b)} is too large to be stored")
    return float(exact) + 0.0  # 0, not -0


def _decimal(number: Number) -> Decimal:
    """The decimals that are shown."""
    return Decimal(number) if isinstance(number, int) else Decimal(repr(number))


def rounded(number: Number, digits: int) -> Number:
    """To so many decimals, halves away from zero; to tens, hundreds, ... where `digits` is negative. Raises Stuck."""
    if not math.isfinite(number):
        raise Stuck(f"{text_of(number)} cannot be rounded")
    exact = _decimal(number)
    if -int(exact.as_tuple().exponent) <= digits:
        return number
    result = exact.quantize(Decimal(1).scaleb(-digits), context=_LONG)
    if isinstance(number, int):
        return int(result)
    if math.isinf(float(result)):
        raise Stuck(f"{text_of(number)} rounded is too large to be stored")
    return float(result) + 0.0  # 0, not -0


def as_float(number: Number) -> float:
    """A whole number for a column of numbers. Raises Stuck where a float cannot hold it exactly."""
    if isinstance(number, int) and abs(number) > EXACT_FLOAT and int(float(number)) != number:
        raise Stuck(f"{number} has more digits than a column of numbers holds")
    return float(number)
