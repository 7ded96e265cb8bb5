"""The handler of bronze files on its events, over moto: what it stores, counts and answers."""

from __future__ import annotations

import json
from types import ModuleType

import pytest
from moto import mock_aws

from tests.core import raw
from tests.functions.functions import CONTEXT, bucket, deliver, load
from towline.store import Stat


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch):
    with mock_aws():
        bucket(monkeypatch, is_versioned=False)  # so that what is deleted is gone, by its version, too
        yield load("sample_file")


def put(function: ModuleType, name: str, body: bytes) -> Stat:
    return function.runtime.bench.store.put(f"bronze/golf/course=a b/ingest_date=2026-11-28/{name}", body)


def written(out: str) -> float:
    found = [json.loads(line) for line in out.splitlines() if '"_aws"' in line]
    return sum(sum(each.get("SamplesWritten", [])) for each in found)


def test_a_batch_of_bronze_files_gets_its_samples_once(
    function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    store = function.runtime.bench.store
    stats = [put(function, f"214500--{name}", raw.FILES[name]) for name in ("rounds.csv", "rounds.xlsx", "rounds.tar")]
    assert deliver(function, *stats) == {"batchItemFailures": []}
    assert written(capsys.readouterr().out) == 3
    samples = {entry.key: entry.etag for entry in store.list("samples/")}
    place = "samples/golf/course=a b/ingest_date=2026-11-28/214500--rounds"
    assert list(samples) == [f"{place}.csv", f"{place}.tar.txt", f"{place}.xlsx"]
    assert store.get(f"{place}.csv").body == raw.delimited(rows=100)
    assert deliver(function, *stats) == {"batchItemFailures": []}
    assert written(capsys.readouterr().out) == 0
    assert {entry.key: entry.etag for entry in store.list("samples/")} == samples


def test_what_cannot_be_sampled_says_why(function: ModuleType) -> None:
    stat = put(function, "214500--a.json", b"no JSON")
    assert deliver(function, stat) == {"batchItemFailures": []}
    found = function.runtime.bench.store.head(stat.key.replace("bronze/", "samples/") + ".meta.json")
    assert "neither [ nor {" in found.metadata["reason"]


def test_only_what_fails_is_delivered_again(function: ModuleType) -> None:
    good, gone = put(function, "214500--a.csv", b"a\n1\n"), put(function, "214501--b.csv", b"a\n1\n")
    function.runtime.bench.store.delete(gone.key)
    assert deliver(function, good, gone) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_the_local_stack_may_warm_it_up(function: ModuleType) -> None:
    assert function.handler({"Records": []}, CONTEXT) == {"batchItemFailures": []}
