"""A small dataset for tests of the pipeline: four nets of two tows, and the drafts that people make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.pipeline import Pipeline
from towline import master
from towline.change import RowChange
from towline.contract import Contract
from towline.dataset import Dataset, Draft
from towline.master import Head
from towline.receipts import Receipt
from towline.values import Row, Value

NAME = "nets"
CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "net", "type": "integer"},
            {"name": "volume", "type": "number", "constraints": {"minimum": 0}},
            {"name": "vessel", "type": "string"},
            {"name": "is_day", "type": "boolean"},
        ],
        "primaryKey": ["tow", "net"],
        "towline": {"version": 1, "dataset": NAME, "severities": {"volume": {"constraint.minimum": "error"}}},
    }
)
CSV = b"tow,net,volume,vessel,is_day\n1,0,10.5,Meridian,true\n1,1,0,Meridian,false\n2,0,,Meridian,\n2,1,7.25,,true\n"


@dataclass
class Nets:
    """A pipeline with the dataset in it, as one person sees it."""

    pipeline: Pipeline = field(default_factory=Pipeline)
    person: str = "ana"
    csv: bytes = CSV

    def __post_init__(self) -> None:
        head = self.head()
        if head is None or head.commit is None:
            draft = self.dataset.create("nets.csv", self.csv, CONTRACT, "first load")
            (receipt,) = self.pipeline.send(self.dataset, draft)
            assert receipt.status == "committed", receipt

    @property
    def dataset(self) -> Dataset:
        return self.pipeline.dataset(NAME, self.person)

    def by(self, person: str) -> Nets:
        return Nets(self.pipeline, person)

    def head(self) -> Head | None:
        return master.read(self.pipeline.store, NAME)

    @property
    def commit(self) -> str:
        head = self.head()
        assert head is not None
        assert head.commit is not None
        return head.commit

    def row(self, tow: int, net: int) -> Row:
        head = self.head()
        assert head is not None
        return next(row for row in head.table.to_pylist() if (row["tow"], row["net"]) == (tow, net))

    def edit(self, tow: int, net: int, note: str = "because", mode: str | None = None, **cells: Value) -> Draft:
        """A draft of new cell values, made on the head as it is now."""
        old = self.row(tow, net)
        return self.dataset.rows([RowChange(old, {**old, **cells})], note, self.commit, mode)

    def insert(self, tow: int, net: int, **cells: Value) -> Draft:
        blank: Mapping[str, Value] = dict.fromkeys(CONTRACT.names)
        return self.dataset.rows(
            [RowChange(None, {**blank, "tow": tow, "net": net, **cells})], "a new net", self.commit
        )

    def delete(self, tow: int, net: int) -> Draft:
        return self.dataset.rows([RowChange(self.row(tow, net), None)], "a lost net", self.commit)

    def send(self, *drafts: Draft) -> list[Receipt]:
        return self.pipeline.send(self.dataset, *drafts)
