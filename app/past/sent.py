"""A letter that came back, opened again: what it takes to put a refused proposal into the grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from app.editing import reopen
from app.editing.paged import PagedSheet
from app.editing.remote import open_sheet
from app.editing.reopen import Reopened
from app.editing.sheet import Sheet
from towline import keys, mine, restore
from towline.change import row_json
from towline.contract import Contract
from towline.errors import BadProposal, NotFound, UnreadableFile
from towline.files import read_table
from towline.mine import Body, Letter
from towline.receipts import Receipt
from towline.workbench import Workbench

REFUSED = ("rejected", "conflicted")
NO_ROWS = ("create", "sql")  # kinds of proposals that say nothing of rows that are there
# Refusals of what is no proposal, or of no dataset: there is nothing in it that a grid could show.
UNREADABLE = frozenset({"json.syntax", "json.depth", "proposal.version", "proposal.too_large", "inbox.key"})


@dataclass(frozen=True)
class Opened:
    """A sheet, the edits on it, and the note, for the Edit page."""

    sheet: Sheet
    found: Reopened
    note: str


def can_be_opened(letter: Letter, receipt: Receipt) -> bool:
    """Whether it was refused, and is about the rows of a dataset that is there."""
    is_readable = receipt.kind not in NO_ROWS and not rules(receipt) & UNREADABLE
    return is_refused(letter, receipt) and (is_readable or not letter.is_answered_by(receipt))


def is_refused(letter: Letter, receipt: Receipt) -> bool:
    """Whether it came back: also where its id was used before, for which it has no receipt of its own."""
    return receipt.status in REFUSED or not letter.is_answered_by(receipt)


def solved(receipts: Iterable[Receipt]) -> frozenset[str]:
    """The proposals whose conflicts were decided in one of these that was not refused itself."""
    return frozenset(each.resolves for each in receipts if each.resolves and each.status not in REFUSED)


def rules(receipt: Receipt) -> frozenset[str]:
    """The rules that it broke."""
    return frozenset(str(violation.get("rule")) for violation in receipt.violations)


def open_letter(bench: Workbench, letter: Letter, receipt: Receipt) -> Opened:
    """Read a letter back and turn it into edits of its base commit; of the head, and it says so, where it names none
    that there is. Raises BadProposal or UnreadableFile where nothing can be made of it, NotFound where it is gone."""
    body = mine.body(bench, letter)
    sheet, said = _base(bench, letter.dataset, body.raw.get("base"))
    if body.file_name:
        if isinstance(sheet, PagedSheet):
            raise BadProposal(
                f"it is a table file, and {letter.dataset} is too large to hold it against here: change the file, and "
                f"send it again with `towline propose {letter.dataset}`",
                rule="table.large",
            )
        found = reopen.of_table(sheet, _table(body, sheet.contract), is_whole=_is_whole(body, receipt))
    else:
        is_restore = body.raw.get("kind") == "restore"
        found = reopen.of_changes(sheet, _restored(bench, sheet, body.raw) if is_restore else body.raw)
    note = body.raw.get("note")
    return Opened(sheet, replace(found, unplaced=(*said, *found.unplaced)), note if isinstance(note, str) else "")


def _base(bench: Workbench, dataset: str, base: object) -> tuple[Sheet, tuple[str, ...]]:
    if base is None:
        return open_sheet(bench, dataset), ()
    try:
        if isinstance(base, str) and keys.is_commit(base):
            return open_sheet(bench, dataset, base), ()
    except NotFound:
        pass  # said below
    head = open_sheet(bench, dataset)
    said = f"it was made on commit {base}, which {dataset} does not have: it is opened on commit {head.number}"
    return head, (said,)


def _restored(bench: Workbench, sheet: Sheet, raw: Mapping[str, object]) -> Mapping[str, object]:
    """A restore as an edit: the changes that follow from its two commits."""
    wanted = restore.from_json(raw.get("restore"), sheet.contract)
    past = open_sheet(bench, sheet.dataset, wanted.commit).whole
    changes = restore.changes(wanted, sheet.contract, sheet.whole, past)
    return {"changes": [{"old": row_json(change.old), "new": row_json(change.new)} for change in changes]}


def _table(body: Body, contract: Contract) -> pa.Table:
    """The table in the file; where it does not fit the contract, as it reads without one."""
    try:
        return read_table(body.file, body.file_name, contract)[0]
    except UnreadableFile:
        return read_table(body.file, body.file_name)[0]


def _is_whole(body: Body, receipt: Receipt) -> bool:
    """Whether rows that the file lacks are meant to go. Where they were too many to be believed, they stay."""
    file = body.raw.get("file")
    said = file if isinstance(file, Mapping) else body.raw
    return said.get("rows", "all") == "all" and "table.rows_deleted" not in rules(receipt)
