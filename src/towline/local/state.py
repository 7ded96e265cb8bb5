"""The state of the services beside S3 (queues, functions, rules, the deployed stack), saved as a whole.

MiniStack saves one file a service, at a clean shutdown only. Killed in the middle, it would come back with a
stack that lists functions which the functions' own file has never heard of. So each save is a generation,
a directory of its own, and one atomic rename of `current` makes it the one to load:

    state/current            {"generation": "g7", "port": 4566, "ministack": "1.5.33"}
    state/g7/                cloudformation.json, sqs.json, lambda.json, lambda-blobs/, ...

A generation that belongs to another port (queue URLs contain it) or version, or that cannot be read whole, is
not used at all: the template is then deployed anew over the objects, which are kept elsewhere.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("towline.state")

_CURRENT = "current"
# What a long-lived stack would otherwise keep of every function's output, in memory and in each save.
_LOG_STREAMS_KEPT = 50


@dataclass(frozen=True)
class Origin:
    """What a saved state is bound to."""

    port: int
    ministack: str


def load_from(state: Path, origin: Origin) -> Path:
    """The directory to load the services' state from: the current generation, or a new and empty one."""
    current = _read_current(state)
    usable = {**asdict(origin), "generation": current.get("generation")} == current
    found = state / str(current.get("generation"))
    if usable and _is_whole(found):
        return found
    if current:
        log.warning("the saved state %s in %s does not fit %s; the template is deployed anew", current, state, origin)
    return _new_generation(state)


class Saver:
    """Writes generations. Hooks into the running MiniStack, so it is made inside the server process."""

    def __init__(self, state: Path, origin: Origin) -> None:
        self._state, self._origin = state, origin

    def save(self) -> bool:
        """Save all services as a new generation and make it current; False (logged) where that failed.

        Runs on the event loop, so that no request changes anything meanwhile.
        """
        from ministack import app
        from ministack.core import persistence
        from ministack.services import lambda_svc

        _forget_old_logs()
        generation = _new_generation(self._state)
        persistence.STATE_DIR = str(generation)
        lambda_svc.CODE_BLOB_DIR = str(generation / "lambda-blobs")
        services: dict[str, Any] = app._build_persistence_save_dict()
        persistence.save_all(services)
        return self._publish(generation, expected={f"{name}.json" for name in services})

    def _publish(self, generation: Path, expected: set[str]) -> bool:
        missing = expected - {file.name for file in generation.iterdir()}
        if missing:
            log.error("could not save %s; the state saved before stays current", ", ".join(sorted(missing)))
            shutil.rmtree(generation, ignore_errors=True)
            return False
        draft = self._state / f"{_CURRENT}.tmp"
        draft.write_text(json.dumps({"generation": generation.name, **asdict(self._origin)}))
        draft.replace(self._state / _CURRENT)
        _remove_others(self._state, generation)
        return True


def _forget_old_logs() -> None:
    """Keep the newest log streams of each group: MiniStack opens one for every invocation, for ever."""
    from ministack.services import cloudwatch_logs

    for group in cloudwatch_logs._log_groups._data.values():
        for name in list(group["streams"])[:-_LOG_STREAMS_KEPT]:
            del group["streams"][name]


def _read_current(state: Path) -> dict[str, Any]:
    try:
        current = json.loads((state / _CURRENT).read_text())
    except (OSError, ValueError):
        return {}
    return current if isinstance(current, dict) else {}


def _is_whole(generation: Path) -> bool:
    """Whether every file can be read (a power cut may leave empty ones) and the stack itself is among them."""
    try:
        for file in generation.glob("*.json"):
            json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return (generation / "cloudformation.json").is_file()


def _new_generation(state: Path) -> Path:
    generation = state / f"g{time.time_ns()}"
    generation.mkdir(mode=0o700)
    return generation


def _remove_others(state: Path, kept: Path) -> None:
    for entry in os.scandir(state):
        if entry.is_dir() and entry.name != kept.name:
            shutil.rmtree(entry.path, ignore_errors=True)
