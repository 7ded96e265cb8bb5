"""Fixes: the rows of fact_telemetry_event, of the slots of a piece."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from .hexagons import cells_of

_HOLES_OF_NINE = 9


def events(
    found: pa.Table, rounds: Mapping[str, pa.Array], slots: Mapping[str, pa.Array], ingest_date: date
) -> pa.Table:
    """`found`: the slots of a piece. `rounds` and `slots`: the piece's columns by silver's names, typed, and of rounds
    their `row`."""
    of, index = (found[name].combine_chunks() for name in ("round", "index"))
    own = {name: column.take(of) for name, column in rounds.items() if name != "capture_logs"}  # which may be long
    at, place = slots["fix_timestamp"], _position(slots["longitude"], slots["latitude"])
    is_padding = pc.and_(at.is_null(), pc.and_(slots["longitude"].is_null(), slots["latitude"].is_null()))
    return pa.table(
        {
            "row": own["row"],
            "round_id": own["round_id"],
            "course_id": own["course_id"],
            "ingest_date": pa.repeat(pa.scalar(ingest_date, pa.date32()), len(of)),
            "fix_timestamp": at,
            "fix_key": pc.coalesce(at.cast(pa.int64()), pc.subtract(-1, index)),
            **day(pc.coalesce(at, own["round_start_time"])),
            "location_index": index,
            "hole_number": slots["hole_number"],
            "section_number": slots["section_number"],
            "hole_section": _hole_section(slots),
            "nine_number": _nine(slots["hole_number"], own["start_hole"], index),
            "longitude": slots["longitude"],
            "latitude": slots["latitude"],
            "geometry": _geometry(*place),
            "h3_index": cells_of(*place),
            **{name: slots[name] for name in ("pace", "pace_gap", "positional_gap", "battery_percentage")},
            **{name: slots[name] for name in ("is_cache", "is_projected", "is_problem")},
            "data_quality_tier": _tier(slots, is_padding),
            "is_location_padding": is_padding,
            "is_timestamp_missing": at.is_null(),
            **{name: own[name] for name in ("round_start_time", "round_end_time", "start_hole")},
            **{name: own[name] for name in ("goal_time", "goal_name", "goal_time_fraction", "is_complete")},
        }
    )


def day(at: pa.Array) -> dict[str, pa.Array]:
    """The columns that say on which day (UTC) something was."""
    # Lambda has no database of time zones, in which Arrow would look UTC up.
    plain = at.cast(pa.timestamp(at.type.unit))
    return {
        "event_date": plain.cast(pa.date32(), safe=False),
        "event_year": pc.year(plain),
        "event_month": pc.month(plain),
    }


def _hole_section(slots: Mapping[str, pa.Array]) -> pa.Array:
    texts = [slots[name].cast(pa.string()) for name in ("hole_number", "section_number")]
    return pc.coalesce(slots["hole_section"], pc.binary_join_element_wise(*texts, "-"))


def _nine(hole: pa.Array, start_hole: pa.Array, index: pa.Array) -> pa.Array:
    """The nine of the hole; of a fix without one that of the fix before, of the first that of the starting hole."""
    # A first one without either is 0, which no nine is, lest it gets what the round before ends with.
    first = pc.if_else(pc.equal(index, 0), pc.coalesce(start_hole, 0), None)
    known = pc.fill_null_forward(pc.coalesce(hole, first))
    return pc.if_else(pc.greater(known, 0), pc.divide(pc.add(known, _HOLES_OF_NINE - 1), _HOLES_OF_NINE), None)


def _position(longitude: pa.Array, latitude: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Both where both are places on Earth, else null: what the contract refuses has neither geometry nor hexagon."""
    is_place = pc.and_(pc.less_equal(pc.abs(longitude), 180), pc.less_equal(pc.abs(latitude), 90))
    return pc.if_else(is_place, longitude, None), pc.if_else(is_place, latitude, None)


def _geometry(longitude: pa.Array, latitude: pa.Array) -> pa.Array:
    point = pc.binary_join_element_wise(longitude.cast(pa.string()), latitude.cast(pa.string()), " ")
    return pc.binary_join_element_wise("POINT (", point, ")", "")


def _tier(slots: Mapping[str, pa.Array], is_padding: pa.Array) -> pa.Array:
    """The first that is true."""
    is_lost = pc.or_(slots["longitude"].is_null(), slots["latitude"].is_null())
    flags = {name: pc.fill_null(slots[name], False) for name in ("is_problem", "is_projected", "is_cache")}
    is_problem = pc.or_(flags["is_problem"], is_lost)
    cases = pc.make_struct(is_padding, is_problem, flags["is_projected"], flags["is_cache"])
    return pc.case_when(cases, "padding", "problem", "projected", "cached", "good")
