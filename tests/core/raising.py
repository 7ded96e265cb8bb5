"""The SQL edit that tests of runs have in common, what it makes, and what is said of it."""

from __future__ import annotations

import pyarrow as pa

from tests.core.nets import CONTRACT, NAME
from tests.runs import Runs
from towline import keys, receipts
from towline import table as tables
from towline.master import Head

RAISE = "UPDATE master SET volume = volume + 1 WHERE tow = 1"
SMALL = {"run.json", "preview.json"}


def raised(table: pa.Table) -> pa.Table:
    """What RAISE makes of the table."""
    rows = [{**row, "volume": row["volume"] + 1} if row["tow"] == 1 else row for row in table.to_pylist()]
    return tables.from_rows(rows, CONTRACT.schema)


def head(runs: Runs) -> Head:
    found = runs.nets.head()
    assert found is not None
    return found


def volumes(runs: Runs) -> list[float | None]:
    return [row["volume"] for row in head(runs).table.to_pylist()]


def previewed(runs: Runs) -> keys.Run:
    run = runs.sql(RAISE, preview=True)
    runs.pump()
    return run


def refused_word(runs: Runs, run: keys.Run, word: str) -> str:
    """Why a word counts for nothing, as its own receipt says."""
    runs.pump()
    beside = receipts.load(runs.store, NAME, f"{run.id}.{word}")
    assert beside is not None
    assert (beside.status, beside.kind) == ("rejected", "word")
    assert runs.kept(keys.Run(NAME, beside.proposal)) == {f"{run.id}.{word}.json", "report.json"}
    return beside.message
