"""SQL that people write, on its way to Athena: read whole or refused (`SqlRefused`), edits compiled to the SELECT of
the table as it is afterwards. docs/sql.md says what can be written; this package is pure."""

from towline.sqledit.compiling import Compiled, compile, read_only
from towline.sqledit.ddl import athena_type, base_ddl, check_names, ctas, drop
from towline.sqledit.refusal import SqlRefused
from towline.sqledit.times import check_times

__all__ = [
    "Compiled",
    "SqlRefused",
    "athena_type",
    "base_ddl",
    "check_names",
    "check_times",
    "compile",
    "ctas",
    "drop",
    "read_only",
]
