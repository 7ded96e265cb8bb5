"""The pipeline of golf rounds: wide CSV and nested JSON to rows of fixes and of device logs."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import IO, Any

import pyarrow as pa
import pytest
from h3.api.basic_str import latlng_to_cell
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.golf import (
    EVENTS,
    GOLDEN,
    HEALTH,
    PACKAGE,
    PIPELINE,
    ROUND,
    VALUES,
    File,
    conformed,
    fix,
    generator,
    module,
    one,
    wide,
)
from towline import keys
from towline.errors import UnreadableFile
from towline.keys import RawKey
from towline.pipeline import csvfile


def test_a_file_written_by_hand() -> None:
    found = conformed(GOLDEN)
    first, second, third = found.events
    assert first == {
        "row": 1,
        "round_id": "65a1",
        "course_id": "threelakes",
        "ingest_date": date(2026, 3, 1),
        "fix_timestamp": datetime(2025, 7, 1, 23, 55, 0, 250_000, UTC),
        "fix_key": 1751414100250000,
        "event_date": date(2025, 7, 1),
        "event_year": 2025,
        "event_month": 7,
        "location_index": 0,
        "hole_number": 19,
        "section_number": 1,
        "hole_section": "19-1",
        "nine_number": 3,
        "longitude": -79.4702,
        "latitude": 35.1893,
        "geometry": "POINT (-79.4702 35.1893)",
        "h3_index": latlng_to_cell(35.1893, -79.4702, 10),
        "pace": -12.5,
        "pace_gap": None,
        "positional_gap": None,
        "battery_percentage": 97.0,
        "is_cache": False,
        "is_projected": None,
        "is_problem": None,
        "data_quality_tier": "good",
        "is_location_padding": False,
        "is_timestamp_missing": False,
        "round_start_time": datetime(2025, 7, 1, 23, 50, tzinfo=UTC),
        "round_end_time": datetime(2025, 7, 2, 3, 40, tzinfo=UTC),
        "start_hole": 19,
        "goal_time": 252.0,
        "goal_name": "4:12",
        "goal_time_fraction": 0.98,
        "is_complete": True,
    }
    assert (second["event_date"], second["geometry"], second["data_quality_tier"]) == (
        date(2025, 7, 2),
        "POINT (-79.47 35.19)",
        "cached",
    )
    assert (third["round_id"], third["row"], third["nine_number"], third["round_end_time"]) == ("65a2", 2, 1, None)
    assert [(row["log_index"], row["level"], row["message"], row["event_date"]) for row in found.health] == [
        (0, "error", "GPS lost", date(2025, 7, 1))
    ]
    assert not found.refused
    assert not found.unknown


def test_rows_have_the_contracts_columns_and_types() -> None:
    (piece,) = PIPELINE.conform(File(GOLDEN.encode()))
    for table, contract in PACKAGE.contracts.items():
        names = piece.tables[table].drop_columns(["row"])
        assert names.schema.names == list(contract.names)
        assert [field.type for field in names.schema] == [field.type for field in contract.schema]


def test_a_generated_file_gives_the_same_rows_as_csv_and_as_json() -> None:
    generate = generator()
    for number in range(5):
        _, whole = generate.file(number, 30, fixes=12)
        csv, array, lines = (conformed(generate.body(whole, kind), kind) for kind in ("csv", "json", "jsonl"))
        assert csv == array == lines
        assert len(csv.events) > 200
        assert not csv.refused


def test_the_generator_makes_the_same_files_of_the_same_seed() -> None:
    generate = generator()
    bodies = [generate.to_csv(generate.file(2, 10, seed=seed)[1]) for seed in (3, 3, 4)]
    assert bodies[0] == bodies[1] != bodies[2]


def test_empty_slots_at_the_end_are_the_formats_shape_and_give_no_row() -> None:
    assert [row["location_index"] for row in conformed(wide([fix(1), fix(2), {}, {}])).events] == [0, 1]
    assert conformed(wide([{"startTime": ""}, {}])).events == []


def test_an_empty_slot_between_fixes_is_padding() -> None:
    _, padding, _ = conformed(wide([fix(1), {}, fix(3)])).events
    assert padding["is_location_padding"]
    assert padding["is_timestamp_missing"]
    assert (padding["data_quality_tier"], padding["location_index"], padding["fix_key"]) == ("padding", 1, -2)


def test_a_slot_with_a_hole_but_neither_time_nor_place_is_padding() -> None:
    event = one({**fix(), "startTime": "", "fixCoordinates[0]": "", "fixCoordinates[1]": ""})
    assert (event["is_location_padding"], event["hole_section"], event["geometry"]) == (True, "1-2", None)


def test_a_fix_without_a_time_is_of_the_day_on_which_its_round_began() -> None:
    event = one(fix(startTime=""))
    assert (event["is_timestamp_missing"], event["is_location_padding"]) == (True, False)
    assert (event["event_date"], event["fix_key"]) == (date(2025, 7, 1), -1)


def test_a_fix_without_any_time_has_no_day_and_the_contract_refuses_it() -> None:
    assert one(fix(startTime=""), values="r1,heronpoint,,1")["event_date"] is None
    assert PACKAGE.contracts[EVENTS].field("event_date").constraints.required


def test_a_time_that_cannot_be_read_refuses_its_fix_and_says_which() -> None:
    found = conformed(wide([fix(1), fix(startTime="noon"), fix(3)]))
    assert [row["location_index"] for row in found.events] == [0, 2]
    assert found.refused == [(1, "locations[1].startTime", "noon")]
    assert "2025-07-01T14:03:09.250Z" in found.reasons[0]


def test_a_round_that_cannot_be_read_is_refused_with_its_fixes_and_logs() -> None:
    bad = GOLDEN.replace("2025-07-01T23:50:00Z", "23:50")
    many = bad + "".join(f"x{n}" + GOLDEN.splitlines()[2][4:] + "\n" for n in range(20))
    found = conformed(many)
    assert found.refused == [(1, "startTime", "23:50")]
    assert len(found.events) == 21
    assert not found.health


def test_a_file_of_which_many_rounds_cannot_be_read_fails() -> None:
    with pytest.raises(UnreadableFile, match="1 of 1 rounds cannot be read"):
        conformed(wide([fix()], values="r1,heronpoint,noon,1"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-07-01T14:03:09.250Z", datetime(2025, 7, 1, 14, 3, 9, 250_000, UTC)),
        ("2025-07-01 16:03:09+02:00", datetime(2025, 7, 1, 14, 3, 9, tzinfo=UTC)),
        (" 2025-07-01T14:03:09Z ", datetime(2025, 7, 1, 14, 3, 9, tzinfo=UTC)),
        ("2025-07-01T14:03:09", datetime(2025, 7, 1, 14, 3, 9, tzinfo=UTC)),
        ("1751378589250", datetime(2025, 7, 1, 14, 3, 9, 250_000, UTC)),
    ],
)
def test_times_have_a_zone_or_are_utc(text: str, at: datetime) -> None:
    assert one(fix(startTime=text))["fix_timestamp"] == at


@pytest.mark.parametrize(
    "slot",
    [
        fix(hole="7.5"),
        fix(pace="fast"),
        fix(isCache="maybe"),
        fix(startTime="2025-02-30T00:00:00Z"),
        {**fix(), "fixCoordinates[0]": "88 W"},
        fix(hole="1e30"),
    ],
)
def test_values_that_cannot_have_their_type_are_refused(slot: dict[str, str]) -> None:
    found = conformed(wide([fix(2), slot]))
    assert len(found.events) == 1
    assert len(found.refused) == 1


_CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "7", "7.0", " 7", "+7", "-0", ".5", "5.", "1e3", "1e999", "nan", "Infinity", "0x1F", "1_0"]
    ),
    st.sampled_from(["true", "TRUE", "1", "0", "yes", "t", "2025-07-01T14:03:09.250Z", "2025-07-01T14:03:09+0200"]),
    st.sampled_from(
        ["2025-07-01", "2025-07-01T24:00:00Z", "2025-07-01T14:03:60Z", "1751378589250", "2025-13-01T00:00Z"]
    ),
    st.floats(allow_nan=False).map(str),
    st.sampled_from([2.0**53, 2.0**63, -(2.0**63), 2.0**63 - 1024, 1.0e300]).map(str),
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)).map(lambda at: f"{at.isoformat()}Z"),
)


@settings(max_examples=150, deadline=None)
@given(cell=_CELLS, kind=st.sampled_from(["number", "integer", "boolean", "time"]))
def test_what_a_cell_means_does_not_depend_on_its_neighbours(cell: str, kind: str) -> None:
    """Alone it may be read by Arrow's cast, beside one that cannot be read it never is."""
    typed = module("cells").typed
    alone, bad_alone = typed(pa.array([cell or None]), kind)
    beside, bad_beside = typed(pa.array([cell or None, "?"]), kind)
    assert str(alone[0].as_py()) == str(beside[0].as_py())
    assert (bad_alone is not None and bad_alone[0].as_py()) == bad_beside[0].as_py()
    assert bad_beside[1].as_py()


