"""What a master was told of a table, kept beside the inventory (`keys.told`): written before a proposal is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from towline.errors import Corrupt, NotFound, PreconditionFailed
from towline.store import ABSENT, Matches, ObjectStore, Precondition

FORMAT = "towline.told/v1"

Files = Mapping[str, tuple[str, str]]  # partition -> key and digest of its file


@dataclass(frozen=True)
class Said:
    """What was said to a master: the files of a table then, the load that made them, the commit of the master that it
    was said on, or that took it; and the proposal's id."""

    proposal: str
    load: str
    base: str
    files: Files


@dataclass(frozen=True)
class Told:
    """What a master was told of a table. `etag` as of the object that it was read from."""

    key: str
    said: Said | None = None
    asked: Said | None = None
    etag: str | None = None

    @property
    def files(self) -> Files:
        """Those that the master was told of."""
        return self.said.files if self.said else {}


def read(store: ObjectStore, key: str) -> Told:
    try:
        blob = store.get(key)
    except NotFound:
        return Told(key)
    try:
        raw = json.loads(blob.body)
        if raw["format"] != FORMAT:
            raise ValueError(f"its format is {raw['format']!r}")
        return Told(key, _said(raw["said"]), _said(raw["asked"]), blob.stat.etag)
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"{key} cannot be read ({error!r}): restore its version before") from error


def keep(store: ObjectStore, told: Told) -> None:
    """Write it down, unless it is there. Where another call was quicker, it came to the same."""
    content = {"format": FORMAT, "said": _json(told.said), "asked": _json(told.asked)}
    when: Precondition = Matches(told.etag) if told.etag else ABSENT
    with suppress(PreconditionFailed):
        store.put(told.key, json.dumps(content).encode(), when=when, content_type="application/json")


def _said(raw: Mapping[str, Any] | None) -> Said | None:
    if raw is None:
        return None
    files = {part: (key, digest) for part, (key, digest) in raw["files"].items()}
    return Said(raw["proposal"], raw["load"], raw["base"], files)


def _json(said: Said | None) -> Mapping[str, Any] | None:
    return None if said is None else vars(said)
