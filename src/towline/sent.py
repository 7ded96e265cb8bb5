"""JSON that somebody sent: read strictly, so that nothing in it is passed over."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from typing import Any

from towline.errors import BadProposal


def read_object(body: bytes, form: str, fields: Set[str], remarks: Set[str]) -> dict[str, Any]:
    """A JSON object that somebody sent, of the format `form` and with no fields but these. Raises BadProposal."""
    what = form.removeprefix("towline.").split("/")[0]
    try:
        raw = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except RecursionError as error:
        raise BadProposal(f"the JSON is nested too deeply to be a {what}", rule="json.depth") from error
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, numbers too long to be numbers
        raise BadProposal(f"this is not valid JSON: {error}", rule="json.syntax") from error
    if not isinstance(raw, dict):
        raise BadProposal(f"a {what} is a JSON object, this is a {type(raw).__name__}")
    if raw.get("format") != form:
        raise BadProposal(
            f"format is {raw.get('format')!r}; this version of Towline reads {form!r}",
            rule="proposal.version",
        )
    unknown = sorted(raw.keys() - fields - remarks)
    if unknown:
        raise BadProposal(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(fields))}")
    return raw


def _no_constant(token: str) -> float:
    raise ValueError(f'{token} is not JSON; write null, or {{"$float": "{token.lower()}"}} where it is meant')


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return content