def test_a_header_lacking_what_a_round_needs_is_refused() -> None:
    assert PIPELINE.header(["_id", "course", "locations[0].startTime"]) == []
    assert PIPELINE.header(["_id", "course", "locations"]) == []
    assert PIPELINE.header(["ID", "course "]) == [
        "there is no column _id",
        "there is no column course",
        "there are no fixes: neither a column locations[0].startTime (CSV) nor locations (JSON)",
    ]
    assert PIPELINE.header(["_id", "_id", "course", "locations", "x", "x"]) == ["there are 2 columns _id"]


def test_columns_that_nobody_knows_are_reported_once_and_names_are_not_guessed() -> None:
    slots = [fix(heldUp="true", Pace="1"), fix(2, heldUp="", Pace="2")]
    found = conformed(wide(slots, header=f"{ROUND},device,StartTime", values=f"{VALUES},TM-4,x"))
    assert found.unknown == ["device", "StartTime", "locations[i].heldUp", "locations[i].Pace"]
    assert [event["pace"] for event in found.events] == [None, None]


def test_columns_that_a_file_lacks_are_null() -> None:
    event = one({"startTime": "2025-07-01T14:00:00Z"}, header="_id,course", values="r1,heronpoint")
    assert {event[name] for name in ("pace", "longitude", "is_cache", "round_start_time", "nine_number")} == {None}
    assert event["event_date"] == date(2025, 7, 1)


