"""Files of golf rounds in memory, and what their pipeline makes of them."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from towline.ingest.entry import BRONZE, Entry
from towline.parquet.source import BytesSource
from towline.pipeline import registry

HOME = Path(__file__).parents[2] / "datasets" / "golf_rounds"
PACKAGE = registry.load(HOME)
PIPELINE = PACKAGE.pipeline
EVENTS, HEALTH = "fact_telemetry_event", "fact_device_health"
ROUND = "_id,course,startTime,startHole"
VALUES = "r1,heronpoint,2025-07-01T14:00:00.000Z,1"


def module(name: str) -> ModuleType:
    """A module beside the pipeline."""
    return sys.modules[f"{PIPELINE.conform.__module__}.{name}"]


@dataclass(frozen=True)
class File:
    """A bronze file in memory."""

    body: bytes
    kind: str = "csv"

    @property
    def source(self) -> BytesSource:
        return BytesSource(self.body, "this file")

    @property
    def entry(self) -> Entry:
        return Entry("20260301T120000-0123456789ab", "golf_rounds", "raw/x", BRONZE, 0.0, len(self.body), "", "")

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.body)


@dataclass
class Found:
    """All that came of a file."""

    events: list[dict[str, Any]] = field(default_factory=list)
    health: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[int, str, str | None]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def conformed(body: bytes | str, kind: str = "csv") -> Found:
    found = Found()
    for piece in PIPELINE.conform(File(body.encode() if isinstance(body, str) else body, kind)):
        found.events += piece.tables[EVENTS].to_pylist()
        found.health += piece.tables[HEALTH].to_pylist()
        lines = piece.refused.to_pylist() if piece.refused else []
        found.refused += [(line["row"], line["column"], line["value"]) for line in lines]
        found.reasons += [line["reason"] for line in lines]
        found.unknown += piece.unknown
    return found


def wide(slots: Sequence[dict[str, str]], header: str = ROUND, values: str = VALUES) -> str:
    """A CSV file of one round with these slots; a slot has the columns of all of them."""
    kinds = list(dict.fromkeys(kind for slot in slots for kind in slot))
    names = [f"locations[{number}].{kind}" for number in range(len(slots)) for kind in kinds]
    cells = [slot.get(kind, "") for slot in slots for kind in kinds]
    return ",".join([header, *names]) + "\n" + ",".join([values, *cells]) + "\n"


def fix(minute: int = 1, **others: str) -> dict[str, str]:
    """A slot of heronpoint."""
    place = {"fixCoordinates[0]": "-88.3947", "fixCoordinates[1]": "43.2418"}
    return {"startTime": f"2025-07-01T14:{minute:02}:00.000Z", **place, "hole": "1", "section": "2", **others}


def one(slot: dict[str, str], **options: str) -> dict[str, Any]:
    """The event of a round with this slot alone."""
    (event,) = conformed(wide([slot], **options)).events
    return event


GOLDEN = (
    "_id,course,startTime,endTime,startHole,goalTime,goalName,goalTimeFraction,isComplete,captureLogs,"
    "locations[0].startTime,locations[0].fixCoordinates[0],locations[0].fixCoordinates[1],locations[0].hole,"
    "locations[0].section,locations[0].pace,locations[0].batteryPercentage,locations[0].isCache,"
    "locations[1].startTime,locations[1].fixCoordinates[0],locations[1].fixCoordinates[1],locations[1].hole,"
    "locations[1].section,locations[1].pace,locations[1].batteryPercentage,locations[1].isCache\n"
    "65a1,threelakes,2025-07-01T23:50:00Z,2025-07-02T03:40:00Z,19,252,4:12,0.98,true,"
    '"[{""time"": ""2025-07-01T23:59:00Z"", ""level"": ""Error"", ""message"": ""GPS lost""}]",'
    "2025-07-01T23:55:00.250Z,-79.4702,35.1893,19,1,-12.5,97,false,"
    "2025-07-02T00:01:00Z,-79.47,35.19,20,3,,96,true\n"
    "65a2,threelakes,2025-07-01T23:58:00Z,,1,252,4:12,,false,,2025-07-02T00:02:00Z,-79.4702,35.1893,1,1,0,50,,,,,,,,,\n"
)


def generator() -> ModuleType:
    """datasets/golf_rounds/generate.py"""
    spec = spec_from_file_location("golf_rounds_generate", HOME / "generate.py")
    assert spec
    assert spec.loader
    made = module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made
