"""Workers: real code of src/towline that stands still at each call to the store.

A worker's code is deterministic: its clock stands still and its ids follow from a counter. So where it stands is its
script and the answers that it was given, and a worker that stood somewhere before is got back by answering again.

Between two rounds of a commit (`Workbench.pause`) a worker knows only what is in the round's variables and its
workbench. Those are written down as `Pause.knows`: two workers that know the same there are in the same place, however
they came to it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
from greenlet import getcurrent, greenlet
from ulid import ULID

from towline import commit
from towline.contract import Contract
from towline.proposals import Proposal
from towline.receipts import Receipt
from towline.rows import Edited, Filed, InMemory
from towline.workbench import Workbench

from .calls import Answer, Call, Wire
from .memo import same, told
from .shelf import NOON

Script = Callable[["Bench"], object]
# Of a workbench: the same for all rounds of a worker.
SURROUNDINGS = ("store", "layout", "database", "clock", "notify", "describe", "wrote", "pause")


@dataclass
class Bench(Workbench):
    """A workbench whose ids follow from its owner and a counter, and whose clock stands still, each at another time:
    the more workers, the further behind. `results` are the final receipts that its owner's calls returned, `ahead` what
    its script does after the call that it is in."""

    owner: int = 0
    minted: int = 0
    ahead: object = ()
    results: list[Receipt] = dataclasses.field(default_factory=list)

    def new_id(self, at: datetime | None = None) -> str:
        self.minted += 1
        moment = int((at or self.clock()).timestamp() * 1000)
        return str(
            ULID.from_bytes(moment.to_bytes(6, "big") + self.owner.to_bytes(8, "big") + self.minted.to_bytes(2, "big"))
        )


def bench(owner: int, store: Any) -> Bench:
    now = NOON - timedelta(minutes=7 * owner)
    return Bench(store, clock=lambda: now, pause=lambda seconds: None, owner=owner)


@dataclass(frozen=True)
class Pause:
    knows: object


@dataclass(frozen=True)
class Ended:
    """The script is through; `error` is what it ended with, if not well."""

    results: tuple[Receipt, ...] = ()
    error: BaseException | None = None


Message = Call | Pause | Ended


class Actor:
    """One run of a script."""

    def __init__(self, owner: int, script: Script) -> None:
        self._bench = bench(owner, Wire())
        self._bench.pause = self._pause
        self._script = script
        self._greenlet = greenlet(self._run)

    def start(self) -> Message:
        message: Message = self._greenlet.switch()
        return message

    def send(self, answer: Answer | None) -> Message:
        message: Message = self._greenlet.switch(answer)
        return message

    def _run(self) -> Ended:
        try:
            self._script(self._bench)
        except Exception as error:
            return Ended(tuple(self._bench.results), error)
        return Ended(tuple(self._bench.results))

    def _pause(self, seconds: float) -> None:
        caller = sys._getframe(1)
        if caller.f_code is commit.commit.__code__:
            here = caller.f_locals
            getcurrent().parent.switch(Pause((here["attempt"], known(here["work"]))))


def known(value: Any) -> object:
    """A value that is equal for equal contents. Tables and proposals are few and remembered (memo.py): they are told by
    identity."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, Mapping):
        return tuple((known(key), known(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(known(each) for each in value)
    if isinstance(value, pa.Table | Proposal):
        return same(value)
    if isinstance(value, InMemory | Filed | Edited):
        return told(value)
    if isinstance(value, Contract):
        return value.digest
    if dataclasses.is_dataclass(value):
        return tuple(known(getattr(value, name)) for name in _fields(type(value)))
    raise TypeError(f"a round of a commit holds a {type(value).__name__}, and it is not known how to compare it")


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that change, or differ between workers, in what they may do."""
    names = tuple(field.name for field in dataclasses.fields(kind))
    return tuple(name for name in names if not issubclass(kind, Bench) or name not in SURROUNDINGS)
