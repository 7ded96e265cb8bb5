"""A small dataset with a past, the proposals that people make of it, and what workers do.

commit 1    row 1: x 0, y 0    row 2: x 0, y 0     created
commit 2    row 1: x 1
commit 3    row 1: x 0                             the head: the table of commit 1 again

P   row 1, x: 0 -> 1      Q   row 1, x: 0 -> 2     conflict with each other
O   row 1, y: 0 -> 5                               merges with all
Z   row 2, x: 0 -> 9                               merges with all
R   row 1, x: 1 -> 0, made on commit 2             on the head it is there already; after P, back to the head's table
V   row 1, x: 0 -> -1                              breaks the contract
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import pyarrow as pa
import pyarrow.parquet as pq

from towline import commit, inbox, keys, master, proposals, reconcile
from towline.change import RowChange
from towline.contract import Contract
from towline.inbox import Arrival
from towline.receipts import Receipt
from towline.values import Row

from .actors import Bench, Script, bench
from .shelf import Shelf

NAME = "tiny"
MASTER = keys.master(NAME)
CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "id", "type": "integer"},
            {"name": "x", "type": "integer", "constraints": {"minimum": 0}},
            {"name": "y", "type": "integer"},
        ],
        "primaryKey": ["id"],
        "towline": {"version": 1, "dataset": NAME, "severities": {"x": {"constraint.minimum": "error"}}},
    }
)
CSV = b"id,x,y\n1,0,0\n2,0,0\n"


def row(id_: int, x: int = 0, y: int = 0) -> Row:
    return {"id": id_, "x": x, "y": y}


# Each proposal: the commit that it was made on, the row before, and after.
EDITS: Mapping[str, tuple[int, Row, Row]] = {
    "P": (3, row(1), row(1, x=1)),
    "Q": (3, row(1), row(1, x=2)),
    "O": (3, row(1), row(1, y=5)),
    "Z": (3, row(2), row(2, x=9)),
    "R": (2, row(1, x=1), row(1)),
    "V": (3, row(1), row(1, x=-1)),
}


@dataclass
class World:
    """A store in which the dataset lies, its commits, and the proposals in its inbox."""

    store: Shelf = field(default_factory=Shelf)
    commits: list[str] = field(default_factory=list)

    def put(self, name: str) -> Arrival:
        """Put a proposal into the inbox."""
        made_on, old, new = EDITS[name]
        body = proposals.to_json(
            dataset=NAME, note=f"proposal {name}", base=self.commits[made_on - 1], changes=[RowChange(old, new)]
        )
        return self.send(name, body)

    def create(self, name: str = "C") -> Arrival:
        self.store.put(keys.inbox(NAME, "ana", f"{name}.csv"), CSV, metadata={inbox.PART_OF: f"{name}.json"})
        body = proposals.to_json(
            dataset=NAME, note="first load", base=None, kind="create", file={"name": f"{name}.csv"},
            contract=json.loads(CONTRACT.to_json()),
        )  # fmt: skip
        return self.send(name, body)

    def send(self, name: str, body: bytes) -> Arrival:
        stat = self.store.put(keys.inbox(NAME, "ana", f"{name}.json"), body)
        return Arrival(stat.key, stat.version, stat.etag, stat.size)

    def accept(self, name: str) -> Receipt:
        """Put a proposal into the inbox, and let the validator accept it."""
        receipt = inbox.receive(bench(0, self.store), self.put(name))
        assert receipt is not None
        assert receipt.status == "accepted", receipt
        return receipt

    def snapshot(self, number: int) -> bytes:
        return self.store.body(self.snapshot_key(number))

    def snapshot_key(self, number: int) -> str:
        return keys.Layout().snapshot(NAME, self.commits[number - 1])


@cache
def _past() -> World:
    world = World()
    maker = bench(0, world.store)
    deliver(world.create())(maker)
    for number, (old, new) in enumerate([(row(1), row(1, x=1)), (row(1, x=1), row(1))], 2):
        world.commits.append(_head(world.store))
        body = proposals.to_json(dataset=NAME, note="the past", base=world.commits[-1], changes=[RowChange(old, new)])
        deliver(world.send(f"past-{number}", body))(maker)
    world.commits.append(_head(world.store))
    assert len(set(world.commits)) == 3
    return world


def _head(store: Shelf) -> str:
    head = master.read(store, NAME)
    assert head is not None
    assert head.commit is not None
    return head.commit


def world(*, anew: bool = False) -> World:
    """The dataset with its past, to be changed. `anew`: made by the code as it is now, not as it was a moment ago."""
    past = _past.__wrapped__() if anew else _past()
    return World(past.store.fork(), list(past.commits))


# -- what workers do --------------------------------------------------------------------------------------------------


def apply(*waiting: Receipt) -> Script:
    """One call of the function that commits: a batch of accepted proposals."""

    def script(bench: Bench) -> None:
        bench.results += commit.commit(bench, NAME, waiting)

    return script


def apply_each(*waiting: Receipt) -> Script:
    """A process that lives on: one call after the other, each remembering what those before it saw."""

    def script(bench: Bench) -> None:
        for number, receipt in enumerate(waiting):
            bench.ahead = number
            bench.results += commit.commit(bench, NAME, [receipt])

    return script


def deliver(*arrivals: Arrival) -> Script:
    """Events: each object is checked, and what is accepted is committed."""

    def script(bench: Bench) -> None:
        accepted = [receipt for arrival in arrivals if (receipt := inbox.receive(bench, arrival))]
        _commit(bench, accepted)

    return script


def put_in_order(bench: Bench) -> reconcile.Findings:
    """One run of Reconcile, and what its handler has done with what it found."""
    found = reconcile.reconcile(bench)
    received = [receipt for arrival in found.unseen if (receipt := inbox.receive(bench, arrival))]
    _commit(bench, [*found.undecided, *received])
    return found


def reconciler() -> Script:
    return put_in_order


def overwrite(body: bytes, times: int = 1) -> Script:
    """Somebody who writes the master past Towline."""

    def script(bench: Bench) -> None:
        for _ in range(times):
            bench.store.put(MASTER, body)

    return script


def put_back(snapshot_key: str) -> Script:
    """Somebody who copies an old snapshot over the master, metadata and all."""

    def script(bench: Bench) -> None:
        bench.store.copy(snapshot_key, MASTER)

    return script


def _commit(bench: Bench, receipts: Iterable[Receipt]) -> None:
    groups: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        if not receipt.final:
            groups[receipt.dataset].append(receipt)
    for dataset in list(groups):
        waiting = groups.pop(dataset)
        bench.ahead = tuple(groups.items())
        bench.results += commit.commit(bench, dataset, waiting)


def table_bytes(*rows: Row) -> bytes:
    """A Parquet table as another tool writes it."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([dict(each) for each in rows]), sink)
    return bytes(sink.getvalue())
