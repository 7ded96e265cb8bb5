"""Times that Athena cannot keep: its timestamps end at the millisecond, a dataset's at the microsecond."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from towline.contract import Contract
from towline.errors import BadProposal
from towline.rows import Rows, pieces


def check_times(rows: Rows, contract: Contract) -> None:
    """Raises BadProposal where a table, which Athena is to write anew, has times between two milliseconds: each of them
    would come back changed, though nobody said so."""
    for field in contract.fields:
        if field.type == "datetime" and any(_is_finer(piece[field.name]) for piece in pieces(rows, [field.name])):
            raise BadProposal(
                f"{field.name} has times finer than a millisecond, which Athena cannot keep: edit {contract.dataset} "
                "by a table file, or cell by cell",
                rule="sql.times",
            )


def _is_finer(column: pa.ChunkedArray) -> bool:
    micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    return bool(pc.any(pc.not_equal(micros, pc.multiply(pc.divide(micros, 1_000), 1_000))).as_py())
