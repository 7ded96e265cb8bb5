"""`towline flatten`: the parts that an engine wrote as one canonical object."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from towline import flatten, parts
from towline.agreed import agreed
from towline.cli.options import Call, called
from towline.cli.output import emit, progress, show
from towline.errors import UsageError
from towline.flatten import Flattened
from towline.parts import Parts
from towline.rules.field import Field
from towline.store import ABSENT, ALWAYS, MIB

LISTED = 10  # objects left out that a person is shown


@click.command("flatten")
@click.argument("prefix")
@click.argument("target", metavar="KEY")
@click.option("--dataset", metavar="DATASET", help="Columns, types and key as this dataset's contract has them.")
@click.option("--key", metavar="COLUMN,…", help="The key, where there is no dataset: columns as the parts have them.")
@click.option(
    "--manifest", metavar="S3-URI", help="Athena's data manifest: these are the parts, whatever else is there."
)
@click.option("--replace", is_flag=True, help="Put a new version on top of what is there at KEY.")
@click.option(
    "--memory", type=click.IntRange(1), default=512, show_default=True, metavar="MIB", help="For rows at hand."
)
@called
def command(
    call: Call,
    prefix: str,
    target: str,
    dataset: str | None,
    key: str | None,
    manifest: str | None,
    replace: bool,
    memory: int,
) -> None:
    """Make one Parquet object of the part files under PREFIX, sorted by key, and write it to KEY.

    Any number and size of parts: they are sorted on disk. PREFIX and KEY are keys of the bucket.
    """
    bench, settings = call.connection.bench, call.connection.settings
    if (dataset is None) == (key is None):
        raise UsageError("name either the dataset whose table this is (--dataset), or the columns of its key (--key)")
    flatten.check_target(bench.store, bench.layout, prefix, target, replace=replace)
    listed = parts.find(bench.store, prefix, manifest and parts.key_of(manifest, settings.bucket))
    contract = None if dataset is None else bench.contract(dataset)
    fields = contract.fields if contract else agreed(bench.store, listed)
    named = contract.key if contract else _key(key or "", fields)
    with progress(f"{len(listed.entries):,} parts, {listed.size:,} bytes", quiet=call.as_json):
        made = flatten.flatten(
            bench.store, listed, target, fields, named, memory=memory * MIB, when=ALWAYS if replace else ABSENT
        )
    if call.as_json:
        emit(made.to_json())
    else:
        show(*_said(made, listed))


def _key(written: str, fields: Sequence[Field]) -> tuple[str, ...]:
    named = tuple(name.strip() for name in written.split(","))
    columns = [field.name for field in fields]
    if missing := [name for name in named if name not in columns]:
        raise UsageError(f"the parts have no column {missing[0]!r}; they have {', '.join(columns)}")
    if len(set(named)) < len(named):
        raise UsageError(f"{written!r} is no key: it names a column twice")
    return named


def _said(made: Flattened, listed: Parts) -> list[Text]:
    left_out = [Text(f"left out: {each.key} ({each.reason})", style="dim") for each in made.ignored[:LISTED]]
    if len(made.ignored) > LISTED:
        left_out.append(Text(f"left out: {len(made.ignored) - LISTED:,} more (--json lists all)", style="dim"))
    count = f"{made.parts:,} {'part' if made.parts == 1 else 'parts'} ({listed.size:,} bytes)"
    how = "" if made.unfit else ", joined as they lay"
    return [*left_out, Text(f"{count} -> {made.key}: {made.rows:,} rows, {made.bytes:,} bytes{how}")]
