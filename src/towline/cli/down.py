"""`towline down`: stop the local stack."""

from __future__ import annotations

import os

import click

from towline.cli.options import Call, called
from towline.cli.output import emit, progress, say
from towline.local import stack
from towline.settings import stack_dir


@click.command("down")
@called
def command(call: Call) -> None:
    """Stop the local stack and its editor. The data stays where it is."""
    directory = stack_dir(os.environ, call.data_dir)
    with progress(f"stopping the local stack of {directory}", quiet=call.as_json):
        stopped = stack.stop(directory)
    if call.as_json:
        emit({"stopped": stopped, "data_dir": str(directory)})
    else:
        say(f"stopped; the data stays in {directory}" if stopped else f"no local stack runs in {directory}")
