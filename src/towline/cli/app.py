"""`towline app`: the editor alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec

import click

from towline import resources
from towline.cli.options import Call, called
from towline.cli.output import emit, say
from towline.errors import LocalStackError
from towline.local import editor
from towline.local.ports import HOST
from towline.settings import Settings


@click.command("app")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True, help="Of the editor.")
@called
def command(call: Call, port: int) -> int:
    """Run the editor alone, against the current settings (a real bucket, or the local stack), until Ctrl-C."""
    if find_spec("streamlit") is None:
        raise LocalStackError("the editor needs Streamlit, which is not installed here: run `uv sync --group app`")
    settings = Settings.resolve(os.environ, call.data_dir)
    page, address = resources.path("app", "main.py"), f"http://{HOST}:{port}"
    if call.as_json:
        emit({"editor": address, "bucket": settings.bucket, "endpoint": settings.endpoint_url})
    else:
        say(f"the editor of bucket {settings.bucket} is at {address}; Ctrl-C stops it")
    return run(editor.command(page, port), environment(os.environ, settings))


def environment(env: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """What the editor's process gets: these settings, and no profile beside credentials of their own."""
    kept = {name: value for name, value in env.items() if settings.access_key is None or name != "AWS_PROFILE"}
    return {**kept, **settings.exports()}


def run(command: list[str], env: Mapping[str, str]) -> int:
    """Run a program in the foreground; its exit code, or 0 when Ctrl-C ended it."""
    home = resources.path("app").parent  # where the page's own imports are found, whichever page a link names first
    with subprocess.Popen(command, env=dict(env), cwd=home, stdout=sys.stderr) as process:  # noqa: S603 - our own page
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            return 0
