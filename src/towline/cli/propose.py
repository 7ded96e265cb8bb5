"""`towline propose`: a whole table file; what differs from its base is the edit."""

from __future__ import annotations

from pathlib import Path

import click

from towline import history
from towline.cli.options import Call, Sending, called, mode_option, sends, table_file
from towline.cli.outcome import Sent, submit
from towline.cli.output import say
from towline.errors import UnreadableFile
from towline.proposals import MAX_FILE, MAX_PARQUET


@click.command("propose")
@click.argument("dataset")
@click.argument("file", type=table_file)
@click.option("--base", metavar="COMMIT", help="The commit that the file was made from [default: the head].")
@click.option("--partial", is_flag=True, help="The file holds some of the rows; those that it lacks stay.")
@mode_option
@sends
@called
def command(
    call: Call, dataset: str, file: Path, base: str | None, partial: bool, mode: str | None, sending: Sending
) -> int:
    """Propose a table file (CSV, XLSX or Parquet): what differs from its base is the edit.

    \b
    towline propose net_tows corrected.csv --note "positions from the bridge log" --wait
    """
    target = call.connection.dataset(dataset)
    target.contract()
    commit = history.resolve(target.bench, dataset, base)
    if base is None:
        say(f"base: the head, commit {commit}")
    draft = target.file(file.name, read(file), sending.note, commit, mode, partial=partial)
    return submit(call, target, draft, sending, Sent(facts={"base": commit}))


def read(file: Path) -> bytes | Path:
    """A table file's bytes; itself where it is Parquet and too large to be read at once. UnreadableFile: an inbox takes
    no file of that size."""
    size, is_parquet = file.stat().st_size, file.suffix.lower() == ".parquet"
    if size <= MAX_FILE:
        return file.read_bytes()
    if is_parquet and size <= MAX_PARQUET:
        return file
    most = f"{MAX_PARQUET:,}: split it" if is_parquet else f"{MAX_FILE:,}: split it, or use Parquet"
    raise UnreadableFile(f"{file} has {size:,} bytes; such a file may have {most}")
