"""What is in a picture: the marks, what is said of rows that are not in it, and that Vega-Lite can read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import altair
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from app.explore.coast import Window, rings
from app.explore.draw import draw, numbers, times
from app.explore.draw.ranges import places
from app.explore.draw.view import around
from app.explore.picture import DARK, ID, LIGHT, MARKS, Picture
from app.explore.plots import KINDS, colours, plots
from app.explore.scene import DELETED, INSERTED, SAME, UPDATED, Scene, scene
from tests.e2e.researcher import CONTRACT as NETS
from towline.contract import Contract
from towline.errors import UsageError
from towline.sample import sample_table
from towline.values import Value

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "net", "type": "integer"},
            {"name": "lat", "type": "number"},
            {"name": "lon", "type": "number"},
            {"name": "min_depth", "type": "number", "unit": "m"},
            {"name": "max_depth", "type": "number", "unit": "m"},
            {"name": "volume", "type": "number", "title": "Volume", "unit": "m^3"},
            {"name": "count", "type": "integer"},
            {"name": "at", "type": "datetime"},
            {"name": "day", "type": "date"},
            {"name": "is_day", "type": "boolean"},
            {"name": "species", "type": "string", "constraints": {"enum": ["krill", "null", ""]}},
        ],
        "primaryKey": ["tow", "net"],
        "towline": {"version": 1, "dataset": "made_up"},
    }
)
FULL: dict[str, Value] = {
    "lat": 27.0,
    "lon": -111.0,
    "min_depth": 10.0,
    "max_depth": 50.0,
    "volume": 12.5,
    "count": 3,
    "at": datetime(2024, 5, 4, 18, 3),
    "day": date(2024, 5, 4),
    "is_day": True,
    "species": "krill",
}


def row(tow: int, net: int, **cells: Value) -> dict[str, Value]:
    return {"tow": tow, "net": net, **FULL, **cells}


def table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    return pa.Table.from_pylist([dict(each) for each in rows], schema=CONTRACT.schema)


def seen(*rows: Mapping[str, object]) -> Scene:
    return scene(CONTRACT, table(rows))


def picture(of: Scene, kind: str, choice: str | None = None, column: str | None = None) -> Picture:
    """The picture of a kind (of a column), which Vega-Lite's own schema takes."""
    found = [plot for plot in plots(of.contract, of.table) if plot.kind == kind and column in (None, plot.columns[0])]
    drawn = draw(found[0], of, LIGHT, choice)
    check(drawn)
    return drawn


def check(drawn: Picture) -> None:
    """It is Vega-Lite. A few marks of each layer are enough to tell, and the schema takes its time."""
    if drawn.spec is not None:
        spec = json.loads(json.dumps(drawn.spec, allow_nan=False))
        for layer in spec["layer"]:
            layer["data"]["values"] = layer["data"]["values"][:2]
        altair.Chart.from_dict(spec)


def data(drawn: Picture, mark: str) -> list[dict[str, Any]]:
    """The data of the marks of this type."""
    assert drawn.spec is not None
    return [
        datum for layer in drawn.spec["layer"] if layer["mark"]["type"] == mark for datum in layer["data"]["values"]
    ]


def test_the_sample_is_drawn_whole_in_every_theme_and_colour() -> None:
    sample, _ = NETS.conform(sample_table())
    of = scene(NETS, sample)
    for plot in plots(NETS, sample):
        for choice in {"map": colours(NETS, sample), "range": colours(NETS, sample), "time": times.MODES}.get(
            plot.kind, (None,)
        ):
            drawn = draw(plot, of, DARK, choice)
            assert drawn.spec is not None
            check(drawn)
    assert picture(of, "map").marks == picture(of, "range").marks == 125


def test_a_mark_names_its_row_and_says_what_it_holds() -> None:
    (datum,) = data(picture(seen(row(4, 1)), "map", "volume"), "circle")
    assert datum[ID] == "4,1"
    assert {"4", "1", "27", "-111", "12.5"} <= set(datum.values())


def test_colours_of_a_map_are_those_of_its_rows_alone() -> None:
    drawn = picture(seen(row(1, 0), row(1, 1, is_day=False), row(1, 2, is_day=None)), "map", "is_day")
    assert drawn.spec is not None
    (fill,) = (each["encoding"]["fill"] for each in drawn.spec["layer"] if "fill" in each["encoding"])
    assert fill["scale"]["domain"] == ["False", "True", "null"]
    assert len(set(fill["scale"]["range"])) == 3
    assert [datum["c"] for datum in data(drawn, "circle")] == ["True", "False", "null"]


