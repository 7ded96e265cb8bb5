"""Gold: what SQL makes of silver, made anew for those partitions only whose silver has changed.

    1  read silver's inventory, and bring what Athena sees of it up to that
    2  compare what each gold partition was made of with what silver holds now: those that differ are to be made
    3  ask Athena for these, a statement a table; write a file a partition
    4  look that Athena saw that inventory all the while; else begin anew
    5  replace gold's inventory, on the condition that it is the one of step 2: the commit point

Tables that read other gold tables come after those, in a round of steps 2 to 5 of their own. A run that dies or fails
leaves what was there; the next finds the same to do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from towline import catalog, keys, queries
from towline.ahead import ahead
from towline.errors import LostRace, QueryFailed
from towline.pipeline import goldsql, parts, symlinks
from towline.pipeline import inventory as inventories
from towline.pipeline import partition as partitions
from towline.pipeline.goldsql import GoldTable
from towline.pipeline.inventory import Inventory, Late, PartitionFile
from towline.pipeline.plan import Place
from towline.pipeline.registry import Package
from towline.queries import Engine
from towline.workbench import Workbench

TRIES = 5
AT_ONCE = 4  # files that are written side by side

Layers = Mapping[str, Mapping[str, PartitionFile]]  # the partitions of all tables, by table

_LINE = re.compile(r"\bline (\d+):\d+")


@dataclass(frozen=True)
class GoldResult:
    """What a run did. `load`: its id, empty where there was nothing to do; `silver`: the number of the inventory that
    gold is made of now; `rebuilt`, `kept` (made, and the same as before), `removed`: partitions; `rows` of those that
    were made; `statements` that Athena ran, and the bytes that it read for them."""

    dataset: str
    load: str = ""
    silver: int = 0
    rebuilt: tuple[Place, ...] = ()
    kept: tuple[Place, ...] = ()
    removed: tuple[Place, ...] = ()
    rows: int = 0
    statements: int = 0
    scanned_bytes: int = 0

    def to_json(self) -> dict[str, object]:
        places = ("rebuilt", "kept", "removed")
        return {**vars(self), **{name: [list(place) for place in vars(self)[name]] for name in places}}


def refresh(bench: Workbench, package: Package, engine: Engine, bucket: str, *, full: bool = False) -> GoldResult:
    """Bring gold up to silver, and what Athena sees of both; `full`: make every partition anew. `bench.describe` is
    asked to tell Athena of tables before they are read.

    BrokenPipeline: the SQL of a table cannot be used, and where. QueryFailed: Athena could not run it. LostRace: loads
    were quicker, again and again. In all of these gold stays as it is, or as a round of tables left it.
    """
    for _ in range(TRIES):
        silver = show(bench, package.dataset, bucket)
        try:
            return _Refresh(bench, engine, bucket, silver, goldsql.ordered(package), bench.new_id(), full).run()
        except Late:
            continue
    raise LostRace(f"{TRIES} times a load of {package.dataset} was quicker: gold waits for the next one")


def show(bench: Workbench, dataset: str, bucket: str) -> Inventory:
    """Have Athena see silver as it is; its inventory. LostRace: as `refresh`."""
    for _ in range(TRIES):
        silver = inventories.read(bench.store, keys.SILVER, dataset)
        try:
            _show(bench, bucket, silver)
        except Late:
            continue
        return silver
    raise LostRace(f"{TRIES} times a load of {dataset} was quicker: Athena sees what the next one shows it")


def sources(gold: GoldTable, layers: Layers) -> dict[str, tuple[str, ...]]:
    """What each partition of a gold table is made of: its SQL, and `<table>/<partition>@<digest>`. `layers`: the
    partitions of all tables, silver and gold."""
    found: dict[str, set[str]] = {}
    for own, table, name, file in _parted(gold, layers):
        found.setdefault(own, {gold.source}).add(f"{table}/{name}@{file.digest}")
    return {own: tuple(sorted(each)) for own, each in sorted(found.items())}


def files(gold: GoldTable, layers: Layers, bucket: str) -> goldsql.Files:
    """The URLs of the files that a gold table is made of."""
    found: dict[str, dict[str, list[str]]] = {}
    for own, table, _, file in _parted(gold, layers):
        name = catalog.of_lake(gold.dataset, table)
        found.setdefault(name, {}).setdefault(own, []).append(f"s3://{bucket}/{file.key}")
    return found


def _parted(gold: GoldTable, layers: Layers) -> Iterator[tuple[str, str, str, PartitionFile]]:
    """The gold partition, the table, the partition and the file of all that a gold table reads."""
    for table in sorted(gold.reads):
        for name, file in sorted(layers.get(table, {}).items()):
            texts = partitions.values(name)
            yield "/".join(f"{each}={texts[each] or partitions.NULL}" for each in gold.partition), table, name, file


@dataclass
class _Refresh:
    bench: Workbench
    engine: Engine
    bucket: str
    silver: Inventory
    tables: Sequence[GoldTable]
    id: str
    full: bool

    def run(self) -> GoldResult:
        before = inventories.read(self.bench.store, keys.GOLD, self.silver.dataset)
        _show(self.bench, self.bucket, before)
        before, result = self._emptied(before, GoldResult(self.silver.dataset, silver=self.silver.number))
        for level in goldsql.levels(self.tables):
            before, result = self._level(level, before, result)
        return result

    def _emptied(self, before: Inventory, so_far: GoldResult) -> tuple[Inventory, GoldResult]:
        """Without the files of tables whose SQL is gone."""
        named = {gold.table for gold in self.tables}
        gone = [(table, name) for table, each in before.tables.items() if table not in named for name in each]
        if not gone:
            return before, so_far
        tables = {table: each if table in named else {} for table, each in before.tables.items()}
        return self._commit(replace(before, tables=tables)), _told(so_far, self.id, {}, gone, [])

    def _level(self, level: Sequence[GoldTable], before: Inventory, so_far: GoldResult) -> tuple[Inventory, GoldResult]:
        layers = {**self.silver.tables, **before.tables}
        wanted = {gold.table: sources(gold, layers) for gold in level}
        stale = {gold.table: self._stale(before.tables.get(gold.table, {}), wanted[gold.table]) for gold in level}
        gone = [(table, name) for table, each in wanted.items() for name in before.tables.get(table, {}).keys() - each]
        if not gone and not any(stale.values()):
            return before, so_far
        self.bench.describe()
        rounds = [_Round(self, gold, before, wanted[gold.table], files(gold, layers, self.bucket)) for gold in level]
        made = {each.gold.table: each.made(stale[each.gold.table]) for each in rounds}
        if not (symlinks.are_of(self.bench.store, self.silver) and symlinks.are_of(self.bench.store, before)):
            raise Late
        tables = {
            table: {name: file for name, file in before.tables.get(table, {}).items() if name in each} | made[table]
            for table, each in wanted.items()
        }
        after = replace(before, tables={**before.tables, **tables})
        if after.tables != before.tables:
            after = self._commit(after)
        return after, _told(so_far, self.id, made, gone, rounds)

    def _stale(self, there: Mapping[str, PartitionFile], wanted: Mapping[str, tuple[str, ...]]) -> list[str]:
        """The partitions that are to be made."""
        known = {} if self.full else {name: file.sources for name, file in there.items()}
        return [name for name, each in wanted.items() if known.get(name) != each]

    def _commit(self, after: Inventory) -> Inventory:
        """The commit point, and after it what Athena sees."""
        written = inventories.commit(self.bench.store, replace(after, number=after.number + 1, load=self.id))
        _show(self.bench, self.bucket, written)
        return written


def _show(bench: Workbench, bucket: str, layer: Inventory) -> None:
    """Have Athena see this inventory of a layer."""
    if symlinks.are_of(bench.store, layer):
        return
    if not symlinks.write(bench.store, bucket, layer):
        raise Late
    bench.describe()


@dataclass
class _Round:
    """One table's partitions on their way. `asked` counts statements, `scanned` the bytes that Athena read."""

    refresh: _Refresh
    gold: GoldTable
    before: Inventory
    sources: Mapping[str, tuple[str, ...]]
    files: goldsql.Files
    asked: int = 0
    scanned: int = 0

    def made(self, stale: Sequence[str]) -> dict[str, PartitionFile]:
        """The files of these partitions, written; of one that is as it was, the one that is there."""
        asked = goldsql.statements(self.gold, self.refresh.bench.database, stale, self.files)
        found = (each for wanted, statement in asked for each in split(self.gold, self._result(statement), wanted))
        return dict(ahead(self._placed, found, AT_ONCE))

    def _result(self, statement: str) -> pa.Table:
        engine, bench = self.refresh.engine, self.refresh.bench
        id = engine.start(statement, bench.new_id())
        try:
            execution = queries.ended(engine, id)
        except QueryFailed as error:
            raise QueryFailed(f"{self.gold.file}: {error}{_line(str(error), statement)}") from error
        self.asked, self.scanned = self.asked + 1, self.scanned + execution.scanned_bytes
        return engine.result(execution, bench.store)

    def _placed(self, partition: tuple[str, pa.Table]) -> tuple[str, PartitionFile]:
        name, rows = partition
        body = parts.encoded(rows, self.sources[name])
        part = parts.Part(body, len(rows), parts.digest(body), self.sources[name])
        known = self.before.tables.get(self.gold.table, {}).get(name)
        if known and known.digest == part.digest:
            return name, known
        key = keys.lake(keys.GOLD, self.gold.dataset, self.gold.table, name, self.refresh.id)
        self.refresh.bench.store.put(key, body)
        return name, parts.placed(key, part)


