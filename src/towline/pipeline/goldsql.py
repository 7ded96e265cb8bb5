"""A gold table's SQL: one SELECT over the silver tables of its dataset, and gold ones, by their bare names.

    -- about: How each round was paced.
    -- partition: course_id
    -- round_id: The round.
    SELECT course_id, round_id, count(*) AS fixes FROM fact_telemetry_event GROUP BY course_id, round_id

`partition` are columns that part the table into files; every table that is read must be parted by them, too, for of
each one those partitions are read that are made anew, and no others. So a SELECT makes a partition of the rows of that
partition alone. What stands beside it in the header is what the columns mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from typing import NoReturn

from sqlglot import exp

from towline import catalog
from towline.pipeline.partition import values
from towline.pipeline.registry import BrokenPipeline, Package
from towline.sqledit import SqlRefused
from towline.sqledit.compiling import written
from towline.sqledit.statement import QUERIES, check_repeatable, read
from towline.sqledit.tables import Tables, quoted

ENGINE = "1"  # of what is made of the same rows by the same SQL; another number makes all of gold anew
AT_ONCE = 1_000  # partitions that a statement makes; fewer where it would be too long for Athena
FILES = 200  # of a table that are named one by one, so that Athena opens no others
PATH = "$path"  # a hidden column of every table: the URL of the file that a row is in

# The URLs of a table's files, by the table's name in SQL and the gold partition that they fall into.
Files = Mapping[str, Mapping[str, Sequence[str]]]

_HEADER = re.compile(r"--\s?(?P<name>[a-z_][a-z0-9_]*):(?P<text>.*)|--\s*(?P<more>.*)")


@dataclass(frozen=True)
class GoldTable:
    """One gold table. `sql`: the text of its file; `reads`: the tables that it names; `columns`: what the header says
    of them, in lower case; `types`: of the partition columns, as contracts name them."""

    dataset: str
    table: str
    sql: str
    partition: tuple[str, ...]
    about: str
    columns: Mapping[str, str]
    reads: frozenset[str]
    types: Mapping[str, str]

    @property
    def source(self) -> str:
        """The SQL, as a source of the partitions that it makes."""
        return f"{self.table}.sql@{blake2b(f'{ENGINE} {self.sql}'.encode(), digest_size=16).hexdigest()}"

    @property
    def file(self) -> str:
        return _file(self.dataset, self.table)


def ordered(package: Package) -> list[GoldTable]:
    """A dataset's gold tables, each behind those that it reads. BrokenPipeline: one cannot be used, and why."""
    found = {table: _read(package, table, sql) for table, sql in sorted(package.gold.items())}
    _check_partitions(package, found)
    done: dict[str, GoldTable] = {}
    while len(done) < len(found):
        ready = [each for name, each in found.items() if name not in done and each.reads & found.keys() <= done.keys()]
        if not ready:
            _broken(package.dataset, min(found.keys() - done.keys()), "it reads a table that is made of it, or itself")
        done |= {each.table: each for each in ready}
    return list(done.values())


def levels(tables: Sequence[GoldTable]) -> Iterator[list[GoldTable]]:
    """Tables that are in order, in groups that read nothing of their own group."""
    group: list[GoldTable] = []
    for each in tables:
        if each.reads & {other.table for other in group}:
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def statements(
    gold: GoldTable, database: str, wanted: Sequence[str], files: Files
) -> Iterator[tuple[Sequence[str], str]]:
    """What Athena is to run for these partitions: some of them, and the statement that makes them. SqlRefused: it
    cannot be said in Athena's SQL."""
    for start in range(0, len(wanted), AT_ONCE):
        yield from _fitting(gold, database, wanted[start : start + AT_ONCE], files)


def _fitting(
    gold: GoldTable, database: str, wanted: Sequence[str], files: Files
) -> Iterator[tuple[Sequence[str], str]]:
    try:
        found = [(wanted, compiled(gold, database, wanted, files))]
    except SqlRefused as refused:
        if refused.rule != "sql.length" or len(wanted) < 2:
            raise
        half = len(wanted) // 2
        found = [*_fitting(gold, database, wanted[:half], files), *_fitting(gold, database, wanted[half:], files)]
    yield from found


def compiled(gold: GoldTable, database: str, wanted: Sequence[str], files: Files) -> str:
    """The statement that makes these partitions, and reads no others."""
    parsed = read(gold.sql, QUERIES)
    _known(gold.dataset, gold.reads, database).resolve(parsed)
    named = [table for table in parsed.tree.find_all(exp.Table) if table.db]
    for table in named:
        rows = exp.select("*").from_(exp.table_(table.this.copy(), table.args["db"].copy()))
        paths = [path for each in wanted for path in files.get(table.name, {}).get(each, ())]
        if 0 < len(paths) <= FILES:
            rows = rows.where(exp.In(this=exp.Column(this=quoted(PATH)), expressions=[*map(exp.Literal.string, paths)]))
        if (condition := _condition(gold, wanted)) is not None:
            rows = rows.where(condition)
        part = exp.Subquery(this=rows, alias=table.args["alias"].copy(), joins=table.args.get("joins"))
        table.replace(part)
    return written(parsed.tree, parsed)


