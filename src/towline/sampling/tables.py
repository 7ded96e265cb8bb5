"""Parquet: the first rows, as Parquet. What others wrote is held against its footer before it is decoded.

A page is read whole or not at all, and usual writers make pages of a megabyte: so of a file of many columns more has to
be read than of any other kind.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from towline.errors import UnreadableFile
from towline.parquet import leading
from towline.parquet.tablefile import TableFile
from towline.sampling.bounds import DECODED_MAX, PAGES_MAX
from towline.sampling.streams import Bounded
from towline.sampling.text import Rows


def sample(source: Bounded, rows: int) -> Rows:
    """A file of the first rows, with the columns and types of the whole. UnreadableFile, Corrupt: there is none."""
    source.most = PAGES_MAX
    file = TableFile.foreign(source)
    table = leading.read(file, rows, source.left, DECODED_MAX)
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(table, sink, compression="zstd")
    except (pa.ArrowException, NotImplementedError) as error:  # a type that can be read, and not written
        raise UnreadableFile(f"its rows cannot be written: {error}") from None
    return Rows(sink.getvalue().to_pybytes(), table.num_rows, table.num_rows == file.num_rows)
