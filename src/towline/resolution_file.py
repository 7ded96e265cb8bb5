"""The file in which conflicts are answered (`towline.resolution/v1`, docs/conflicts.md).

    {"format": "towline.resolution/v1", "proposal": "<the proposal in conflict>", "dataset": "net_tows",
     "answers": [{"key": {"tow": 4, "net": 1}, "column": "volume", "base": 1.0, "theirs": 3.0, "ours": 2.0,
                  "take": "ours"},
                 {"where": {"tow": 5}, "column": "volume", "take": "theirs"},
                 {"take": "ours"}]}

An answer names what it is about (`key` or `where`, `column`, `kind`, or nothing) and what shall be there: `take`,
`value`, `row`, or `insert`. Where it is none of them, or `"take": null`, it is left open. `open_answers` writes what is
open in this form, with the three sides beside; `theirs` in an answer is held against what theirs is by then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from towline import edits
from towline.answer import SIDES, Answer, Decision, InsertAs, Put, PutRow, Seen, Take
from towline.change import row_json
from towline.conflict import KINDS, Conflict
from towline.contract import Contract
from towline.errors import BadProposal, UsageError
from towline.values import Value, decode, encode, shown

FORMAT = "towline.resolution/v1"

_DECISIONS = ("take", "value", "row", "insert")
_PLACES = ("key", "where", "column", "kind")
# What `open_answers` writes beside, for the reader.
_REMARKS = ("base", "theirs", "ours", "theirs_by", "commits", "unsigned", "message")


def to_json(proposal: str, dataset: str, conflicts: Sequence[Conflict]) -> dict[str, object]:
    """The open conflicts as a file to be answered."""
    answers = [answer for conflict in conflicts for answer in open_answers(conflict)]
    return {"format": FORMAT, "proposal": proposal, "dataset": dataset, "answers": answers}


def open_answers(conflict: Conflict) -> Iterator[dict[str, object]]:
    """One for each cell in conflict; of rows that were inserted twice, deleted, or of a table, one for all."""
    about = {"key": {column: encode(value) for column, value in conflict.key.items()}, "kind": conflict.kind}
    if conflict.kind == "table":
        content = conflict.to_json()
        yield {"kind": "table", "commits": content["commits"], "message": conflict.message, "take": None}
    elif conflict.kind == "update/update":
        yield from ({**about, **cell.to_json(), "take": None} for cell in conflict.cells)
    else:
        sides: dict[str, object] = {side: row_json(getattr(conflict, side)) for side in SIDES}
        by = conflict.theirs_by and conflict.theirs_by.to_json()
        yield {**about, **sides, "theirs_by": by, "take": None}


def from_json(body: bytes, contract: Contract, proposal: str) -> list[Answer]:
    """Read a file of answers. UsageError: it is none, or another proposal's. BadProposal: a value does not fit."""
    try:
        raw = json.loads(body, object_pairs_hook=edits.once)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the resolution is not valid JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = shown(raw.get("format") if isinstance(raw, dict) else raw)
        raise UsageError(f"a resolution is a JSON object of format {FORMAT!r}, this is {found}")
    if raw.get("proposal") != proposal:
        raise UsageError(f"this resolution answers proposal {shown(raw.get('proposal'))}, not {proposal}")
    if raw.get("dataset", contract.dataset) != contract.dataset:
        raise UsageError(f"this resolution is for the dataset {shown(raw['dataset'])}, not {contract.dataset}")
    unknown = sorted(raw.keys() - {"format", "proposal", "dataset", "answers", "note"})
    if unknown:
        raise UsageError(f"a resolution has no field {unknown[0]!r}")
    return read(raw.get("answers"), contract)


def read(answers: object, contract: Contract) -> list[Answer]:
    """The answers of a list of JSON objects; those that are left open are not among them."""
    if not isinstance(answers, Sequence) or isinstance(answers, str):
        raise UsageError(f"answers must be a list, this is {shown(answers)}")
    found = (_answer(raw, f"answers[{number}]", contract) for number, raw in enumerate(answers))
    return [answer for answer in found if answer is not None]


