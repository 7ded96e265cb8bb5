"""Thermometers: CSV files of sensor,time,temperature become one table of readings, a file a day."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from towline.errors import UnreadableFile
from towline.pipeline.definition import BronzeFile, Conformed, Pipeline
from towline.pipeline.texts import gathered, moments, numbers, unread

COLUMNS = ("sensor", "time", "temperature")
AS_TEXT = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()))


def header(columns: Sequence[str]) -> list[str]:
    return [f"there is no column {name}" for name in COLUMNS if name not in columns]


def conform(file: BronzeFile) -> Iterator[Conformed]:
    first = 1
    try:
        for batch in csv.open_csv(file.open(), convert_options=AS_TEXT):
            yield conformed(batch, first)
            first += batch.num_rows
    except pa.ArrowInvalid as error:
        raise UnreadableFile(f"it cannot be read after row {first - 1:,}: {error}") from error


def conformed(batch: pa.RecordBatch, first: int) -> Conformed:
    row = pa.array(range(first, first + batch.num_rows), pa.int64())
    time, temperature = moments(batch["time"]), numbers(batch["temperature"])
    columns = {"sensor": batch["sensor"], "time": time, "day": time.cast(pa.date32()), "temperature": temperature}
    refused = gathered(
        [
            unread(row, "time", batch["time"], time, "is no time"),
            unread(row, "temperature", batch["temperature"], temperature, "is no number"),
        ]
    )
    readings = pa.table({**columns, "row": row}).filter(pc.invert(pc.is_in(row, refused["row"].combine_chunks())))
    return Conformed({"readings": readings}, refused, [name for name in batch.schema.names if name not in COLUMNS])


PIPELINE = Pipeline("thermometers", conform, header)
