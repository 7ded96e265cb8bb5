"""GetQueryResults: the pages of a result, read from the object that the query left."""

from __future__ import annotations

from typing import Any

from towline.local.athena import results, storage
from towline.local.athena.answer import Refused, answered
from towline.local.athena.errors import AthenaError
from towline.local.athena.execution import CANCELLED, FAILED, SUCCEEDED, Record
from towline.local.athena.storage import Location

ROWS_AT_MOST = 1000
_MALFORMED = "Malformed query results token"


@answered
def get_query_results(data: dict[str, Any]) -> dict[str, Any]:
    record = _succeeded(data.get("QueryExecutionId"))
    limit, first = int(data.get("MaxResults") or ROWS_AT_MOST), _first(data.get("NextToken"))
    if not 1 <= limit <= ROWS_AT_MOST:
        raise Refused(f"MaxResults is more than maximum allowed length {ROWS_AT_MOST}")
    rows, end, size = _rows(record, first, limit)
    page = {
        "ResultSet": {
            "Rows": [{"Data": [_datum(value) for value in row]} for row in rows],
            "ResultSetMetadata": {"ColumnInfo": [results.column_info(*column) for column in record["_columns"]]},
        },
        "UpdateCount": record["_updated"],
    }
    return page | ({"NextToken": str(end)} if end < size else {})


def _succeeded(query_id: str | None) -> Record:
    from ministack.services import athena

    record: Record | None = athena._executions.get(query_id)
    if record is None:
        raise Refused(f"QueryExecution {query_id} was not found")
    state = record["Status"]["State"]
    if state in (FAILED, CANCELLED):
        raise Refused(f"Query did not finish successfully. Final query state: {state}")
    if state != SUCCEEDED:
        raise Refused(f"Query has not yet finished. Current state: {state}")
    return record


def _first(token: str | None) -> int:
    """A token is the byte of the result at which the page begins."""
    if token is None:
        return 0
    if not token.isdigit():
        raise Refused(_MALFORMED)
    return int(token)


def _rows(record: Record, first: int, limit: int) -> tuple[list[results.Row], int, int]:
    """Rows from byte `first` of the result on, the byte behind them, and the size of the result."""
    if not record["_columns"]:
        return [], 0, 0
    location = record["ResultConfiguration"]["OutputLocation"]
    try:
        body = storage.view(Location.parse(location))
    except AthenaError as error:
        raise Refused(error.message) from None
    if body is None:
        raise Refused(f"Could not find results at {location}")
    if first and body[first - 1 : first] != b"\n":
        raise Refused(_MALFORMED)
    page = results.csv_page if location.endswith(".csv") else results.text_page
    return *page(body, first, limit), len(body)


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}
