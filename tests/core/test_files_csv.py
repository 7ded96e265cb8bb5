"""CSV in: what can be read in one way is read, everything else is refused with the line and the reason."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towline import files
from towline.contract import Contract
from towline.errors import UnreadableFile
from towline.files import read_table


def contract(missing: list[str] | None = None, **types: str | dict[str, Any]) -> Contract:
    fields = [{"name": n, **(t if isinstance(t, dict) else {"type": t})} for n, t in types.items()]
    raw = {"fields": fields, "primaryKey": next(iter(types)), "towline": {"version": 1, "dataset": "things"}}
    return Contract.parse({**raw, "missingValues": missing} if missing is not None else raw)


def read(body: str | bytes, rules: Contract | None = None, name: str = "t.csv") -> dict[str, list[Any]]:
    table, _ = read_table(body.encode() if isinstance(body, str) else body, name, rules)
    return dict(table.to_pydict())


def notes(body: bytes, rules: Contract | None = None) -> list[str]:
    return read_table(body, "t.csv", rules)[1]


def refusal(body: str | bytes, rules: Contract | None = None, name: str = "t.csv") -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(body, rules, name)
    assert str(caught.value).startswith(name)
    return str(caught.value)


def test_a_plain_file_needs_no_notes() -> None:
    assert notes(b"a,b\n1,2\n") == []


def test_types_are_inferred_from_all_rows() -> None:
    body = "i,n,b,t,s,e\n" + "1,2,TRUE,2024-05-04 18:03:09,x,\n" * 200_000 + "2,2.5,false,2024-05-04 18:03:10,,\n"
    table, _ = read_table(body.encode(), "t.csv")
    assert [str(type) for type in table.schema.types] == ["int64", "double", "bool", "string", "string", "string"]
    assert table.slice(200_000).to_pylist() == [
        {"i": 2, "n": 2.5, "b": False, "t": "2024-05-04 18:03:10", "s": None, "e": None}
    ]


@pytest.mark.parametrize(
    ("values", "type"),
    [
        (["1", "-2", "0"], "int64"),
        (["007", "1"], "string"),
        (["+49", "1"], "string"),
        (["12E4", "1"], "string"),
        (["1.2E4", "1"], "double"),
        (["1e-07", "1e+16"], "double"),
        (["99999999999999999999"], "string"),
        (["-9223372036854775808"], "int64"),
        (["1.5", "NaN"], "double"),
        (["nan", "inf"], "string"),
        (["True", "FALSE", "true"], "bool"),
        (["true", "1"], "string"),
        (["1_000"], "string"),
        (["0x10"], "string"),
        (["1,5"], "string"),
        (["12:30"], "string"),
        ([" 1 ", "2"], "int64"),
    ],
)
def test_names_that_look_like_numbers_stay_text(values: list[str], type: str) -> None:
    body = "a,k\n" + "".join(f'"{value}",x\n' for value in values)
    assert str(read_table(body.encode(), "t.csv")[0].schema.types[0]) == type


def test_with_a_contract_columns_are_its_types() -> None:
    rules = contract(
        id="integer", n="number", b="boolean", d="date", t="datetime", s="string",
        u={"type": "datetime", "towline": {"timezone": "UTC"}},
        f={"type": "datetime", "format": "%d/%m/%Y %H:%M"},
    )  # fmt: skip
    body = (
        "id,n,b,d,t,s,u,f\n"
        " 007 ,+1.50,TRUE,2024-02-29,2024-05-04 18:03:09.25,007,2024-05-04T18:03:09+07:00,31/12/2024 23:59\n"
        "4.0,nan,false,,,,,\n"
    )
    assert read(body, rules) == {
        "id": [7, 4],
        "n": [1.5, pytest.approx(math.nan, nan_ok=True)],
        "b": [True, False],
        "d": [date(2024, 2, 29), None],
        "t": [datetime(2024, 5, 4, 18, 3, 9, 250_000), None],
        "s": ["007", None],
        "u": [datetime(2024, 5, 4, 11, 3, 9, tzinfo=UTC), None],
        "f": [datetime(2024, 12, 31, 23, 59), None],
    }


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        ("integer", "abc", "line 3, column x: 'abc' is not a whole number"),
        ("integer", "4.5", "'4.5' is not a whole number"),
        ("integer", "1e3", "'1e3' is not a whole number"),
        ("integer", "9223372036854775808", "is not a whole number"),
        ("integer", "9" * 5_000, "is not a whole number"),
        ("number", "n/a", "line 3, column x: 'n/a' is not a number"),
        ("number", "1e999", "'1e999' is not a number"),
        ("number", "1 000", "'1 000' is not a number"),
        ("boolean", "1", "'1' is not true or false"),
        ("boolean", "yes", "'yes' is not true or false"),
        ("date", "2023-02-29", "'2023-02-29' is not a date"),
        ("datetime", "2024-05-04 24:00:00", "is not a date and time"),
        ("datetime", "2024-05-04 18:03:09Z", "is not a date and time"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_named_with_its_line(type: str, value: str, message: str) -> None:
    assert message in refusal(f"id,x\n1,\n2,{value}\n", contract(id="integer", x=type))


def test_many_wrong_values_are_counted() -> None:
    message = refusal("id\n" + "x\n" * 30, contract(id="integer"))
    assert message.count("line ") == 5
    assert message.endswith("and 25 more")


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    body = 'id,s\n1,"two\nlines"\n\n2,\nx,\n'
    assert "line 6, column id: 'x'" in refusal(body, contract(id="integer", s="string"))


def test_columns_that_the_contract_does_not_know_come_along() -> None:
    rules = contract(id="integer")
    table, _ = read_table(b"id,more\n1,2\n", "t.csv", rules)
    assert [v.rule for v in rules.conform(table)[1].violations] == ["column.unknown"]


def test_an_empty_cell_is_null_and_a_quoted_one_is_empty_text() -> None:
    rules = contract(id="integer", s="string", n="number")
    assert read('id,s,n\n1,,""\n2,"",\n', rules) == {"id": [1, 2], "s": [None, ""], "n": [None, None]}


def test_missing_values_are_the_contracts() -> None:
    rules = contract(["NA", "-999"], id="integer", s="string", n="number")
    assert read('id,s,n\n1,NA,NA\n2,"NA",-999\n3,, NA \n', rules) == {
        "id": [1, 2, 3],
        "s": [None, "NA", ""],
        "n": [None, None, None],
    }
    assert "'' is not a number" in refusal("id,s,n\n1,a,\n", rules)


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"\xef\xbb\xbfa,b\n\xc3\xa9,2\n", ["byte order mark removed"]),
        ("a,b\né,2\n".encode("utf-16"), ["UTF-16"]),
        (b"\xfe\xff" + "a,b\né,2\n".encode("utf-16-be"), ["UTF-16"]),
        (b"a,b\n\xe9,2\n", ["Latin-1"]),
        ("a,b\né,2\n".encode(), []),
        ("a;b\né;2\n".encode(), ["semicolon-separated"]),
        ("a\tb\né\t2\n".encode(), ["tab-separated"]),
        (b"\xef\xbb\xbfa;b\r\n\xc3\xa9;2\r\n", ["byte order mark removed", "semicolon-separated"]),
        ("a,b\ré,2\r".encode(), []),
        ("a,b\né,2".encode(), []),
        ("\na,b\n\né,2\n\n".encode(), []),
        (" a , b \né,2\n".encode(), []),
    ],
)
def test_one_table_in_many_spellings(body: bytes, note: list[str]) -> None:
    table, found = read_table(body, "t.csv")
    assert table.to_pydict() == {"a": ["é"], "b": [2]}
    assert found == note


def test_windows_text_keeps_its_quotes_and_dashes() -> None:
    body = "a,b\nM\u00fcller\u2019s \u201cnet\u201d \u2013 5\u00b0C,1\n".encode("cp1252")
    table, found = read_table(body, "t.csv")
    assert table.column("a").to_pylist() == ["Müller\u2019s \u201cnet\u201d \u2013 5°C"]
    assert found == ["Windows-1252"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a,b\n\u0436\u0443\u043a,1\n".encode("cp1251"), "byte 4 (line 2) is 0xe6: it is not UTF-8, and no word"),
        ("a,b\ncaf\u00e9,1\n".encode("mac-roman"), "byte 7 (line 2) is 0x8e: it is neither UTF-8 nor common"),
        ("a,b\ncaf\u00e9,1\n".encode("cp850"), "is 0x82: it is neither UTF-8 nor common"),
        ("a,b\né,1\n".encode() + b"\xe9,2\n", "byte 9 (line 3) is 0xe9: other bytes are UTF-8"),
        ("a,b\nn,é".encode()[:-1], "it is cut"),
        (b"\xef\xbb\xbfa,b\n\xe9,1\n", "marked as UTF-8"),
        ("a,b\né,1\n".encode("utf-16")[:-1], "damaged UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1 holds a NUL character"),
        (b"a,b\n1,x\x00\n", "line 2 holds a NUL character"),
    ],
)
def test_text_in_a_doubtful_encoding_is_refused_with_the_byte(body: bytes, message: str) -> None:
    assert message in refusal(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells; the header has 2"),
        ("a,b\n1\n", "line 2 has 1 cells; the header has 2"),
        ('a,b\n"x\ny",2\n1\n', "line 4 has 1 cells"),
        ("a,b,a\n1,2,3\n", "'a' names 2 columns"),
        ("a, a\n1,2\n", "'a' names 2 columns"),
        ("a,,c\n1,2,3\n", "column 2 of the header has no name"),
        ("a,b,\n1,2,\n", "column 3 of the header has no name"),
        ("a,b\x07\n1,2\n", "is called 'b\\x07'"),
        ("a|b\n1|2\n", "separated by |; use a comma"),
        ('a,b\n1,"2\n', "line 2: unexpected end of data"),
        ('a,b\n"x"y,2\n', "line 2: ',' expected after '\"'"),
        ("x\n1;2\n3,4\n", "line 3 has 2 cells"),
        ("a,b;c\n1,2;3\n", "the header can be split by comma and semicolon, and so can every line"),
        (",".join(f"c{i}" for i in range(2_001)) + "\n", "2,001 columns; at most 2,000"),
        ("a,b\n1," + "x" * 200_000 + "\n", "field larger than field limit"),
    ],
)
def test_a_table_that_does_not_hold_together_is_refused_with_the_line(body: str, message: str) -> None:
    assert message in refusal(body)


def test_the_separator_is_the_one_that_fits_every_line() -> None:
    assert read("depth, m;name\n1;x,y\n2;z\n") == {"depth, m": [1, 2], "name": ["x,y", "z"]}
    assert read('a;b\n"1;2";3\n') == {"a": ["1;2"], "b": [3]}


def test_one_column_is_a_table_too() -> None:
    assert read("a\n1\n\n2\n") == {"a": [1, None, 2]}


def test_a_header_alone_is_a_table_without_rows() -> None:
    table, _ = read_table(b"a,b", "t.csv")
    assert (table.num_rows, table.column_names) == (0, ["a", "b"])


NUMBERS = contract(id="integer", x="number", y="number", s="string")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_decimal_comma_that_proves_itself_is_accepted(separator: str) -> None:
    body = "id;x;y;s\n1;12,5;-1,234;1,5\n2;3;1,5e3;\n".replace(";", separator).encode()
    table, found = read_table(body, "t.csv", NUMBERS)
    assert table.to_pydict() == {"id": [1, 2], "x": [12.5, 3.0], "y": [-1.234, 1500.0], "s": ["1,5", None]}
    assert found[-1] == "decimal comma"
    assert read_table(body, "t.csv")[0].column("x").to_pylist() == [12.5, 3.0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("id;x;y;s\n1;1,234;;\n2;12,345;;\n", "line 2, column x: '1,234' may have decimals or thousands"),
        ("id;x;y;s\n1;1,234,567;1,5;\n", "'1,234,567' is not a number"),
        ("id;x;y;s\n1;12,5;1.5;\n", "line 2, column y: '1.5' has a decimal point, and other numbers have"),
        ("id;x;y;s\n1;1.234,5;1,5;\n", "'1.234,5' is not a number"),
        ('id,x,y,s\n1,"12,5",,\n', "line 2, column x: '12,5' has a comma inside a number, in a file"),
        ("id;x;y;s\n1;a,b;;\n", "'a,b' is not a number"),
    ],
)
def test_a_comma_that_may_mean_two_things_is_refused(body: str, message: str) -> None:
    assert message in refusal(body, NUMBERS)


@pytest.mark.parametrize("value", ["0,123", "1,2345", "12,5", ",5", "1234,567"])
def test_what_cannot_be_thousands_is_proof_of_a_decimal_comma(value: str) -> None:
    assert read(f"id;x;y;s\n1;{value};;\n", NUMBERS)["x"] == [float(value.replace(",", "."))]


def test_without_a_contract_an_ambiguous_column_is_refused_too() -> None:
    assert "may have decimals or thousands" in refusal("a;b\n1,234;x\n")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty (0 bytes)"),
        (b"\n \r\n", "is empty"),
        (b"\x00" * 100, "is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "is a PNG image"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"\x1f\x8b\x08\x00abc", "is a gzip archive; unpack it first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old .xls workbook or an encrypted one"),
        (b"<!DOCTYPE html><html>", "is HTML or XML"),
        (b'{"a": 1}', "is JSON"),
        (b'[{"a": 1}]', "is JSON"),
        (b"ARROW1\x00\x00", "an Arrow or Feather file"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(body: bytes, message: str) -> None:
    for name in ("t.csv", "t.parquet", "t.xlsx", "no ending"):
        assert message in refusal(body, name=name)


def test_text_that_is_named_parquet_or_xlsx_is_refused() -> None:
    for name in ("t.parquet", "T.XLSX"):
        assert "is not a" in refusal(b"a,b\n1,2\n", name=name)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    assert "has 11 bytes; at most 10 are read" in refusal(b"a,b\n1,2\n3,4"[:11])


def test_more_cells_than_are_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towline.files.delimited.MAX_CELLS", 10)
    assert "at most 10 cells are read" in refusal("a,b\n" + "1,2\n" * 6)


def test_the_real_table_reads_without_a_contract_as_the_team_knows_it(real_table: Any) -> None:
    table, found = read_table(real_table.read_bytes(), "master.csv")
    types = dict(zip(table.column_names, map(str, table.schema.types), strict=True))
    assert found == []
    assert (types["tow"], types["net"], types["is_day"], types["time_start_gmt"]) == (
        "int64",
        "int64",
        "bool",
        "string",
    )
    assert (types["lat_decimal"], table.column("net_size").null_count) == ("double", 91)


def test_files_written_by_accident_with_an_index_are_refused_with_the_reason() -> None:
    assert re.search(r"column 1 of the header has no name; name it, or leave the column out", refusal(",a\n0,1\n"))


_PIECES = st.sampled_from(
    [",", ";", "\t", '"', "\n", "\r\n", "\r", "1", "2.5", "1,5", "a", "é", " ", "NA", "true", "nan"]
)


@given(st.lists(_PIECES, max_size=25).map("".join), st.booleans())
def test_any_text_is_a_table_or_is_refused(body: str, with_contract: bool) -> None:
    rules = contract(["", "NA"], a="integer", b="number", c="string", d="boolean") if with_contract else None
    try:
        table, _ = read_table(f"a,b\n{body}".encode(), "t.csv", rules)
    except UnreadableFile:
        return
    table.validate(full=True)


@given(st.binary(max_size=60), st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf", b"a,b\n"]))
def test_any_bytes_are_a_table_or_are_refused(body: bytes, start: bytes) -> None:
    try:
        table, _ = read_table(start + body, "file")
    except UnreadableFile:
        return
    table.validate(full=True)


def test_arrow_never_sees_a_type_it_would_guess() -> None:
    """A column of dates stays text, which Arrow's own CSV reader would make timestamps of."""
    assert read_table(b"a,b\n2024-05-04,2024-05-04T00:00:00Z\n", "t.csv")[0].schema.types == [pa.string()] * 2