@pytest.mark.parametrize("slots", [1, 3, 250])
def test_a_file_may_have_any_number_of_slots(slots: int) -> None:
    found = conformed(wide([fix(number % 60) for number in range(slots)]))
    assert [event["location_index"] for event in found.events] == list(range(slots))


def test_slots_may_stand_in_any_order_and_with_gaps() -> None:
    header = f"locations[7].startTime,{ROUND},locations[2].startTime"
    found = conformed(f"{header}\n2025-07-01T15:00:00Z,{VALUES},2025-07-01T14:00:00Z\n")
    assert [(e["location_index"], e["is_location_padding"]) for e in found.events] == [
        (n, n not in (2, 7)) for n in range(8)
    ]


def test_a_file_with_absurdly_many_slots_is_refused() -> None:
    with pytest.raises(UnreadableFile, match=r"locations\[999999999\]; rounds with up to 500 slots"):
        conformed(f"{ROUND},locations[999999999].startTime\n{VALUES},\n")


def test_short_lines_with_many_empty_slots_are_taken_in_small_pieces() -> None:
    """A block of text could hold a million of them, and a place for each of their slots would fill the memory."""
    lines = [f"r{number},heronpoint,2025-07-01T14:00:00Z,1," for number in range(3_000)]
    text = "\n".join([f"{ROUND},locations[499].startTime", *lines])
    pieces = list(module("wide").read(File(text.encode())))
    rounds = [piece.rounds.num_rows for piece in pieces]
    assert sum(rounds) == 3_000
    assert max(rounds) * 500 <= module("wide").PLACES_MAX
    assert pieces[-1].rounds["row"][-1].as_py() == 3_000


def test_a_file_in_which_no_line_fits_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "SKIPPED_MAX", 100)
    with pytest.raises(UnreadableFile, match="Expected 5 columns, got 2"):
        conformed(wide([{"startTime": ""}]) + "x,y\n" * 101)


@pytest.mark.parametrize(
    ("body", "begins"),
    [
        (b"_id,course,locations\nr1,heronpoint,[]\n", "['_id', 'course', 'locations']"),
        (wide([fix()]).replace(",", ";").encode(), "['_id;course;startTime;"),
        (wide([fix()]).encode("utf-16"), "read as UTF-8, has the cells ['\N{REPLACEMENT CHARACTER}"),
        (b"\n" + wide([fix()]).encode(), "cells []"),
    ],
    ids=["no slot", "semicolons", "UTF-16", "blank line"],
)
def test_a_csv_file_without_any_slot_is_refused_with_what_its_header_is_read_as(body: bytes, begins: str) -> None:
    with pytest.raises(UnreadableFile, match="no column of a slot") as refused:
        conformed(body)
    assert begins in str(refused.value)


