"""Regular expressions: Trino's are Java's, DuckDB's are RE2's. What both read alike passes, the rest is refused."""

from __future__ import annotations

import re

from towline.local.athena.errors import quoted
from towline.local.athena.functions import Call, Function
from towline.local.athena.refusals import refuse
from towline.local.athena.scope import Bound
from towline.local.athena.types import BOOLEAN, VARCHAR, array

# Lookaround, named and atomic groups, possessive quantifiers, back references, classes by name, quoting, and set
# operations within brackets: RE2 lacks them or reads them otherwise.
_FOREIGN = re.compile(r"\(\?(?![:i)]|i\))|[*+?}]\+|\\[1-9pPkQEGZzhHRXvVxuN0c]|&&|\[\[|\[[^\]]*\[")
# A group that may take no part in a match: Trino answers NULL for it, DuckDB the empty text.
_OPTIONAL_GROUP = re.compile(r"\)\s*[?*]|\)\{0|\|")


def _pattern(call: Call, number: int = 1) -> tuple[str, re.Pattern[str]]:
    text = call.constant(number)
    if _FOREIGN.search(text):
        refuse(call.node, "regular expression", text)
    try:
        return text, re.compile(text)
    except re.error as error:
        raise call.invalid(f"{error} in {text}") from None


# What means another thing beyond ASCII, and what means another thing before a line end at the end of the text.
_ASCII_ONLY = re.compile(r"\\[dDwWsSbB]|\(\?i|\[:")
_END = re.compile(r"(?<!\\)\$")


def _guarded(call: Call, text: str, value: str, sql: str) -> str:
    """The pattern over texts where the two engines agree, and a refusal over others."""
    differs = []
    if _ASCII_ONLY.search(text):
        differs.append(f"strlen({value}) <> length({value})")
    if _END.search(text):
        differs.append(f"ends_with({value}, chr(10))")
    if not differs:
        return sql
    refused = call.refusing("regular expression over other letters")
    return f"CASE WHEN {' OR '.join(differs)} THEN {refused} ELSE {sql} END"


def _never_empty(call: Call, pattern: re.Pattern[str]) -> None:
    """Where nothing can be matched, the two engines go on from there differently."""
    if pattern.match("") or (pattern.search(" ") and pattern.search(" ").group() == ""):  # type: ignore[union-attr]
        refuse(call.node, "regular expression", pattern.pattern)


def _like(call: Call) -> Bound:
    call.count(2)
    (text, _), value = _pattern(call), call.take(0, VARCHAR).sql
    return Bound(_guarded(call, text, value, f"regexp_matches({value}, {quoted(text)})"), BOOLEAN)


def _group(call: Call, pattern: re.Pattern[str]) -> int:
    group = call.whole(2) if len(call.args) == 3 else 0
    if not 0 <= group <= pattern.groups:
        raise call.invalid(f"Pattern has {pattern.groups} groups. Cannot access group {group}")
    if group and _OPTIONAL_GROUP.search(pattern.pattern):
        refuse(call.node, "regular expression", pattern.pattern)
    return group


def _extract(call: Call) -> Bound:
    """NULL where nothing matches; DuckDB answers the empty text."""
    call.count(2, 3)
    text, pattern = _pattern(call)
    group, value = _group(call, pattern), call.take(0, VARCHAR).sql
    found = f"regexp_extract({value}, {quoted(text)}, {group})"
    sql = f"CASE WHEN regexp_matches({value}, {quoted(text)}) THEN {found} END"
    return Bound(_guarded(call, text, value, sql), VARCHAR)


def _extract_all(call: Call) -> Bound:
    call.count(2, 3)
    text, pattern = _pattern(call)
    _never_empty(call, pattern)
    value = call.take(0, VARCHAR).sql
    found = f"regexp_extract_all({value}, {quoted(text)}, {_group(call, pattern)})"
    return Bound(_guarded(call, text, value, found), array(VARCHAR))


def _replace(call: Call) -> Bound:
    call.count(2, 3)
    text, pattern = _pattern(call)
    _never_empty(call, pattern)
    with_ = _replacement(call, call.constant(2), pattern.groups) if len(call.args) == 3 else ""
    value = call.take(0, VARCHAR).sql
    sql = f"regexp_replace({value}, {quoted(text)}, {quoted(with_)}, 'g')"
    return Bound(_guarded(call, text, value, sql), VARCHAR)


def _replacement(call: Call, text: str, groups: int) -> str:
    r"""Java's $1 is RE2's \1; in Java a backslash makes the next character stand for itself."""
    written, at = "", 0
    while at < len(text):
        sign, after = text[at], text[at + 1 : at + 2]
        if sign == "$":
            if not after.isdigit() or (groups > 9 and text[at + 2 : at + 3].isdigit()):
                refuse(call.node, "regular expression", text)
            if int(after) > groups:
                raise call.invalid(f"No group {after}")
            written, at = f"{written}\\{after}", at + 2
        elif sign == "\\":
            if not after:
                raise call.invalid("character to be escaped is missing")
            written, at = written + (r"\\" if after == "\\" else after), at + 2
        else:
            written, at = written + sign, at + 1
    return written


FUNCTIONS: dict[str, Function] = {
    "regexp_like": _like,
    "regexp_extract": _extract,
    "regexp_extract_all": _extract_all,
    "regexp_replace": _replace,
}
