"""The command line on a bucket in memory, whose functions run the moment a proposal lands."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner

from tests.pipeline import Pipeline
from tests.sql_pipeline import SqlPipeline
from towline import connect
from towline.cli import main
from towline.connect import Connection
from towline.memory import MemoryStore
from towline.settings import Settings

CSV = """\
tow,net,vessel,volume,count,is_day,at
1,0,Meridian,1786.2,12,TRUE,2026-01-04 18:03:09
1,1,Meridian,1467.2,,FALSE,2026-01-04 19:04:25
2,0,"Méridian, II",,7,,2026-01-05 02:00:00
"""
CONTRACT: dict[str, Any] = {
    "fields": [
        {"name": "tow", "type": "integer"},
        {"name": "net", "type": "integer"},
        {"name": "vessel", "type": "string"},
        {"name": "volume", "type": "number", "constraints": {"minimum": 0}},
        {"name": "count", "type": "integer"},
        {"name": "is_day", "type": "boolean"},
        {"name": "at", "type": "string"},
    ],
    "primaryKey": ["tow", "net"],
    "towline": {"version": 1, "dataset": "tows", "units": {"volume": "m^3"}},
}


@dataclass
class Result:
    """What a run of `towline` left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Towline:
    """`towline(...)` runs a command. `deliver` False leaves proposals in the inbox until `pipeline.pump()`."""

    pipeline: Pipeline
    directory: Path
    deliver: bool = True
    environment: dict[str, str] = field(default_factory=lambda: {"COLUMNS": "140"})

    @property
    def store(self) -> MemoryStore:
        return self.pipeline.store

    def __call__(self, *arguments: str, columns: int | None = None, stdin: str | None = None) -> Result:
        split = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
        env = self.environment | ({"COLUMNS": str(columns)} if columns else {})
        done = CliRunner(**split).invoke(main, list(arguments), input=stdin, env=env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    def good(self, *arguments: str, **more: Any) -> Result:
        result = self(*arguments, **more)
        assert result.code == 0, result.err
        return result

    def file(self, name: str, text: str | bytes = CSV) -> str:
        path = self.directory / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def rows(self) -> dict[tuple[int, int], dict[str, Any]]:
        """The head's rows by key."""
        return {(row["tow"], row["net"]): row for row in self.good("show", "tows", "--json").json}

    def _deliver(self, operation: str, key: str, phase: Literal["before", "after"]) -> None:
        arrived = (
            (operation, phase) == ("put", "after") and key.startswith(("inbox/", "reviews/")) and key.endswith(".json")
        )
        if arrived and self.deliver:
            self.pipeline.pump()


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Towline:
    """An empty bucket, and the command line on it, as the user ana."""
    pipeline = SqlPipeline()
    towline = Towline(pipeline, tmp_path)
    pipeline.store.faults = towline._deliver
    settings = Settings("towline", endpoint_url="http://127.0.0.1:9")
    connection = Connection(settings, pipeline.bench)
    monkeypatch.setattr(connect, "here", lambda data_dir=None: connection)
    monkeypatch.setenv("LOGNAME", "ana")
    return towline


@pytest.fixture
def towline(bucket: Towline) -> Towline:
    """The same with the dataset `tows`."""
    contract = bucket.file("contract.json", json.dumps(CONTRACT))
    bucket.good("create", "tows", bucket.file("tows.csv"), "--contract", contract, "--note", "first load")
    return bucket
