"""A catalog's partitioned table in memory, as `towline.copies` sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from towline.catalog import Table
from towline.copies import Described, Places
from towline.errors import LostRace


@dataclass
class MemoryTables:
    """One table in a catalog in memory. `before` is called before each change, and may do what others would."""

    database: str = "towline"
    table: Table | None = None
    places: dict[tuple[str, ...], str] = field(default_factory=dict)
    version: int = 0
    before: Callable[[str], None] = lambda operation: None

    def look(self, name: str) -> Described | None:
        if self.table is None:
            return None
        location = self.table["StorageDescriptor"]["Location"]
        return Described(str(self.version), self.table["Parameters"], location, dict(self.places))

    def create(self, table: Table) -> None:
        self.before("create")
        if self.table is not None:
            raise LostRace("there is one")
        self._put(table)

    def change(self, table: Table, version: str) -> None:
        self.before("change")
        if str(self.version) != version:
            raise LostRace(f"version {self.version}, not {version}")
        self._put(table)

    def move(self, table: Table, places: Places, there: Places) -> None:
        for values in dict.fromkeys((*places, *there)):
            self.before("move")
            if values in places:
                self.places[values] = places[values]
            else:
                self.places.pop(values, None)

    def _put(self, table: Table) -> None:
        self.table, self.version = table, self.version + 1
