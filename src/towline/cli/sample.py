"""`towline sample`: the first rows of a raw or bronze file."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pyarrow as pa
from rich.text import Text

from towline import keys
from towline.cli import tables
from towline.cli.options import Call, called, force_option
from towline.cli.output import cell, emit, safe, show, width, write_file
from towline.errors import NotFound, UsageError
from towline.ingest import manifest, sampled
from towline.rules.field import Field
from towline.sampling.bounds import ROWS
from towline.sampling.sample import Sample
from towline.sampling.shown import Shown, shown
from towline.store import ObjectStore

_ROWS, _COLUMNS = 20, 40  # that a person is shown unless they ask for more
_COUNTS = ("rows", "members")
_PLACES = (keys.RAW, keys.BRONZE, keys.SAMPLES, keys.QUARANTINE)


@click.command("sample")
@click.argument("key")
@click.option("-n", "rows", type=click.IntRange(1, 10_000), metavar="ROWS", help="How many rows [default: 20 of 100].")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the sample to a file, as it is.",
)
@force_option
@called
def command(call: Call, key: str, rows: int | None, output: Path | None, force: bool) -> None:
    """Show the first rows of a file: KEY is a raw file's, a bronze one's, one's in quarantine, or a sample's.

    A sample that is not there yet, or of another number of rows, is made on the spot and kept nowhere.
    """
    found = _sample(call.connection.bench.store, key, rows)
    if output is not None:
        write_file(output, found.body, force=force)
        show(Text(f"{output}: {len(found.body):,} bytes; {_said(found)}"))
        return
    seen = shown(found.name, found.body)
    if call.as_json:
        emit({"name": found.name, **found.about, **_json(seen)})
        return
    _show(seen, rows or _ROWS)
    show(Text(_said(found), style="dim"))


def _sample(store: ObjectStore, key: str, rows: int | None) -> Sample:
    """The sample that lies there, or a fresh one."""
    if not key.startswith(_PLACES):
        raise UsageError(f"{key!r} is no key of a file: it begins with {', '.join(_PLACES)}")
    key = _kept(store, key) if key.startswith(keys.RAW) else key
    if key.startswith(keys.SAMPLES):
        return _read(store, key)
    stat = store.head(key)
    there = sampled.find(store, key, stat.etag) if sampled.is_bronze(key) and rows in (None, ROWS) else None
    return _read(store, there.key) if there else sampled.make(store, stat, rows or ROWS)


def _kept(store: ObjectStore, raw: str) -> str:
    """Where a raw file is kept by now: in bronze, in quarantine, or still nowhere else."""
    parsed = keys.parse_raw(raw)
    if parsed is None:
        raise UsageError(f"{raw!r} is no raw key: it is raw/<dataset>/.../<file>")
    try:
        since = store.head(raw).modified
    except NotFound:  # it may have been taken in, and removed
        since = None
    entries = [entry for entry in manifest.entries(store, parsed.dataset, since) if entry.raw == raw]
    return (entries[-1].bronze or entries[-1].quarantine) if entries else raw


def _read(store: ObjectStore, key: str) -> Sample:
    try:
        blob = store.get(key)
    except NotFound as error:
        raise NotFound(f"there is no sample {key!r}; name its bronze file, and one is made") from error
    about = {name: value for name, value in blob.stat.metadata.items() if name != sampled.ETAG}
    return Sample(key.rsplit("/", 1)[-1], blob.body, "", about)


def _show(seen: Shown, rows: int) -> None:
    if seen.text:
        show(Text(safe(seen.text)))
    elif seen.table is None and seen.listing is None:
        show(Text("It is neither a text nor a table of plain values: -o FILE writes it.", style="dim"))
    for table in (each for each in (seen.listing, seen.table) if each is not None):
        some = table.slice(0, rows).select(range(min(table.num_columns, _COLUMNS)))
        some = some.rename_columns([cell(name).plain for name in some.column_names])
        columns = [Field(field.name, _type(field.type)) for field in some.schema]
        show(*tables.rows_of(some.to_pylist(), columns, (), width()))
        if (more := table.num_columns - _COLUMNS) > 0:
            show(Text(f"… and {more:,} more columns (-o FILE writes all, --json prints them)", style="dim"))
        show("")
    if seen.note:
        show(Text(f"{seen.note} (-o FILE writes all)", style="dim"))


def _type(arrow: pa.DataType) -> str:
    return "number" if pa.types.is_integer(arrow) or pa.types.is_floating(arrow) else "string"


def _json(seen: Shown) -> dict[str, object]:
    found: dict[str, object] = {"text": seen.text} if seen.text else {}
    for name, table in (("listing", seen.listing), ("data", seen.table)):
        if table is not None:
            rows = json.loads(json.dumps(table.to_pylist(), default=str))
            found[name] = {"columns": table.column_names, "rows": rows}
    return found


def _said(found: Sample) -> str:
    """What a sample is, on one line."""
    about = dict(found.about)
    said = [f"{found.name}: {about.get('kind', '?')}", *(f"{about[name]} {name}" for name in _COUNTS if name in about)]
    said += ["all there are"] if about.get("whole") else []
    return safe("; ".join(filter(None, (", ".join(said), about.get("reason")))))
