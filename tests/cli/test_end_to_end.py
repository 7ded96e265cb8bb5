"""The main job on the command line, each command a process of its own, on a real local stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Result
from tests.conftest import ROOT
from tests.needs import need
from towline import keys
from towline.connect import connect
from towline.files import write_table
from towline.sample import sample_table
from towline.settings import Settings
from towline.store import ObjectStore

REAL = ROOT.parent / "shared" / "data" / "master.csv"  # the first user's table, where it is at hand
WHERE = ["net_tows", "--where", "tow=4,net=1"]
EIGHT = ["timestamp", "user", "note", "prev_version", "new_version", "snapshot_key", "row_count", "column_count"]


@dataclass
class Shell:
    """`towline(...)` runs the program as a person would, in a home of its own."""

    home: Path

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_", "TOWLINE_"))}
        env |= {"XDG_STATE_HOME": str(self.home / "state"), "XDG_DATA_HOME": str(self.home / "share"), "LOGNAME": "ana"}
        command = [sys.executable, "-c", "from towline.cli import run; run()", *arguments]
        done = subprocess.run(command, env=env, cwd=self.home, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    @property
    def data_dir(self) -> Path:
        return self.home / "data"

    @property
    def store(self) -> ObjectStore:
        return connect(Settings.resolve({}, self.data_dir)).bench.store

    def table(self, key: str) -> pa.Table:
        return pq.read_table(pa.BufferReader(self.store.get(key).body)).replace_schema_metadata(None)


@pytest.fixture(scope="module")
def towline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A stack that `towline up` started, and the dataset net_tows that `towline create` made."""
    need(find_spec("ministack"), "MiniStack is not installed (uv sync --group local)")
    shell = Shell(tmp_path_factory.mktemp("home"))
    sample = shell.home / "sample.csv"
    sample.write_bytes(write_table(sample_table(), "csv"))
    try:
        up = shell("up", "--detach", "--no-app", "--port", "0", "--data-dir", str(shell.data_dir), "--json")
        assert up.json["data_dir"] == str(shell.data_dir)
        table = str(REAL if REAL.exists() else sample)
        shell("create", "net_tows", table, "--key", "tow,net", "--note", "first load")
        yield shell
    finally:
        stopped = shell("down", "--data-dir", str(shell.data_dir), "--json")
    assert stopped.json["stopped"] is True


def test_an_edit_changes_one_cell_and_leaves_its_whole_trail(towline: Shell) -> None:
    before = towline.table(keys.master("net_tows"))
    row = towline("show", *WHERE, "--json").json[0]
    edit = ["--set", "volume_filtered=1234.5", "--note", "flow meter", "--wait", "--json"]
    receipt = towline("edit", *WHERE, *edit).json
    assert receipt["status"] == "committed"

    after = towline.table(keys.master("net_tows"))
    number = next(
        i for i, key in enumerate(zip(*(after[n].to_pylist() for n in ("tow", "net")), strict=True)) if key == (4, 1)
    )
    volumes = before["volume_filtered"].to_pylist()
    volumes[number] = 1234.5
    column = before.schema.get_field_index("volume_filtered")
    assert after.equals(before.set_column(column, before.schema.field(column), pa.array(volumes, pa.float64())))
    assert {
        name: str(after.schema.field(name).type) for name in ("tow", "net", "time_start_gmt", "is_day", "net_size")
    } == {
        "tow": "int64",
        "net": "int64",
        "time_start_gmt": "string",
        "is_day": "bool",
        "net_size": "double",
    }
    assert after["net_size"].null_count == before["net_size"].null_count > 0

    (audit,) = [json.loads(line) for line in towline.store.get(receipt["audit_key"]).body.splitlines()]
    versions = [version.version for version in towline.store.versions(keys.master("net_tows"))]
    assert list(audit)[:8] == EIGHT
    assert (audit["user"], audit["note"]) == ("ana", "flow meter")
    assert [audit["new_version"], audit["prev_version"]] == versions[:2]
    assert (audit["row_count"], audit["column_count"]) == (125, 13)
    assert towline.table(audit["snapshot_key"]).equals(after)
    assert towline("log", "net_tows", "--json").json[0] == audit

    changes = towline.table(audit["changes_key"]).to_pylist()
    assert len(changes) == 1
    cells = [{"column": "volume_filtered", "old": row["volume_filtered"], "new": 1234.5}]
    assert towline("diff", "net_tows", audit["parent"], audit["commit"], "--json").json == {
        "inserted": [],
        "deleted": [],
        "updated": [{"key": {"tow": 4, "net": 1}, "cells": cells}],
    }


def test_every_outcome_has_its_exit_code(towline: Shell) -> None:
    note = ["--note", "why", "--wait"]
    towline("edit", *WHERE, "--set", "lat_decimal=1234.5", *note, code=10)
    towline("edit", *WHERE, "--set", "lat_decimal=north", *note, code=10)
    towline("edit", "net_tows", "--where", "tow=4000", "--set", "net_size=1", *note, code=13)
    towline("edit", *WHERE, "--set", "depth=1", *note, code=2)
    towline("show", "nope", code=13)
    towline("env", "--data-dir", str(towline.home / "nothing"), code=12)


def test_two_edits_of_one_cell_from_one_base_are_a_conflict_that_names_both_values(towline: Shell) -> None:
    base = towline("log", "net_tows", "--json").json[0]["commit"]
    file = towline.home / "mine.csv"
    towline("export", "net_tows", str(file), "--force")
    towline("edit", *WHERE, "--set", "max_depth=500.5", "--note", "theirs", "--wait")
    table = _set(towline("show", "net_tows", "--at", base, "--json").json, "max_depth", 600.5)
    file.with_suffix(".parquet").write_bytes(write_table(table, "parquet"))
    mine = ["net_tows", str(file.with_suffix(".parquet")), "--base", base, "--note", "mine", "--wait", "--json"]
    receipt = towline("propose", *mine, code=11).json
    (cell,) = receipt["conflicts"][0]["cells"]
    assert (cell["column"], cell["theirs"], cell["ours"]) == ("max_depth", 500.5, 600.5)
    assert towline("status", receipt["proposal"], "--json", code=11).json["conflicts"] == receipt["conflicts"]


def _set(rows: list[dict[str, Any]], column: str, value: float) -> pa.Table:
    changed = [row | ({column: value} if (row["tow"], row["net"]) == (4, 1) else {}) for row in rows]
    return pa.Table.from_pylist(changed, schema=sample_table().schema)


def test_doctor_finds_nothing_to_mend(towline: Shell) -> None:
    answer = towline("doctor", "--json").json
    assert answer["ok"] is True
    status = {check["name"]: check["status"] for check in answer["checks"]}
    assert status.pop("editor") == "warn"  # it was not started
    assert status.pop("queues") in ("ok", "warn")
    assert set(status.values()) == {"ok"}, answer
    assert {"versioning", "conditional put", "functions", "dead letters", "clock"} <= set(status)


def test_other_programs_see_the_bucket_through_env(towline: Shell) -> None:
    exports = towline("env", "--json").json
    assert exports["S3_BUCKET"] == "towline"
    program = "import json, towline; print(json.dumps([towline.datasets(), len(towline.open('net_tows').read())]))"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_", "TOWLINE_"))} | exports
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["net_tows"], 125]