def test_rows_without_a_position_are_said() -> None:
    rows = (row(1, 0), row(1, 1, lat=None), row(1, 2, lon=361.0), row(1, 3, lat=float("nan")))
    drawn = picture(seen(*rows), "map")
    assert drawn.said[0] == ("3 of 4 rows are not drawn: 1 without a position (null), 2 off the globe or no number.")
    assert len(data(drawn, "circle")) == 1


def test_ranges_that_are_turned_or_null_are_said() -> None:
    rows = (row(1, 0), row(1, 1, min_depth=60.0), row(1, 2, max_depth=None), row(1, 3, max_depth=float("inf")))
    drawn = picture(seen(*rows), "range")
    (said,) = drawn.said
    assert said.startswith("3 of 4 rows are not drawn: 1 without min_depth or max_depth (null), ")
    assert said.endswith("1 with min_depth greater than max_depth.")
    assert len(data(drawn, "bar")) == 1


def test_a_range_of_no_height_has_a_bar_all_the_same() -> None:
    bars = data(picture(seen(row(1, 0), row(1, 1, min_depth=30.0, max_depth=30.0)), "range"), "bar")
    assert [bar["high"] - bar["low"] for bar in bars] == [40.0, pytest.approx(0.24)]


def test_bars_stand_in_groups_by_the_first_part_of_the_key() -> None:
    of = seen(row(2, 0), row(1, 1), row(1, 0), row(2, 5))
    at = places(of, of.order)
    assert at.x.tolist() == [0.0, 1.0, 3.0, 4.0]
    assert at.labels == [(1.0, "1"), (4.0, "2")]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_draw_is_said_and_no_defect(kind: str) -> None:
    for of in (seen(), seen(dict.fromkeys(CONTRACT.names) | {"tow": 1, "net": 0})):
        drawn = picture(of, kind)
        if drawn.spec is None:
            assert drawn.alt.startswith(("No row has", "There are no rows"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_row_is_drawn(kind: str) -> None:
    assert picture(seen(row(1, 0)), kind).spec is not None


def test_a_histogram_counts_every_number_once() -> None:
    rows = [row(1, n, volume=volume) for n, volume in enumerate((0.0, 0.1, 9.9, 10.0, None, float("nan")))]
    drawn = picture(seen(*rows), "number")
    assert sum(bar["n"] for bar in data(drawn, "bar")) == 4
    assert drawn.said == ("2 of 6 rows are not drawn: 1 null, 1 no numbers (NaN, infinite or beyond 1e300).",)


@settings(deadline=None)
@given(some.lists(some.floats(-1e300, 1e300), min_size=1, max_size=50))
def test_every_number_falls_into_one_of_few_bins(values: list[float]) -> None:
    start, step = numbers.bins(np.array(values))
    assert step > 0
    places = np.floor((np.array(values) - start) / step + 1e-9)
    assert places.min() >= -1
    assert places.max() <= numbers.BINS + 2


@pytest.mark.parametrize(
    ("days", "step"),
    [(0, "h"), (3, "h"), (30, "D"), (365, "W"), (3650, "M"), (30_000, "Y"), (300_000, "10Y"), (3_000_000, "100Y")],
)
def test_times_are_counted_by_what_fits(days: float, step: str) -> None:
    assert times.step_of(days) == step


def test_times_are_counted_also_by_month_and_by_hour() -> None:
    rows = (row(1, 0), row(1, 1, at=datetime(1969, 12, 31, 18, 59)), row(1, 2, at=None))
    over, months, hours = (picture(seen(*rows), "time", mode) for mode in times.MODES)
    assert sum(bar["n"] for bar in data(over, "bar")) == 2
    assert {bar["at"]: bar["n"] for bar in data(months, "bar") if bar["n"]} == {"May": 1, "Dec": 1}
    assert {bar["at"]: bar["n"] for bar in data(hours, "bar") if bar["n"]} == {"18": 2}
    assert over.said[0] == "1 of 3 rows is not drawn: 1 null."


def test_dates_have_no_hours() -> None:
    of = seen(row(1, 0))
    modes = {plot.columns[0]: times.modes(plot, of) for plot in plots(CONTRACT, of.table) if plot.kind == "time"}
    assert modes == {"at": times.MODES, "day": times.MODES[:2]}


def test_null_the_text_null_and_the_empty_text_are_three_categories() -> None:
    rows = [row(1, n, species=text) for n, text in enumerate(("krill", "null", "", None, None))]
    bars = data(picture(seen(*rows), "category", column="species"), "bar")
    assert {bar["name"]: bar["n"] for bar in bars} == {"krill": 1, "“null”": 1, '""': 1, "null": 2}


def test_missing_values_are_shares_of_rows_and_tell_what_they_were() -> None:
    before, now = [row(1, 0), row(1, 1)], [row(1, 0, volume=None), row(1, 1)]
    bars = data(picture(scene(CONTRACT, table(now), table(before)), "missing"), "bar")
    assert [bar["label"] for bar in bars if bar["name"] in ("tow", "volume")] == ["none", "1 (50.0%), was 0"]


def test_changed_rows_have_signs_of_different_shapes() -> None:
    before = [row(1, 0), row(1, 1), row(1, 2)]
    now = [row(1, 0), row(1, 1, volume=99.0), row(2, 0)]
    of = scene(CONTRACT, table(now), table(before))
    assert of.changes.tolist() == [SAME, UPDATED, INSERTED, DELETED]
    assert len(of) == 3
    for kind in ("map", "range", "number", "time"):
        drawn = picture(of, kind)
        assert sorted(datum["change"] for datum in data(drawn, "point")) == [DELETED, INSERTED, UPDATED]
        assert drawn.spec is not None
        (shape,) = (each["encoding"]["shape"]["scale"] for each in drawn.spec["layer"] if "shape" in each["encoding"])
        assert shape["domain"] == [INSERTED, UPDATED, DELETED]
        assert len(set(shape["range"])) == 3
    assert [bar["label"] for bar in data(picture(of, "category", column="is_day"), "bar")] == [
        "3 (1 inserted, 1 updated, 1 deleted)"
    ]


def test_a_deleted_row_is_drawn_but_cannot_be_gone_to_nor_counted() -> None:
    of = scene(CONTRACT, table([row(1, 0)]), table([row(1, 0), row(1, 1, volume=50.0)]))
    assert {datum["change"]: datum[ID] for datum in data(picture(of, "range"), "bar")} == {SAME: "1,0", DELETED: ""}
    assert sum(bar["n"] for bar in data(picture(of, "number"), "bar")) == 1
    assert picture(of, "map").said[0].startswith("Coastline")


def test_commits_with_other_columns_are_compared_by_those_that_they_share() -> None:
    older = table([row(1, 0), row(1, 1)]).drop_columns(["volume", "lat"])
    of = scene(CONTRACT, table([row(1, 0, volume=77.0), row(1, 1, count=4)]), older)
    assert of.changes.tolist() == [SAME, UPDATED]
    with pytest.raises(UsageError, match="no key column net"):
        scene(CONTRACT, table([row(1, 0)]), older.drop_columns(["net"]))


def test_more_rows_than_marks_are_drawn_together_and_that_is_said() -> None:
    chance, count = np.random.default_rng(1), 100_000
    cells: dict[str, Any] = {"tow": np.arange(count) // 10, "net": np.arange(count) % 10}
    cells |= {name: chance.normal(20, 5, count) for name in ("lat", "lon", "volume")}
    cells |= {"min_depth": chance.uniform(0, 100, count), "max_depth": chance.uniform(100, 900, count)}
    blank = table([dict.fromkeys(CONTRACT.names) | {"tow": 0, "net": 0}]).take(pa.array(np.zeros(count, int)))
    for name, values in cells.items():
        place = CONTRACT.schema.get_field_index(name)
        blank = blank.set_column(place, CONTRACT.schema.field(name), pa.array(values, CONTRACT.schema.field(name).type))
    now = blank.set_column(6, CONTRACT.schema.field(6), pa.array(np.where(cells["net"] == 3, 0.0, cells["volume"])))
    of = scene(CONTRACT, now, blank)
    assert of.count(UPDATED) == 10_000
    for plot in plots(CONTRACT, now):
        drawn = draw(plot, of, LIGHT, "volume" if plot.kind in ("map", "range") else None)
        assert drawn.marks <= MARKS
        assert drawn.spec is None or len(json.dumps(drawn.spec)) < 1_000_000
    there = picture(of, "map", "volume")
    assert sum(datum["n"] for datum in data(there, "circle")) == count
    assert sum(datum["n"] for datum in data(there, "point")) == 10_000
    assert there.said[0].startswith("100,000 rows are drawn as ")
    assert "each of 100 rows that follow each other in key order" in picture(of, "range").said[0]


@pytest.mark.parametrize(
    ("longitudes", "expected"),
    [
        ([-111.0, -110.0], [-111.0, -110.0]),
        ([179.0, -179.0], [179.0, 181.0]),
        ([181.0, 179.0], [181.0, 179.0]),
        ([10.0], [10.0]),
        ([350.0, 10.0], [-10.0, 10.0]),
    ],
)
def test_positions_on_both_sides_of_the_180th_meridian_lie_beside_each_other(
    longitudes: list[float], expected: list[float]
) -> None:
    assert around(np.array(longitudes)).tolist() == expected


@settings(deadline=None)
@given(some.lists(some.floats(-180, 360), min_size=1))
def test_longitudes_stay_what_they_are_but_for_whole_turns(longitudes: list[float]) -> None:
    turned = (around(np.array(longitudes)) - np.array(longitudes)) / 360
    assert np.allclose(turned, np.round(turned), atol=1e-9)


SEA, LAND = False, True


@pytest.mark.parametrize(
    ("x", "y", "is_land"),
    [
        (-110.0, 25.0, SEA),
        (-113.3, 27.5, LAND),
        (51.0, 42.0, SEA),
        (179.0, 67.0, LAND),
        (178.0, -17.8, LAND),
        (-177.0, -17.8, SEA),
        (0.0, -89.0, LAND),
    ],
)
def test_the_coast_lies_where_it_does(x: float, y: float, is_land: bool) -> None:
    """Inside of an odd number of rings is land: the Caspian Sea is a lake."""
    window = Window(x - 8, y - 6, x + 8, y + 6)
    crossings = sum(_crossings(ring, x, y) for ring, _ in rings(window))
    assert crossings % 2 == is_land


def _crossings(ring: np.ndarray[Any, Any], x: float, y: float) -> int:
    """How many sides of a ring a line from a point to the east crosses."""
    (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    meets = (y0 > y) != (y1 > y)
    at = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1, y1 - y0)
    return int(np.count_nonzero(meets & (at > x)))


def test_the_coast_stays_inside_its_window() -> None:
    window = Window(-115, 22, -108, 30)
    found = np.concatenate([ring for ring, _ in rings(window)])
    assert len(found) > 100
    assert (found[:, 0].min(), found[:, 0].max()) == (-115, -108)
    assert found[:, 1].max() <= 30


@settings(deadline=None, max_examples=50)
@given(
    some.lists(
        some.fixed_dictionaries(
            {
                "lat": some.none() | some.floats(),
                "lon": some.none() | some.floats(),
                "min_depth": some.none() | some.floats(),
                "max_depth": some.none() | some.floats(),
                "volume": some.none() | some.floats(),
                "count": some.none() | some.integers(-(2**63), 2**63 - 1),
                "at": some.none() | some.datetimes(),
                "day": some.none() | some.dates(),
                "is_day": some.none() | some.booleans(),
                "species": some.none() | some.text(max_size=60),
            }
        ),
        max_size=12,
    ),
    some.integers(0, 12),
)
def test_whatever_a_table_holds_is_drawn_or_said(cells: list[dict[str, Value]], older: int) -> None:
    rows = [row(n // 4, n, **each) for n, each in enumerate(cells)]
    of = scene(CONTRACT, table(rows[older // 2 :]), table(rows[:older]))
    for plot in plots(CONTRACT, of.table):
        for choice in (None, *(colours(CONTRACT, of.table) if plot.kind in ("map", "range") else ())):
            json.dumps(draw(plot, of, LIGHT, choice).spec, allow_nan=False)
        for mode in times.MODES if plot.kind == "time" else ():
            json.dumps(draw(plot, of, LIGHT, mode).spec, allow_nan=False)
