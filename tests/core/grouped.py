"""Tables in row groups, for tests of what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import pyarrow as pa


@dataclass
class Groups:
    """A table in row groups that end at `cuts`. A digest is of the values and of `salt`, the writer's ways: what others
    wrote has other bytes. `digested`: whether there are any. `seen` has what was read: groups and columns."""

    table: pa.Table
    cuts: Sequence[int] = ()
    salt: str = ""
    digested: bool = True
    where: str = "a table"
    seen: list[tuple[int, str]] = field(default_factory=list)

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    @property
    def counts(self) -> list[int]:
        return [group.num_rows for group in self._groups()]

    @property
    def digests(self) -> list[tuple[bytes, ...]] | None:
        if not self.digested:
            return None
        return [tuple(self._digest(column) for column in group.columns) for group in self._groups()]

    def _digest(self, column: pa.ChunkedArray) -> bytes:
        return blake2b(f"{self.salt}{column.to_pylist()!r}".encode(), digest_size=16).digest()

    def _groups(self) -> list[pa.Table]:
        ends = [*sorted(self.cuts), self.table.num_rows]
        return [self.table.slice(start, stop - start) for start, stop in zip([0, *ends], ends, strict=False)]

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        names = list(columns or self.schema.names)
        self.seen += [(group, name) for name in names]
        return self._groups()[group].select(names)

    def take(self, group: int, places: Sequence[int]) -> pa.Table:
        self.seen.append((group, "rows"))
        return self._groups()[group].take(list(places))