def split(gold: GoldTable, rows: pa.Table, wanted: Collection[str]) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each of these partitions, in one order whatever order they came in; of some there may be none.
    QueryFailed: there are rows of other partitions, or it cannot be told of which they are."""
    rows = pa.table(rows.columns, names=[name.lower() for name in rows.column_names])
    columns = [name.lower() for name in gold.partition]
    if missing := [name for name in columns if name not in rows.column_names]:
        raise QueryFailed(f"{gold.file}: it selects no column {missing[0]}, by which the table is parted; add it")
    rows = rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in rows.column_names]))
    codes, lower = partitions.coded(rows, columns)
    own = dict(zip(columns, gold.partition, strict=True))
    names = {code: _named(name, own) for code, name in lower.items()} if len(rows) else {}
    if foreign := sorted(set(names.values()) - set(wanted)):
        why = "its partition columns must be those of the tables that it reads, unchanged"
        raise QueryFailed(
            f"{gold.file}: it has rows of partition {foreign[0]!r}, which no table that it reads has; {why}"
        )
    found = {name: rows.filter(pc.equal(codes, code)) for code, name in names.items()}
    for name in wanted:
        yield name, found.get(name, rows.slice(0, 0))


def _named(name: str, own: Mapping[str, str]) -> str:
    """A partition's name with its columns as silver writes them; Athena knows no upper case."""
    parts = (part.split("=", 1) for part in name.split("/") if part)
    return "/".join(f"{own[column]}={text}" for column, text in parts)


def _line(reason: str, statement: str) -> str:
    """The line of the statement that a reason points at."""
    found = _LINE.search(reason)
    lines = statement.splitlines()
    return f"\n  {lines[int(found[1]) - 1].strip()}" if found and 0 < int(found[1]) <= len(lines) else ""


def _told(
    so_far: GoldResult,
    load: str,
    made: Mapping[str, Mapping[str, PartitionFile]],
    gone: Sequence[Place],
    rounds: Sequence[_Round],
) -> GoldResult:
    files = {(table, name): file for table, each in made.items() for name, file in each.items()}
    fresh = {place for place, file in files.items() if file.key.endswith(f"/{load}.parquet")}
    return replace(
        so_far,
        load=load,
        rebuilt=(*so_far.rebuilt, *sorted(fresh)),
        kept=(*so_far.kept, *sorted(files.keys() - fresh)),
        removed=(*so_far.removed, *sorted(gone)),
        rows=so_far.rows + sum(file.rows for file in files.values()),
        statements=so_far.statements + sum(each.asked for each in rounds),
        scanned_bytes=so_far.scanned_bytes + sum(each.scanned for each in rounds),
    )