def _condition(gold: GoldTable, wanted: Sequence[str]) -> exp.Expr | None:
    """That a row is of one of these partitions; None: all rows are."""
    if not gold.partition:
        return None
    *first, last = gold.partition
    found = sorted((values(each) for each in wanted), key=lambda each: [str(each[name]) for name in gold.partition])
    groups = groupby(found, key=lambda each: [each[name] for name in first])
    return _any([_all(gold, first, of, last, [each[last] for each in group]) for of, group in groups])


def _all(
    gold: GoldTable, first: Sequence[str], of: Sequence[str | None], last: str, texts: Sequence[str | None]
) -> exp.Expr:
    found = [_is(gold, name, [text]) for name, text in zip(first, of, strict=True)]
    return exp.and_(*found, _is(gold, last, texts))


def _is(gold: GoldTable, name: str, texts: Sequence[str | None]) -> exp.Expr:
    column = exp.Column(this=quoted(name))
    literals = [_literal(gold.types[name], text) for text in texts if text is not None]
    found: list[exp.Expr] = [exp.In(this=column, expressions=literals)] if literals else []
    found += [exp.Is(this=column.copy(), expression=exp.Null())] if None in texts else []
    return exp.paren(_any(found))


def _any(conditions: Sequence[exp.Expr]) -> exp.Expr:
    """One of them, as a tree that is not deep."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return exp.paren(exp.Or(this=_any(conditions[:half]), expression=_any(conditions[half:])))


def _literal(type: str, text: str) -> exp.Expr:
    if type == "string":
        return exp.Literal.string(text)
    if type == "integer":
        return exp.Literal.number(int(text))
    if type == "boolean":
        return exp.Boolean(this=text == "true")
    return exp.cast(exp.Literal.string(text), exp.DataType.Type.DATE)


def _read(package: Package, table: str, sql: str) -> GoldTable:
    said = _header(sql)
    if "partition" not in said:
        _broken(package.dataset, table, "its header lacks a line `-- partition: <column>, …` (empty: one file for all)")
    partition = tuple(filter(None, (name.strip() for name in said["partition"].split(","))))
    fields = {field.name: field.type for contract in package.contracts.values() for field in contract.fields}
    try:
        parsed = read(sql, QUERIES)
        check_repeatable(parsed)
        reads = _known(package.dataset, {*package.contracts, *package.gold}, "gold").resolve(parsed)
    except SqlRefused as refused:
        _broken(package.dataset, table, str(refused))
    columns = {name: text for name, text in said.items() if name not in ("about", "partition")}
    types = {name: fields[name] for name in partition if name in fields}
    return GoldTable(package.dataset, table, sql, partition, said.get("about", ""), columns, reads, types)


def _header(sql: str) -> dict[str, str]:
    """What the comments above the statement say, by the names that they begin with."""
    said: dict[str, str] = {}
    name = ""
    for line in sql.splitlines():
        if (found := _HEADER.fullmatch(line.strip())) is None:
            break
        if not (name := found["name"] or name):
            continue
        said[name] = " ".join(filter(None, (said.get(name, ""), (found["text"] or found["more"] or "").strip())))
    return said


def _check_partitions(package: Package, found: Mapping[str, GoldTable]) -> None:
    """Each table that is read is parted by the columns, or finer; so it can be read by them."""
    parted = {table: contract.silver.partition for table, contract in package.contracts.items()}
    parted |= {table: each.partition for table, each in found.items()}
    for gold in found.values():
        for table in sorted(gold.reads):
            if missing := [name for name in gold.partition if name not in parted[table]]:
                why = f"{table}, which it reads, is not parted by {missing[0]}; take it from `-- partition:`"
                _broken(package.dataset, gold.table, why)


def _known(dataset: str, names: frozenset[str] | set[str], database: str) -> Tables:
    return Tables(database, {name: _place(catalog.of_lake(dataset, name), database) for name in names})


def _place(name: str, database: str) -> exp.Table:
    return exp.table_(quoted(name), quoted(database))


def _file(dataset: str, table: str) -> str:
    return f"datasets/{dataset}/gold/{table}.sql"


def _broken(dataset: str, table: str, why: str) -> NoReturn:
    raise BrokenPipeline(f"{_file(dataset, table)}: {why}")
