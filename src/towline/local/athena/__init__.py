"""Athena on this machine: MiniStack's API, with queries that DuckDB runs as Athena would.

api         what a request begins                   pages      what a query found, page by page
execution   a query's record, states and events     workflow   Step Functions' integrations
engine      one statement, run                      dialect    Athena's SQL as DuckDB's
statement   what a statement is and names           ddl, ctas  statements that make something
catalog     tables, as Glue knows them              tables     their rows, as views
partitions  the objects of a table                  storage    objects listed, linked, read and put
"""

from __future__ import annotations

from typing import Any


def install() -> None:
    """Put our operations in the place of MiniStack's, in this process."""
    from ministack.services import athena

    from towline.local.athena import api, pages, workflow

    athena._start_query_execution = api.start_query_execution
    athena._stop_query_execution = api.stop_query_execution
    athena._list_query_executions = api.list_query_executions
    athena._get_query_results = pages.get_query_results
    restore = athena._restore_state

    def restored(data: Any) -> None:
        restore(data)
        api.end_interrupted()

    athena._restore_state = restored
    workflow.install()
