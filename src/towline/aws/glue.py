"""The Glue data catalog, whose tables Athena reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from towline import catalog
from towline.aws import FAILURES, failure
from towline.errors import Contended, NotFound


@dataclass(frozen=True)
class Glue:
    """One database, through a boto3 client."""

    client: Any
    database: str

    def keep(self, tables: Sequence[catalog.Table]) -> tuple[list[str], list[str]]:
        """See `cataloging.Catalog`. One request where nothing differs."""
        there = self.tables() if tables else {}
        missing = [table for table in tables if table["Name"] not in there]
        stale = [table for table in tables if table["Name"] in there and not covers(there[table["Name"]], table)]
        created = [table["Name"] for table in missing if self._create(table)]
        for table in stale:
            self._call("update_table", TableInput=table, SkipArchive=True)  # or each change would keep a version
        return created, [table["Name"] for table in stale]

    def tables(self) -> dict[str, Mapping[str, Any]]:
        """All tables of the database, by name, as Glue describes them."""
        found: dict[str, Mapping[str, Any]] = {}
        page = self._call("get_tables")
        while True:
            found |= {table["Name"]: table for table in page["TableList"]}
            if not page.get("NextToken"):
                return found
            page = self._call("get_tables", NextToken=page["NextToken"])

    def drop(self, prefix: str) -> list[str]:
        """Drop the tables whose names begin so; their names."""
        found = self._call("get_tables", Expression=f"{prefix}*").get("TableList", [])
        names = [table["Name"] for table in found if table["Name"].startswith(prefix)]
        for name in names:
            with suppress(NotFound):
                self._call("delete_table", Name=name)
        return names

    def _create(self, table: catalog.Table) -> bool:
        """Make a table; False where another was quicker: it made the same one, or the next run changes it."""
        try:
            self._call("create_table", TableInput=table)
        except Contended:
            return False
        return True

    def _call(self, operation: str, **sent: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(DatabaseName=self.database, **sent)
        except FAILURES as error:
            raise failure(error, f"Glue, database {self.database} ({operation})") from error
        return answer


def covers(found: Any, wanted: Any) -> bool:
    """Whether `found` says all that `wanted` does; Glue adds much of its own, such as when a table was made."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(covers(found.get(name), part) for name, part in wanted.items())
    if isinstance(wanted, list):  # an empty one may be left out
        listed = found or []
        return isinstance(listed, list) and len(listed) == len(wanted) and all(map(covers, listed, wanted))
    return bool(found == wanted)
