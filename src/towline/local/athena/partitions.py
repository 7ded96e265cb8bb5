"""Which objects are a table's, and the values of its partition keys in each.

Partitions are either registered in the catalog, each with a location, or projected: then the table's properties say
which values a key takes and where the objects of a partition lie. Athena counts through the values and looks at each
place; here the objects are listed once, and those whose place is of no projected partition are left out.
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from towline.local.athena import catalog, storage, symlinks
from towline.local.athena.catalog import Table
from towline.local.athena.projection import projected
from towline.local.athena.storage import Location, Stored

Values = Mapping[str, str]


@dataclass(frozen=True)
class Split:
    """An object of a table, and the values of the partition keys for all its rows."""

    stored: Stored
    values: Values


def splits(table: Table, paths: Collection[str] | None = None) -> list[Split]:
    """The objects of `table`, in the order of its partitions and of their keys; those that symlinks name, in theirs.
    `paths`: those with these URLs alone."""
    found = _placed(table)
    if table.has_symlinks:
        return [Split(stored, split.values) for split in found for stored in symlinks.named(split.stored, paths)]
    return [split for split in found if paths is None or str(split.stored.location) in paths]


def _placed(table: Table) -> list[Split]:
    if not table.partition_keys:
        return [Split(stored, {}) for stored in storage.listing(Location.parse(table.location))]
    return list(_projected(table) if table.is_projected else _registered(table))


def _registered(table: Table) -> Iterator[Split]:
    for values, location in catalog.partitions(table):
        for stored in storage.listing(Location.parse(location)):
            yield Split(stored, values)


def _projected(table: Table) -> Iterator[Split]:
    template = Location.parse(table.properties.get("storage.location.template") or _hive_style(table))
    pattern = _pattern(template.prefix)
    above = Location(template.bucket, template.prefix.partition("${")[0].rpartition("/")[0])
    kinds = {name: projected(name, table.properties) for name in table.partition_keys}
    for stored in storage.listing(above):
        found = pattern.match(stored.location.key)
        if found and all(kind.has(found[name]) for name, kind in kinds.items()):
            yield Split(stored, found.groupdict())


def _hive_style(table: Table) -> str:
    return "/".join([table.location.rstrip("/"), *(f"{name}=${{{name}}}" for name in table.partition_keys)])


def _pattern(template: str) -> re.Pattern[str]:
    """`a/${d}/` matches the beginning of `a/2026-01-01/part`; a key used twice must be the same both times."""
    pattern, seen = "", set[str]()
    for at, part in enumerate(re.split(r"\$\{(\w+)\}", template)):
        if at % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P={part})" if part in seen else f"(?P<{part}>[^/]+)"
            seen.add(part)
    return re.compile(pattern)


def discover(table: Table) -> Iterator[tuple[dict[str, str], str]]:
    """The partitions that lie below the table's location as `key=value/` folders: values and location, each once."""
    root = Location.parse(table.location)
    pattern = re.compile("/".join(f"{re.escape(name)}=(?P<{name}>[^/]+)" for name in table.partition_keys) + "/")
    seen = set()
    for stored in storage.listing(root):
        found = pattern.match(stored.location.key[len(root.prefix) :])
        if found and found[0] not in seen:
            seen.add(found[0])
            yield {name: unquote(value) for name, value in found.groupdict().items()}, str(root.below(found[0]))
