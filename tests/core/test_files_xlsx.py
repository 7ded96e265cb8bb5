"""XLSX in and out: a workbook's types, and what workbooks hide."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from tests.conftest import ROOT
from towline.contract import Contract
from towline.errors import UnreadableFile, UsageError
from towline.files import read_table, write_table

NET_TOWS = Contract.parse((ROOT / "datasets" / "net_tows" / "contract.json").read_bytes())
RULES = Contract.parse(
    {
        "fields": [
            {"name": "id", "type": "integer"},
            {"name": "x", "type": "number"},
            {"name": "s", "type": "string"},
            {"name": "t", "type": "string"},
            {"name": "b", "type": "boolean"},
            {"name": "d", "type": "date"},
            {"name": "at", "type": "datetime"},
            {"name": "utc", "type": "datetime", "towline": {"timezone": "UTC"}},
        ],
        "primaryKey": "id",
        "missingValues": ["", "NA"],
        "towline": {
            "version": 1,
            "dataset": "things",
            "checks": [{"check": "datetime_text", "column": "t", "format": "%Y-%m-%d %H:%M:%S"}],
        },
    }
)


def workbook(*rows: list[Any], change: Callable[[Any], None] | None = None, title: str = "Sheet") -> bytes:
    """A workbook of one sheet with these rows; `change` gets the sheet."""
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    if change:
        change(book.active)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def column(name: str, *values: object, rules: Contract | None = RULES) -> list[Any]:
    """One column read with the contract, beside an id."""
    table, _ = read_table(workbook(["id", name], *([n, value] for n, value in enumerate(values))), "t.xlsx", rules)
    return list(table.column(name).to_pylist())


def refusal(body: bytes, rules: Contract | None = RULES) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_table(body, "t.xlsx", rules)
    return str(caught.value)


def test_cells_have_the_contracts_types() -> None:
    assert column("x", 1, 2.5, None, "NA", "1e3", " 4 ") == [1.0, 2.5, None, None, 1000.0, 4.0]
    assert column("s", "a", None, "=1+1"[1:], "NA") == ["a", None, "1+1", None]
    assert column("b", True, False, "true", None) == [True, False, True, None]
    assert column("d", date(2024, 5, 4), "2024-05-05") == [date(2024, 5, 4), date(2024, 5, 5)]
    assert column("at", datetime(2024, 5, 4, 18, 3, 9)) == [datetime(2024, 5, 4, 18, 3, 9)]
    assert column("utc", "2024-05-04T18:03:09Z") == [datetime(2024, 5, 4, 18, 3, 9, tzinfo=UTC)]


def test_times_that_a_spreadsheet_made_of_text_are_turned_back() -> None:
    body = workbook(["id", "t"], [1, datetime(2024, 5, 4, 18, 3, 9)], [2, "2024-05-04 18:03:10"])
    table, notes = read_table(body, "t.xlsx", RULES)
    assert table.column("t").to_pylist() == ["2024-05-04 18:03:09", "2024-05-04 18:03:10"]
    assert notes == ["t: dates and times as text (%Y-%m-%d %H:%M:%S)"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("x", "abc", "cell B2, column x: 'abc' is not a number"),
        ("x", "12,5", "is not a number"),
        ("x", True, "is not a number"),
        ("x", datetime(2024, 5, 4), "is not a number"),
        ("s", 4, "is a number in a column of text; format the cell as text"),
        ("s", True, "is a boolean in a column of text"),
        ("s", datetime(2024, 5, 4), "is a time in a column of text"),
        ("t", datetime(2024, 5, 4, 1, 2, 3, 4000), "cannot be written as %Y-%m-%d %H:%M:%S without loss"),
        ("b", 1, "is not true or false"),
        ("d", datetime(2024, 5, 4, 1), "is not a date"),
        ("d", 45_000, "is not a date"),
        ("utc", datetime(2024, 5, 4), "in UTC; write it as text"),
        ("x", timedelta(hours=30), "is a duration"),
    ],
)
def test_a_cell_that_is_not_of_its_type_is_named(name: str, value: object, message: str) -> None:
    assert message in refusal(workbook(["id", name], [1, value]))


def test_an_integer_column_takes_whole_numbers_only() -> None:
    assert read_table(workbook(["id"], [1], [2.0], ["3"]), "t.xlsx", RULES)[0].column("id").to_pylist() == [1, 2, 3]
    assert "cell A2, column id: 4.5 is not a whole number" in refusal(workbook(["id"], [4.5]))


def test_without_a_contract_cells_say_their_types() -> None:
    header = ["i", "n", "s", "b", "d", "at", "time", "empty"]
    row = [1, 2.5, "007", True, datetime(2024, 5, 4), datetime(2024, 5, 4, 1), time(18, 3), None]
    table, notes = read_table(workbook(header, row, [None] * 7 + ["x"]), "t.xlsx")
    assert [str(type) for type in table.schema.types] == (
        ["int64", "double", "string", "bool", "date32[day]", "timestamp[us]", "string", "string"]
    )
    assert table.column("time").to_pylist() == ["18:03:00", None]
    assert notes == []


def test_a_column_of_two_types_is_refused_without_a_contract() -> None:
    message = refusal(workbook(["a"], [1], ["n/a"]), None)
    assert "cell A3, column a: 'n/a' is a text in a column of numbers" in message


def test_empty_rows_and_columns_are_no_part_of_the_table() -> None:
    def change(sheet: Any) -> None:
        sheet["B3"], sheet["D3"], sheet["B6"], sheet["D6"] = "id", "x", 1, 2.5
        sheet["F9"].number_format = "0.00"

    table, _ = read_table(workbook(change=change), "t.xlsx", RULES)
    assert table.to_pydict() == {"id": [1], "x": [2.5]}


def test_error_values_are_refused() -> None:
    assert "cell B2, column x: '#DIV/0!' is an error value" in refusal(workbook(["id", "x"], [1, "#DIV/0!"]))


def test_formulas_without_a_stored_value_are_refused() -> None:
    message = refusal(workbook(["id", "x"], [1, 2], [2, "=B2+1"]))
    assert "cell B3 holds a formula without its value" in message


def test_merged_cells_are_refused() -> None:
    body = workbook(["id", "x"], [1, 2], [2, 3], change=lambda sheet: sheet.merge_cells("B2:B3"))
    assert "cells B2:B3 are merged" in refusal(body)


def test_one_of_several_sheets_is_taken_only_by_its_name() -> None:
    def second(title: str) -> Callable[[Any], None]:
        return lambda sheet: sheet.parent.create_sheet(title).append(["id"])

    assert "several sheets with cells: 'Sheet', 'notes'" in refusal(workbook(["id"], [1], change=second("notes")))
    table, notes = read_table(workbook(["id"], [1], change=second("notes"), title="things"), "t.xlsx", RULES)
    assert (table.num_rows, notes) == (1, ["sheet things of 2"])


def test_header_names_are_checked_as_in_csv() -> None:
    assert "cell B1 has no name" in refusal(workbook(["id", None], [1, 2]))
    assert "'id' names 2 columns" in refusal(workbook(["id", "id"], [1, 2]))


def test_what_is_no_workbook_is_refused() -> None:
    assert "is not a workbook: it begins with b'garbage,'" in refusal(b"garbage, not a ZIP archive")
    assert "damaged" in refusal(b"PK\x03\x04 not really")
    assert "damaged" in refusal(workbook(["id"], [1])[:-300])
    assert "has no cells with values" in refusal(workbook())
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert "no .xlsx workbook" in refusal(sink.getvalue())


def test_a_workbook_of_nonsense_is_refused() -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("xl/workbook.xml", "<nonsense")
    assert "damaged" in refusal(sink.getvalue())


def test_a_workbook_that_unpacks_to_more_than_is_read_is_refused() -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as bomb:
            for _ in range(51):
                bomb.write(b" " * 10_000_000)
    assert len(sink.getvalue()) < 1_000_000
    assert "unpacks to 510,000,011 bytes" in refusal(sink.getvalue())


def test_a_workbook_that_claims_more_cells_than_are_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towline.files.workbook.MAX_XLSX_CELLS", 100)
    body = workbook(["id"], change=lambda sheet: sheet.cell(row=1_000, column=1, value=1))
    assert "more than 100 cells" in refusal(body)


def written(table: pa.Table, **options: Any) -> Any:
    """The sheet of a written workbook."""
    return openpyxl.load_workbook(io.BytesIO(write_table(table, "xlsx", **options))).active


def test_text_that_looks_like_a_formula_is_written_as_text() -> None:
    sheet = written(pa.table({"s": ["=1+1", "#N/A", "@x", None]}))
    assert [(cell.value, cell.data_type) for cell in sheet["A"][1:4]] == [("=1+1", "s"), ("#N/A", "s"), ("@x", "s")]
    assert sheet.freeze_panes == "A2"


def test_formulas_are_escaped_on_request_only_in_columns_of_text() -> None:
    sheet = written(pa.table({"s": ["=1+1", "x"], "n": [-1, 2]}), escape_formulas=True)
    assert [[cell.value for cell in row] for row in sheet.rows] == [["s", "n"], ["'=1+1", -1], ["x", 2]]


def test_what_a_workbook_would_round_is_written_as_text_and_reads_back() -> None:
    table = pa.table(
        {
            "id": [2**53 + 1, 2],
            "x": [math.nan, -math.inf],
            "s": ["🐟", None],
            "t": pa.array([None, None], pa.string()),
            "b": [True, None],
            "d": pa.array([date(1899, 12, 31), date(2024, 5, 4)]),
            "at": pa.array([datetime(2024, 5, 4, 1, 2, 3, 456_789), None], pa.timestamp("us")),
            "utc": pa.array([datetime(2024, 5, 4, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        },
        schema=RULES.schema,
    )
    back, _ = read_table(write_table(table, "xlsx", contract=RULES), "t.xlsx", RULES)
    conformed, report = RULES.conform(back)
    assert report.ok
    assert conformed is not None
    assert str(conformed.to_pylist()) == str(table.to_pylist())


@pytest.mark.parametrize(
    ("text", "message"),
    [("x" * 32_768, "column s holds 32,768 characters"), ("\x01", "column s holds a control character")],
)
def test_what_a_workbook_cannot_hold_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        write_table(pa.table({"s": [text]}), "xlsx")


def test_the_real_table_survives_a_workbook(real_table: Any) -> None:
    table, _ = read_table(real_table.read_bytes(), "master.csv", NET_TOWS)
    back, notes = read_table(write_table(table, "xlsx", contract=NET_TOWS), "net_tows.xlsx", NET_TOWS)
    assert back.equals(table)
    assert notes == []
