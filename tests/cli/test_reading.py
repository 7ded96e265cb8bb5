"""show, export, datasets, log, diff: what people see, and what programs get."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.conftest import CONTRACT, CSV, Towline
from towline.cli import show
from towline.files import read_table, write_table
from towline.sample import sample_table


@pytest.fixture
def wide(bucket: Towline) -> Towline:
    """The sample table: 125 rows of 13 columns."""
    file = bucket.file("sample.parquet", write_table(sample_table(), "parquet"))
    bucket.good("create", "net_tows", file, "--key", "tow,net", "--note", "first")
    return bucket


@pytest.mark.parametrize("columns", [60, 80, 140, 200])
def test_a_wide_table_fits_the_terminal_and_hides_no_column(wide: Towline, columns: int) -> None:
    shown = wide.good("show", "net_tows", "-n", "5", columns=columns).out
    *table, total = shown.splitlines()  # the last line is text, and left to the terminal to wrap
    assert max(map(cell_len, table)) <= columns
    first = sample_table().to_pylist()[0]
    assert all(name in shown for name in first)
    assert all(str(first[name]) in shown for name in ("lat_decimal", "volume_filtered", "time_start_gmt"))
    assert "…" not in shown
    assert "the first 5 of 125 rows" in total


def test_headers_carry_the_units(wide: Towline) -> None:
    contract = wide.pipeline.bench.contract("net_tows")
    shown = wide.good("show", "net_tows", "-n", "1", columns=200).out
    units = [field.unit for field in contract.fields if field.unit]
    assert units
    assert all(f"[{unit}]" in shown for unit in units)


def test_twenty_rows_are_shown_unless_more_are_asked_for(wide: Towline) -> None:
    def lines(*more: str) -> int:
        return wide.good("show", "net_tows", *more, columns=250).out.count("Meridian")

    assert (lines(), lines("-n", "3"), lines("-n", "0")) == (20, 3, 125)


def test_null_the_empty_text_and_the_word_null_look_different(towline: Towline) -> None:
    for tow, vessel in enumerate(('""', '"null"', "null", '" x"'), 10):
        towline.good("insert", "tows", "--set", f"tow={tow},net=0,vessel={vessel}", "--note", "odd", "--wait")
    lines = towline.good("show", "tows").out.splitlines()
    shown = {line.split()[0]: line for line in lines if line.strip()[:2].isdigit()}
    assert '""' in shown["10"]
    assert '"null"' in shown["11"]
    assert '"null"' not in shown["12"]
    assert "null" in shown["12"]
    assert '" x"' in shown["13"]


def test_text_cannot_command_the_terminal(bucket: Towline) -> None:
    contract = json.loads(json.dumps(CONTRACT))
    contract["towline"]["severities"] = {"vessel": {"text.control": "warn"}}
    table = CSV.replace("Meridian", "\x1b[31mred\x07")
    given = bucket.file("contract.json", json.dumps(contract))
    bucket.good("create", "tows", bucket.file("tows.csv", table), "--contract", given, "--note", "first")
    for arguments in (["show", "tows"], ["diff", "tows", "1"], ["log", "tows"]):
        assert "\x1b" not in bucket.good(*arguments).out
    assert "␛[31mred␇" in bucket.good("show", "tows").out


def test_markup_in_cells_is_text(towline: Towline) -> None:
    towline.good(
        "edit", "tows", "--where", "tow=1,net=1", "--set", "vessel=[red]x[/red] :fish:", "--note", "[b]", "--wait"
    )
    assert "[red]x[/red] :fish:" in towline.good("show", "tows").out
    assert "[b]" in towline.good("log", "tows").out


def test_json_has_all_rows_as_objects_with_their_types(towline: Towline) -> None:
    rows = towline.good("show", "tows", "--json").json
    assert rows[2] == {
        "tow": 2,
        "net": 0,
        "vessel": "Méridian, II",
        "volume": None,
        "count": 7,
        "is_day": None,
        "at": "2026-01-05 02:00:00",
    }
    assert len(towline.good("show", "tows", "--json", "-n", "1").json) == 1


def test_rows_are_chosen_by_their_values(towline: Towline) -> None:
    rows = towline.good("show", "tows", "--where", "tow=1", "--where", "is_day=false", "--json").json
    assert [(row["tow"], row["net"]) for row in rows] == [(1, 1)]
    assert towline.good("show", "tows", "--where", "tow=77", "--json").json == []


def test_rows_are_shown_in_the_order_of_another_column(wide: Towline) -> None:
    volumes = sample_table()["volume_filtered"].to_pylist()
    for more, wanted in (((), sorted(volumes)), (("--descending",), sorted(volumes, reverse=True))):
        rows = wide.good("show", "net_tows", "--sort", "volume_filtered", *more, "--json").json
        assert [row["volume_filtered"] for row in rows] == wanted


def test_rows_are_shown_from_a_key_on(wide: Towline) -> None:
    keys = list(zip(*(sample_table().sort_by("tow")[name].to_pylist() for name in ("tow", "net")), strict=True))
    rows = wide.good("show", "net_tows", "--from", "tow=4,net=1", "-n", "3", "--json").json
    first = sorted(keys).index((4, 1))
    assert [(row["tow"], row["net"]) for row in rows] == sorted(keys)[first : first + 3]
    assert f"rows {first + 1}-{first + 20} of 125" in wide.good("show", "net_tows", "--from", "tow=4,net=1").out
    assert wide.good("show", "net_tows", "--from", "tow=4", "-n", "1", "--json").json[0]["tow"] == 4


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (["--descending"], "goes with --sort"),
        (["--sort", "tow", "--from", "tow=4"], "leave out --sort"),
        (["--from", "net=4"], "takes the key, or its first columns: tow=…, net=…"),
        (["--from", "tow=4444"], "no row of net_tows has tow=4444"),
        (["--sort", "depth"], "depth"),
    ],
)
def test_an_order_or_a_beginning_that_means_nothing_is_refused(wide: Towline, wanted: list[str], why: str) -> None:
    refused = wide("show", "net_tows", *wanted)
    assert refused.code != 0
    assert why in refused.err


def test_rows_of_a_large_table_that_match_are_counted_only_where_all_were_seen(
    wide: Towline, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = ("--where", "tow=4,net=1"), ("--where", "is_day=true", "-n", "2")
    counted = wide.good("show", "net_tows", *many).out
    monkeypatch.setattr(show, "COUNTED", 100)
    assert "the first 2 rows that match, of 125; there are more" in wide.good("show", "net_tows", *many).out
    assert "there are more" not in counted
    assert "1 rows that match, of 125;" in wide.good("show", "net_tows", *few).out


def test_earlier_commits_are_shown_by_id_by_number_and_by_time(towline: Towline) -> None:
    first = towline.good("log", "tows", "--json").json[0]
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "why", "--wait")
    for at in (first["commit"], "1", "#1", first["timestamp"]):
        rows = towline.good("show", "tows", "--at", at, "--where", "tow=1,net=1", "--json").json
        assert rows[0]["volume"] == 1467.2, at
    assert towline("show", "tows", "--at", "7").code == 13
    assert towline("show", "tows", "--at", "yesterday").code == 2


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_an_exported_table_reads_back_as_it_was(towline: Towline, ending: str) -> None:
    file = towline.directory / f"out.{ending}"
    answer = towline.good("export", "tows", str(file), "--json").json
    assert answer["rows"] == 3
    contract = towline.pipeline.bench.contract("tows")
    table, _ = read_table(file.read_bytes(), file.name, contract)
    conformed, report = contract.conform(table)
    assert report.ok
    assert conformed.equals(towline.pipeline.dataset("tows").table()[1])
    same = towline("propose", "tows", str(file), "--note", "same", "--dry-run", "--json")
    assert same.code == 10
    assert [violation["rule"] for violation in same.json["violations"]] == ["change.nothing"]


def test_an_export_overwrites_only_when_told_to_and_leaves_nothing_half_written(towline: Towline) -> None:
    file = Path(towline.file("out.csv", "precious"))
    refused = towline("export", "tows", str(file))
    assert refused.code == 2
    assert "--force" in refused.err
    assert file.read_text() == "precious"
    towline.good("export", "tows", str(file), "--force")
    assert file.read_text().startswith("tow,net,")
    assert towline("export", "tows", str(towline.directory / "no" / "out.csv")).code == 2
    assert towline("export", "tows", str(towline.directory / "out.ods")).code == 2
    assert sorted(path.name for path in towline.directory.iterdir()) == ["contract.json", "out.csv", "tows.csv"]


def test_formulas_are_escaped_on_request_only(towline: Towline) -> None:
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "vessel==1+1", "--note", "why", "--wait")
    plain, escaped = towline.directory / "plain.csv", towline.directory / "escaped.csv"
    towline.good("export", "tows", str(plain))
    towline.good("export", "tows", str(escaped), "--escape-formulas")
    assert ",=1+1," in plain.read_text()
    assert ",'=1+1," in escaped.read_text()


def test_show_writes_the_rows_that_it_would_show(towline: Towline) -> None:
    file = towline.directory / "some.csv"
    towline.good("show", "tows", "--where", "tow=1", "-o", str(file))
    assert len(file.read_text().splitlines()) == 3
    assert towline("show", "tows", "-o", str(file)).code == 2


def test_datasets_are_listed_with_their_head(towline: Towline) -> None:
    (one,) = towline.good("datasets", "--json").json
    assert (one["dataset"], one["number"], one["rows"], one["columns"]) == ("tows", 1, 3, 7)
    assert one["commit"] == towline.good("log", "tows", "--json").json[0]["commit"]
    assert "tow, net" in towline.good("datasets").out


def test_an_empty_bucket_has_no_datasets(bucket: Towline) -> None:
    assert bucket.good("datasets", "--json").json == []
    assert "towline create" in bucket.good("datasets").err


def test_the_log_is_the_audit_records_newest_first(towline: Towline) -> None:
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "line 1\nline 2", "--wait")
    records = towline.good("log", "tows", "--json").json
    assert [record["number"] for record in records] == [2, 1]
    assert list(records[0])[:8] == [
        "timestamp",
        "user",
        "note",
        "prev_version",
        "new_version",
        "snapshot_key",
        "row_count",
        "column_count",
    ]
    assert (records[0]["user"], records[0]["cells_changed"]) == ("ana", 1)
    shown = towline.good("log", "tows").out
    assert all(word in shown for word in ("~1", "+3", "ana", "line 1", "line 2", "create"))
    assert "1 older" in towline.good("log", "tows", "-n", "1").out


@pytest.fixture
def changed(towline: Towline) -> Towline:
    """One cell updated, one row inserted, one deleted."""
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=12.5", "--note", "why", "--wait")
    towline.good("insert", "tows", "--set", 'tow=3,net=0,vessel=""', "--note", "why", "--wait")
    towline.good("delete", "tows", "--where", "tow=2,net=0", "--note", "why", "--wait")
    return towline


def test_a_diff_as_json_has_inserted_deleted_and_updated(changed: Towline) -> None:
    found = changed.good("diff", "tows", "1", "4", "--json").json
    assert [row["tow"] for row in found["inserted"]] == [3]
    assert [row["tow"] for row in found["deleted"]] == [2]
    cells = [{"column": "volume", "old": 1467.2, "new": 12.5}]
    assert found["updated"] == [{"key": {"tow": 1, "net": 1}, "cells": cells}]
    assert changed.good("diff", "tows", "1", "--format", "json").json == found


def test_a_diff_backwards_is_its_undo(changed: Towline) -> None:
    there, back = (changed.good("diff", "tows", *pair, "--json").json for pair in (("1", "4"), ("4", "1")))
    assert (there["inserted"], there["deleted"]) == (back["deleted"], back["inserted"])


def test_a_diff_as_csv_is_one_line_a_cell(changed: Towline) -> None:
    text = changed.good("diff", "tows", "1", "4", "--format", "csv").out
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == ["change", "tow", "net", "column", "old", "new"]
    assert ["update", "1", "1", "volume", "1467.2", "12.5"] in lines
    assert ["delete", "2", "0", "count", "7", ""] in lines
    assert 'insert,3,0,vessel,,""' in text


def test_a_diff_for_people_shows_old_and_new_and_the_totals(changed: Towline) -> None:
    shown = changed.good("diff", "tows", "1", "4").out
    assert all(word in shown for word in ("volume [m^3]", "1467.2", "12.5", "inserted", "deleted"))
    assert "rows: 1 inserted, 1 updated, 1 deleted" in shown


def test_a_long_diff_is_cut_and_says_so(wide: Towline) -> None:
    wide.good("edit", "net_tows", "--where", "vessel=Meridian", "--set", "net_size=0.25", "--note", "why", "--wait")
    shown = wide.good("diff", "net_tows", "1", "-n", "3").out
    assert "3 of " in shown
    assert shown.count("net_size") == 3
    assert wide.good("diff", "net_tows", "1", "-n", "0").out.count("net_size") > 100


@pytest.mark.parametrize(
    "arguments", [["show", "nope"], ["log", "nope"], ["diff", "nope", "1"], ["export", "nope", "x.csv"]]
)
def test_a_dataset_that_is_not_there_ends_with_13(towline: Towline, arguments: list[str]) -> None:
    result = towline(*arguments, "--json")
    assert result.code == 13
    assert result.json["error"] == "not_found"
    assert "towline datasets" in result.err
