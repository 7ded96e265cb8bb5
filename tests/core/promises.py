"""What a history promises, held against what is stored."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pyarrow as pa

from tests.core.nets import CONTRACT, NAME, Nets
from towline import audit, history, keys
from towline import table as tables
from towline.audit import GENESIS


def records(nets: Nets) -> list[dict[str, Any]]:
    """Oldest first."""
    return [dict(record) for record in reversed(history.log(nets.pipeline.bench, NAME))]


def check_promises(nets: Nets) -> None:
    """Every version of the master has its audit records, in one chain; every snapshot is its version; the changes
    files lead from one to the next."""
    store, layout = nets.pipeline.store, nets.pipeline.bench.layout
    chain, versions, table = GENESIS, [], None
    for record in records(nets):
        assert audit.link(record) == record["chain"]
        assert record["prev_chain"] == chain
        chain = record["chain"]
        if record["new_version"] not in versions:
            versions.append(record["new_version"])
        body = store.get(keys.master(NAME), version=record["new_version"]).body
        assert store.get(layout.snapshot(NAME, record["commit"])).body == body
        changes = store.get(record["changes_key"]).body
        assert sha256(changes).hexdigest() == record["changes_sha256"]
        if record["kind"] == "create":
            table = tables.from_parquet(body, "create")
            continue
        table = replay(table, changes)
        if record is last_of(nets, record["commit"]):
            assert table.equals(tables.from_parquet(body, "snapshot"))
    foreign = {record["prev_version"] for record in records(nets) if record["kind"] == "external"}
    written = [v.version for v in store.versions(keys.master(NAME)) if not v.is_delete_marker]
    assert versions == [version for version in reversed(written) if version not in foreign]
    assert foreign <= set(written)
    numbers = [record["number"] for record in records(nets)]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


def last_of(nets: Nets, commit_id: str) -> dict:
    return [record for record in records(nets) if record["commit"] == commit_id][-1]


def replay(table: pa.Table, changes: bytes) -> pa.Table:
    from towline import changefile

    types = {f.name: f.type for f in CONTRACT.fields}
    rows = {CONTRACT.key_of(row): row for row in table.to_pylist()}
    return tables.apply(table, CONTRACT.key, changefile.from_parquet(changes, CONTRACT.key, types, rows).changes)
