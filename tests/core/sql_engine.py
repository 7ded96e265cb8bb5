"""Compiled edits, run as the local Athena runs them, beside DuckDB's own DML of the same rows."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot

from towline import sqledit
from towline.contract import Contract
from towline.local.athena import dialect
from towline.sqledit import Compiled

BASE = '"towline"."run_1_base"'


def contract(dataset: str, columns: Mapping[str, str], key: Sequence[str]) -> Contract:
    """A contract without rules. `columns`: name -> type."""
    fields = [{"name": name, "type": type} for name, type in columns.items()]
    block = {"version": 1, "dataset": dataset}
    return Contract.parse({"fields": fields, "primaryKey": list(key), "towline": block})


HAULS = contract(
    "hauls",
    {"tow": "integer", "net": "integer", "volume": "number", "ship": "string", "is_day": "boolean", "day": "date"},
    ["tow", "net"],
)
SHIPS = contract("ships", {"ship": "string", "factor": "number"}, ["ship"])


def compiled(sql: str, of: Contract = HAULS, others: Sequence[Contract] = (SHIPS,)) -> Compiled:
    return sqledit.compile(sql, of, base=BASE, others={each.dataset: each for each in others}, database="towline")


def after(sql: str, table: pa.Table, of: Contract = HAULS, others: Mapping[str, pa.Table] | None = None) -> pa.Table:
    """The table as the compiled statement makes it, in the order of its rows."""
    types = {each.dataset: {field.name: sqledit.athena_type(field) for field in each.fields} for each in (of, SHIPS)}
    schema = {"towline.run_1_base": types[of.dataset], "towline.ships": types["ships"]}
    select = dialect.translate(compiled(sql, of).select, schema)
    with duckdb.connect() as engine:
        engine.execute("CREATE SCHEMA towline")
        for name, rows in {"run_1_base": table, **(others or {})}.items():
            engine.register("given", rows)
            engine.execute(f"CREATE TABLE towline.{name} AS SELECT * FROM given")
        result = engine.sql(select).to_arrow_table()
        # Athena has no upper case in names; what it writes gets the contract's names again when it is read.
        assert [name.lower() for name in of.names] == [name.lower() for name in result.schema.names]
        return _sorted(result.rename_columns(list(of.names)), of)


def natively(sql: str, table: pa.Table, of: Contract = HAULS, others: Mapping[str, pa.Table] | None = None) -> pa.Table:
    """The table as DuckDB makes it of the same statement, run on a table of its own."""
    with duckdb.connect() as engine:
        for name, rows in {"master": table, **(others or {})}.items():
            engine.register("given", rows)
            engine.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        engine.execute(sqlglot.transpile(sql, read="athena", write="duckdb")[0])
        return _sorted(engine.table("master").to_arrow_table(), of)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def _sorted(table: pa.Table, of: Contract) -> pa.Table:
    return table.select(list(of.names)).sort_by([(name, "ascending") for name in of.names])
