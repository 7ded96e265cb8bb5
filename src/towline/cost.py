"""What a query costs on AWS. Only this module knows prices."""

from __future__ import annotations

# Amazon Athena, SQL queries per TB of data scanned, us-east-1; https://aws.amazon.com/athena/pricing/ says: 5.00 USD a
# TB, bytes rounded up to the nearest megabyte, at least 10 MB a query; none for DDL and for queries that failed.
# AWS counts in binary units, as its own examples there do.
USD_PER_TB = 5.0
MB, TB = 2**20, 2**40
LEAST_MB = 10


def usd(scanned_bytes: int) -> float:
    """US dollars for a query that scanned so many bytes; some regions charge up to a half more. What ran on the local
    stack costs nothing, and is said to cost what it would on AWS."""
    megabytes = max(LEAST_MB, -(-scanned_bytes // MB))
    return megabytes * MB / TB * USD_PER_TB


def said(cost: float) -> str:
    """A cost as people read it: `0.00005 USD`, `1.25 USD`."""
    return f"{cost:.2f} USD" if cost >= 1 else f"{cost:.6f}".rstrip("0").rstrip(".") + " USD"
