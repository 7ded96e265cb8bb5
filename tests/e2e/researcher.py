"""A researcher at a real local stack, through the same use cases as the command line and the editor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from towline import keys, master, receipts, resources
from towline.change import RowChange
from towline.connect import connect
from towline.contract import Contract
from towline.dataset import Dataset, Draft, Ticket
from towline.files import write_table
from towline.local.stack import StackInfo, stack_settings
from towline.master import Head
from towline.receipts import Receipt
from towline.sample import sample_table
from towline.values import Row, Value

NAME = "net_tows"
CONTRACT = Contract.parse(resources.path("datasets", NAME, "contract.json").read_bytes())


@dataclass
class Researcher:
    """Somebody with a dataset `name` (made from the sample table where it is not there yet, with a contract that has
    this policy of `review`)."""

    info: StackInfo
    name: str
    person: str = "ana"
    review: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bench = connect(stack_settings(self.info)).bench
        if master.read(self.bench.store, self.name) is None:
            body = write_table(sample_table(), "csv")
            raw = json.loads(CONTRACT.to_json())
            raw["towline"] |= {"dataset": self.name, **({"review": self.review} if self.review else {})}
            receipt = self.send(self.dataset.create("sample.csv", body, Contract.parse(raw), "first load")).wait()
            assert receipt.status == "committed", receipt

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.bench, self.name, self.person)

    def head(self) -> Head:
        head = master.read(self.bench.store, self.name)
        assert head is not None
        return head

    def row(self, number: int) -> Row:
        row: Row = self.head().table.slice(number, 1).to_pylist()[0]
        return row

    def edit(self, number: int, **cells: Value) -> Draft:
        """A draft of new values in one row, made on the head as it is now."""
        head, row = self.head(), self.row(number)
        assert head.commit is not None
        return self.dataset.rows([RowChange(row, {**row, **cells})], "because", head.commit)

    def send(self, draft: Draft) -> Ticket:
        return self.dataset.send(draft)

    def put(self, name: str, body: bytes, **metadata: str) -> Ticket:
        """Put an object into the inbox, as any S3 client would."""
        key = keys.inbox(self.name, self.person, name)
        self.bench.store.put(key, body, metadata=metadata)
        where = keys.parse_inbox(key)
        assert where is not None
        return Ticket(self.bench, self.name, where.proposal)

    def receipts(self) -> list[Receipt]:
        """All receipts of the dataset."""
        found = [entry.key for entry in self.bench.store.list(f"{keys.RECEIPTS}{self.name}/")]
        names = [key.rsplit("/", 1)[1].removesuffix(".json") for key in found]
        loaded = [receipts.load(self.bench.store, self.name, name) for name in names]
        return [receipt for receipt in loaded if receipt is not None]
