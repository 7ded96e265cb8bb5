"""Golf rounds the obvious way: read, one frame a slot, all of them together, times, duplicates, columns, Parquet."""

from __future__ import annotations

import re
from pathlib import Path

import h3
import numpy as np
import pandas as pd

_ROUND = {
    "_id": "round_id",
    "course": "course_id",
    "startTime": "round_start_time",
    "endTime": "round_end_time",
    "startHole": "start_hole",
    "goalTime": "goal_time",
    "goalName": "goal_name",
    "goalTimeFraction": "goal_time_fraction",
    "isComplete": "is_complete",
}
_SLOT = {
    "startTime": "fix_timestamp",
    "fixCoordinates[0]": "longitude",
    "fixCoordinates[1]": "latitude",
    "hole": "hole_number",
    "section": "section_number",
    "pace": "pace",
    "paceGap": "pace_gap",
    "positionalGap": "positional_gap",
    "batteryPercentage": "battery_percentage",
    "isCache": "is_cache",
    "isProjected": "is_projected",
    "isProblem": "is_problem",
}


def write(folder: Path, into: Path) -> int:
    """The rows that were written."""
    fixes = pd.concat([unpivoted(path) for path in sorted(folder.rglob("*.csv"))], ignore_index=True)
    fixes = fixes.sort_values(["round_id", "fix_timestamp", "is_cache"], ascending=[True, True, False])
    fixes = fixes.drop_duplicates(["round_id", "fix_timestamp"])
    with_columns(fixes).to_parquet(into / "silver", partition_cols=["course_id", "event_date"], compression="zstd")
    return len(fixes)


def unpivoted(path: Path) -> pd.DataFrame:
    wide = pd.read_csv(path, low_memory=False)
    slots = sorted({int(found[1]) for name in wide.columns if (found := re.match(r"locations\[(\d+)\]", name))})
    rounds = wide[[name for name in _ROUND if name in wide.columns]].rename(columns=_ROUND)
    frames = []
    for slot in slots:
        names = {f"locations[{slot}].{kind}": name for kind, name in _SLOT.items()}
        values = wide[[name for name in names if name in wide.columns]].rename(columns=names)
        frame = pd.concat([rounds, values], axis=1).assign(location_index=slot)
        frames.append(frame.dropna(subset=["fix_timestamp", "longitude", "hole_number"], how="all"))
    fixes = pd.concat(frames, ignore_index=True)
    for name in ("fix_timestamp", "round_start_time", "round_end_time"):
        fixes[name] = pd.to_datetime(fixes[name], utc=True, format="ISO8601")
    return fixes


def with_columns(fixes: pd.DataFrame) -> pd.DataFrame:
    at = fixes["fix_timestamp"].fillna(fixes["round_start_time"])
    fixes["event_date"], fixes["event_year"], fixes["event_month"] = at.dt.date, at.dt.year, at.dt.month
    fixes["ingest_date"] = pd.Timestamp.now("UTC").date()
    for name in ("hole_number", "section_number", "start_hole"):
        fixes[name] = fixes[name].astype("Int64")
    fixes["hole_section"] = fixes["hole_number"].astype("string") + "-" + fixes["section_number"].astype("string")
    fixes["nine_number"] = (fixes["hole_number"].fillna(fixes["start_hole"]) - 1) // 9 + 1
    longitude, latitude = fixes["longitude"], fixes["latitude"]
    fixes["geometry"] = "POINT (" + longitude.astype(str) + " " + latitude.astype(str) + ")"
    cells = [
        None if lat != lat else h3.latlng_to_cell(lat, lon, 10) for lat, lon in zip(latitude, longitude, strict=True)
    ]
    fixes["h3_index"] = cells
    fixes["is_timestamp_missing"] = fixes["fix_timestamp"].isna()
    fixes["is_location_padding"] = fixes["is_timestamp_missing"] & longitude.isna()
    for name in ("is_cache", "is_projected", "is_problem"):
        if name not in fixes:
            fixes[name] = None
        fixes[name] = fixes[name].astype("boolean")
    flags = [
        fixes["is_location_padding"],
        *(fixes[n].fillna(False) for n in ("is_problem", "is_projected", "is_cache")),
    ]
    conditions = [flag.to_numpy(dtype=bool) for flag in flags]
    fixes["data_quality_tier"] = np.select(conditions, ["padding", "problem", "projected", "cached"], "good")
    return fixes
