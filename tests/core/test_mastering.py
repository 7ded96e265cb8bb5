"""Silver and gold as proposals for a master: what is proposed, once, and whose values stay."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import md5
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.nets import NAME, Nets
from tests.core.thermometers import THERMOMETERS, csv, land, readings
from tests.pipeline import Pipeline
from towline import keys, receipts
from towline.change import RowChange
from towline.contract import Contract
from towline.memory import fail_once
from towline.pipeline import inventory, mastering
from towline.pipeline.inventory import PartitionFile
from towline.pipeline.load import load
from towline.pipeline.mastering import owes, principal, propose
from towline.receipts import Receipt


class Killed(Exception):
    """The process is no more."""


SET, TABLE, ME = "tows_raw", "net", principal("tows_raw")
SCHEMA = pa.schema([("tow", pa.int64()), ("net", pa.int64()), ("volume", pa.float64()), ("depth", pa.float64())])
Volumes = dict[tuple[int, int], float]


@dataclass
class Lake:
    """A silver table whose rows are for the master `nets`: a partition a tow."""

    nets: Nets
    masters: Any = None
    loads: int = 0

    def load(self, volumes: Volumes, layer: str = keys.SILVER, schema: pa.Schema = SCHEMA) -> str:
        """The table holds these volumes now. Returns the load's id."""
        store = self.nets.pipeline.store
        self.loads += 1
        before = inventory.read(store, layer, SET)
        parts = {f"tow={tow}": self._file(layer, tow, volumes, schema) for tow in sorted({tow for tow, _ in volumes})}
        made = inventory.Inventory(SET, layer, self.loads, f"l{self.loads}", "p", {TABLE: parts}, {}, before.etag)
        inventory.write(store, made)
        return made.load

    def _file(self, layer: str, tow: int, volumes: Volumes, schema: pa.Schema) -> PartitionFile:
        rows = [
            {"tow": t, "net": net, "volume": volume, "depth": 3.5, "ingest": "i1"}
            for (t, net), volume in volumes.items()
            if t == tow
        ]
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, schema=schema.append(pa.field("ingest", pa.string()))), sink)
        body = sink.getvalue().to_pybytes()
        digest = md5(body, usedforsecurity=False).hexdigest()
        key = keys.lake(layer, SET, TABLE, f"tow={tow}", digest[:8])
        self.nets.pipeline.store.put(key, body)
        return PartitionFile(key, len(rows), len(body), digest, ("i1",))

    @property
    def package(self) -> Any:
        return SimpleNamespace(pipeline=SimpleNamespace(dataset=SET, masters=self.masters or {TABLE: NAME}))

    def propose(self) -> list[str]:
        return propose(self.nets.pipeline.bench, self.package)

    def owes(self) -> bool:
        return owes(self.nets.pipeline.bench, self.package)

    def step(self, volumes: Volumes) -> list[str]:
        """A load, its proposal, and what the functions do with that."""
        self.load(volumes)
        said = self.propose()
        self.nets.pipeline.pump()
        return said

    def sent(self) -> list[Receipt]:
        store = self.nets.pipeline.store
        ids = [key.rsplit("/", 1)[1].removesuffix(".json") for key in self.inbox() if key.endswith(".json")]
        found = [receipts.load(store, NAME, id) for id in ids]
        return sorted((each for each in found if each), key=lambda each: each.history[0]["at"])  # type: ignore[arg-type, return-value]

    def inbox(self) -> list[str]:
        return [entry.key for entry in self.nets.pipeline.store.list(keys.inbox(NAME, ME, ""))]

    def volume(self, tow: int, net: int) -> object:
        return self.nets.row(tow, net)["volume"]


@pytest.fixture
def lake() -> Lake:
    return Lake(Nets())


HELD: Volumes = {(1, 0): 10.5, (1, 1): 0.0, (2, 1): 7.25}


