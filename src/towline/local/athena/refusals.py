"""What Athena runs and the local Athena does not: refused by name, never answered differently.

docs/local-athena.md lists every entry (a test holds the two together).
"""

from __future__ import annotations

from typing import NoReturn

from sqlglot import exp

from towline.local.athena.errors import AthenaError
from towline.local.athena.parsing import place

_LAMBDA = "takes a function; unnest the array instead"
_APPROXIMATE = "its answer depends on how Athena's sketches are made"
_BYTES = "works on bytes"
_ORDER = "DuckDB's order of the elements is another"

FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(("reduce", "reduce_agg", "any_match", "all_match", "none_match", "zip_with"), _LAMBDA),
    **dict.fromkeys(("transform", "filter", "map_filter", "transform_keys", "transform_values"), _LAMBDA),
    **dict.fromkeys(("approx_set", "approx_most_frequent", "qdigest_agg", "tdigest_agg", "merge"), _APPROXIMATE),
    **dict.fromkeys(("value_at_quantile", "empty_approx_set", "numeric_histogram"), _APPROXIMATE),
    **dict.fromkeys(("to_utf8", "from_utf8", "to_hex", "from_hex", "to_base64", "from_base64", "crc32"), _BYTES),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512", "xxhash64", "hmac_sha256", "checksum"), _BYTES),
    **dict.fromkeys(("array_distinct", "array_union", "array_intersect", "array_except"), _ORDER),
    **dict.fromkeys(("set_agg", "histogram", "multimap_agg", "map_union"), _ORDER),
    **dict.fromkeys(("json_extract", "json_parse", "json_format", "json_array_length", "json_size"), "JSON as a type"),
    **dict.fromkeys(("json_query", "json_value", "json_exists", "json_array_get", "json_object"), "JSON as a type"),
    **dict.fromkeys(("json_array", "json_array_contains", "is_json_scalar"), "JSON as a type"),
    **dict.fromkeys(("regexp_count", "regexp_position", "regexp_split"), "their treatment of empty matches differs"),
    **dict.fromkeys(("parse_datetime", "format_datetime", "to_date", "to_timestamp"), "other patterns"),
    **dict.fromkeys(("at_timezone", "with_timezone", "current_timezone", "timezone_hour"), "zones other than UTC"),
    **dict.fromkeys(("from_unixtime_nanos", "from_iso8601_timestamp_nanos"), "times finer than a millisecond"),
    **dict.fromkeys(("to_iso8601", "human_readable_seconds", "parse_duration"), "its text is Java's"),
    **dict.fromkeys(("format", "format_number", "to_milliseconds"), "its text is Java's"),
    **dict.fromkeys(("uuid", "shuffle"), "its answer is different each time"),
    **dict.fromkeys(("corr", "skewness", "kurtosis", "regr_slope", "regr_intercept"), "the last digits differ"),
    **dict.fromkeys(("geometric_mean", "entropy", "wilson_interval_lower"), "the last digits differ"),
    **dict.fromkeys(("reverse", "normalize", "levenshtein_distance", "hamming_distance"), "characters or bytes"),
    **dict.fromkeys(("soundex", "word_stem", "luhn_check"), "DuckDB has no equal"),
    **dict.fromkeys(("url_extract_host", "url_extract_path", "url_extract_parameter", "url_decode"), "no equal"),
    **dict.fromkeys(("url_encode", "url_extract_protocol", "url_extract_query", "url_extract_port"), "no equal"),
    **dict.fromkeys(("from_base", "to_base", "width_bucket", "bit_count", "bitwise_not"), "DuckDB has no equal"),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift", "bitwise_and_agg", "bitwise_or_agg"), "no equal"),
    **dict.fromkeys(("slice", "array_remove", "arrays_overlap", "ngrams", "combinations", "repeat"), "no equal"),
    **dict.fromkeys(("zip", "flatten", "trim_array", "array_position"), "DuckDB has no equal"),
    **dict.fromkeys(("map_agg", "map_concat", "map_entries", "map_from_entries", "split_to_map"), "no equal"),
    **dict.fromkeys(("grouping", "listagg"), "DuckDB has no equal"),
    **dict.fromkeys(("st_point", "st_distance", "st_contains", "to_spherical_geography"), "geography"),
    **dict.fromkeys(("version", "row"), "its answer is not the table's"),
}

# What can be written, beside functions; the key is how the refusal calls it.
SYNTAX: dict[str, str] = {
    "FOR VERSION AS OF": "only the newest version of a table is here; use the snapshots' tables",
    "FOR TIMESTAMP AS OF": "only the newest version of a table is here; use the snapshots' tables",
    "TABLESAMPLE": "its rows are different each time",
    "MATCH_RECOGNIZE": "DuckDB has no equal",
    "WITH RECURSIVE": "DuckDB ends the recursion elsewhere",
    "LATERAL": "write a join, or UNNEST",
    "NATURAL JOIN": "Natural join not supported",
    "quantified comparison": "write IN, EXISTS, or compare with max() or min()",
    "AT TIME ZONE": "times are UTC's here",
    "time of day": "DuckDB's TIME has another precision; use timestamps",
    "interval as a result": "add it to a time, or use date_diff",
    "difference of two times": "use date_diff",
    "decimal modulo": "cast to bigint or double",
    "average of decimals": "cast to double",
    "char(n)": "its padding with blanks differs; use varchar",
    "CAST of nested types": "unnest them",
    "CAST to JSON": "JSON as a type",
    "comparison of nested types": "compare their elements",
    "ROW constructor": "name the fields in a subquery instead",
    "UNNEST of rows": "DuckDB does not spread their fields",
    "varbinary literal": "works on bytes",
    "RANGE with an offset": "write ROWS",
    "GROUPS frame": "write ROWS",
    "FETCH FIRST WITH TIES": "use rank()",
    "regular expression": "its meaning differs between Java and RE2",
    "format of a date": "this specifier has no equal in DuckDB",
    "pattern from a column": "only a constant can be translated",
    "JSON path": "only names and positions: $.a.b[0]",
    "text of a double": "from 10 million up and below a thousandth Java writes an exponent; round, or cast to decimal",
    "JSON number with a fraction": "its digits are not kept as written; cast the text yourself",
    "time with an offset": "times are UTC's here",
    "precision of a timestamp": "only up to 6 digits",
    "weighted approx_percentile": "its answer depends on how Athena's sketches are made",
    "several answers of max_by": "use row_number()",
    "other clause": "it is not known to have Athena's meaning in DuckDB",
}


def refuse(node: exp.Expr, key: str, detail: str = "") -> NoReturn:
    """Refuse what SYNTAX lists under `key`. Raises AthenaError."""
    raise AthenaError("NOT_SUPPORTED", f"{place(node)}: {reason(key, detail)}")


def reason(key: str, detail: str = "") -> str:
    named = f"{key} {detail}".strip()
    return f"the local Athena does not run this ({named}): {SYNTAX[key]}"


def refuse_function(node: exp.Expr, name: str) -> NoReturn:
    """Refuse a function: one of Trino's that is not here, or one that Trino does not have. Raises AthenaError."""
    if name in FUNCTIONS:
        message = f"the local Athena does not run the function {name}: {FUNCTIONS[name]}"
        raise AthenaError("NOT_SUPPORTED", f"{place(node)}: {message}")
    raise AthenaError("FUNCTION_NOT_FOUND", f"{place(node)}: Function '{name}' not registered")
