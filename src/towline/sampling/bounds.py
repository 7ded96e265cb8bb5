"""How much of a file is read, unpacked and kept, for files that come from anyone and may be of any size."""

MIB = 2**20
LOOK_MAX = MIB  # bytes that a first look reads, at most
SAMPLE_MAX = 2 * MIB  # bytes that are read for a sample, at most; smaller files are read whole, at once
PAGES_MAX = 64 * MIB  # bytes that are read of a Parquet file: of each column a page at least, and pages come whole
UNPACKED_MAX = 8 * MIB  # bytes that are unpacked of a gz, a deflated entry or a part of a workbook
SKIPPED_MAX = 64 * MIB  # bytes that are unpacked of a tar.gz to find what it holds
DECODED_MAX = 64 * MIB  # bytes that the rows of a Parquet sample, or one page of them, come to
ROWS = 100  # of a sample, unless another number is asked for
COLUMNS_MAX = 5_000  # names of columns that an entry of the manifest can hold
NAMES_MAX = 256 * 1024  # characters, all names of columns together
SHEETS_MAX = 20  # sheets of a workbook
LISTED_MAX = 1_000  # files that a listing of an archive names
SMALL = 256 * 1024  # bytes; what is no table is put into a sample whole up to here
DEEPEST = 200  # brackets within each other in JSON
