"""What one person proposed, and what became of it: from the inbox and the receipts, so from anywhere and at any time.

An inbox never forgets (docs/security.md: nothing expires), and its owner may read it; so the list needs no memory of
its own, and a proposal that was refused is read back from where it was put. The copy in the quarantine is for stewards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from towline import keys, receipts
from towline.errors import BadProposal, NotFound
from towline.history import READERS
from towline.inbox import PART_OF
from towline.proposals import MAX_FILE, MAX_JSON, TABLE_ENDINGS
from towline.receipts import Receipt
from towline.runs import WORDS
from towline.store import Blob, Entry, TooLarge
from towline.workbench import Workbench

# What somebody says of an edit by SQL is no proposal of its own.
_WORDS = tuple(f".{word}.json" for word in WORDS)


@dataclass(frozen=True)
class Letter:
    """One proposal in the inbox: `key` is that of its JSON, or of the table file that came alone."""

    dataset: str
    proposal: str
    key: str
    etag: str
    at: datetime

    def is_answered_by(self, receipt: Receipt) -> bool:
        """Whether a receipt of this id is about this object. Ids are given out once: where an object took one that was
        used before, or was put again, the receipt is of the first."""
        return (receipt.inbox.get("key"), receipt.inbox.get("etag")) in ((self.key, self.etag), (None, None))


def letters(bench: Workbench, principal: str, datasets: Iterable[str]) -> list[Letter]:
    """All that somebody proposed to these datasets, newest first; no object is read for it."""
    found = [letter for dataset in datasets for letter in _of(bench, dataset, principal)]
    return sorted(found, key=lambda letter: (letter.at, letter.key), reverse=True)


def _of(bench: Workbench, dataset: str, principal: str) -> list[Letter]:
    entries = [
        entry
        for entry in bench.store.list(keys.inbox(dataset, principal, ""))
        if not (entry.key.endswith("/") and entry.size == 0) and not entry.key.endswith(_WORDS)
    ]
    stems = groupby(sorted(entries, key=_stem), key=_stem)
    return [_letter(entry) for _, same in stems for entry in _leading(list(same))]


def _stem(entry: Entry) -> str:
    name = entry.key.rsplit("/", 1)[1]
    return name.rsplit(".", 1)[0] if "." in name[1:] else name


def _leading(same: Sequence[Entry]) -> Iterable[Entry]:
    """Of objects with one name, the proposals: a table file beside a JSON is a part of that."""
    has_json = any(entry.key.endswith(".json") for entry in same)
    return (entry for entry in same if not (has_json and entry.key.endswith(TABLE_ENDINGS)))


def _letter(entry: Entry) -> Letter:
    where = keys.parse_inbox(entry.key)
    assert where is not None  # noqa: S101 - it was listed below inbox/<dataset>/<principal>/
    return Letter(where.dataset, where.proposal, entry.key, entry.etag, entry.modified)


def outcomes(bench: Workbench, letters: Iterable[Letter]) -> list[tuple[Letter, Receipt]]:
    """What became of each, read side by side. A table file whose JSON never came is no proposal, and left out."""
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(lambda letter: (letter, outcome(bench, letter)), letters)
        return [(letter, receipt) for letter, receipt in found if receipt is not None]


def outcome(bench: Workbench, letter: Letter) -> Receipt | None:
    """The receipt of a letter; `received`, with the note that it carries, while nobody has looked at it. None: it is a
    table file that belongs to a proposal which was never sent."""
    found = receipts.load(bench.store, letter.dataset, letter.proposal)
    if found is not None:
        return found if found.note else replace(found, note=_note(bench, letter))
    try:
        if PART_OF in bench.store.head(letter.key).metadata:
            return None
    except NotFound:
        pass  # taken out a moment ago
    known = {"key": letter.key, "etag": letter.etag}
    return Receipt(letter.proposal, letter.dataset, "received", note=_note(bench, letter), inbox=known)


def _note(bench: Workbench, letter: Letter) -> str:
    """The note in a letter that nobody has read yet, or nobody could read on."""
    try:
        return str(body(bench, letter, is_whole=False).raw.get("note") or "")
    except (BadProposal, NotFound, TooLarge):
        return ""


@dataclass(frozen=True)
class Body:
    """A proposal as it was sent: its JSON (for a table file that came alone, what its metadata say), and the table file
    with the name that its author gave it."""

    raw: Mapping[str, object]
    file: bytes = b""
    file_name: str = ""


def body(bench: Workbench, letter: Letter, *, is_whole: bool = True) -> Body:
    """Read a letter back; without the table file where not all of it is wanted. BadProposal: it is no JSON object.
    NotFound: it was taken out of the inbox since. TooLarge: nobody could have read it."""
    if not letter.key.endswith(".json"):
        return _file(bench, letter, is_whole)
    raw = _json(bench.store.get(letter.key, max_bytes=MAX_JSON).body)
    file = raw.get("file")
    if not is_whole or not isinstance(file, Mapping) or not isinstance(file.get("name"), str) or "/" in file["name"]:
        return Body(raw)
    beside = bench.store.get(f"{letter.key.rsplit('/', 1)[0]}/{file['name']}", max_bytes=MAX_FILE)
    return Body(raw, beside.body, str(file.get("original") or file["name"]))


def _file(bench: Workbench, letter: Letter, is_whole: bool) -> Body:
    """A table file that came alone: its metadata say what a JSON would."""
    found = bench.store.get(letter.key, max_bytes=MAX_FILE) if is_whole else Blob(bench.store.head(letter.key), b"")
    return Body({"kind": "file", **found.stat.metadata}, found.body, letter.key.rsplit("/", 1)[1])


def _json(body: bytes) -> Mapping[str, object]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadProposal(
            f"it is not valid JSON, so nothing can be taken from it: {error}", rule="json.syntax"
        ) from error
    if not isinstance(raw, dict):
        raise BadProposal(f"it is no JSON object but a {type(raw).__name__}, so nothing can be taken from it")
    return raw