def test_lines_that_do_not_fit_the_header_are_refused_by_number() -> None:
    good = wide([fix()]).splitlines()
    lines = [good[0], *[good[1]] * 20, "r2,heronpoint", *[good[1]] * 3, ",".join(["x"] * 30)]
    found = conformed("\n".join(lines) + "\n")
    assert [(row, column) for row, column, _ in found.refused] == [(21, ""), (25, "")]
    assert [event["row"] for event in found.events] == [*range(1, 21), 22, 23, 24]


def test_where_blocks_of_text_end_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    header, line = wide([fix(), fix(2), {}]).splitlines()
    lines = [line.replace("r1", f"r{number}") for number in range(300)]
    for number in (100, 200, 299):
        lines[number] += ",more"
    text = "\n".join([header, *lines])
    whole = conformed(text)
    monkeypatch.setattr(csvfile, "BLOCK", 4096)
    assert conformed(text) == whole
    assert [row for row, _, _ in whole.refused] == [101, 201, 300]
    assert [event["row"] for event in whole.events[::2]] == [n for n in range(1, 301) if n not in (101, 201, 300)]


def test_a_line_longer_than_a_block_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 4096)
    with pytest.raises(UnreadableFile, match="a line may have 4,096 bytes"):
        conformed(wide([fix()] * 40))


@pytest.mark.parametrize(
    ("hole", "start", "nine"), [("9", "1", 1), ("10", "1", 2), ("27", "1", 3), ("", "10", 2), ("", "", None)]
)
def test_the_nine_is_that_of_the_hole_else_that_of_the_start(hole: str, start: str, nine: int | None) -> None:
    values = f"r1,heronpoint,2025-07-01T14:00:00Z,{start}"
    assert one(fix(hole=hole), values=values)["nine_number"] == nine


def test_a_fix_without_a_hole_is_on_the_nine_of_the_fix_before_it_in_its_own_round() -> None:
    header, line = wide([fix(1, hole="12"), fix(2, hole="")]).splitlines()
    other = wide([fix(1, hole=""), fix(2, hole="3")], values="r2,heronpoint,2025-07-01T14:00:00Z,").splitlines()[1]
    assert [e["nine_number"] for e in conformed(f"{header}\n{line}\n{other}\n").events] == [2, 2, None, 1]


@pytest.mark.parametrize(
    ("flags", "tier"),
    [
        ({}, "good"),
        ({"isCache": "true"}, "cached"),
        ({"isCache": "true", "isProjected": "true"}, "projected"),
        ({"isProjected": "true", "isProblem": "true"}, "problem"),
        ({"fixCoordinates[1]": ""}, "problem"),
    ],
)
def test_quality_is_the_worst_that_is_said_of_a_fix(flags: dict[str, str], tier: str) -> None:
    assert one(fix(**flags))["data_quality_tier"] == tier


def test_the_files_own_hole_section_counts() -> None:
    assert one(fix(holeSection="7-2"))["hole_section"] == "7-2"
    assert one(fix(hole="3", section=""))["hole_section"] is None


def test_coordinates_off_the_earth_have_neither_geometry_nor_hexagon_and_stay_for_the_contract() -> None:
    event = one({**fix(), "fixCoordinates[0]": "43.2", "fixCoordinates[1]": "-112.8"})
    assert (event["latitude"], event["geometry"], event["h3_index"]) == (-112.8, None, None)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.lists(st.tuples(st.floats(-0.003, 0.003), st.floats(-0.003, 0.003)), min_size=30, max_size=30),
)
def test_hexagons_are_those_of_h3(latitude: float, longitude: float, steps: list[tuple[float, float]]) -> None:
    """Also at the poles, at the date line and where several cells meet in a square."""
    places = [(min(90, max(-90, latitude + n)), min(180, max(-180, longitude + e))) for n, e in steps]
    columns = [pa.array(column, pa.float64()) for column in zip(*places, strict=True)]
    found = module("hexagons").cells_of(columns[1], columns[0]).to_pylist()
    assert found == [latlng_to_cell(lat, lon, 10) for lat, lon in places]