def test_rows_that_differ_become_one_proposal_that_says_which_load(lake: Lake) -> None:
    (said,) = lake.step({**HELD, (1, 0): 11.0, (3, 0): 5.0})
    (receipt,) = lake.sent()
    assert (receipt.status, receipt.principal) == ("committed", ME)
    assert receipt.note.startswith("tows_raw.net, load l1: 2 rows")
    assert (lake.volume(1, 0), lake.volume(3, 0)) == (11.0, 5.0)
    assert lake.nets.row(1, 0)["vessel"] == "Meridian", "columns that the table lacks stay"
    assert said == f"tows_raw.net: 2 rows proposed to nets as {receipt.proposal}; nets has no column depth"


def test_nothing_new_is_proposed_once_only(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): 11.0})
    requests = sum(lake.nets.pipeline.store.requests.values())
    assert [lake.propose() for _ in range(3)] == [[], [], []]
    assert len(lake.inbox()) == 1
    assert lake.step({**HELD, (1, 0): 11.0}) == []
    assert sum(lake.nets.pipeline.store.requests.values()) - requests < 45


def test_a_table_that_the_master_holds_is_said_and_not_proposed(lake: Lake) -> None:
    assert lake.step(HELD) == ["tows_raw.net: nets has all of it; nets has no column depth"]
    assert lake.inbox() == []


@pytest.mark.parametrize("prefix", ["silver/", "inbox/"])
@pytest.mark.parametrize("phase", ["before", "after"])
def test_a_crash_anywhere_proposes_once(lake: Lake, prefix: str, phase: Any) -> None:
    lake.load({**HELD, (1, 0): 11.0})
    lake.nets.pipeline.store.faults = fail_once("put", phase, Killed(), prefix=prefix)
    with pytest.raises(Killed):
        lake.propose()
    lake.nets.pipeline.store.faults = None
    lake.load({**HELD, (1, 0): 11.0, (2, 1): 8.0})
    lake.propose()
    lake.nets.pipeline.pump()
    lake.propose()
    lake.nets.pipeline.pump()
    assert (lake.volume(1, 0), lake.volume(2, 1)) == (11.0, 8.0)
    assert {receipt.status for receipt in lake.sent()} == {"committed"}


def test_what_people_changed_and_the_pipeline_did_not_stays(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): 11.0})
    lake.nets.pipeline.send(lake.nets.dataset, lake.nets.edit(1, 0, volume=99.0))
    lake.step({**HELD, (1, 0): 11.0, (1, 1): 4.0})
    lake.step({**HELD, (1, 0): 11.0, (1, 1): 5.0})
    assert (lake.volume(1, 0), lake.volume(1, 1)) == (99.0, 5.0)
    assert {receipt.status for receipt in lake.sent()} == {"committed"}


def test_a_cell_that_both_changed_since_is_a_conflict_and_is_not_proposed_again(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): 11.0})
    lake.nets.pipeline.send(lake.nets.dataset, lake.nets.edit(1, 0, volume=99.0))
    lake.step({**HELD, (1, 0): 12.0})
    assert [receipt.status for receipt in lake.sent()] == ["committed", "conflicted"]
    assert lake.volume(1, 0) == 99.0
    lake.step({**HELD, (1, 0): 12.0, (2, 1): 8.0})
    assert (lake.volume(1, 0), lake.volume(2, 1)) == (99.0, 8.0), "people decide on a conflict"


def test_what_is_in_nobodys_way_reaches_the_master_though_its_proposal_is_in_conflict(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): 11.0})
    lake.nets.pipeline.send(lake.nets.dataset, lake.nets.edit(1, 0, volume=99.0))
    found = {**HELD, (1, 0): 12.0, (2, 1): 8.0, (3, 0): 5.0}
    lake.step(found)
    assert lake.volume(2, 1) == 7.25, "a proposal in conflict is for people, whole"
    assert lake.owes()
    (said,) = lake.propose()
    assert "2 rows proposed to nets" in said
    assert "1 cell that people changed before stays" in said
    lake.nets.pipeline.pump()
    assert [receipt.status for receipt in lake.sent()] == ["committed", "conflicted", "committed"]
    assert (lake.volume(1, 0), lake.volume(2, 1), lake.volume(3, 0)) == (99.0, 8.0, 5.0)
    assert lake.step({**found, (3, 0): 6.0})[0].startswith("tows_raw.net: 1 row proposed"), "as a row of its own"
    assert lake.volume(3, 0) == 6.0


