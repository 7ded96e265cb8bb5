"""Tables as sheets: net tows, small and large, and a few rows with every type of column."""

from __future__ import annotations

import pyarrow as pa

from app.editing.sheet import Sheet
from tests.app import sheets
from towline import resources
from towline import table as tables
from towline.contract import Contract
from towline.sample import sample_table

CONTRACT = Contract.parse(resources.path("datasets", "net_tows", "contract.json").read_bytes())


def sheet_of(rows: int = 125) -> Sheet:
    """The sample table, repeated with other tows until it has that many rows."""
    once, _ = CONTRACT.conform(sample_table())
    assert once is not None
    tows = max(once["tow"].to_pylist())
    times = -(-rows // once.num_rows)
    parts = [
        once.set_column(
            once.schema.get_field_index("tow"),
            once.schema.field("tow"),
            pa.array([tow + number * tows for tow in once["tow"].to_pylist()], once.schema.field("tow").type),
        )
        for number in range(times)
    ]
    table = tables.sort(pa.concat_tables(parts).slice(0, rows), CONTRACT.key)
    return Sheet(CONTRACT, "0" * 26, 1, table)


def every_type() -> Sheet:
    """Text, whole numbers, numbers, booleans, dates and times."""
    return sheets.sheet(*(sheets.row(tow, 0, volume=float(tow)) for tow in range(8)))