def test_logs_that_are_json_become_a_row_an_entry() -> None:
    log = json.dumps(
        [
            {"timestamp": {"$date": "2025-07-02T00:10:00Z"}, "severity": "WARN", "msg": "clock off"},
            "rebooted",
            {"code": 7},
        ]
    )
    quoted = '"' + log.replace('"', '""') + '"'
    found = conformed(wide([fix()], header=f"{ROUND},captureLogs", values=f"{VALUES},{quoted}"))
    first, second, third = found.health
    assert (first["log_time"], first["event_date"]) == (datetime(2025, 7, 2, 0, 10, tzinfo=UTC), date(2025, 7, 2))
    assert (first["level"], first["message"]) == ("warn", "clock off")
    assert (second["log_index"], second["message"], second["device_log_json"]) == (1, "rebooted", '"rebooted"')
    assert second["event_date"] == date(2025, 7, 1)
    assert (third["message"], third["device_log_json"]) == (None, '{"code":7}')


def test_a_log_that_is_no_json_is_one_entry() -> None:
    found = conformed(wide([fix()], header=f"{ROUND},captureLogs", values=f"{VALUES},GPS lost: twice"))
    assert [(row["log_index"], row["message"]) for row in found.health] == [(0, "GPS lost: twice")]


def nested(**members: Any) -> dict[str, Any]:
    return {"_id": {"$oid": "r1"}, "course": "heronpoint", "startTime": {"$date": "2025-07-01T14:00:00Z"}, **members}


@pytest.mark.parametrize(
    "at",
    [
        {"$date": "2025-07-01T14:03:09.250Z"},
        {"$date": 1751378589250},
        {"$date": {"$numberLong": "1751378589250"}},
        "2025-07-01T14:03:09.250Z",
    ],
)
def test_json_writes_times_in_several_ways(at: Any) -> None:
    found = conformed(
        json.dumps([nested(locations=[{"startTime": at, "hole": {"$numberInt": "4"}, "pace": 1.5}])]), "json"
    )
    (event,) = found.events
    assert event["fix_timestamp"] == datetime(2025, 7, 1, 14, 3, 9, 250_000, UTC)
    assert (event["round_id"], event["hole_number"], event["pace"]) == ("r1", 4, 1.5)


def test_json_has_padding_and_trailing_slots_as_csv_has() -> None:
    slots = [{"hole": 1, "fixCoordinates": [-88.3, 43.2]}, None, {"hole": 2}, {}, {"pace": ""}]
    found = conformed(json.dumps(nested(locations=slots, notes="x", device="y", app="z")), "json")
    assert [(e["location_index"], e["is_location_padding"]) for e in found.events] == [(0, False), (1, True), (2, True)]
    assert found.unknown == ["notes", "device", "app"]


def test_half_a_surrogate_pair_is_replaced() -> None:
    half = r'{"_id": "\ud800", "course": "é", "captureLogs": ["\udfff"], "\ud800": 1, "locations": [{"hole": 1}]}'
    found = conformed(half, "json")
    assert [(event["round_id"], event["course_id"]) for event in found.events] == [("?", "é")]
    assert found.health[0]["message"] == "?"
    assert found.unknown == ["?"]
    text = wide([fix()], header=f"{ROUND},captureLogs", values=VALUES + r',"[""\udfff""]"')
    assert conformed(text).health[0]["device_log_json"] == '"?"'


def test_json_that_is_no_round_is_refused_by_number() -> None:
    rounds = [nested(locations=[{"hole": 1}])] * 40
    wrong = [7, nested(locations="none"), nested(locations=[{"fixCoordinates": "here"}]), nested(locations=[5])]
    found = conformed(json.dumps([*rounds, *wrong]), "json")
    assert found.refused == [
        (41, "", "7"),
        (42, "locations", "none"),
        (44, "locations[0]", "5"),
        (43, "locations[0].fixCoordinates[0]", "here"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[{"_id": "a", "locations": []}', "character 30: the array does not end"),
        ('[{"_id": "a"} {"_id": "b"}]', "character 14: a comma is missing"),
        ('[{"_id": "a"}] x', "character 15: something comes behind"),
        ('[{"_id": "a"}, {"_id": ', "character 15: no JSON"),
        ('{"_id": "a"}\n{"_id" "b"}', "character 13: no JSON"),
        ("[" * 200_000, "character 1: no JSON"),
    ],
)
def test_json_that_is_damaged_is_refused_with_the_place(text: str, place: str) -> None:
    with pytest.raises(UnreadableFile, match=place):
        conformed(text, "json")


def test_json_without_an_end_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("nested"), "ROUND_MAX", 2 * 2**20)
    endless = Endless(b"", "json")
    with pytest.raises(UnreadableFile, match="no JSON of at most"):
        list(PIPELINE.conform(endless))
    assert sum(endless.given) < 10 * 2**20


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_what_goes_wrong_while_a_file_is_unpacked_is_said_as_it_is(kind: str) -> None:
    body = wide([fix()]).encode() + b"x,y\n" * 40_000 if kind == "csv" else b"[" + b'{"_id": "r1"},' * 20_000
    with pytest.raises(UnreadableFile, match="it unpacks to more"):
        list(PIPELINE.conform(Bomb(body, kind)))


