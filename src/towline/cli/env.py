"""`towline env`: the settings, for a shell or another program."""

from __future__ import annotations

import os

import click

from towline.cli.options import Call, called
from towline.cli.output import emit
from towline.settings import Settings


@click.command("env")
@called
def command(call: Call) -> None:
    """Print the settings as export lines for a shell: eval "$(towline env)"."""
    exports = Settings.resolve(os.environ, call.data_dir).exports()
    if call.as_json:
        emit(exports)
        return
    for name, value in exports.items():
        click.echo(f"export {name}={_quoted(value)}")


def _quoted(value: str) -> str:
    """In single quotes, always: what a shell would make of a value is nobody's guess."""
    return "'" + value.replace("'", "'\"'\"'") + "'"
