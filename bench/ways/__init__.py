"""The ways to do a task that `bench/large.py` measures, each in a module of its own that imports its tool alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

TASKS: Mapping[str, str] = {
    "one_cell": "one cell",
    "thousand": "1,000 cells, spread over the table",
    "insert": "insert a row",
    "delete": "delete a row",
    "diff": "difference of adjacent versions",
    "page": "first page",
    "blame": "who set this cell",
    "flatten-disjoint": "flatten 64 parts in order",
    "flatten-shuffled": "flatten 64 parts that overlap, unsorted",
}


@dataclass(frozen=True)
class Way:
    """One way: what it is called, where it begins, which tasks it is asked for (the default is all), and which of them
    it cannot do, each with the reason. `unread`: why the bytes that it reads are not known; empty where they are."""

    label: str
    start: str
    cannot: Mapping[str, str] = field(default_factory=dict)
    unread: str = ""
    tasks: Collection[str] = tuple(TASKS)

    def can(self, task: str) -> bool:
        return task in self.tasks and task not in self.cannot


EDITS = ("one_cell", "thousand", "insert", "delete")
_NO_BLAME = "keeps no record of who set a cell"
_REWRITE = {"blame": _NO_BLAME}
_FORMAT = {
    "blame": _NO_BLAME,
    "flatten-disjoint": "keeps many files, in no order of rows: it has no one object to make",
    "flatten-shuffled": "keeps many files, in no order of rows: it has no one object to make",
}
_DELTA_DIFF = "tells what changed only where its change data feed was on for every write, which it is not by default"
_ICEBERG_DIFF = "has no scan of what changed between two snapshots"
_MAPS = "maps files into memory, so that what it reads of them is not counted"
_VARIANT = ("one_cell", "thousand")  # the other tasks are the same calls

OURS: Mapping[str, Way] = {
    "towline": Way("Towline, a proposal", "bench.ways.with_towline:start", tasks=(*EDITS, "diff", "page", "blame")),
    "splice": Way("Towline, splice alone", "bench.ways.with_splice:start", tasks=EDITS),
    "flatten": Way("Towline, flatten", "bench.ways.with_flatten:start", tasks=("flatten-disjoint", "flatten-shuffled")),
}
PEERS: Mapping[str, Way] = {
    "pandas": Way("pandas, rewrite", "bench.ways.with_pandas:start", _REWRITE),
    "duckdb": Way("DuckDB, COPY", "bench.ways.with_duckdb:start", _REWRITE),
    "polars": Way("polars, sink", "bench.ways.with_polars:start", _REWRITE, unread=_MAPS),
    "delta": Way(
        "delta-rs, UPDATE",
        "bench.ways.with_delta:start",
        {**_FORMAT, "diff": _DELTA_DIFF, "thousand": "an UPDATE sets one value, or one expression: see MERGE"},
    ),
    "delta-merge": Way(
        "delta-rs, MERGE",
        "bench.ways.with_delta:start_merge",
        tasks=_VARIANT,
    ),
    "iceberg": Way("pyiceberg, overwrite", "bench.ways.with_iceberg:start", {**_FORMAT, "diff": _ICEBERG_DIFF}),
    "iceberg-upsert": Way(
        "pyiceberg, upsert",
        "bench.ways.with_iceberg:start_upsert",
        tasks=_VARIANT,
    ),
}
ALL: Mapping[str, Way] = {**OURS, **PEERS}
