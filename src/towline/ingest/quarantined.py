"""What lies in the quarantine of a dataset, why, and what came of trying it again.

    quarantine/<dataset>/<YYYY-MM-DD>/<id>/report.json      why: of a file, of some of its rows, or of a proposal
    quarantine/<dataset>/<YYYY-MM-DD>/<id>/<file>           what was refused as a whole
    quarantine/<dataset>/<YYYY-MM-DD>/<id>/rows.parquet     the rows that were refused, of a file that is in bronze

An id is that of an ingest or of a proposal. A file that is refused when it lands has its bytes here; one of which rows
were refused, or too many of them, has its bytes in bronze.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

from towline import keys, receipts
from towline.errors import Corrupt, NotFound, UsageError
from towline.errors import Refused as Forbidden
from towline.ingest import manifest
from towline.ingest.entry import DUPLICATE, QUARANTINED, Entry, attempt, ingest_time, is_ingest, original
from towline.ingest.places import REPORT, ROWS
from towline.objects import open_part
from towline.pipeline.inventory import FAILED
from towline.store import Entry as Object
from towline.store import ObjectStore, TooLarge
from towline.workbench import Workbench

MAX_REPORT = 16 * 2**20  # bytes; a receipt spells out a hundred violations, of which each may show a long value
SHOWN = 1_000  # refused rows that are shown at once
READERS = 16  # reports are small objects, read side by side
FILE, ROWS_OF, PROPOSAL = "file", "rows", "proposal"

_PLACE = re.compile(rf"{keys.QUARANTINE}([^/]+)/(\d{{4}}-\d\d-\d\d)/([^/]+)/([^/]+)", re.DOTALL)


@dataclass(frozen=True)
class Refused:
    """One id's place in the quarantine, as it was listed. `day` (UTC) is when it was refused."""

    dataset: str
    day: str
    id: str
    objects: tuple[Object, ...]

    @property
    def prefix(self) -> str:
        return f"{keys.QUARANTINE}{self.dataset}/{self.day}/{self.id}/"

    @property
    def kind(self) -> str:
        """What was refused: `file`, `rows` of one, or a `proposal`."""
        if not is_ingest(self.id):
            return PROPOSAL
        return ROWS_OF if self.rows is not None else FILE

    @property
    def kept(self) -> tuple[Object, ...]:
        """The objects that hold what was refused as a whole."""
        return tuple(each for each in self.objects if _name(each) not in (REPORT, ROWS))

    @property
    def rows(self) -> Object | None:
        """The refused rows."""
        return next((each for each in self.objects if _name(each) == ROWS and is_ingest(self.id)), None)


@dataclass(frozen=True)
class Report:
    """Why something lies in the quarantine. `raw` and `bronze` are keys, `refused` and `rows` count the refused rows
    and all rows of a file; what is not told is empty or None. `failed`: a load took none of the file. `proposal` has
    the receipt of a refused proposal."""

    reasons: tuple[str, ...]
    at: str = ""
    raw: str = ""
    bronze: str = ""
    refused: int | None = None
    rows: int | None = None
    failed: bool = False
    proposal: receipts.Receipt | None = None


def listing(bench: Workbench, dataset: str) -> list[Refused]:
    """All that lies in a dataset's quarantine, newest first: one request for a thousand objects; none is read."""
    return sorted(_found(bench.store, f"{keys.QUARANTINE}{dataset}/"), key=lambda each: (each.day, each.id))[::-1]


def find(bench: Workbench, id: str, dataset: str | None = None) -> Refused:
    """What lies there under an id; of an id that was refused on several days, the last. NotFound: nothing does."""
    found = _of_ingest(bench.store, id, dataset) if dataset and is_ingest(id) else []
    prefix = f"{keys.QUARANTINE}{dataset}/" if dataset else keys.QUARANTINE
    found = found or [each for each in _found(bench.store, prefix) if each.id == id]
    if not found:
        where = f"of {dataset}" if dataset else "of any dataset"
        raise NotFound(f"nothing lies in the quarantine {where} under {id}; `towline quarantine list` tells what does")
    return max(found, key=lambda each: each.day)


def _of_ingest(store: ObjectStore, ingest: str, dataset: str) -> list[Refused]:
    """What is where a file goes that is refused: its ingest tells the day."""
    return list(_found(store, keys.quarantine(dataset, ingest, "", ingest_time(ingest))))


def _found(store: ObjectStore, prefix: str) -> Iterator[Refused]:
    placed = ((match.groups()[:3], entry) for entry in store.list(prefix) if (match := _PLACE.fullmatch(entry.key)))
    for (dataset, day, id), group in groupby(placed, key=lambda each: each[0]):
        yield Refused(dataset, day, id, tuple(entry for _, entry in group))


def _name(entry: Object) -> str:
    return entry.key.rsplit("/", 1)[1]


