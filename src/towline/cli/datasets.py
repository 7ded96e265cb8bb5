"""`towline datasets`: what there is."""

from __future__ import annotations

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.text import Text

from towline import keys
from towline.cli import tables
from towline.cli.options import Call, called
from towline.cli.output import emit, safe, say, show
from towline.errors import NotFound
from towline.store import Blob
from towline.workbench import Workbench

_TAIL = 2**16  # bytes at the end of a master, which hold its Parquet footer unless it is uncommonly long


@click.command("datasets")
@called
def command(call: Call) -> None:
    """List the datasets."""
    bench = call.connection.bench
    found = [describe(bench, name) for name in call.connection.datasets()]
    if call.as_json:
        emit(found)
        return
    if not found:
        say("there is no dataset yet; `towline create` makes one")
        return
    table = tables.plain_table("dataset", "#", "changed (UTC)", "rows", "columns", "key")
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for one in found:
        one["changed"] = str(one["changed"] or "-").replace("T", " ")[:19]
        key = Text(safe(", ".join(one["key"])))  # type: ignore[arg-type]
        table.add_row(*(_text(one[name]) for name in ("dataset", "number", "changed", "rows", "columns")), key)
    show(table)


def _text(value: object) -> Text:
    return Text("-" if value is None else safe(f"{value:,}" if isinstance(value, int) else str(value)))


def describe(bench: Workbench, name: str) -> dict[str, object]:
    """What a listing says of a dataset; the commit's fields are None where the master has none."""
    contract, key = bench.contract(name), keys.master(name)
    listed: dict[str, object] = {"dataset": name, "key": list(contract.key), "columns": len(contract.names)}
    try:
        stat = bench.store.head(key)
    except NotFound:
        return {**listed, "commit": None, "number": None, "changed": None, "rows": None}
    commit, number = stat.metadata.get("commit"), stat.metadata.get("number")
    changed = (keys.commit_time(commit) if commit else stat.modified).isoformat(timespec="seconds")
    rows = _rows(bench, key, stat.size)
    return {**listed, "commit": commit, "number": int(number) if number else None, "changed": changed, "rows": rows}


def _rows(bench: Workbench, key: str, size: int) -> int:
    """The number of rows, from the footer: a listing needs no data."""
    tail = bench.store.get(key, span=(max(0, size - _TAIL), size))
    try:
        return _count(tail)
    except pa.ArrowException:
        return _count(bench.store.get(key))


def _count(blob: Blob) -> int:
    return int(pq.read_metadata(pa.BufferReader(blob.body)).num_rows)
