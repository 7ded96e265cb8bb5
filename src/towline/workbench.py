"""What every use case needs at hand: the store, where things lie in it, the time, and who is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from ulid import ULID

from towline import keys
from towline.body import Body
from towline.contract import Contract
from towline.errors import NotFound
from towline.receipts import Receipt
from towline.shelf import Shelf
from towline.store import ObjectStore

Read = TypeVar("Read")


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(receipt: Receipt) -> None:
    """Nobody is told."""


def _untold(dataset: str, commit: str, body: Body) -> None:
    """Nobody is told."""


def _alone() -> None:
    """Nobody describes the datasets to others."""


@dataclass
class Workbench:
    """The store and its surroundings, made once a process. `database` is the one whose tables SQL names.

    `finished` remembers, per dataset, the newest version of the master whose commit this process knows to be finished,
    and the chain value of that commit's last audit record; `contracts` the contracts by digest, `newest` the digest
    last read. They only save requests. So does `shelf`, where a process lives long enough to profit from it: what never
    changes once it was written, by its key. `describe` is called where a dataset has got a contract, before its receipt
    says so, and brings in step what SQL sees of the datasets; it must not fail, or the commit could not be finished.
    `wrote` is told of each master that was written, by dataset and commit, and how; it must not fail either.
    """

    store: ObjectStore
    layout: keys.Layout = field(default_factory=keys.Layout)
    database: str = "towline"
    clock: Callable[[], datetime] = _now
    notify: Callable[[Receipt], None] = _silent
    describe: Callable[[], None] = _alone
    wrote: Callable[[str, str, Body], None] = _untold
    pause: Callable[[float], None] = time.sleep
    finished: dict[str, tuple[str, str]] = field(default_factory=dict)
    contracts: dict[tuple[str, str], Contract] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)
    shelf: Shelf[Any] | None = None

    def new_id(self, at: datetime | None = None) -> str:
        """A fresh ULID for a commit or a proposal, carrying the given moment or now."""
        return str(ULID.from_datetime(at or self.clock()))

    def contract(self, dataset: str, digest: str | None = None) -> Contract:
        """The contract of a dataset: the one with this digest, or the stored one. NotFound: no such dataset."""
        if digest is not None and (dataset, digest) in self.contracts:
            return self.contracts[dataset, digest]
        try:
            body = self.store.get(keys.contract(keys.check_dataset(dataset))).body
        except NotFound as error:
            raise NotFound(
                f"there is no dataset {dataset!r} here; `towline datasets` lists them, `towline create` makes one"
            ) from error
        return self.remember(dataset, Contract.parse(json.loads(body)))

    def has(self, dataset: str) -> bool:
        """Whether there is such a dataset."""
        try:
            return bool(self.contract(dataset))
        except NotFound:
            return False

    def recall(self, key: str, read: Callable[[], Read]) -> Read:
        """What lies under the key of an object that never changes: from the shelf, else read."""
        return read() if self.shelf is None else self.shelf.get(key, read)

    def remember(self, dataset: str, contract: Contract) -> Contract:
        self.contracts[dataset, contract.digest] = contract
        self.newest[dataset] = contract.digest
        return contract

    def recent_contract(self, dataset: str) -> tuple[Contract, bool]:
        """A contract good enough for a first look, and whether it was read just now."""
        known = self.contracts.get((dataset, self.newest.get(dataset, "")))
        return (known, False) if known else (self.contract(dataset), True)
