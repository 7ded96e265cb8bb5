"""`towline query` and `towline.query`, over an Athena that answers what a test has it answer."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import towline as api
from tests.athena import ODD, Answers
from tests.cli.conftest import Towline
from towline.connect import Connection
from towline.errors import EXIT_NOT_FOUND, EXIT_USAGE, EXIT_VIOLATIONS, QueryFailed
from towline.execution import CANCELLED, FAILED


@pytest.fixture
def athena(monkeypatch: pytest.MonkeyPatch) -> Answers:
    answers = Answers()
    monkeypatch.setattr(Connection, "engine", answers)
    monkeypatch.setattr(Connection, "tables", lambda self: ["run_1_base", "shifted", "tows_iceberg"])
    return answers


def squeezed(statement: str) -> str:
    return " ".join(statement.split())


def test_rows_are_shown_with_what_was_read_and_what_that_costs(towline: Towline, athena: Answers) -> None:
    shown = towline.good("query", "SELECT * FROM tows").out
    assert squeezed(athena.asked[0]) == 'SELECT * FROM "towline"."tows" AS "tows"'
    assert "2026-01-04T18:03:09.250000" in shown
    assert "null" in shown
    assert shown.splitlines()[-1] == "2 rows; 12,345 bytes read in 67 ms, 0.000048 USD on AWS"


@pytest.mark.parametrize("columns", [30, 60, 200])
def test_a_long_and_wide_result_is_cut_to_the_terminal_and_says_how_much_there_is(
    towline: Towline, athena: Answers, columns: int
) -> None:
    athena.table = pa.table({f"column_{number}": [f"value {number}"] * 30 for number in range(8)})
    *table, total = towline.good("query", "SELECT * FROM tows", columns=columns).out.splitlines()
    assert max(map(len, table)) <= columns
    assert sum(line.count("value 7") for line in table) == 20
    assert total.startswith("the first 20 of 30 rows (-n 0 shows all); ")
    assert towline.good("query", "SELECT * FROM tows", "-n", "0", columns=200).out.count("value 7") == 30


def test_programs_get_every_row_and_its_types(towline: Towline, athena: Answers) -> None:
    found = towline.good("query", "SELECT * FROM tows", "--json").json
    assert {name: found[name] for name in ("query", "rows", "scanned_bytes", "engine_ms")} == {
        "query": "q-1",
        "rows": 2,
        "scanned_bytes": 12_345,
        "engine_ms": 67,
    }
    assert found["columns"][:2] == [{"name": "n", "type": "int64"}, {"name": "x", "type": "double"}]
    assert found["result"][0]["price"] == "1.10", "a decimal is no float"
    assert set(found["result"][1].values()) == {None, 1e300}


def test_a_csv_file_holds_exact_values_and_tells_an_empty_text_from_a_null(towline: Towline, athena: Answers) -> None:
    file = towline.directory / "out.csv"
    said = towline.good("query", "SELECT * FROM tows", "--csv", str(file)).err
    header, first, second = file.read_text().splitlines()
    assert header == "n,x,text,price,day,at,is_day"
    assert first == '1,0.1,"",1.10,2026-01-04,2026-01-04T18:03:09.250000,TRUE'
    assert second == ",1e+300,,,,,"
    assert float(next(csv.reader([second]))[1]) == 1e300
    assert "out.csv: 2 rows; " in said


def test_a_parquet_file_is_the_result_as_it_is(towline: Towline, athena: Answers) -> None:
    file = towline.directory / "out.parquet"
    found = towline.good("query", "SELECT * FROM tows", "--parquet", str(file), "--limit", "1", "--json").json
    assert (found["rows"], found["written"]) == (2, 1)
    assert pq.read_table(file).to_pylist() == ODD.slice(0, 1).to_pylist()


def test_a_file_is_not_overwritten_unasked_and_then_nothing_is_run(towline: Towline, athena: Answers) -> None:
    file = towline.file("out.csv", "mine")
    assert towline("query", "SELECT * FROM tows", "--csv", file).code == EXIT_USAGE
    assert towline("query", "SELECT 1", "--csv", file, "--parquet", file).code == EXIT_USAGE
    assert (Path(file).read_text(), athena.asked) == ("mine", [])


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DROP TABLE tows", "DROP"),
        ("SELECT 1; SELECT 2", "statement"),
        ("SELECT * FROM finance.ledger", "finance"),
        ("SELECT * FROM run_1_base", "run_1_base"),
        ("UPDATE tows SET volume = 1", "UPDATE"),
        ("SELECT * FROM haul", "haul"),
        ("SELECT FROM WHERE", "line 1"),
    ],
)
def test_what_is_no_query_of_the_teams_tables_is_refused_with_its_place(
    towline: Towline, athena: Answers, statement: str, reason: str
) -> None:
    refused = towline("query", statement, "--json")
    assert refused.code == EXIT_VIOLATIONS
    assert reason in refused.json["message"]
    assert athena.asked == []


@pytest.mark.parametrize("table", ["tows", "tows_snapshots", "tows_iceberg", "changes", "audit", "shifted"])
def test_every_table_of_the_team_can_be_read(towline: Towline, athena: Answers, table: str) -> None:
    towline.good("query", " ".join(["SELECT count(*) FROM", table]))
    assert f'"towline"."{table}"' in athena.asked[0]


def test_master_is_the_dataset_that_was_named_or_the_only_one(towline: Towline, athena: Answers) -> None:
    towline.good("query", "SELECT * FROM master")
    contract = towline.file("hauls.json", json.dumps(_hauls()))
    towline.good("create", "hauls", towline.file("hauls.csv", "haul\n1\n"), "--contract", contract, "--note", "first")
    towline.good("query", "SELECT * FROM master", "--dataset", "hauls")
    assert ['"hauls"' in asked for asked in athena.asked] == [False, True]
    unsure = towline("query", "SELECT * FROM master")
    assert (unsure.code, "say which dataset" in unsure.err) == (EXIT_VIOLATIONS, True)
    assert towline("query", "SELECT * FROM master", "--dataset", "haul").code == EXIT_NOT_FOUND


def _hauls() -> dict[str, object]:
    fields = [{"name": "haul", "type": "integer"}]
    return {"fields": fields, "primaryKey": ["haul"], "towline": {"version": 1, "dataset": "hauls"}}


@pytest.mark.parametrize("state", [FAILED, CANCELLED])
def test_athenas_reason_is_told(towline: Towline, athena: Answers, state: str) -> None:
    athena.state, athena.reason = state, "COLUMN_NOT_FOUND: line 1:8: Column 'volum' cannot be resolved"
    failed = towline("query", "SELECT volum FROM tows")
    assert (failed.code, athena.stopped) == (EXIT_USAGE, [])
    assert "COLUMN_NOT_FOUND: line 1:8" in failed.err


def test_a_query_that_takes_too_long_is_stopped(towline: Towline, athena: Answers) -> None:
    athena.state = "RUNNING"
    late = towline("query", "SELECT * FROM tows", "--timeout", "0.1")
    assert (late.code, athena.stopped) == (EXIT_USAGE, ["q-1"])
    assert "had not ended after 0.1 s" in late.err


def test_ctrl_c_stops_the_query(towline: Towline, athena: Answers) -> None:
    athena.interrupts = True
    assert (towline("query", "SELECT * FROM tows").code, athena.stopped) == (130, ["q-1"])


def test_a_statement_can_come_from_a_pipe(towline: Towline, athena: Answers) -> None:
    towline.good("query", "-", stdin="SELECT count(*)\nFROM tows\n")
    assert "COUNT(*)" in athena.asked[0]


def test_python_gets_a_dataframe(towline: Towline, athena: Answers) -> None:
    df = api.query("SELECT * FROM master")
    assert (df["n"].dtype, df["is_day"].dtype) == (pd.Int64Dtype(), pd.BooleanDtype())
    assert df.attrs["towline_query"]["cost_usd"] > 0
    athena.state = FAILED
    with pytest.raises(QueryFailed):
        api.query("SELECT * FROM tows")
