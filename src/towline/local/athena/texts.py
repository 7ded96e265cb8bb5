"""Functions of text. https://trino.io/docs/current/functions/string.html, regexp.html, json.html"""

from __future__ import annotations

import re

from sqlglot import exp

from towline.local.athena import patterns
from towline.local.athena.casts import coerce
from towline.local.athena.errors import quoted
from towline.local.athena.expressions import Binder, concatenated
from towline.local.athena.functions import Call, Function, plain
from towline.local.athena.parsing import only
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import BIGINT, BOOLEAN, VARCHAR, array

# What Trino's trim takes for white space; DuckDB's takes the blank alone.
_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a"
_SPACES += "\u2028\u2029\u205f\u3000"


# The one letter whose capital is another: DuckDB knows one for it, Java does not.
_UPPER = "array_to_string(list_transform(string_split({0}, 'ß'), lambda part: upper(part)), 'ß')"
_UPPER = f"CASE WHEN contains({{0}}, 'ß') THEN {_UPPER} ELSE upper({{0}}) END"


def _trim(name: str) -> Function:
    def function(call: Call) -> Bound:
        call.count(1, 2)
        characters = call.take(1, VARCHAR).sql if len(call.args) == 2 else quoted(_SPACES)
        return Bound(f"{name}({call.take(0, VARCHAR).sql}, {characters})", VARCHAR)

    return function


def trimmed(binder: Binder, node: exp.Expr) -> Bound:
    """TRIM([BOTH | LEADING | TRAILING] ['x'] FROM text)."""
    only(node, "this", "expression", "position")
    where = str(node.args.get("position") or "BOTH").upper()
    given = [node.this, *([node.expression] if node.args.get("expression") else [])]
    name = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[where]
    return _trim(name)(Call(binder, node, "trim", [binder.bind(each) for each in given]))


def _substring(call: Call) -> Bound:
    """Nothing where it begins at 0, beyond the end or before the beginning."""
    call.count(2, 3)
    text, start = call.take(0, VARCHAR), call.take(1, BIGINT)
    length = call.take(2, BIGINT) if len(call.args) == 3 else None
    tail = f", {length.sql}" if length else ""
    found = f"substring({text.sql}, {start.sql}{tail})"
    first, count = call.args[1].literal, call.args[2].literal if length else 0
    if isinstance(first, int) and first > 0 and isinstance(count, int) and count >= 0:
        return Bound(found, VARCHAR)
    absent = " OR ".join(f"{each.sql} IS NULL" for each in (text, start, length) if each)
    none = f"{start.sql} = 0 OR {start.sql} < -length({text.sql})" + (f" OR {length.sql} <= 0" if length else "")
    return Bound(f"CASE WHEN {absent} THEN NULL WHEN {none} THEN '' ELSE {found} END", VARCHAR)


def _padded(name: str) -> Function:
    def function(call: Call) -> Bound:
        call.count(3)
        size = call.whole(1)
        if not 0 <= size < 2**31:
            raise call.invalid(f"Target length must be in the range [0..{2**31 - 1}]")
        if not call.constant(2):
            raise call.invalid("Padding string must not be empty")
        return Bound(f"{name}({call.take(0, VARCHAR).sql}, {size}, {call.take(2, VARCHAR).sql})", VARCHAR)

    return function


def _replace(call: Call) -> Bound:
    call.count(2, 3)
    if not call.constant(1):
        refuse(call.node, "other clause", "replace of nothing")
    with_ = call.take(2, VARCHAR).sql if len(call.args) == 3 else "''"
    return Bound(f"replace({call.take(0, VARCHAR).sql}, {call.take(1, VARCHAR).sql}, {with_})", VARCHAR)


def _split(call: Call) -> Bound:
    call.count(2)
    if not call.constant(1):
        raise call.invalid("The delimiter may not be the empty string")
    return Bound(f"string_split({call.take(0, VARCHAR).sql}, {call.take(1, VARCHAR).sql})", array(VARCHAR))


def _split_part(call: Call) -> Bound:
    """NULL beyond the last part; DuckDB answers the empty text."""
    call.count(3)
    if not call.constant(1):
        raise call.invalid("The delimiter may not be the empty string")
    if call.whole(2) < 1:
        raise call.invalid("Index must be greater than zero")
    parts = f"string_split({call.take(0, VARCHAR).sql}, {call.take(1, VARCHAR).sql})"
    return Bound(f"{parts}[{call.whole(2)}]", VARCHAR)


def _concat(call: Call) -> Bound:
    if len(call.args) < 2:
        raise call.unexpected()
    return concatenated(call.node, call.args)


def _concat_ws(call: Call) -> Bound:
    if len(call.args) < 2:
        raise call.unexpected()
    args = [call.take(number, VARCHAR) for number in range(len(call.args))]
    return Bound(f"concat_ws({', '.join(coerce(each, VARCHAR).sql for each in args)})", VARCHAR)


def _position(call: Call) -> Bound:
    call.count(2)
    return Bound(f"strpos({call.take(1, VARCHAR).sql}, {call.take(0, VARCHAR).sql})", BIGINT)


_PATH = re.compile(r"\$((\.[A-Za-z_][A-Za-z0-9_]*)|(\[[0-9]+\]))*")


def _json_scalar(call: Call) -> Bound:
    """NULL where there is no such thing, where it is no scalar, and where the text is no JSON."""
    call.count(2)
    path, text = call.constant(1), call.take(0, VARCHAR).sql
    if not _PATH.fullmatch(path):
        refuse(call.node, "JSON path", path)
    checked = f"CASE WHEN json_valid({text}) THEN {text} END"
    kind = f"json_type({checked}, {quoted(path)})"
    fraction = call.refusing("JSON number with a fraction")
    sql = (
        f"CASE {kind} WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'NULL' THEN NULL WHEN 'DOUBLE' THEN "
        f"{fraction} ELSE json_extract_string({checked}, {quoted(path)}) END"
    )
    return Bound(sql, VARCHAR)


FUNCTIONS: dict[str, Function] = {
    **patterns.FUNCTIONS,
    "lower": plain("lower({0})", VARCHAR, VARCHAR),
    "upper": plain(_UPPER, VARCHAR, VARCHAR),
    **{name: _trim(name) for name in ("trim", "ltrim", "rtrim")},
    **dict.fromkeys(("substr", "substring"), _substring),
    **{name: _padded(name) for name in ("lpad", "rpad")},
    "length": plain("length({0})", BIGINT, VARCHAR),
    "chr": plain("chr(CAST({0} AS INTEGER))", VARCHAR, BIGINT),
    "strpos": plain("strpos({0}, {1})", BIGINT, VARCHAR, VARCHAR),
    "position": _position,
    "starts_with": plain("starts_with({0}, {1})", BOOLEAN, VARCHAR, VARCHAR),
    "translate": plain("translate({0}, {1}, {2})", VARCHAR, VARCHAR, VARCHAR, VARCHAR),
    "replace": _replace,
    "split": _split,
    "split_part": _split_part,
    "concat": _concat,
    "concat_ws": _concat_ws,
    "json_extract_scalar": _json_scalar,
}
