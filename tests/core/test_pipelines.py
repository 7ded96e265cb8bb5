"""Pipelines: how they are found, what is wrong with one, and what contracts say of silver tables."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from tests.conftest import ROOT
from tests.core.thermometers import DATASET, PIPELINES, THERMOMETERS, bench, land
from towline import keys
from towline.contract import Contract
from towline.errors import ContractError, UnreadableFile
from towline.memory import MemoryStore
from towline.pipeline import bronzefile, partition, registry
from towline.pipeline.bronzefile import StoredFile
from towline.pipeline.load import load
from towline.pipeline.quality import Tally, judge
from towline.pipeline.registry import BrokenPipeline
from towline.pipeline.texts import refused
from towline.rules.read_silver import MEMBERS

CONTRACT = json.loads((PIPELINES / DATASET / "contracts" / "readings.json").read_text())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(PIPELINES / DATASET, tmp_path / DATASET)
    return tmp_path / DATASET


def with_silver(**rules: object) -> Contract:
    block = {**CONTRACT["towline"], "silver": {**CONTRACT["towline"]["silver"], **rules}}
    return Contract.parse({**CONTRACT, "towline": block})


def test_pipelines_are_found_by_their_directories() -> None:
    assert registry.packages(PIPELINES) == {DATASET: THERMOMETERS}
    assert registry.package(DATASET, PIPELINES) is THERMOMETERS
    assert registry.package("others", PIPELINES) is None
    assert (set(THERMOMETERS.contracts), set(THERMOMETERS.gold)) == ({"readings"}, {"warmest_by_day"})


def test_the_pipelines_of_this_checkout_are_whole() -> None:
    assert {name: found for name, found in registry.packages().items() if isinstance(found, BrokenPipeline)} == {}


@pytest.mark.parametrize("file", ["pipeline.py", "contracts/readings.json"])
def test_the_digest_tells_what_silver_depends_on(copied: Path, file: str) -> None:
    (copied / file).write_text((copied / file).read_text().replace("temperature", "temperatur"))
    assert registry.load(copied).digest != THERMOMETERS.digest


def test_the_digest_does_not_tell_where_it_lies_or_what_is_made_of_silver(copied: Path) -> None:
    (copied / "gold" / "more.sql").write_text("SELECT 1")
    assert registry.load(copied).digest == THERMOMETERS.digest


def test_modules_beside_the_pipeline_are_its_own(copied: Path) -> None:
    (copied / "more.py").write_text("from towline.pipeline.definition import Pipeline\n")
    text = (copied / "pipeline.py").read_text()
    (copied / "pipeline.py").write_text(text.replace("BronzeFile, Conformed, Pipeline", "BronzeFile, Conformed"))
    with (copied / "pipeline.py").open("a") as file:
        file.write("from .more import Pipeline\nPIPELINE = Pipeline('thermometers', conform, header)\n")
    (copied / "pipeline.py").write_text(
        (copied / "pipeline.py").read_text().replace('PIPELINE = Pipeline("thermometers", conform, header)\n', "", 1)
    )
    assert registry.load(copied).dataset == DATASET


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("pipeline.py", "\nimport nothing_of_that_name", r"ModuleNotFoundError: .* \(pipeline.py, line 2\)"),
        ("pipeline.py", "PIPELINE = 3", "defines no PIPELINE"),
        (
            "pipeline.py",
            "from towline.pipeline.definition import Pipeline\nPIPELINE = Pipeline('x', None)",
            "dataset 'x'",
        ),
        (
            "pipeline.py",
            "from towline.pipeline.definition import Pipeline\n"
            "PIPELINE = Pipeline('thermometers', None, masters={'reading': 'log'})",
            "masters names 'reading', .* there are readings, warmest_by_day",
        ),
        ("contracts/readings.json", "{}", "has no towline"),
        ("contracts/Readings.json", "{}", "cannot name a dataset"),
        ("contracts/other.json", json.dumps(CONTRACT), "named as the table"),
        ("gold/readings.sql", "SELECT 1", "a silver and a gold table"),
    ],
)
def test_a_broken_pipeline_says_what_is_wrong(copied: Path, file: str, text: str, said: str) -> None:
    (copied / file).write_text(text)
    with pytest.raises(BrokenPipeline, match=said):
        registry.load(copied)
    assert isinstance(registry.packages(copied.parent)[DATASET], BrokenPipeline)


def test_a_fault_is_told_by_its_place_in_the_pipelines_own_code(copied: Path) -> None:
    code = copied / "pipeline.py"
    code.write_text(code.read_text().replace('moments(piece["time"])', 'moments(piece["time"], "%q")'))
    (line,) = (number for number, text in enumerate(code.read_text().splitlines(), 1) if "%q" in text)
    at = bench()
    entry = land(at, 1, b"sensor,time,temperature\na,2026-01-01T00:00:00,1\n")
    loaded = load(at, registry.load(copied)).taken[entry.ingest]
    assert loaded.reasons[0].endswith(f"(ValueError in pipeline.py, line {line}): mend the pipeline")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"partition": ["days"]}, "is not a column"),
        ({"partition": ["time"]}, "cannot name a partition"),
        ({"partition": ["day", "day"]}, "twice"),
        ({"prefer": ["nothing"]}, "is not a column"),
        ({"null_rate": {"nothing": 0.1}}, "no column 'nothing'"),
        ({"null_rate": {"time": 2}}, "from 0 to 1"),
        ({"duplicate_rate": -1}, "from 0 to 1"),
        ({"swapped": ["temperature"]}, "no pair"),
        ({"swapped": ["temperature", "sensor"]}, "no pair"),
        ({"swaped": []}, "means nothing here"),
    ],
)
def test_a_silver_block_that_makes_no_sense_is_refused(rules: dict[str, object], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        with_silver(**rules)


def test_every_member_of_the_silver_block_is_documented() -> None:
    (section,) = re.findall(r"^## Silver tables$(.*?)^## ", (ROOT / "docs" / "contract.md").read_text(), re.M | re.S)
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.M)) == MEMBERS


def test_the_page_shows_the_pipeline_that_is_tested() -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text()
    for file in ("pipeline.py", "contracts/readings.json", "gold/warmest_by_day.sql"):
        assert (PIPELINES / DATASET / file).read_text() in page


PLACES = {
    "fields": [
        {"name": "id", "type": "integer"},
        {"name": "course", "type": "string"},
        {"name": "latitude", "type": "number", "constraints": {"minimum": -90, "maximum": 90}},
        {"name": "longitude", "type": "number", "constraints": {"minimum": -180, "maximum": 180}},
    ],
    "primaryKey": "id",
    "towline": {
        "version": 1,
        "dataset": "places",
        "silver": {"partition": ["course"], "swapped": ["latitude", "longitude"]},
    },
}


def test_positions_that_were_exchanged_are_told_from_those_that_are_wrong() -> None:
    contract = Contract.parse(PLACES)
    found = {"id": range(5), "course": ["a", "a/b", "", None, "a"]}
    rows = pa.table(
        {
            **{name: pa.array(values) for name, values in found.items()},
            "latitude": [-120.0, 10.0, 95.0, 45.0, 300.0],
            "longitude": [37.0, 20.0, 400.0, None, 10.0],
        }
    )
    tally = Tally()
    passed, lines = judge("places", contract, rows, pa.array(range(1, 6)), tally)
    assert passed["id"].to_pylist() == [3]
    assert (tally.rows, tally.refused) == (5, 4)
    by_row = {(line["row"], line["column"]): line["reason"] for line in lines.to_pylist()}
    assert by_row[1, "latitude"].startswith("has been exchanged with longitude")
    assert by_row[2, "course"].startswith("cannot name a partition")
    assert by_row[3, "latitude"] == "is more than 90.0"
    assert by_row[5, "latitude"] == "is more than 90.0"
    assert set(by_row) == {
        (1, "latitude"),
        (2, "course"),
        (3, "latitude"),
        (3, "longitude"),
        (3, "course"),
        (5, "latitude"),
    }


def test_moments_are_refused_as_text_without_their_zone() -> None:
    values = pa.array([0, None], pa.timestamp("us", "UTC"))
    found = refused(pa.array([1, 2]), "at", values, "is too early")
    assert found["value"].to_pylist() == ["1970-01-01 00:00:00.000000", None]


def test_a_partition_is_told_by_its_name() -> None:
    rows = pa.table({"course": ["a=1", None, "a=1"], "hole": [1, 2, None], "is_open": [True, False, None]})
    codes, names = partition.coded(rows, rows.column_names)
    assert [partition.values(names[code]) for code in codes.to_pylist()] == [
        {"course": "a=1", "hole": "1", "is_open": "true"},
        {"course": None, "hole": "2", "is_open": "false"},
        {"course": "a=1", "hole": None, "is_open": None},
    ]
    assert partition.coded(rows, [])[1] == {0: ""}


def test_a_file_is_read_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bronzefile, "RANGE", 7)
    store = MemoryStore()
    entry = land(bench(store), 1, b"0123456789" * 3)
    assert StoredFile(store, entry).open().read() == b"0123456789" * 3
    assert store.requests["get"] == 5
    packed = land(bench(store), 2, b"0123456789" * 100, kind="csv.gz")
    assert StoredFile(store, packed).open().read() == b"0123456789" * 100


def test_a_packed_file_may_not_become_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bronzefile, "LARGEST", 100)
    store = MemoryStore()
    entry = land(bench(store), 1, bytes(101), kind="csv.gz")
    with pytest.raises(UnreadableFile, match="more than 100 bytes"):
        StoredFile(store, entry).open().read()


def test_partitions_lie_under_their_names() -> None:
    assert keys.lake(keys.SILVER, DATASET, "readings", "day=2026-01-01", "X") == (
        "silver/thermometers/readings/day=2026-01-01/X.parquet"
    )
