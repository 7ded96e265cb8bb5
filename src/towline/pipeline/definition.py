"""What a pipeline is: `datasets/<name>/pipeline.py` defines one, beside its contracts and gold/*.sql.

    datasets/<name>/pipeline.py             PIPELINE = Pipeline(dataset=..., conform=..., header=..., masters=...)
    datasets/<name>/contracts/<table>.json  a contract for each silver table: columns, key, ranges, thresholds
    datasets/<name>/gold/<table>.sql        a SELECT for each gold table

A contract of a silver table says beside what every contract says (docs/contract.md), in its `towline` block:

    "silver": {"partition": ["course_id", "event_date"],    columns that part the table into files
               "prefer": ["is_cache"],                      of rows with equal keys, that with true counts
               "null_rate": {"fix_timestamp": 0.2},         shares of a file's rows above which the whole file fails
               "duplicate_rate": 0.5, "quarantine_rate": 0.1,
               "swapped": ["latitude", "longitude"]}        columns whose values may have been exchanged
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Protocol

import pyarrow as pa

from towline.ingest.entry import Entry
from towline.keys import RawKey
from towline.parquet.source import Source


class BronzeFile(Protocol):
    """A bronze file to be conformed. `kind` as of its entry (`csv`, `json`, `csv.gz`, ...)."""

    @property
    def entry(self) -> Entry: ...

    @property
    def kind(self) -> str: ...

    @property
    def source(self) -> Source: ...

    def open(self) -> IO[bytes]:
        """Its bytes from the beginning, unpacked where `kind` says that it is packed, read piece by piece."""
        ...


@dataclass(frozen=True)
class Conformed:
    """Some of a bronze file's rows. `tables`: by the name of the silver table, with the contract's columns in its
    types; those that are missing are null. Beside them may be `row`: the number of each row in the file, from 1.
    `refused`: rows that no table can hold, and that are in none, as a table of `row`, `column`, `value`, `reason` and
    perhaps `table` (`towline.pipeline.texts`); without it they are of the first table here. `unknown`: columns of the
    file that the pipeline does not know."""

    tables: Mapping[str, pa.Table]
    refused: pa.Table | None = None
    unknown: Sequence[str] = ()


def by_source(key: RawKey) -> Mapping[str, str]:
    """The bronze partition of a file that no pipeline says more of: where it came from."""
    return {"source": "-".join(key.source)} if key.source else {}


@dataclass(frozen=True)
class Pipeline:
    """How raw files of one dataset become silver tables.

    `partition`: the bronze partition of a raw file, as the values of columns, from its key. `header`: what is wrong
    with a file that has these columns (of a CSV its header, of JSON the names in its first record), a sentence each;
    none: it may pass. `conform`: a bronze file in pieces of bounded size; raises UnreadableFile, naming the place.
    `masters`: silver or gold table -> dataset whose master gets its changed rows as proposals.
    """

    dataset: str
    conform: Callable[[BronzeFile], Iterator[Conformed]]
    header: Callable[[Sequence[str]], Sequence[str]] = lambda columns: ()
    partition: Callable[[RawKey], Mapping[str, str]] = lambda key: (
        {"source": "-".join(key.source)} if key.source else {}
    )
    masters: Mapping[str, str] = field(default_factory=dict)
