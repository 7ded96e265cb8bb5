"""Athena on this machine: MiniStack's API, with queries that DuckDB runs as Athena would.

api         what a request begins, and what it is answered
execution   the record of a query, its states and their events
statement   what a statement is and names      ddl, ctas   what is done for those that make something
engine      one statement, run                 catalog     the tables, as Glue knows them
tables      a table's objects as a view        storage     objects listed, linked and put
results     what a query answers, as text      workflow    Step Functions' integrations
"""

from __future__ import annotations


def install() -> None:
    """Put our operations in the place of MiniStack's, in this process."""
    from ministack.services import athena

    from towline.local.athena import api, workflow

    athena._start_query_execution = api.start_query_execution
    athena._stop_query_execution = api.stop_query_execution
    athena._get_query_results = api.get_query_results
    workflow.install()
