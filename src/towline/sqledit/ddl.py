"""The statements about tables that a run needs, from its contract. Athena speaks two languages: Hive's for DDL, with
names in backticks, and Trino's for everything with a SELECT in it, with names in double quotes."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from towline.contract import Contract
from towline.errors import UsageError
from towline.rules.field import Field

_TYPES = {
    "integer": "bigint",
    "number": "double",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp",
}


def athena_type(field: Field) -> str:
    """The type of a column in Hive's DDL. Hive has no times with a zone: those are read as they stand in UTC."""
    return _TYPES[field.type]


def base_ddl(contract: Contract, table: str, location: str) -> str:
    """The external table over the Parquet files below `location` (`s3://bucket/prefix/`); made once, however often
    it is asked for. `table` may be qualified and quoted: `"towline"."run_1_base"`."""
    check_names(contract)
    columns = ",\n".join(f"  {_hive(field.name)} {athena_type(field)}" for field in contract.fields)
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {_hive_table(table)} (\n{columns}\n)\n"
        f"STORED AS PARQUET\nLOCATION {_text(location)}"
    )


def ctas(select: str, table: str, location: str) -> str:
    """The statement that writes the rows of `select` as Parquet below `location`, which must be empty."""
    return (
        f"CREATE TABLE {_trino_table(table)}\n"
        "WITH (\n  format = 'PARQUET',\n  write_compression = 'SNAPPY',\n"
        f"  external_location = {_text(location)}\n) AS\n{select}"
    )


def drop(table: str) -> str:
    return f"DROP TABLE IF EXISTS {_hive_table(table)}"


def check_names(contract: Contract) -> None:
    """Raises UsageError where two columns differ by case only: to Athena they are one."""
    counts = Counter(name.lower() for name in contract.names)
    same = [name for name in contract.names if counts[name.lower()] > 1]
    if same:
        raise UsageError(
            f"{contract.dataset} has the columns {' and '.join(same)}, which are one and the same to Athena: it knows "
            "no upper case in names; rename one to edit or query this dataset by SQL"
        )


def _parts(table: str) -> list[str]:
    return [part.name for part in exp.to_table(table, dialect="trino").parts]


def _hive_table(table: str) -> str:
    return ".".join(_hive(part) for part in _parts(table))


def _trino_table(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in _parts(table))


def _hive(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
