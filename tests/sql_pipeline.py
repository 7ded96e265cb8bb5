"""The pipeline in memory with SQL edits in it: what the state machine does, without one, as the local Athena would."""

from __future__ import annotations

from collections import defaultdict

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.pipeline import Pipeline
from towline import inbox, keys, receipts, reviewing, sqledit
from towline import table as tables
from towline.bulk import checking, pinning, refusing, words
from towline.bulk import state as states
from towline.commit import commit
from towline.inbox import Arrival
from towline.local.athena import dialect
from towline.local.athena.errors import AthenaError
from towline.receipts import Receipt
from towline.workbench import Workbench

QUERY = {"query_id": "q", "scanned_bytes": 1_234, "engine_ms": 12}


class SqlPipeline(Pipeline):
    """`pump` also runs what is accepted as an SQL edit, and hears the words on previews."""

    def pump(self) -> list[Receipt]:
        final, groups = [], defaultdict(list)
        for arrival in self.arrivals():
            receipt = self._receive(arrival)
            if receipt is not None:
                (final if receipt.final else groups[receipt.dataset]).append(receipt)
        for name, waiting in groups.items():
            final += commit(self.bench, name, waiting)
        return final

    def _receive(self, arrival: Arrival) -> Receipt | None:
        """The receipt of what arrived, if it is final or for the committer."""
        if words.word_of(arrival.key):
            heard = words.hear(self.bench, arrival)
            return heard.receipt if heard else None
        if arrival.key.startswith(keys.REVIEWS):
            return reviewing.receive(self.bench, arrival)
        receipt = inbox.receive(self.bench, arrival)
        if receipt is None or receipt.kind != "sql" or receipt.final:
            return receipt
        self._run(receipt)
        told = receipts.load(self.bench.store, receipt.dataset, receipt.proposal)
        return told if told is not None and told.status != receipts.PREVIEWED else None

    def _run(self, receipt: Receipt) -> None:
        run = keys.Run(receipt.dataset, receipt.proposal)
        if pinning.pin(self.bench, run, "execution", "towline")["decision"] != pinning.QUERY:
            return
        try:
            result = on_duckdb(self.bench, run)
        except (AthenaError, duckdb.Error) as error:
            refusing.refuse(self.bench, receipt, refusing.QUERY, str(error), QUERY)
            return
        body = pa.BufferOutputStream()
        pq.write_table(result, body)
        self.store.put(run.result, body.getvalue().to_pybytes())
        checking.check(self.bench, run, QUERY)


def on_duckdb(bench: Workbench, run: keys.Run) -> pa.Table:
    """What the statement of a run makes of its base, as the local Athena runs it."""
    state, contract = states.need(bench.store, run), bench.contract(run.dataset)
    types = {field.name: sqledit.athena_type(field) for field in contract.fields}
    base = tables.from_parquet(bench.store.get(run.base).body, run.base)
    with duckdb.connect() as engine:
        engine.execute(f'CREATE SCHEMA "{bench.database}"')
        engine.register("given", base)
        engine.execute(f'CREATE TABLE "{bench.database}"."{state.base_table}" AS SELECT * FROM given')  # noqa: S608
        schema = {f"{bench.database}.{state.base_table}": types}
        return engine.sql(dialect.translate(state.select, schema)).to_arrow_table()
