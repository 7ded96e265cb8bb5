"""Parquet files as bytes: footers, the canonical form, reading what is asked for, and splicing (docs/parquet.md)."""
