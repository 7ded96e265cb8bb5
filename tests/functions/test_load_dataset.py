"""The handler of entries on its events, over moto: what it loads, tells and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from tests.core.thermometers import DATASET, PIPELINES, csv, land, readings, silver
from tests.functions.functions import CONTEXT, bucket, event, load, topic
from tests.pipeline import Pipeline
from towline import keys
from towline.contract import Contract
from towline.ingest.entry import QUARANTINED, Entry
from towline.pipeline import registry
from towline.pipeline.gold import GoldResult
from towline.pipeline.inventory import FAILED, Loaded
from towline.pipeline.load import LoadResult

MADE = GoldResult(DATASET)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    with mock_aws():
        bucket(monkeypatch, TOPIC_ARN=topic())
        monkeypatch.setattr(registry, "home", lambda: PIPELINES)
        function = load("load_dataset")
        monkeypatch.setattr(function.gold, "refresh", lambda *_: MADE)
        yield function


def deliver(function: ModuleType, *found: str, millis: int = 600_000) -> Any:
    """A batch with a message for each of these keys."""
    stats = [function.runtime.bench.store.put(key, b"{}") for key in found]
    batch = [{"messageId": str(n), "body": json.dumps({"Records": [event(stat)]})} for n, stat in enumerate(stats)]
    context = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: millis)
    return function.handler({"Records": batch}, context)


def key_of(dataset: str) -> str:
    """What tells of an entry; the load looks for all of them by itself."""
    return f"{keys.MANIFESTS}{dataset}/told.json"


def test_files_are_loaded_told_of_and_counted(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Entry] = []
    refreshed: list[str] = []
    monkeypatch.setattr(type(function.runtime), "tell_file", lambda runtime, entry: told.append(entry))
    monkeypatch.setattr(function.gold, "refresh", lambda bench, package, *_: refreshed.append(package.dataset) or MADE)
    land(function.runtime.bench, 1, csv("a 1 0 1", "a 1 1 x", "a 1 2 2"))
    bad = land(function.runtime.bench, 2, csv("b 1 0 x"))
    assert deliver(function, key_of(DATASET), key_of("others")) == {"batchItemFailures": []}
    assert readings(function.runtime.bench) == [("a", 1.0), ("a", 2.0)]
    assert refreshed == [DATASET]
    assert [(entry.ingest, entry.status, len(entry.reasons)) for entry in told] == [(bad.ingest, QUARANTINED, 1)]
    counted = {name: value for line in capsys.readouterr().out.splitlines() for name, value in json.loads(line).items()}
    assert [counted[name] for name in ("FilesLoaded", "FilesFailed", "RowsRefused", "PartitionsWritten")] == [
        [1.0],
        [1.0],
        [2.0],
        [1.0],
    ]


def test_a_broken_pipeline_keeps_its_own_messages_only(
    function: ModuleType, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pipeline.py").write_text("PIPELINE = 1 / 0")
    (tmp_path / DATASET).symlink_to(PIPELINES / DATASET)
    monkeypatch.setattr(registry, "home", lambda: tmp_path)
    land(function.runtime.bench, 1, csv("a 1 0 1"))
    answer = deliver(function, key_of("broken"), key_of(DATASET))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert readings(function.runtime.bench) == [("a", 1.0)]


def test_a_package_that_names_a_master_has_its_rows_proposed_to_it(
    function: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = copytree(PIPELINES / DATASET, tmp_path / DATASET)
    code = package / "pipeline.py"
    named = code.read_text("utf-8").replace("conform, header)", 'conform, header, masters={"readings": "log"})')
    code.write_text(named, "utf-8")
    monkeypatch.setattr(registry, "home", lambda: tmp_path)
    team = Pipeline()
    monkeypatch.setattr(function.runtime, "bench", team.bench)
    first = b"sensor,time,day,temperature\na,2026-01-01T00:00:00,2026-01-01,1\n"
    log = team.dataset("log")
    contract = json.loads(Path(package / "contracts/readings.json").read_bytes())
    contract["towline"] = {"version": 1, "dataset": "log"}
    team.send(log, log.create("log.csv", first, Contract.parse(contract), "first"))
    land(team.bench, 1, csv("a 1 0 1.5", "b 1 1 2"))
    assert deliver(function, key_of(DATASET)) == {"batchItemFailures": []}
    team.pump()
    assert [(row["sensor"], row["temperature"]) for row in log.table()[1].to_pylist()] == [("a", 1.5), ("b", 2.0)]
    assert next(iter(log.log()))["user"] == f"pipeline-{DATASET}"


def test_what_still_waits_when_time_runs_out_waits(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "LIMIT", 1)
    for number in range(3):
        land(function.runtime.bench, number, csv(f"a 1 {number} 1"))
    assert deliver(function, key_of(DATASET), millis=0) == {"batchItemFailures": []}
    assert silver(function.runtime.bench).loaded == {}
    assert deliver(function, key_of(DATASET)) == {"batchItemFailures": []}
    assert len(silver(function.runtime.bench).loaded) == 3


def test_what_a_file_that_fails_holds_is_not_in_the_log(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = LoadResult(DATASET, "a", taken={"b": Loaded(FAILED, reasons=("line 2 has 2 cells: secret,7",))})
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(function, "load", lambda *_, **__: failed)
    monkeypatch.setattr(function.logger, "error", lambda message, **said: lines.append(said))
    deliver(function, key_of(DATASET))
    assert lines == [{"load": "a", "dataset": DATASET, "ingest": "b"}]
