"""`towline propose`: a whole table file; what differs from its base is the edit."""

from __future__ import annotations

from pathlib import Path

import click

from towline import history
from towline.cli.options import Call, Sending, called, mode_option, sends, table_file
from towline.cli.outcome import Sent, submit
from towline.cli.output import say
from towline.errors import UnreadableFile
from towline.proposals import MAX_FILE


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


def read(file: Path) -> bytes:
    """A table file's bytes, unless they are more than an inbox takes."""
    size = file.stat().st_size
    if size > MAX_FILE:
        raise UnreadableFile(f"{file} has {size:,} bytes; a table file may have {MAX_FILE:,}: split it, or use Parquet")
    return file.read_bytes()
