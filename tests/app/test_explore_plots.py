"""Which pictures a dataset gets follows from its contract: made-up contracts, none of which the editor has heard of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest

from app.explore import board
from app.explore.columns import words
from app.explore.plots import Plot, colours, plots
from app.explore.scene import scene
from tests.app.test_editor_layers import APP, imports
from towline.contract import Contract
from towline.sample import sample_table

Fields = list[dict[str, Any]]


def contract(fields: Fields, **towline: object) -> Contract:
    block = {"version": 1, "dataset": "made_up", **towline}
    return Contract.parse({"fields": fields, "primaryKey": ["id"], "towline": block})


def table(made: Contract, *rows: Mapping[str, object]) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(made.names) | dict(row) for row in rows], schema=made.schema)


def number(name: str, unit: str | None = None, type: str = "number") -> dict[str, Any]:
    return {"name": name, "type": type, **({"unit": unit} if unit else {})}


ID = number("id", type="integer")


def found(fields: Fields, *rows: Mapping[str, object], **towline: object) -> list[tuple[str, ...]]:
    """The kinds and columns of the pictures, but for what is missing."""
    made = contract([ID, *fields], **towline)
    return [(plot.kind, *plot.columns) for plot in plots(made, table(made, *rows)) if plot.kind != "missing"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("min_depth", ("min", "depth")),
        ("minDepth2", ("min", "depth", "2")),
        ("LAT", ("lat",)),
        ("start.Latitude", ("start", "latitude")),
        ("Größe", ("gr", "e")),
    ],
)
def test_names_are_read_as_words(name: str, parts: tuple[str, ...]) -> None:
    assert words(name) == parts


@pytest.mark.parametrize(
    ("north", "east"),
    [
        (number("lat"), number("lon")),
        (number("Latitude"), number("LONGITUDE")),
        (number("lat_decimal"), number("long_decimal")),
        (number("stationLat"), number("stationLng")),
        (number("y", "degrees_north"), number("x", "degrees_east")),
    ],
)
def test_positions_are_known_by_name_or_unit(north: dict[str, Any], east: dict[str, Any]) -> None:
    assert found([north, east]) == [("map", north["name"], east["name"])]


def test_positions_of_two_kinds_are_paired_by_what_else_their_names_say() -> None:
    fields = [number(name) for name in ("end_lon", "start_lat", "start_lon", "end_lat", "flat", "platform")]
    pictures = found(fields)
    assert pictures[:2] == [("map", "start_lat", "start_lon"), ("map", "end_lat", "end_lon")]
    assert pictures[2:] == [("number", "flat"), ("number", "platform")]


def test_a_latitude_without_a_longitude_or_of_text_is_no_position() -> None:
    assert found([number("lat")]) == [("number", "lat")]
    assert found([{"name": "lat", "type": "string"}, {"name": "lon", "type": "string"}]) == []


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("min_depth", "max_depth"),
        ("depth_from", "depth_to"),
        ("depthTop", "depthBottom"),
        ("upper_depth", "lower_depth"),
        ("temperature_min", "temperature_max"),
        ("lower_bound", "upper_bound"),
    ],
)
def test_two_ends_of_one_thing_are_a_range(low: str, high: str) -> None:
    assert ("range", low, high) in found([number(high, "m"), number(low, "m")])


def test_ends_with_different_units_are_no_range() -> None:
    assert all(kind != "range" for kind, *_ in found([number("min_size", "m"), number("max_size", "km")]))


def test_a_depth_that_stands_alone_is_drawn_from_itself_to_itself() -> None:
    assert ("range", "bottle_depth", "bottle_depth") in found([number("bottle_depth", "m")])
    assert found([number("depth_of_cut")]) == [("number", "depth_of_cut")]


def test_times_are_dates_datetimes_and_texts_that_a_check_reads() -> None:
    fields: Fields = [
        {"name": "day", "type": "date"},
        {"name": "at", "type": "datetime"},
        {"name": "begun", "type": "string"},
        {"name": "note", "type": "string"},
    ]
    check = {"name": "readable", "check": "datetime_text", "column": "begun", "format": "%Y-%m-%d %H:%M"}
    assert found(fields, checks=[check]) == [("time", "day"), ("time", "at"), ("time", "begun")]


def test_categories_are_what_comes_again_and_again() -> None:
    fields: Fields = [
        {"name": "is_day", "type": "boolean"},
        {"name": "gear", "type": "string", "constraints": {"enum": ["bongo", "mocness"]}},
        {"name": "species", "type": "string"},
        {"name": "remark", "type": "string"},
        {"name": "vessel", "type": "string"},
        number("crew", type="integer"),
        number("serial", type="integer"),
    ]
    rows = [
        {"id": n, "species": "ab"[n % 2], "remark": f"no {n}", "vessel": "Meridian", "crew": 5 + n % 3, "serial": n}
        for n in range(40)
    ]
    categories = [column for kind, column in found(fields, *rows) if kind == "category"]
    assert categories == ["is_day", "gear", "species", "crew"]


def test_measured_numbers_come_before_the_ends_of_ranges_and_keys_are_not_measured() -> None:
    numbers = [c for kind, *c in found([number("min_x"), number("max_x"), number("weight")]) if kind == "number"]
    assert numbers == [["weight"], ["min_x"], ["max_x"]]


def test_a_dataset_with_none_of_these_gets_what_is_missing() -> None:
    made = contract([{"name": "id", "type": "string"}, {"name": "remark", "type": "string"}])
    assert plots(made, table(made, {"id": "a", "remark": "b"})) == (Plot("missing", ("id", "remark")),)
    assert colours(made, table(made)) == ()


def test_an_empty_table_and_one_of_nulls_get_the_pictures_of_their_contract() -> None:
    made = contract([ID, number("lat"), number("lon"), number("weight"), {"name": "at", "type": "date"}])
    kinds = ["map", "number", "time", "missing"]
    assert [plot.kind for plot in plots(made, table(made))] == kinds
    assert [plot.kind for plot in plots(made, table(made, {"id": 1}))] == kinds


def test_columns_that_a_commit_does_not_have_are_in_no_picture() -> None:
    made = contract([ID, number("lat"), number("lon"), number("weight")])
    older = table(made, {"id": 1, "weight": 2.0}).drop_columns(["lat"])
    older = older.set_column(2, "weight", pa.array(["2"]))
    assert plots(made, older) == (Plot("number", ("lon",)), Plot("missing", ("id", "lon")))


def test_the_sample_has_one_of_each_kind() -> None:
    from tests.e2e.researcher import CONTRACT

    sample, _ = CONTRACT.conform(sample_table())
    first = {plot.kind: plot.columns for plot in reversed(plots(CONTRACT, sample))}
    assert first["map"] == ("lat_decimal", "long_decimal")
    assert first["range"] == ("min_depth", "max_depth")
    assert first["number"] == ("volume_filtered",)
    assert first["time"] == ("time_start_gmt",)
    assert first["category"] == ("cruise",)
    assert len(first["missing"]) == 13
    assert {"is_day", "volume_filtered"} <= set(colours(CONTRACT, sample))


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (
            ["map", "range", "number", "time", "category", "missing"],
            [[["map"], ["number", "time"]], [["range"]], [["category"], ["missing"]]],
        ),
        (["map", "missing"], [[["map"], ["missing"]]]),
        (["number", "time", "missing"], [[["number"], ["time"]], [["missing"]]]),
        (["range", "number", "missing"], [[["number"], ["missing"]], [["range"]]]),
        (["missing"], [[["missing"]]]),
        ([], [[]]),
    ],
)
def test_every_kind_has_its_place_on_the_page(kinds: list[str], expected: list[list[list[str]]]) -> None:
    assert list(board.rows(kinds)) == expected


def test_columns_of_one_title_are_told_apart_by_their_names() -> None:
    made = contract([ID, {**number("a", "m"), "title": "Size"}, {**number("b"), "title": "Size"}, number("Size")])
    titles = [scene(made, table(made)).title(name) for name in made.names]
    assert titles == ["id", "a (m)", "b", "Size"]


def test_what_draws_knows_no_screen() -> None:
    found = [path for path in (APP / "explore").rglob("*.py") if "land" not in path.parts]
    assert len(found) > 10
    for path in found:
        assert not {"streamlit", "pandas", "altair"} & {name.split(".")[0] for name in imports(path)}, path
