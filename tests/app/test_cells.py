"""Texts of cells: what a person sees and types, and what it means."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editing.cells import Misfit, reading, text_of, unit_text, value_of
from tests.app.sheets import CONTRACT
from towline.contract import Field
from towline.values import Value, same

NUMBER, INTEGER = Field("volume", "number"), Field("tow", "integer")
STRING, BOOLEAN = Field("vessel", "string"), Field("is_day", "boolean")
DATE, TIME, UTC_TIME = Field("day", "date"), Field("start", "datetime"), Field("at", "datetime", utc=True)

FIELDS = (STRING, INTEGER, NUMBER, BOOLEAN, DATE, TIME, UTC_TIME)
VALUES = {
    "vessel": st.text(),
    "tow": st.integers(-(2**63), 2**63 - 1),
    "volume": st.floats(),
    "is_day": st.booleans(),
    "day": st.dates(),
    "start": st.datetimes(),
    "at": st.datetimes(timezones=st.just(UTC)),
}


@given(st.sampled_from(FIELDS).flatmap(lambda field: st.tuples(st.just(field), st.none() | VALUES[field.name])))
def test_what_is_shown_reads_back_as_the_same_value(cell: tuple[Field, Value]) -> None:
    field, value = cell
    assert same(value_of(text_of(value), field), value)


@given(st.text())
def test_no_text_looks_like_another(text: str) -> None:
    assert text_of(text) not in (None, "")
    assert value_of(text_of(text), STRING) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", '""'),
        ("null", "null"),
        (" a ", " a "),
        ("=1+1", "=1+1"),
        ("🐟", "🐟"),
        (248.0, "248"),
        (0.0, "0"),
        (27.30506, "27.30506"),
        (True, "True"),
        (date(2024, 5, 4), "2024-05-04"),
        (datetime(2024, 5, 4, 18, 3, 9), "2024-05-04 18:03:09"),
        (datetime(2024, 5, 4, 18, 3, 9, tzinfo=UTC), "2024-05-04 18:03:09Z"),
    ],
)
def test_values_are_shown_as_people_write_them(value: Value, text: str | None) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize("text", [None, ""])
def test_an_emptied_cell_is_null(field: Field, text: str | None) -> None:
    assert value_of(text, field) is None


@pytest.mark.parametrize("text", ["null", "NA", "  ", " NA "])
def test_null_and_the_contracts_missing_values_are_null_but_not_in_a_text_column(text: str) -> None:
    assert value_of(text, NUMBER, CONTRACT.missing_values) is None
    assert value_of(text, STRING, CONTRACT.missing_values) == text


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("12.5", NUMBER, 12.5),
        (" 12.5 ", NUMBER, 12.5),
        ("-.5", NUMBER, -0.5),
        ("1e3", NUMBER, 1000.0),
        ("4", INTEGER, 4),
        ("4.0", INTEGER, 4),
        ("true", BOOLEAN, True),
        ("FALSE", BOOLEAN, False),
        ("2024-05-04T18:03:09", TIME, datetime(2024, 5, 4, 18, 3, 9)),
    ],
)
def test_what_can_only_mean_one_thing_is_taken(text: str, field: Field, value: Value) -> None:
    assert same(value_of(text, field), value)


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("12,5", NUMBER, "it has a comma. Write a point before decimals (12.5)"),
        ("1,234.5", NUMBER, "nothing between thousands"),
        ("1 234", NUMBER, "without separators"),
        ("\N{MINUS SIGN}5", NUMBER, "the minus sign of the keyboard"),
        ("1e400", NUMBER, "too large"),
        ("n/a", NUMBER, "write digits only"),
        ("12.5.1", NUMBER, "write digits only"),
        ("4.5", INTEGER, "this column has no decimals"),
        (str(2**63), INTEGER, "too large"),
        ("12,5", INTEGER, "it has a comma"),
        ("yes", BOOLEAN, "write True or False"),
        ("1", BOOLEAN, "write True or False"),
        ("04.05.2024", DATE, "write it like 2024-05-04"),
        ("2024-02-30", DATE, "is not a date"),
        ("2024-05-04 18:03", TIME, "write it like 2024-05-04 18:03:09"),
        ("2024-05-04 18:03:09", UTC_TIME, "2024-05-04 18:03:09Z"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out_and_never_guessed(text: str, field: Field, says: str) -> None:
    with pytest.raises(Misfit) as misfit:
        value_of(text, field)
    assert says in str(misfit.value)
    assert repr(text) in str(misfit.value)


@given(st.text(), st.sampled_from(FIELDS))
def test_any_text_is_a_value_or_a_misfit(text: str, field: Field) -> None:
    try:
        value = value_of(text, field)
    except Misfit:
        return
    assert value is None or same(value_of(text_of(value), field), value)


def outcome(text: str | None, field: Field, missing: tuple[str, ...]) -> tuple[str, str]:
    try:
        return ("value", repr(value_of(text, field, missing)))
    except Misfit as misfit:
        return ("misfit", str(misfit))


odd = st.sampled_from(
    [None, "", " ", "12,5", " 12.5 ", "1e400", "nan", "null", "True", "2024-02-30", "04.05.2024", "\ud800"]
)


@given(
    st.lists(odd | st.text(max_size=5), max_size=30),
    st.sampled_from([*FIELDS, Field("day", "date", format="%d.%m.%Y")]),
    st.uuids(),
)
def test_texts_that_are_read_together_mean_what_they_mean_one_by_one(
    texts: list[str | None], field: Field, name: uuid.UUID
) -> None:
    together, alone = (f"{name} together",), (f"{name} alone",)  # missing values by which nothing is known yet
    reading(field, together).read(texts)
    assert [outcome(text, field, together) for text in texts] == [outcome(text, field, alone) for text in texts]


@pytest.mark.parametrize("field", [NUMBER, INTEGER, BOOLEAN, DATE, TIME])
def test_half_a_character_is_no_value(field: Field) -> None:
    with pytest.raises(Misfit):
        value_of("\ud83d", field)


def test_a_contracts_own_format_is_read_too_and_iso_is_shown() -> None:
    field = Field("day", "date", format="%d.%m.%Y")
    assert value_of("04.05.2024", field) == value_of("2024-05-04", field) == date(2024, 5, 4)
    with pytest.raises(Misfit, match=r"%d\.%m\.%Y"):
        value_of("4 May", field)


def test_nan_and_infinity_are_shown_as_what_they_are() -> None:
    assert text_of(math.nan) == "nan"
    assert text_of(-math.inf) == "-inf"


@pytest.mark.parametrize(
    ("unit", "text"), [("m^3", "m³"), ("degrees_north", "°N"), ("m s^-1", "m s⁻¹"), ("dbar", "dbar"), (None, "")]
)
def test_units_are_short_and_readable(unit: str | None, text: str) -> None:
    assert unit_text(unit) == text
