"""Thermometers: CSV files of sensor,time,temperature become one table of readings, a file a day."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from towline.pipeline.csvfile import Texts, texts
from towline.pipeline.definition import BronzeFile, Conformed, Pipeline
from towline.pipeline.texts import gathered, moments, numbers, unread, without

COLUMNS = ("sensor", "time", "temperature")


def header(columns: Sequence[str]) -> list[str]:
    return [f"there is no column {name}" for name in COLUMNS if name not in columns]


def conform(file: BronzeFile) -> Iterator[Conformed]:
    return map(conformed, texts(file, COLUMNS))


def conformed(piece: Texts) -> Conformed:
    time, temperature = moments(piece["time"]), numbers(piece["temperature"])
    refused = gathered(
        [
            piece.refused,
            unread(piece.row, "time", piece["time"], time, "is no time, such as 2026-05-04T18:03:09"),
            unread(piece.row, "temperature", piece["temperature"], temperature, "is no number"),
        ]
    )
    columns = {"sensor": piece["sensor"], "time": time, "day": time.cast(pa.date32()), "temperature": temperature}
    readings = without(pa.table({"row": piece.row, **columns}), refused)
    return Conformed({"readings": readings}, refused, piece.unknown)


PIPELINE = Pipeline("thermometers", conform, header)
