"""`towline restore`: what an earlier commit held, as a new commit."""

from __future__ import annotations

import click

from towline import edits
from towline.cli.options import Call, Sending, called, mode_option, sends, where_option
from towline.cli.outcome import submit


@click.command("restore")
@click.argument("dataset")
@click.argument("commit")
@click.option("--undo", is_flag=True, help="Take back what COMMIT changed, and leave what was changed since.")
@where_option
@click.option("--column", "columns", multiple=True, metavar="COLUMN", help="Only this column; may be given again.")
@mode_option
@sends
@called
def command(
    call: Call,
    dataset: str,
    commit: str,
    undo: bool,
    where: tuple[str, ...],
    columns: tuple[str, ...],
    mode: str | None,
    sending: Sending,
) -> int:
    """Bring back what COMMIT held (an id, a number, a moment, a snapshot's key or a VersionId of the master).

    The table becomes what it was, as a new commit; every commit in between stays in the history. --dry-run shows what
    would change.

    \b
    towline restore net_tows 12 --where tow=4,net=1 --column volume_filtered --note "the new value was of another net"
    """
    target = call.connection.dataset(dataset)
    values = edits.read(target.contract(), edits.parse(where, "--where"))
    wanted, base = target.wish(commit, values, columns, undo=undo)
    return submit(call, target, target.restore(wanted, base, sending.note, mode), sending)