def test_a_row_that_people_made_before_the_table_had_it_stays_and_is_filled(lake: Lake) -> None:
    lake.step(HELD)
    rows = [{"tow": 3, "net": net, "volume": volume, "vessel": "Meridian"} for net, volume in ((0, 1.0), (1, None))]
    made = lake.nets.dataset.rows(
        [RowChange(None, {**row, "is_day": None}) for row in rows], "by hand", lake.nets.commit
    )
    lake.nets.pipeline.send(lake.nets.dataset, made)
    lake.step({**HELD, (1, 0): 11.0})
    (said,) = lake.step({**HELD, (1, 0): 11.0, (3, 0): 5.0, (3, 1): 6.0})
    assert "1 row proposed to nets" in said
    assert "1 cell that people changed before stays" in said
    assert (lake.volume(3, 0), lake.volume(3, 1)) == (1.0, 6.0)


def test_a_table_that_has_no_value_clears_none(lake: Lake) -> None:
    nothing: Any = None
    lake.step({**HELD, (1, 0): nothing, (2, 1): 8.0})
    assert (lake.volume(1, 0), lake.volume(2, 1)) == (10.5, 8.0)


def test_it_is_known_whether_there_is_something_to_propose_or_to_hear(lake: Lake) -> None:
    assert not lake.owes(), "nothing was loaded"
    lake.load({**HELD, (1, 0): 11.0})
    assert lake.owes(), "a load died before it proposed"
    lake.propose()
    assert lake.owes(), "it may not have been sent"
    lake.nets.pipeline.pump()
    assert lake.owes(), "what became of it was not heard"
    lake.propose()
    assert not lake.owes()
    lake.step({**HELD, (1, 0): -1.0})
    assert not lake.owes(), "what was rejected waits for the next load"
    lake.masters = {TABLE: "nowhere"}
    assert not lake.owes(), "there is no such master yet"


def test_a_cell_that_people_changed_long_before_stays_and_that_is_said(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): 11.0})
    lake.nets.pipeline.send(lake.nets.dataset, lake.nets.edit(1, 0, volume=99.0))
    lake.step({**HELD, (1, 0): 11.0, (1, 1): 4.0})
    (said,) = lake.step({**HELD, (1, 0): 12.0, (1, 1): 5.0})
    assert "1 cell that people changed before stays" in said
    assert (lake.volume(1, 0), lake.volume(1, 1)) == (99.0, 5.0)


def test_rows_that_people_deleted_or_the_table_lost_are_left_alone(lake: Lake) -> None:
    lake.step({**HELD, (3, 0): 1.0})
    gone = lake.nets.dataset.rows([RowChange(lake.nets.row(3, 0), None)], "no such net", lake.nets.commit)
    lake.nets.pipeline.send(lake.nets.dataset, gone)
    (said,) = lake.step({(1, 0): 10.5, (1, 1): 1.5, (3, 0): 1.0, (3, 1): 2.0})
    assert "1 row that the table has no more stays" in said
    assert lake.volume(2, 1) == 7.25
    assert lake.volume(3, 1) == 2.0
    with pytest.raises(StopIteration):
        lake.nets.row(3, 0)


def test_no_second_proposal_is_made_while_one_is_under_way(lake: Lake) -> None:
    lake.load({**HELD, (1, 0): 11.0})
    lake.propose()
    lake.load({**HELD, (1, 0): 12.0})
    (said,) = lake.propose()
    assert "is received; what is new since is proposed once it is decided" in said
    lake.nets.pipeline.pump()
    lake.propose()
    lake.nets.pipeline.pump()
    assert lake.volume(1, 0) == 12.0


def test_what_was_rejected_is_said_and_tried_again_with_the_next_load(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): -1.0})
    (said,) = lake.propose()
    assert "nets rejected proposal" in said
    assert len(lake.inbox()) == 1
    lake.step({**HELD, (1, 0): 12.0})
    assert lake.volume(1, 0) == 12.0