@dataclass(frozen=True)
class Bomb(File):
    """A file that is found to be one after a while."""

    def open(self) -> IO[bytes]:
        return io.BufferedReader(Burst(self.body))


class Burst(io.RawIOBase):
    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = io.BytesIO(body)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.body.tell() > 2**16:
            raise UnreadableFile("it unpacks to more than it may")
        return self.body.readinto(buffer)


@dataclass(frozen=True)
class Endless(File):
    """One round that never ends."""

    given: list[int] = field(default_factory=list)

    def open(self) -> IO[bytes]:
        return self  # type: ignore[return-value]

    def __enter__(self) -> Endless:
        return self

    def __exit__(self, *how: object) -> None: ...

    def read(self, size: int) -> bytes:
        self.given.append(size)
        return b'[{"_id": "' if len(self.given) == 1 else b"a" * size


def test_the_course_of_a_file_is_its_folder_or_what_its_name_begins_with() -> None:
    assert PIPELINE.partition(RawKey("golf_rounds", ("erinhills", "2025"), "a.csv")) == {"course_id": "erinhills"}
    assert PIPELINE.partition(RawKey("golf_rounds", (), "erinhills-0601.rounds.csv")) == {"course_id": "erinhills"}


def test_a_kind_that_is_neither_csv_nor_json_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="is parquet; rounds come as CSV or JSON"):
        conformed(b"PAR1", "parquet")


@pytest.mark.parametrize(
    "body", [wide([fix()]).encode("utf-16"), wide([fix()]).replace("heron", "h\u00e9ron").encode("latin-1")]
)
def test_text_that_is_not_utf8_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableFile):
        conformed(body)


def test_the_contracts_part_by_course_and_day_and_prefer_cached_fixes() -> None:
    silver = PACKAGE.contracts[EVENTS].silver
    assert silver.partition == ("course_id", "event_date")
    assert silver.prefer == ("is_cache",)
    assert silver.swapped == ("latitude", "longitude")
    assert PACKAGE.contracts[EVENTS].key == ("round_id", "fix_key")
    assert keys.check_dataset(EVENTS)


def test_a_long_text_of_a_round_refuses_it_and_is_not_there_once_more_for_each_fix() -> None:
    text = "x" * (module("cells").TEXT_MAX + 1)
    rounds = [{"_id": f"r{number}", "course": "c", "locations": [{"hole": 1}]} for number in range(10)]
    found = conformed(json.dumps([*rounds, {"_id": text, "course": "c", "locations": [{"hole": 1}] * 3}]), "json")
    assert len(found.events) == 10
    assert found.refused == [(11, "_id", text[:200])]
    assert found.reasons == ["is longer than 1,000 characters"]


def test_a_log_of_many_entries_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("health"), "AT_ONCE", 2)
    body = json.dumps([{"_id": "r1", "course": "c", "captureLogs": ["a", "b", "c", "d", "e"], "locations": []}])
    tables = [piece.tables[HEALTH] for piece in PIPELINE.conform(File(body.encode(), "json"))]
    assert [table["message"].to_pylist() for table in tables] == [["a", "b"], ["c", "d"], ["e"]]


def test_json_of_much_that_is_no_round_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("nested"), "IDLE_MAX", 3)
    rounds = [{"_id": "r", "course": "c"}, 1, [], {}]
    assert [line[0] for line in conformed(json.dumps(rounds + rounds[:1] * 30), "json").refused] == [2, 3]
    with pytest.raises(UnreadableFile, match="3 values behind value 1 have no _id"):
        conformed(json.dumps([*rounds, {}]), "json")


def test_short_values_of_json_make_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("nested"), "_ROUNDS", 2)
    body = json.dumps([{"_id": "r", "course": "c"}, 1, "x", {"_id": "r", "course": "c"}, 2]).encode()
    made = list(module("nested").read(File(body, "json")))
    assert [piece.refused.to_pylist()[0]["row"] for piece in made] == [2, 3, 5]
