"""The step of the state machine that makes one object of a query's parts, over moto."""

from __future__ import annotations

import json
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.nets import CONTRACT, NAME
from tests.functions.deployed import Deployed
from tests.functions.functions import CONTEXT, load
from towline import keys
from towline import table as tables
from towline.errors import NotFound, UnreadableFile, UsageError
from towline.store import ObjectStore

RUN = keys.Run(NAME, "01K0000000000000000000000A")
ROWS = [{"tow": 2, "net": 0, "volume": 1.5, "vessel": "Sikuliaq", "is_day": None}]


@pytest.fixture
def store(deployed: Deployed) -> ObjectStore:
    """The bucket, with the contract and two parts of its table."""
    found = deployed.bench.store
    found.put(keys.contract(NAME), CONTRACT.to_json())
    found.put(f"{RUN.next}b", parquet(ROWS))
    found.put(f"{RUN.next}a", parquet([{**ROWS[0], "tow": 1}]))
    found.put(f"{RUN.next}_SUCCESS", b"")
    return found


@pytest.fixture
def app(store: ObjectStore) -> ModuleType:
    return load("flatten")


def parquet(rows: list[dict[str, object]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(tables.from_rows(rows, CONTRACT.schema), sink)
    return bytes(sink.getvalue())


def event(manifest: str | None = None) -> dict[str, object]:
    return {"dataset": NAME, "run": RUN.id, "prefix": RUN.next, "manifest": manifest}


def test_the_parts_become_the_runs_result(app: ModuleType, store: ObjectStore) -> None:
    made = app.handler(event(), CONTEXT)
    body = store.get(RUN.result).body
    ignored = [{"key": f"{RUN.next}_SUCCESS", "reason": "a hidden name"}]
    assert json.loads(json.dumps(made)) == {
        "key": RUN.result, "rows": 2, "parts": 2, "bytes": len(body), "ignored": ignored
    }  # fmt: skip
    table = tables.from_parquet(body, RUN.result)
    assert table.schema == CONTRACT.schema
    assert table["tow"].to_pylist() == [1, 2]


def test_a_manifest_in_the_bucket_decides_and_a_second_time_is_no_different(
    app: ModuleType, store: ObjectStore
) -> None:
    store.put("results/m.csv", f"s3://towline/{RUN.next}b\n".encode())
    for _ in range(2):
        made = app.handler(event("s3://towline/results/m.csv"), CONTEXT)
        assert (made["rows"], made["parts"]) == (1, 1)


def test_what_cannot_be_flattened_is_raised_by_name_for_the_state_machine_to_catch(
    app: ModuleType, store: ObjectStore
) -> None:
    with pytest.raises(UsageError, match="bucket elsewhere"):
        app.handler(event("s3://elsewhere/m.csv"), CONTEXT)
    with pytest.raises(NotFound):
        app.handler(event() | {"prefix": f"{RUN.prefix}other/"}, CONTEXT)
    store.put(f"{RUN.next}c", b"no table")
    with pytest.raises(UnreadableFile, match=f"{RUN.next}c"):
        app.handler(event(), CONTEXT)
    with pytest.raises(NotFound):
        store.head(RUN.result)