def reports(bench: Workbench, found: Iterable[Refused]) -> list[Report]:
    """The report of each, read side by side."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda each: report(bench, each), found))


def report(bench: Workbench, refused: Refused) -> Report:
    """Why it was refused. What was copied and not reported yet, or cannot be read, says that as its reason."""
    key = refused.prefix + REPORT
    try:
        raw = json.loads(bench.store.get(key, max_bytes=MAX_REPORT).body)
        return _of_proposal(raw) if raw.get("format") == receipts.FORMAT else _of_file(raw)
    except NotFound:
        return Report(("the report is not written yet: look again in a minute",))
    except Forbidden:
        return Report(("a steward may read why: these credentials may not",))
    except TooLarge as error:
        return Report((str(error),))
    except (ValueError, TypeError, AttributeError, Corrupt) as error:
        return Report((f"{key} cannot be read ({error}): bring its version before back",))


def _of_file(raw: Mapping[str, Any]) -> Report:
    reasons = raw.get("reasons") or ()
    at, came, bronze = (str(raw.get(name) or "") for name in ("at", "raw", "bronze"))
    at = at or str(raw.get("ingested") or "")
    refused, count = (raw[name] if isinstance(raw.get(name), int) else None for name in ("refused", "rows"))
    said = tuple(map(str, [reasons] if isinstance(reasons, str) else reasons))
    return Report(said, at, came, bronze, refused, count, raw.get("status") == FAILED)


def _of_proposal(raw: Mapping[str, Any]) -> Report:
    receipt = receipts.Receipt.from_json(raw)
    at = str(receipt.history[-1].get("at") or "") if receipt.history else ""
    said = [str(violation.get("message") or "") for violation in receipt.violations]
    return Report(tuple(said or filter(None, [receipt.message])), at, proposal=receipt)


def rows(bench: Workbench, refused: Refused, most: int = SHOWN) -> tuple[pa.Table, int]:
    """The first `most` refused rows with their reasons, and how many there are. NotFound: it has none; Corrupt."""
    if refused.rows is None:
        raise NotFound(f"{refused.id} has no refused rows in the quarantine; `towline quarantine show` tells what is")
    file = open_part(bench.store, refused.rows)
    groups, count = [], 0
    for number, size in enumerate(file.footer.rows):
        if count >= most:
            break
        groups.append(number)
        count += size
    return file.read(groups).slice(0, most), file.num_rows


def file_of(refused: Refused, told: Report) -> str:
    """The key of the refused file's bytes, in the quarantine or in bronze. NotFound: they are in neither."""
    kept = [each.key for each in refused.kept]
    if refused.kind == PROPOSAL:
        kept.sort(key=lambda key: key.endswith(".json"))  # the table file beside a proposal is what somebody made
    if key := (kept[0] if kept else told.bronze):
        return key
    raise NotFound(f"{refused.prefix} keeps no file, and its report names none")


def entry_of(bench: Workbench, refused: Refused) -> Entry:
    """The entry of a file in quarantine, to have it tried again. UsageError: it is a proposal, which nobody but its
    author can propose again. NotFound: the manifest does not know it."""
    if refused.kind == PROPOSAL:
        raise UsageError(
            f"{refused.id} is a proposal, and cannot be retried: mend it and propose it again (`towline status "
            f"{refused.id} --dataset {refused.dataset}` tells what was wrong; a conflict is decided by `towline "
            f"resolve {refused.id}`)"
        )
    entry = manifest.find(bench.store, refused.dataset, refused.id)
    if entry is None:
        raise NotFound(
            f"the manifest of {refused.dataset} has no entry of {refused.id}: Reconcile writes what is missing within "
            "minutes; try again then"
        )
    return entry


def attempts(entries: Iterable[Entry], ingest: str) -> list[Entry]:
    """What came of trying a file again since the ingest `ingest` of it: an entry each time, in their order."""
    same = (each for each in entries if original(each.ingest) == original(ingest))
    later = (each for each in same if attempt(each.ingest) > attempt(ingest))
    return sorted(later, key=lambda each: attempt(each.ingest))


def asked_again(bench: Workbench, dataset: str, ingest: str) -> datetime | None:
    """When somebody last wished that a file be tried again; None: nobody did."""
    wishes = bench.store.list(keys.retries(dataset, original(ingest)))
    return max((entry.modified for entry in wishes), default=None)


def said(entry: Entry) -> str:
    """What became of a file that was tried again, in a sentence."""
    if entry.status == QUARANTINED:
        return f"{entry.ingest}: refused again: {'; '.join(entry.reasons)}"
    if entry.status == DUPLICATE:
        return f"{entry.ingest}: the same bytes came in as {entry.duplicate_of}, and are kept in {entry.bronze}"
    return f"{entry.ingest}: it is in bronze, and the next load takes it: {entry.bronze}"
