"""Edits in SQL on a real local stack: the table is edited by what Athena made of the statement."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.conftest import Result
from towline.cli import main
from towline.files import write_table
from towline.local.stack import StackInfo
from towline.sample import sample_table

NAME = "sql_tows"


class Shell:
    """`towline(...)` on the stack of the session."""

    def __init__(self, info: StackInfo) -> None:
        self.data_dir = info.data_dir

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        split = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
        done = CliRunner(**split).invoke(main, [*arguments, "--data-dir", str(self.data_dir)], env={"COLUMNS": "140"})
        assert done.exit_code == code, done.stdout + done.stderr
        return Result(done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code).out)

    def rows(self) -> dict[tuple[int, int], dict[str, Any]]:
        found = self.json("show", NAME, "-n", "0")
        return {(row["tow"], row["net"]): row for row in found}


@pytest.fixture(scope="module")
def shell(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A dataset of its own, with the sample table."""
    file = tmp_path_factory.mktemp("sql") / "sample.csv"
    file.write_bytes(write_table(sample_table(), "csv"))
    shell = Shell(stack)
    shell("create", NAME, str(file), "--key", "tow,net", "--note", "first load")
    return shell


def test_an_edit_is_previewed_and_exactly_that_is_promoted_once(shell: Shell) -> None:
    before = shell.rows()
    sql = "UPDATE master SET volume_filtered = volume_filtered * 2 WHERE tow = 4"
    shown = shell.json("sql", NAME, sql, "--note", "calibration", "--dry-run")
    assert shown["statement"] == sql
    assert shown["rows"]["updated"] == sum(
        row["volume_filtered"] is not None for (tow, _), row in before.items() if tow == 4
    )
    assert shell.rows() == before
    assert f"--promote {shown['run']}" in shell("sql", NAME, "--show", shown["run"]).out
    receipt = shell.json("sql", NAME, "--promote", shown["run"], "--wait")
    assert (receipt["status"], receipt["kind"]) == ("committed", "sql")
    for (tow, net), row in shell.rows().items():
        old = before[tow, net]["volume_filtered"]
        assert row["volume_filtered"] == (old * 2 if tow == 4 and old is not None else old)
    shell("sql", NAME, "--promote", shown["run"], code=2)
    assert shell.json("log", NAME)[0]["query"] == sql


def test_what_was_discarded_changes_nothing(shell: Shell) -> None:
    before = shell.rows()
    shown = shell.json("sql", NAME, "DELETE FROM master WHERE tow = 6", "--note", "a mistake", "--dry-run")
    assert shown["rows"]["deleted"] > 0
    receipt = shell.json("sql", NAME, "--discard", shown["run"], "--wait")
    assert receipt["status"] == "rejected"
    assert shell.rows() == before


def test_what_athena_refuses_and_what_breaks_the_contract_is_told(shell: Shell) -> None:
    before = shell.rows()
    result = shell.json("sql", NAME, "UPDATE master SET vessel = 1", "--note", "why", "--wait", code=10)
    assert "MISMATCH" in result["message"]
    doubled = "INSERT INTO master SELECT * FROM master WHERE tow = 1"
    result = shell.json("sql", NAME, doubled, "--note", "why", "--dry-run", code=10)
    assert {violation["rule"] for violation in result["violations"]} == {"key.duplicate"}
    assert shell.rows() == before