def _answer(raw: object, place: str, contract: Contract) -> Answer | None:
    if not isinstance(raw, Mapping):
        raise UsageError(f"{place} must be an object, this is {shown(raw)}")
    unknown = sorted(str(name) for name in raw if name not in (*_DECISIONS, *_PLACES, *_REMARKS))
    if unknown:
        known = ", ".join((*_PLACES, *_DECISIONS))
        raise UsageError(f"{place} has an unknown field {unknown[0]!r}; an answer has {known}")
    said = [name for name in _DECISIONS if name in raw and not (name == "take" and raw[name] is None)]
    if not said:
        return None
    if len(said) > 1:
        raise UsageError(f"{place} says both {said[0]} and {said[1]}; say one")
    where, column = _where(raw, place, contract), _column(raw, place, contract)
    decision = _decision(said[0], raw[said[0]], column, place, contract)
    if isinstance(decision, PutRow | InsertAs) and (column or any(name not in where for name in contract.key)):
        raise UsageError(f"{place}: {said[0]} is for one row: name it by its `key` ({', '.join(contract.key)}) alone")
    return Answer(decision, where, column, _kind(raw, place), place, _seen(raw, column, place, contract))


def _where(raw: Mapping[str, Any], place: str, contract: Contract) -> Mapping[str, Value]:
    if "key" in raw and "where" in raw:
        raise UsageError(f"{place} has a key and a where; a row is named by its key")
    if "key" in raw:
        key, wrong = contract.decode_key(raw["key"], f"{place}.key")
        if key is None:
            raise BadProposal(wrong[0].message, rule=wrong[0].rule)
        return contract.key_dict(key)
    where = raw.get("where", {})
    if not isinstance(where, Mapping):
        raise UsageError(f'{place}.where must be an object like {{"tow": 4}}, this is {shown(where)}')
    return {str(name): _cell(value, str(name), f"{place}.where", contract) for name, value in where.items()}


def _column(raw: Mapping[str, Any], place: str, contract: Contract) -> str:
    column = raw.get("column")
    if column is None:
        return ""
    if not isinstance(column, str):
        raise UsageError(f"{place}.column must be the name of a column, this is {shown(column)}")
    return contract.field(column).name


def _kind(raw: Mapping[str, Any], place: str) -> str:
    kind = raw.get("kind", "")
    if kind not in ("", *KINDS):
        raise UsageError(f"{place}: kind is {shown(kind)}; it can be {', '.join(KINDS)}")
    return str(kind)


def _decision(name: str, raw: object, column: str, place: str, contract: Contract) -> Decision:
    if name == "take":
        side = next((side for side in SIDES if side == raw), None)
        if side is None:
            raise UsageError(f"{place}: take is {shown(raw)}; it can be {', '.join(SIDES)}")
        return Take(side)
    if name == "value":
        if not column:
            raise UsageError(f"{place}: a value is for a cell: name its column")
        return Put(_cell(raw, column, place, contract))
    if name == "row":
        return PutRow(None if raw is None else _row(raw, f"{place}.row", contract))
    if not isinstance(raw, Mapping):
        raise UsageError(f"{place}.insert must be the key under which ours is inserted, this is {shown(raw)}")
    return InsertAs({str(name): _cell(value, str(name), f"{place}.insert", contract) for name, value in raw.items()})


def _seen(raw: Mapping[str, Any], column: str, place: str, contract: Contract) -> Seen | None:
    if "theirs" not in raw:
        return None
    theirs = raw["theirs"]
    if column:
        return Seen(_cell(theirs, column, f"{place}.theirs", contract))
    return Seen(None if theirs is None else _row(theirs, f"{place}.theirs", contract))


def _row(raw: object, place: str, contract: Contract) -> Mapping[str, Value]:
    row, wrong = contract.decode_row(raw, place)
    if row is None:
        raise BadProposal(wrong[0].message, rule=wrong[0].rule)
    return row


def _cell(raw: object, column: str, place: str, contract: Contract) -> Value:
    field = contract.field(column)
    try:
        return decode(raw, field.type)
    except ValueError as error:
        raise BadProposal(f"{place}: {column}: {error}", rule=f"type.{field.type}") from None
