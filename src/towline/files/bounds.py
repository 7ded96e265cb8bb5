"""How much of a file is read: bounds on memory, for files that come from anyone."""

MAX_BYTES = 100_000_000
MAX_COLUMNS = 2_000
MAX_CELLS = 50_000_000
# A workbook's cells become Python objects one by one, and its XML is many times the size of the file.
MAX_XLSX_CELLS = 2_000_000
MAX_UNZIPPED = 500_000_000
# Bytes. A few repeated strings can make a Parquet file of kilobytes stand for terabytes of text, and a page of it can
# claim gigabytes.
MAX_TEXT = 1_000_000_000