def test_many_changes_travel_as_a_table_file(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastering, "FEW", 1)
    lake.step({**HELD, (1, 0): 11.0, (1, 1): 2.0, (3, 0): 5.0})
    assert [key.rsplit(".", 1)[1] for key in lake.inbox()] == ["json", "parquet"]
    assert (lake.volume(1, 0), lake.volume(3, 0), lake.volume(2, 1)) == (11.0, 5.0, 7.25)


def test_a_file_that_was_swept_meanwhile_is_read_from_its_version(lake: Lake) -> None:
    lake.step({**HELD, (1, 0): 11.0})
    lake.nets.pipeline.send(lake.nets.dataset, lake.nets.edit(1, 0, volume=99.0))
    old = inventory.read(lake.nets.pipeline.store, keys.SILVER, SET).tables[TABLE]["tow=1"].key
    lake.load({**HELD, (1, 0): 11.0, (1, 1): 4.0})
    lake.nets.pipeline.store.delete(old)
    lake.propose()
    lake.nets.pipeline.pump()
    assert (lake.volume(1, 0), lake.volume(1, 1)) == (99.0, 4.0)


def test_a_master_that_is_not_there_is_not_made_and_the_way_is_told(lake: Lake) -> None:
    lake.masters = {TABLE: "nowhere"}
    (said,) = lake.step(HELD)
    assert "is for nowhere, which is no dataset yet, and is not made by itself" in said
    assert list(lake.nets.pipeline.store.list("inbox/nowhere/")) == []


def test_a_table_that_does_not_fit_says_why(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.load(HELD, schema=pa.schema([("tow", pa.int64()), ("volume", pa.float64())]))
    assert "the table has no column net" in lake.propose()[0]
    halves: Any = {(1, 0.5): 1.0}
    lake.load(halves, schema=SCHEMA.set(1, pa.field("net", pa.float64())))
    assert "cannot be proposed to nets: " in lake.propose()[0]
    monkeypatch.setattr(mastering, "MOST", 2)
    lake.load(HELD)
    assert "more than 2 rows" in lake.propose()[0]


def test_gold_tables_are_proposed_too_and_a_pipeline_without_masters_asks_for_nothing(lake: Lake) -> None:
    lake.load({(1, 0): 11.0}, layer=keys.GOLD)
    lake.propose()
    lake.nets.pipeline.pump()
    assert lake.volume(1, 0) == 11.0
    before = sum(lake.nets.pipeline.store.requests.values())
    none = SimpleNamespace(pipeline=SimpleNamespace(dataset=SET, masters={}))
    assert propose(lake.nets.pipeline.bench, none) == []
    assert sum(lake.nets.pipeline.store.requests.values()) == before


def test_a_load_of_real_files_reaches_a_master_and_so_does_a_late_one() -> None:
    pipeline = Pipeline()
    package = replace(THERMOMETERS, pipeline=replace(THERMOMETERS.pipeline, masters={"readings": "log"}))
    raw = json.loads(THERMOMETERS.contracts["readings"].to_json())
    raw["towline"] = {"version": 1, "dataset": "log"}
    log = pipeline.dataset("log")
    first = b"sensor,time,day,temperature\na,2026-01-01T00:00:00,2026-01-01,1\n"
    (receipt,) = pipeline.send(log, log.create("log.csv", first, Contract.parse(raw), "first"))
    assert receipt.status == "committed", receipt
    for number, body in enumerate((csv("a 1 0 1.5", "b 2 0 2"), csv("b 2 0 3", "c 3 0 4")), start=1):
        land(pipeline.bench, number, body)
        load(pipeline.bench, package)
        assert "proposed to log" in propose(pipeline.bench, package)[0]
        pipeline.pump()
    found = [(row["sensor"], row["temperature"]) for row in log.table()[1].to_pylist()]
    assert found == [("a", 1.5), ("b", readings(pipeline.bench)[1][1]), ("c", 4.0)]
    assert [record["user"] for record in log.log()] == ["pipeline-thermometers"] * 2 + ["ana"]
