"""What a file of rounds holds, whatever its format: some rounds, and the slots of their fixes, all as text.

A slot is a place for one fix in a round: `locations[7]`. Files differ in how many slots they have and in their columns;
here all have those of ROUND and SLOT, empty ones where the file has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

TEXT, LOG, NUMBER, INTEGER, BOOLEAN, TIME = "text", "log", "number", "integer", "boolean", "time"

# The file's name -> silver's name, and what it is.
ROUND: Mapping[str, tuple[str, str]] = {
    "_id": ("round_id", TEXT),
    "course": ("course_id", TEXT),
    "startTime": ("round_start_time", TIME),
    "endTime": ("round_end_time", TIME),
    "startHole": ("start_hole", INTEGER),
    "goalTime": ("goal_time", NUMBER),
    "goalName": ("goal_name", TEXT),
    "goalTimeFraction": ("goal_time_fraction", NUMBER),
    "isComplete": ("is_complete", BOOLEAN),
    "captureLogs": ("capture_logs", LOG),
}
SLOT: Mapping[str, tuple[str, str]] = {
    "startTime": ("fix_timestamp", TIME),
    "fixCoordinates[0]": ("longitude", NUMBER),
    "fixCoordinates[1]": ("latitude", NUMBER),
    "hole": ("hole_number", INTEGER),
    "section": ("section_number", INTEGER),
    "holeSection": ("hole_section", TEXT),
    "pace": ("pace", NUMBER),
    "paceGap": ("pace_gap", NUMBER),
    "positionalGap": ("positional_gap", NUMBER),
    "batteryPercentage": ("battery_percentage", NUMBER),
    "isCache": ("is_cache", BOOLEAN),
    "isProjected": ("is_projected", BOOLEAN),
    "isProblem": ("is_problem", BOOLEAN),
}
SLOTS_MAX = 500


@dataclass(frozen=True)
class Piece:
    """`rounds`: the columns of ROUND by the file's names, and `row`, the round's number in the file, from 1. `slots`:
    those of SLOT, and `round`, the position in `rounds`, and `index`; by round, then index. A round's slots behind its
    last one that holds anything are left out. `refused` as of a Conformed; `unknown`: columns of neither kind."""

    rounds: pa.Table
    slots: pa.Table
    refused: pa.Table
    unknown: tuple[str, ...] = ()
