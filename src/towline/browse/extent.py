"""What the footer tells of a column, with nothing else read."""

from __future__ import annotations

from dataclasses import dataclass

from towline.parquet.tablefile import TableFile
from towline.values import Value


@dataclass(frozen=True)
class Extent:
    """The least and the greatest value of a column (None: the file does not tell, or all is null), NaN aside, how many
    nulls there are (None: the file does not tell), and the bytes that it takes."""

    least: Value
    greatest: Value
    nulls: int | None
    size: int


def extents(file: TableFile) -> dict[str, Extent]:
    """By column, from the statistics of all row groups."""
    return {name: _extent(file, number, name) for number, name in enumerate(file.schema.names)}


def _extent(file: TableFile, number: int, name: str) -> Extent:
    nulls, rows = file.nulls(name), file.footer.rows
    known = [each for each, empty, of in zip(file.bounds(name), nulls, rows, strict=True) if each or empty != of]
    is_known = bool(known) and None not in known
    bounds = [each for each in known if each is not None] if is_known else []
    size = sum(file.footer.arrow.row_group(n).column(number).total_compressed_size for n in range(file.num_groups))
    counted = [each for each in nulls if each is not None]
    return Extent(
        min((least for least, _ in bounds), default=None),
        max((greatest for _, greatest in bounds), default=None),
        sum(counted) if len(counted) == len(nulls) else None,
        size,
    )
