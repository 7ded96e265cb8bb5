"""The first users' own edit, in the three ways to write it: within tow 4, give each net the volume of the one before,
and drop net 0."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.core.sql_engine import after, rows
from towline.contract import Contract
from towline.files import read_table

CONTRACT = Contract.parse((Path(__file__).parents[2] / "datasets" / "net_tows" / "contract.json").read_bytes())
SHIFTED = """
  SELECT tow, net, LAG(volume_filtered) OVER (PARTITION BY tow ORDER BY net) AS new_volume
  FROM master
  WHERE tow = 4
"""
AS_SELECT = f"""
WITH s AS ({SHIFTED})
SELECT
  m.vessel, m.cruise, m.tow, m.net,
  m.lat_decimal, m.long_decimal, m.min_depth, m.max_depth,
  CASE WHEN m.tow = 4 AND s.new_volume IS NOT NULL THEN s.new_volume ELSE m.volume_filtered END AS volume_filtered,
  m.time_start_gmt, m.time_start_local, m.is_day, m.net_size
FROM master m
LEFT JOIN s ON m.tow = s.tow AND m.net = s.net
WHERE NOT (m.tow = 4 AND m.net = 0);
"""
AS_MERGE = f"""
MERGE INTO master AS m USING ({SHIFTED}) AS s ON m.tow = s.tow AND m.net = s.net
WHEN MATCHED AND m.net = 0 THEN DELETE
WHEN MATCHED AND s.new_volume IS NOT NULL THEN UPDATE SET volume_filtered = s.new_volume
"""
AS_UPDATE = f"""
UPDATE master AS m SET volume_filtered = s.new_volume
FROM ({SHIFTED}) AS s WHERE m.tow = s.tow AND m.net = s.net AND s.new_volume IS NOT NULL
"""
AND_DELETE = "DELETE FROM master WHERE tow = 4 AND net = 0"


@pytest.fixture
def table(real_table: Path) -> pa.Table:
    read, _ = read_table(real_table.read_bytes(), real_table.name, CONTRACT)
    conformed, report = CONTRACT.conform(read)
    assert conformed is not None, report
    return conformed


def test_their_select_a_merge_and_an_update_with_a_delete_come_to_the_same(table: pa.Table) -> None:
    expected = _shifted(table)
    assert len(expected) == table.num_rows - 1
    assert rows(after(AS_SELECT, table, CONTRACT)) == expected
    assert rows(after(AS_MERGE, table, CONTRACT)) == expected
    assert rows(after(AND_DELETE, after(AS_UPDATE, table, CONTRACT), CONTRACT)) == expected


def _shifted(table: pa.Table) -> list[dict[str, object]]:
    """The same in plain Python, in the order of the columns' values."""
    found = table.to_pylist()
    volumes = {row["net"]: row["volume_filtered"] for row in found if row["tow"] == 4}
    for row in found:
        if row["tow"] == 4 and volumes.get(row["net"] - 1) is not None:
            row["volume_filtered"] = volumes[row["net"] - 1]
    kept = pa.Table.from_pylist([row for row in found if (row["tow"], row["net"]) != (4, 0)], table.schema)
    return rows(kept.sort_by([(name, "ascending") for name in CONTRACT.names]))
