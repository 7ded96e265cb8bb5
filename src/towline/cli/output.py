"""What commands print: JSON for programs on stdout; tables for people there, and what they need not pipe on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import click
from rich.console import Console, RenderableType
from rich.text import Text

from towline.errors import UsageError
from towline.values import Value, encode

# Where nobody looks at a terminal there is no edge to wrap at: programs get whole lines.
_PIPE_WIDTH = 10_000
# Control characters as Unicode's pictures of them: cell text must not be able to command the terminal.
_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_CONTROLS = _PICTURES | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def _console(stream: IO[str]) -> Console:
    wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(file=stream, width=_PIPE_WIDTH if wide else None, highlight=False, emoji=False, markup=False)


def width() -> int:
    """Characters that a line on stdout may have."""
    return _console(sys.stdout).width


def show(*parts: RenderableType) -> None:
    """Print to stdout. Tables keep to the width; text is left to the terminal to wrap, so that it can be copied."""
    console = _console(sys.stdout)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str | Text))


def say(line: str) -> None:
    """Tell a person something beside the output."""
    click.echo(safe(line), err=True)


def emit(content: object) -> None:
    """Print JSON, in UTF-8 whatever the terminal's encoding is."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    click.echo(text.encode("utf-8", "backslashreplace"))


def emit_each(items: Iterable[object]) -> None:
    """Print a JSON list as `emit` does, item by item: a long one need not be in memory."""
    lead = "["
    for item in items:
        text = json.dumps(item, ensure_ascii=False, indent=2, allow_nan=False).replace("\n", "\n  ")
        click.echo(f"{lead}\n  {text}".encode("utf-8", "backslashreplace"), nl=False)
        lead = ","
    click.echo("[]" if lead == "[" else "\n]")


def safe(text: str) -> str:
    """Text without control characters, other than line breaks."""
    return text.translate({code: picture for code, picture in _CONTROLS.items() if code != 0x0A})


def cell(value: Value | object) -> Text:
    """A value as a table shows it: null dim, and no text that could be taken for something else."""
    if value is None:
        return Text("null", style="dim italic")
    if isinstance(value, str):
        return Text(_text(value))
    return Text(plain(value))


def plain(value: object) -> str:
    """A number, boolean, date or time as text, in the form that --where and --set read."""
    encoded = encode(value) if not isinstance(value, dict) else value  # type: ignore[arg-type]
    if isinstance(encoded, dict):
        return str(encoded.get("$float", encoded))
    return json.dumps(encoded) if isinstance(encoded, bool) else str(encoded)


def _text(text: str) -> str:
    mistakable = text in ("", "null") or text != text.strip() or text.startswith('"')
    return (f'"{text}"' if mistakable else text).translate(_CONTROLS)


class Phase(Protocol):
    """Told of what goes on; called with a line of text."""

    def __call__(self, text: str) -> None: ...


@contextmanager
def progress(text: str, *, quiet: bool = False) -> Iterator[Phase]:
    """A spinner on stderr while something takes long, if a person looks at it. Yields what changes its text."""
    console = _console(sys.stderr)
    if quiet or not console.is_terminal:
        yield lambda text: None
        return
    with console.status(Text(text)) as status:
        yield lambda text: status.update(Text(text))


def check_target(path: Path, *, force: bool) -> None:
    """UsageError where `path` exists already and may not be overwritten, or cannot be written."""
    if path.exists() and not force:
        raise UsageError(f"{path} exists already; choose another name, or overwrite it with --force")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no directory; make it first")


def write_file(path: Path, body: bytes, *, force: bool) -> None:
    """Write a file whole or not at all. Raises UsageError as `check_target` does."""
    check_target(path, force=force)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(body)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
