"""What Athena runs and the local Athena does not: refused by name, never answered differently.

docs/local-athena.md lists every entry (a test holds the two together).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NoReturn

from sqlglot import exp

from towline.local.athena.errors import AthenaError
from towline.local.athena.parsing import place

# By reason: the functions of Trino's that are not here. A name that ends in * stands for all that begin so.
_FUNCTIONS: dict[str, str] = {
    "it takes a function; unnest the array instead": """
        all_match any_match none_match filter transform reduce reduce_agg zip_with map_filter map_zip_with
        transform_keys transform_values""",
    "its answer depends on how Athena's sketches are made": """
        approx_most_frequent approx_set empty_approx_set merge qdigest_agg tdigest_agg numeric_histogram
        value_at_quantile values_at_quantiles quantile_at_value make_set_digest merge_set_digest
        intersection_cardinality jaccard_index hash_counts""",
    "it works on bytes": """
        char2hexint checksum crc32 from_base32 from_base64 from_base64url from_big_endian_32 from_big_endian_64
        from_hex from_ieee754_32 from_ieee754_64 from_utf8 hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 md5 murmur3 sha1
        sha256 sha512 spooky_hash_v2_32 spooky_hash_v2_64 to_base32 to_base64 to_base64url to_big_endian_32
        to_big_endian_64 to_hex to_ieee754_32 to_ieee754_64 to_utf8 xxhash64""",
    "DuckDB puts the elements in another order": """
        array_distinct array_except array_intersect array_union histogram map_agg map_concat map_union multimap_agg
        multimap_from_entries set_agg set_union""",
    "JSON is not a type here; use json_extract_scalar": """
        is_json_scalar json_array json_array_contains json_array_get json_array_length json_exists json_extract
        json_format json_object json_parse json_query json_size json_value""",
    "where nothing is matched, the two engines go on differently": "regexp_count regexp_position regexp_split",
    "its patterns are of another kind; use date_format and date_parse": """
        format_datetime parse_datetime to_char to_date to_timestamp""",
    "times are UTC's here, to the millisecond": """
        at_timezone current_timezone from_iso8601_timestamp_nanos from_unixtime_nanos timezone_hour timezone_minute
        with_timezone current_time localtime""",
    "its text is Java's": """
        format format_number human_readable_seconds parse_data_size parse_duration parse_presto_data_size to_iso8601
        to_milliseconds bar color render rgb""",
    "its answer is not the data's": "current_catalog current_groups current_schema current_user uuid shuffle version",
    "the last digits differ from Java's": """
        beta_cdf cbrt corr cosine_distance cosine_similarity entropy geometric_mean inverse_beta_cdf
        inverse_normal_cdf kurtosis normal_cdf regr_intercept regr_slope skewness t_cdf t_pdf wilson_interval_lower
        wilson_interval_upper""",
    "letters with accents are counted differently": """
        codepoint hamming_distance levenshtein_distance normalize reverse""",
    "DuckDB has no equal": """
        array_first array_histogram array_last array_position array_remove arrays_overlap bit_count bitwise_and_agg
        bitwise_left_shift bitwise_not bitwise_or_agg bitwise_right_shift bitwise_right_shift_arithmetic
        bitwise_xor_agg combinations contains_sequence dot_product euclidean_distance flatten from_base grouping index
        listagg luhn_check map_entries map_from_entries ngrams repeat slice soundex split_to_map split_to_multimap
        strrpos to_base trim_array url_decode url_encode url_extract_fragment url_extract_host url_extract_parameter
        url_extract_path url_extract_port url_extract_protocol url_extract_query width_bucket word_stem zip row""",
    "geography is not here": """
        st_* bing_tile* convex_hull_agg from_encoded_polyline from_geojson_geometry geometry_* great_circle_distance
        line_interpolate_point* line_locate_point simplify_geometry spatial_partition* to_encoded_polyline
        to_geojson_geometry to_geometry to_spherical_geography""",
    "models are not here": "classify features learn_* regress",
    "addresses of the network are not a type here": "contains_ip ip_prefix ip_subnet_*",
}
FUNCTIONS: dict[str, str] = {name: why for why, names in _FUNCTIONS.items() for name in names.split()}

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
    "average of decimals": "of very long ones; cast to double",
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
    "regular expression over other letters": "in Java \\d, \\w, \\s, \\b and (?i) know all alphabets, in RE2 "
    "ASCII only, and $ stands before a last line end too",
    "format of a date": "this specifier has no equal in DuckDB",
    "pattern from a column": "only a constant can be translated",
    "JSON path": "only names and positions: $.a.b[0]",
    "text of a double": "from 10 million up and below a thousandth Java writes an exponent; round, or cast to decimal",
    "JSON number with a fraction": "its digits are not kept as written; cast the text yourself",
    "time with an offset": "times are UTC's here",
    "precision of a timestamp": "only up to 6 digits",
    "weighted approx_percentile": "its answer depends on how Athena's sketches are made",
    "several answers of max_by": "use row_number()",
    "long expression": "its translation grows too long; compute parts of it in a WITH",
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
    why = next((why for known, why in FUNCTIONS.items() if fnmatchcase(name, known)), None)
    if why is not None:
        message = f"the local Athena does not run the function {name}: {why}"
        raise AthenaError("NOT_SUPPORTED", f"{place(node)}: {message}")
    raise AthenaError("FUNCTION_NOT_FOUND", f"{place(node)}: Function '{name}' not registered")
