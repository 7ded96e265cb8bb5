"""Proposals: what a person wants changed, as it travels through the inbox (`towline.proposal/v1`, docs/proposal.md).

    {"format": "towline.proposal/v1", "dataset": "net_tows", "kind": "edit", "note": "why",
     "base": "<commit id>", "mode": "cell",
     "changes": [{"old": {...whole row...} | null, "new": {...whole row...} | null}, ...]}

`kind` `file` (a whole table that replaces the base's) and `create` (a new dataset, with its contract) name a table
file beside the proposal instead of `changes`. A table file alone, with its note in the object's metadata, is a `file`
proposal too. A `restore` carries no rows: it says which of them shall be as in which commit (towline.restore). An `sql`
carries one statement; what that makes of its base is found by a query (towline.bulk), and is a whole table, too.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from towline import keys, restore, rowchanges, sent, streamed
from towline.change import RowChange, row_json
from towline.contract import Contract
from towline.errors import BadProposal, ContractError, Corrupt, UnreadableFile
from towline.files import read_table
from towline.merge import MODES
from towline.parquet.tablefile import TableFile
from towline.restore import Restore
from towline.rows import Rows
from towline.values import shown
from towline.violation import Report, Violation

FORMAT = "towline.proposal/v1"
KINDS = ("edit", "file", "create", "restore", "sql")
MAX_JSON = 16 * 2**20  # bytes; a larger edit travels as a table file
MAX_FILE = 100 * 2**20
MAX_PARQUET = 2 * 2**30  # of a Parquet file in key order, which need not be read at once
MAX_NOTE = 2_000  # characters
MAX_STATEMENT = 64 * 2**10  # bytes; it travels in queues and stands in the audit record
TABLE_ENDINGS = (".csv", ".parquet", ".xlsx")

_FIELDS = {"format", "dataset", "kind", "note", "base", "mode", "changes", "file", "contract", "restore", "resolves"}
_FIELDS |= {"sql", "preview"}
# Said by the client, believed by nobody, kept for the reader.
_REMARKS = {"proposal", "author", "created", "client"}


@dataclass(frozen=True)
class Proposal:
    """A Diff, or a whole table, with note, base commit and merge mode.

    base     id of the commit that the author saw; None: whatever is the head (a table file dropped by hand)
    mode     None: as the contract says
    changes  of an `edit`
    table    of a `file` or a `create`, conformed to the contract; `partial`: rows that it lacks stay
    made     of an `sql`, once its query was run: the rows that it makes of its base; of a `file` or a `create` in place
             of `table`, where that is too large to be at hand
    restore  of a `restore`; its changes follow from the tables of two commits
    resolves the conflicted proposal whose conflicts were decided in this one
    statement  of an `sql`; `preview`: its author looks at what it would do before it is committed
    """

    dataset: str
    kind: str
    note: str
    base: str | None = None
    mode: str | None = None
    changes: tuple[RowChange, ...] = ()
    table: pa.Table | None = None
    made: Rows | None = None
    partial: bool = False
    contract: Contract | None = None
    restore: Restore | None = None
    resolves: str | None = None
    statement: str | None = None
    preview: bool = False


# How a proposal's table file is fetched: its name (beside the proposal) -> its bytes, or the file where it is large.
Fetch = Callable[[str], bytes | TableFile]


def from_json(
    body: bytes, contract: Contract | None, fetch: Fetch, *, is_checked: bool = False
) -> tuple[Proposal, Report]:
    """Read a proposal. `contract` is its dataset's (None: there is no such dataset yet). `is_checked`: it was read
    before, so that the rows of a large first table need not be held against its contract once more.

    Raises BadProposal when it cannot be understood at all. What is wrong with single rows and cells comes back as
    violations; if any of them is an error, the proposal is good for showing only.
    """
    raw = _envelope(body)
    kind = _one_of(raw, "kind", KINDS, "edit")
    if kind == "create":
        contract = _contract(raw)
    if contract is None:
        raise _no_dataset(str(raw["dataset"]))
    empty = Proposal(
        dataset=raw["dataset"],
        kind=kind,
        note=check_note(raw.get("note")),
        base=None if kind == "create" or (kind == "sql" and raw.get("base") is None) else _base(raw),
        mode=_one_of(raw, "mode", MODES, None),
        contract=contract if kind == "create" else None,
        resolves=_resolves(raw),
    )
    if kind == "edit":
        changes, report = rowchanges.read(raw.get("changes"), contract)
        return replace(empty, changes=changes), report
    if kind == "sql":
        return replace(empty, statement=check_statement(raw.get("sql")), preview=_preview(raw)), Report()
    if kind == "restore":
        return replace(empty, restore=_restore(raw, contract)), Report()
    file = raw.get("file")
    if not isinstance(file, dict) or not isinstance(file.get("name"), str):
        raise BadProposal(f'a proposal of kind {kind!r} names its table: "file": {{"name": "….csv"}}')
    name, rules = str(file.get("original") or file["name"]), kind == "create" and not is_checked
    whole, report = _whole(fetch(file["name"]), name, contract, rules=rules)
    return replace(empty, **whole, partial=_partial(file)), report


def from_file(
    body: bytes | TableFile, name: str, metadata: Mapping[str, str], contract: Contract
) -> tuple[Proposal, Report]:
    """Read a table file that somebody put into the inbox by itself: note, base, mode and rows are its metadata."""
    whole, report = _whole(body, name, contract)
    proposal = Proposal(
        dataset=contract.dataset,
        kind="file",
        note=check_note(metadata.get("note")),
        base=_base(metadata) if "base" in metadata else None,
        mode=_one_of(metadata, "mode", MODES, None),
        partial=_partial(metadata),
        **whole,
    )
    return proposal, report


def to_json(
    *,
    dataset: str,
    note: str,
    base: str | None,
    mode: str | None = None,
    changes: Iterable[RowChange] = (),
    **more: object,
) -> bytes:
    """The wire form of an `edit`; `more` adds or replaces fields (kind, file, contract, restore, resolves)."""
    rows = [{"old": row_json(change.old), "new": row_json(change.new)} for change in changes]
    content = {
        "format": FORMAT,
        "dataset": dataset,
        "kind": "edit",
        "note": note,
        "base": base,
        "mode": mode,
        "changes": rows,
        **more,
    }
    return json.dumps({k: v for k, v in content.items() if v is not None}, ensure_ascii=False).encode()


def check_note(note: object) -> str:
    """The note, trimmed. Every change says why: BadProposal where it does not, or not in readable text."""
    if not isinstance(note, str) or not note.strip():
        raise BadProposal("a note that says why is required", rule="note.missing")
    if len(note) > MAX_NOTE:
        raise BadProposal(f"the note has {len(note):,} characters; at most {MAX_NOTE:,} fit", rule="note.length")
    odd = next((c for c in note if (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t")), None)
    if odd is not None:
        raise BadProposal(f"the note has a character that is no text: {odd!r}", rule="note.text")
    return note.strip()


def check_statement(statement: object) -> str:
    """The statement of an edit by SQL, as far as a proposal can say. Raises BadProposal."""
    if not isinstance(statement, str) or not statement.strip():
        raise BadProposal('an edit by SQL has a statement: "sql": "UPDATE master SET …"', rule="sql.statements")
    if len(statement.encode()) > MAX_STATEMENT:
        raise BadProposal(
            f"the statement has {len(statement.encode()):,} bytes, and {MAX_STATEMENT:,} fit: put long lists of values "
            "into a table file, and propose that",
            rule="sql.length",
        )
    return statement


def _partial(said: Mapping[str, Any]) -> bool:
    return bool(_one_of(said, "rows", ("all", "some"), "all") == "some")


def _envelope(body: bytes) -> dict[str, Any]:
    """The JSON object of a proposal with its format, dataset and field names checked."""
    raw = sent.read_object(body, FORMAT, _FIELDS, _REMARKS)
    if not isinstance(raw.get("dataset"), str):
        raise BadProposal("a proposal names its dataset")
    return raw


def _no_dataset(dataset: str) -> BadProposal:
    return BadProposal(f"there is no dataset {dataset!r}; `towline datasets` lists them", rule="dataset.unknown")


def _one_of(raw: Mapping[str, Any], field: str, allowed: Sequence[str], default: str | None) -> Any:
    value = raw.get(field, default)
    if value is not default and value not in allowed:
        raise BadProposal(f"{field} is {value!r}; it can be {', '.join(allowed)}")
    return value


def _base(raw: Mapping[str, Any]) -> str:
    base = raw.get("base")
    if not isinstance(base, str) or not keys.is_commit(base):
        raise BadProposal(f"base is {base!r}; it must be the id of the commit that was edited", rule="base.unknown")
    return base


def _resolves(raw: Mapping[str, Any]) -> str | None:
    resolves = raw.get("resolves")
    if resolves is not None and not (isinstance(resolves, str) and keys.is_proposal(resolves)):
        raise BadProposal(f"resolves is {shown(resolves)}; it must be the id of the proposal that was in conflict")
    return resolves


def _contract(raw: Mapping[str, Any]) -> Contract:
    if not isinstance(raw.get("contract"), dict):
        raise BadProposal("a proposal that creates a dataset carries its contract")
    try:
        contract = Contract.parse(raw["contract"])
    except ContractError as error:
        raise BadProposal(f"the contract cannot be used: {error}", rule="contract") from error
    if contract.dataset != raw["dataset"]:
        raise BadProposal(f"the contract is for {contract.dataset!r}, the proposal for {raw['dataset']!r}")
    return contract


def _preview(raw: Mapping[str, Any]) -> bool:
    preview = raw.get("preview", False)
    if not isinstance(preview, bool):
        raise BadProposal(f"preview is {shown(preview)}; it can be true or false")
    return preview


def _restore(raw: Mapping[str, Any], contract: Contract) -> Restore:
    if raw.get("changes"):
        raise BadProposal("a restore carries no changes: they follow from its two commits")
    return restore.from_json(raw.get("restore"), contract)


def _whole(
    body: bytes | TableFile, name: str, contract: Contract, *, rules: bool = False
) -> tuple[dict[str, Any], Report]:
    """A table file conformed to the contract and checked for what needs no other table: a proposal's `table`, or what
    it has `made`, which with `rules` is held against those of the contract, too."""
    try:
        if isinstance(body, TableFile):
            made, report = streamed.check(body, contract, rules=rules)
            return {"made": made}, Report.join(report, not_empty(body.num_rows))
        table, report = conformed(read_table(body, name, contract)[0], contract)
        return {"table": table}, report
    except (UnreadableFile, Corrupt) as error:
        raise BadProposal(str(error), rule="file.unreadable") from error


def conformed(table: pa.Table, contract: Contract) -> tuple[pa.Table | None, Report]:
    """The table in the contract's schema, with its key checked; None, and the reasons, where it does not fit."""
    found, report = contract.conform(table)
    if found is None:
        return None, report
    report = Report.join(report, contract.check_unique(found), not_empty(found.num_rows))
    return (found if report.ok else None), report


def not_empty(rows: int) -> Report:
    """What is to be said of a whole table of so many rows."""
    return (
        Report() if rows else Report.of([Violation("table.empty", "error", None, None, None, "the table has no rows")])
    )
