"""Where refused input goes: whole, as it came, beside a report of why."""

from __future__ import annotations

import json
from dataclasses import replace

from towline import keys
from towline.errors import NotFound
from towline.receipts import Receipt
from towline.workbench import Workbench


def keep(bench: Workbench, receipt: Receipt) -> Receipt:
    """Copy a refused proposal to the quarantine, and with it the table file that shares its name: on the server's side,
    the exact version, at any size. The receipt goes along as report.json. Returns the receipt with the place in it;
    doing it twice does no harm."""
    source, version = str(receipt.inbox["key"]), receipt.inbox.get("version")
    at = bench.clock()
    stem, name = source.rsplit(".", 1)[0], source.rsplit("/", 1)[1]
    for entry in bench.store.list(f"{stem}."):
        if entry.key != source:
            beside = entry.key.rsplit("/", 1)[1]
            copy(bench, entry.key, None, keys.quarantine(receipt.dataset, receipt.proposal, beside, at))
    target = keys.quarantine(receipt.dataset, receipt.proposal, name, at)
    copy(bench, source, str(version) if version else None, target)
    kept = replace(receipt, quarantine=target)
    bench.store.put(
        keys.quarantine(receipt.dataset, receipt.proposal, "report.json", at),
        json.dumps(kept.to_json(), ensure_ascii=False, indent=1).encode(),
        content_type="application/json",
    )
    return kept


def copy(bench: Workbench, source: str, version: str | None, target: str) -> None:
    """Copy an object to the quarantine; one that is not there is none."""
    try:
        bench.store.copy(source, target, version=version)
    except NotFound:
        return  # taken out of the inbox since: its author has it, and the report still says what was wrong
