"""`towline up`: the local stack and the editor."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from towline.cli.options import Call, called
from towline.cli.output import emit, progress, say
from towline.errors import LocalStackError
from towline.local import stack
from towline.local.stack import DEFAULT_PORT, StackInfo, Start
from towline.pipeline import registry
from towline.pipeline.registry import BrokenPipeline
from towline.settings import chosen_data_dir

port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="Of S3; 0 is any free one."
)
editor_port_option = click.option(
    "--editor-port", type=click.IntRange(1, 65535), help="Of the editor [default: the first free one from 8501 on]."
)
detach_option = click.option("--detach", is_flag=True, help="Return when all is up, instead of staying until Ctrl-C.")


@click.command("up")
@port_option
@editor_port_option
@click.option("--no-app", is_flag=True, help="Without the editor.")
@detach_option
@called
def command(call: Call, port: int, editor_port: int | None, no_app: bool, detach: bool) -> None:
    """Start the local stack and the editor, and stay until Ctrl-C.

    The stack is an S3 with the project's own functions behind it, on 127.0.0.1. Everything it keeps is in one data
    directory, and survives restarts.
    """
    how = Start(port=port, app=not no_app, editor_port=editor_port, remember=True)
    info = start(call, how, detach=detach)
    announce(call, info)
    if not detach:
        stay(call, info)


def start(call: Call, how: Start, *, detach: bool) -> StackInfo:
    """Start what does not run yet. A stack that was started here does not stay behind when its editor fails."""
    directory = chosen_data_dir(os.environ, call.data_dir)
    ran_already = stack.status(directory) is not None
    with progress(f"starting S3, the queues and the functions in {directory}", quiet=call.as_json) as phase:
        info = stack.start(directory, replace(how, app=False), detach=detach)
        if how.app:
            phase("starting the editor")
            info = _with_editor(directory, how, ran_already)
    if ran_already:
        say("this stack ran already and is left as it is: `towline down` and `towline up` have it run changed code")
    for warning in (*info.warnings, *_broken_pipelines()):
        say(f"warning: {warning}")
    return info


def _broken_pipelines() -> list[str]:
    """What is wrong with pipelines of this checkout."""
    broken = (str(found) for found in registry.packages().values() if isinstance(found, BrokenPipeline))
    return [f"{said}; files for it wait: mend it, then `towline down` and `towline up`" for said in broken]


def _with_editor(directory: Path, how: Start, ran_already: bool) -> StackInfo:
    try:
        return stack.start(directory, how)
    except LocalStackError:
        if not ran_already:
            stack.stop(directory)
        raise


def announce(call: Call, info: StackInfo) -> None:
    """Print the addresses."""
    if call.as_json:
        found = {"endpoint": info.endpoint, "bucket": info.bucket, "editor": info.editor, "data_dir": info.data_dir}
        emit(found)
        return
    click.echo(f"editor     {info.editor or 'not started (towline up without --no-app starts it)'}")
    click.echo(f"S3         {info.endpoint}, bucket {info.bucket}")
    click.echo(f"data       {info.data_dir}")


def stay(call: Call, info: StackInfo) -> None:
    """Hold the stack until Ctrl-C."""
    if not call.as_json:
        say("Ctrl-C stops it; the data stays")
    stack.hold(info)
