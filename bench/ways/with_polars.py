"""polars: a lazy query over the table, streamed to a new file."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from bench.ways.place import COLUMN, KEY, PAGE, Edit, Place
from bench.ways.rewriting import Master


class Way(Master):
    name = "polars"

    def one_cell(self, edits: list[Edit]) -> None:
        (edit,) = edits
        self.write(self.rows().with_columns(pl.when(_is(edit)).then(edit.volume).otherwise(COLUMN).alias(COLUMN)))

    def thousand(self, edits: list[Edit]) -> None:
        rows = [(edit.tow, edit.net, edit.volume) for edit in edits]
        new = pl.LazyFrame(rows, schema={"tow": pl.Int64, "net": pl.Int64, "new": pl.Float64}, orient="row")
        joined = self.rows().join(new, on=list(KEY), how="left", maintain_order="left")
        self.write(joined.with_columns(pl.coalesce("new", COLUMN).alias(COLUMN)).drop("new"))

    def insert(self, edits: list[Edit]) -> None:
        (edit,), table = edits, self.rows()
        below = (pl.col("tow") < edit.tow) | ((pl.col("tow") == edit.tow) & (pl.col("net") < edit.net))
        self.write(pl.concat([table.filter(below), pl.scan_parquet(edit.row), table.filter(~below)]))

    def delete(self, edits: list[Edit]) -> None:
        (edit,) = edits
        self.write(self.rows().filter(~_is(edit)))

    def page(self) -> int:
        return len(pl.scan_parquet(self.place.table).head(PAGE).collect())

    def diff(self) -> int:
        old, new = pl.scan_parquet(self.place.table), pl.scan_parquet(self.place.newer)
        both = old.with_columns(_old=1).join(new.with_columns(_new=1), on=list(KEY), how="full", suffix="_new")
        names = [name for name in old.collect_schema().names() if name not in KEY]
        differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_new")) for name in names)
        alone = pl.col("_old").is_null() | pl.col("_new").is_null()
        return len(both.filter(alone | differs).select(KEY).collect(engine="streaming"))

    def flatten(self, parts: Path) -> Path:
        _put(pl.scan_parquet(sorted(parts.iterdir())).sort(KEY), self.flat)
        return self.flat

    def rows(self) -> pl.LazyFrame:
        return pl.scan_parquet(self.master)

    def write(self, rows: pl.LazyFrame) -> None:
        _put(rows, self.next)
        self.swap()


def _put(rows: pl.LazyFrame, path: Path) -> None:
    rows.sink_parquet(path, compression="zstd", row_group_size=65_536)


def _is(edit: Edit) -> pl.Expr:
    return (pl.col("tow") == edit.tow) & (pl.col("net") == edit.net)


def start(place: Place) -> Way:
    return Way(place)
