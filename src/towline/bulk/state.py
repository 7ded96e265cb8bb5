"""What is known of a run: `run.json` in its working area, changed by compare-and-swap only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from towline import keys
from towline.errors import Contended, Corrupt, NotFound, PreconditionFailed
from towline.store import ABSENT, Matches, ObjectStore

FORMAT = "towline.run/v1"


@dataclass(frozen=True)
class State:
    """One run.

    statement   as its author wrote it; `select` is what was compiled of it (empty for a CTAS run by hand)
    base        the commit that it runs on, with its `number`
    version     VersionId of the object that was copied to the run's base, below `source`
    attempt     counts the executions that took it up; each writes to a prefix and a table of its own
    execution   the one that does, by name and time: a local stack that was killed forgets names, and gives them again
    parts       the prefix of the parts, where they were made by hand
    result      ETag of the flattened result, once it was checked
    query       what Athena told of the query: id, scanned_bytes, engine_ms, manifest
    """

    dataset: str
    run: str
    statement: str
    base: str
    number: int
    source: str = ""
    version: str | None = None
    select: str = ""
    attempt: int = 1
    execution: str = ""
    parts: str = ""
    result: str | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    # Not part of its content: the ETag of the stored document.
    etag: str | None = field(default=None, compare=False)

    @property
    def where(self) -> keys.Run:
        return keys.Run(self.dataset, self.run)

    @property
    def prefix(self) -> str:
        """Where the parts of this attempt lie: never where those of another did."""
        return self.parts or f"{self.where.next}{self.attempt}/"

    @property
    def base_table(self) -> str:
        return f"{table_prefix(self.where)}base"

    @property
    def next_table(self) -> str:
        return f"{table_prefix(self.where)}next_{self.attempt}"

    @property
    def token(self) -> str:
        """Athena's ClientRequestToken: the same attempt never runs its query twice."""
        return sha256(f"{self.dataset}/{self.run}/{self.attempt}".encode()).hexdigest()

    def to_json(self) -> dict[str, object]:
        content = asdict(self)
        del content["etag"]
        return {"format": FORMAT, **content}


def table_prefix(run: keys.Run) -> str:
    """What the names of a run's tables begin with, and no other run's: ids that differ in signs only differ here."""
    digest = sha256(f"{run.dataset}/{run.id}".encode()).hexdigest()[:8]
    return f"run_{re.sub('[^a-z0-9]', '_', run.id.lower())}_{digest}_"


def load(store: ObjectStore, run: keys.Run) -> State | None:
    """The run as it stands; None while nothing is known of it."""
    try:
        blob = store.get(run.state)
    except NotFound:
        return None
    raw = json.loads(blob.body)
    if raw.pop("format", None) != FORMAT:
        raise Corrupt(f"{run.state} is of an unknown format; this version reads {FORMAT}")
    return State(**raw, etag=blob.stat.etag)


def need(store: ObjectStore, run: keys.Run) -> State:
    """The run as it stands. NotFound where nothing is known of it."""
    state = load(store, run)
    if state is None:
        raise NotFound(f"there is no {run.state}: the run was not begun, or its working area has expired")
    return state


def save(store: ObjectStore, state: State) -> State:
    """Store a run. Contended where another execution was faster: the step is taken again, and finds what that
    one did."""
    body = json.dumps(state.to_json(), ensure_ascii=False, indent=1).encode()
    when = Matches(state.etag) if state.etag else ABSENT
    try:
        stat = store.put(state.where.state, body, when=when, content_type="application/json")
    except (PreconditionFailed, NotFound) as error:
        raise Contended(f"{state.where.state} was changed meanwhile: take the step again") from error
    return replace(state, etag=stat.etag)
