"""A first contract for a table that comes without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from towline import streamed
from towline.contract import Contract
from towline.errors import ContractError
from towline.parquet.tablefile import TableFile
from towline.rules.conform import decoded, is_text
from towline.values import shown


def infer(table: pa.Table | TableFile, dataset: str, key: Sequence[str]) -> Contract:
    """A contract that says of each column what its Arrow type says, and admits the table it was made from. A file is
    read one row group after the other.

    A column that holds nothing but nulls becomes text. A text column that holds line breaks is called multiline,
    and NaN or infinity in a column makes them a warning there. Raises ContractError when a column's type has no
    place in a contract, or when `key` does not name each row of the table exactly once.
    """
    empty = table.schema.empty_table()
    types = [type_of(name, decoded(empty.column(index)).type) for index, name in enumerate(empty.column_names)]
    blocks: list[dict[str, object]] = [{} for _ in types]
    for piece in table.tables() if isinstance(table, TableFile) else [table]:
        for index, type in enumerate(types):
            blocks[index].update(_block(type, decoded(piece.column(index))))
    fields = [_field(*each) for each in zip(empty.column_names, types, blocks, strict=True)]
    contract = Contract.parse(
        {"fields": fields, "primaryKey": list(key), "towline": {"version": 1, "dataset": dataset}}
    )
    _check_key(contract, table)
    return contract


def _field(name: str, type: str, block: Mapping[str, object]) -> dict[str, object]:
    return {"name": name, "type": type, **({"towline": block} if block else {})}


def type_of(name: str, type: pa.DataType) -> str:
    """The field type that holds a column of this Arrow type. Raises ContractError, naming the column: none does."""
    if pa.types.is_null(type) or is_text(type):
        return "string"
    if pa.types.is_floating(type) or pa.types.is_decimal(type):
        return "number"
    for is_of, named in _TYPES:
        if is_of(type):
            return named
    raise ContractError(
        f"column {shown(name)} is of type {type}, which no contract has; use text, whole numbers, numbers, booleans, "
        "dates or dates with times"
    )


_TYPES = (
    (pa.types.is_integer, "integer"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "datetime"),
)


def _block(type: str, column: pa.ChunkedArray) -> dict[str, object]:
    if type == "datetime" and column.type.tz is not None:
        return {"timezone": "UTC"}
    if type == "string" and is_text(column.type) and _any(pc.match_substring_regex(column, "[\r\n\u2028\u2029]")):
        return {"multiline": True}
    if pa.types.is_floating(column.type) and _any(pc.invert(pc.is_finite(column.cast(pa.float64())))):
        return {"nonfinite": "warn"}
    return {}


def _any(mask: pa.ChunkedArray) -> bool:
    return bool(pc.any(mask).as_py())


def _check_key(contract: Contract, table: pa.Table | TableFile) -> None:
    if isinstance(table, TableFile):
        made, report = streamed.check(table, contract)
        if made is None:
            raise ContractError(f"this table cannot be the first of a dataset: {report.violations[0].message}")
        return
    conformed, report = contract.conform(table)
    if conformed is None:
        raise ContractError(f"the table does not fit its own types: {report.violations[0].message}")
    duplicates = contract.check_unique(conformed)
    if not duplicates.ok:
        raise ContractError(
            f"{', '.join(contract.key)} cannot be the key: {duplicates.violations[0].message}, "
            f"or name more columns as the key ({duplicates.errors:,} keys occur more than once)"
        )
