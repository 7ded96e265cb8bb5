"""pandas: read the table, change it, write it anew. The scheme that Towline replaces."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bench.ways.place import COLUMN, KEY, PAGE, Edit, Place
from bench.ways.rewriting import Master


class Way(Master):
    name = "pandas"

    def one_cell(self, edits: list[Edit]) -> None:
        (edit,), table = edits, pd.read_parquet(self.master)
        table.loc[(table["tow"] == edit.tow) & (table["net"] == edit.net), COLUMN] = edit.volume
        self.write(table)

    def thousand(self, edits: list[Edit]) -> None:
        table = pd.read_parquet(self.master)
        wanted = pd.DataFrame([(edit.tow, edit.net, edit.volume) for edit in edits], columns=[*KEY, "new"])
        new = table[list(KEY)].merge(wanted, on=list(KEY), how="left")["new"]
        table[COLUMN] = new.where(new.notna(), table[COLUMN])
        self.write(table)

    def insert(self, edits: list[Edit]) -> None:
        (edit,), table = edits, pd.read_parquet(self.master)
        at = int(((table["tow"] < edit.tow) | ((table["tow"] == edit.tow) & (table["net"] < edit.net))).sum())
        self.write(pd.concat([table.iloc[:at], pd.read_parquet(edit.row), table.iloc[at:]], ignore_index=True))

    def delete(self, edits: list[Edit]) -> None:
        (edit,), table = edits, pd.read_parquet(self.master)
        self.write(table[(table["tow"] != edit.tow) | (table["net"] != edit.net)])

    def page(self) -> int:
        return len(pd.read_parquet(self.place.table).head(PAGE))

    def diff(self) -> int:
        old, new = pd.read_parquet(self.place.table), pd.read_parquet(self.place.newer)
        both = old.merge(new, on=list(KEY), how="outer", suffixes=("_old", "_new"), indicator=True)
        differs = both["_merge"] != "both"
        for column in old.columns.difference(KEY):
            a, b = both[f"{column}_old"], both[f"{column}_new"]
            differs |= (a != b) & ~(a.isna() & b.isna())
        return int(differs.sum())

    def flatten(self, parts: Path) -> Path:
        table = pd.concat([pd.read_parquet(path) for path in sorted(parts.iterdir())], ignore_index=True)
        _put(table.sort_values(list(KEY), ignore_index=True), self.flat)
        return self.flat

    def write(self, table: pd.DataFrame) -> None:
        _put(table, self.next)
        self.swap()


def _put(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, compression="zstd", row_group_size=65_536, index=False)


def start(place: Place) -> Way:
    return Way(place)
