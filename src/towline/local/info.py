"""The description of a running stack, as `stack.json` keeps it for every other command."""

from __future__ import annotations

import importlib.metadata
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from towline.settings import STACK_FILE


@dataclass(frozen=True)
class StackInfo:
    """A running stack. `editor` is its address, None without one; `warnings` are for the person who
    started it (a function that could not be warmed, for example)."""

    endpoint: str
    bucket: str
    region: str
    data_dir: str
    pid: int
    port: int
    version: str
    editor: str | None = None
    editor_pid: int | None = None
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> StackInfo:
        """The inverse of `as_dict`; names it does not know are passed over. Raises TypeError when one is missing."""
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        return cls(**{**kept, "warnings": tuple(kept.get("warnings", ()))})

    def write(self) -> None:
        """Write `stack.json`, readable by this user only, whole or not at all."""
        file = Path(self.data_dir) / STACK_FILE
        draft = file.with_name(f".{STACK_FILE}.{os.getpid()}.tmp")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(self.as_dict(), out, indent=2)
        draft.replace(file)

    @classmethod
    def read(cls, data_dir: Path) -> StackInfo | None:
        """What `stack.json` says; None where there is none that can be read."""
        try:
            return cls.from_dict(json.loads((data_dir / STACK_FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None


def towline_version() -> str:
    """The version of the installed distribution."""
    return importlib.metadata.version("towline")
