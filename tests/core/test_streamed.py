"""Parquet files that are too large to be read at once: as a first table, and as the next one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.promises import check_promises, records
from tests.large import small_bounds
from tests.pipeline import Pipeline
from towline import external, inbox, infer, keys, streamed
from towline import table as tables
from towline.body import Body
from towline.contract import Contract
from towline.errors import ContractError, Corrupt
from towline.files import open_file
from towline.receipts import Receipt
from towline.reconcile import reconcile

TOWS, NETS = 120, 5


@pytest.fixture(autouse=True)
def _bounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(inbox, "MAX_FILE", 1_000)
    with small_bounds():
        yield


def rows(tows: int = TOWS) -> pa.Table:
    keys = [(tow, net) for tow in range(tows) for net in range(NETS)]
    columns = {
        "tow": [tow for tow, _ in keys],
        "net": [net for _, net in keys],
        "volume": [None if net == 4 else tow * 7919 % 1000 / 8 for tow, net in keys],
        "vessel": [f"v {tow * net}" for tow, net in keys],
        "is_day": [net % 2 == 0 for _, net in keys],
    }
    return pa.table(columns, schema=CONTRACT.schema)


def write(path: Path, table: pa.Table, group: int = 70) -> Path:
    """As another program writes it: all columns may be null, and row groups are of another size."""
    loose = pa.schema([field.with_nullable(True) for field in table.schema])
    pq.write_table(table.cast(loose), path, row_group_size=group)
    assert path.stat().st_size > inbox.MAX_FILE
    return path


def created(path: Path, contract: Contract = CONTRACT) -> tuple[Pipeline, Receipt, list[Body]]:
    pipeline, bodies = Pipeline(), list[Body]()
    pipeline.bench.wrote = lambda dataset, commit, body: bodies.append(body)
    dataset = pipeline.dataset(NAME)
    (receipt,) = pipeline.send(dataset, dataset.create("nets.parquet", path, contract, "first load"))
    return pipeline, receipt, bodies


def test_a_large_file_becomes_a_dataset_in_canonical_form(tmp_path: Path) -> None:
    pipeline, receipt, (body,) = created(write(tmp_path / "nets.parquet", rows()))
    assert receipt.status == "committed", receipt
    assert pipeline.store.requests["assemble"] > 3, "it came in parts, and was written in parts"
    nets = Nets(pipeline)
    head = nets.head()
    assert head.table.equals(rows())
    assert head.file.footer.digests is not None
    (record,) = records(nets)
    assert record["cells_changed"] == 5 * TOWS * NETS - TOWS
    assert (body.way, body.copied) == ("put", 0)
    assert body.directory is not None
    assert not Path(body.directory.name).exists()
    assert nets.send(nets.edit(50, 1, volume=1.0))[0].status == "committed"
    check_promises(nets)


def test_nothing_is_left_on_the_disk_where_the_first_commit_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    pipeline = Pipeline()

    def full(operation: str, key: str, phase: str) -> None:
        if operation == "assemble" and key.startswith("data/"):
            raise Corrupt("this fails")

    pipeline.store.faults = full
    dataset = pipeline.dataset(NAME)
    dataset.send(dataset.create("nets.parquet", write(tmp_path / "nets.parquet", rows()), CONTRACT, "first load"))
    with pytest.raises(Corrupt, match="this fails"):
        pipeline.pump()
    assert list((tmp_path / "work").iterdir()) == []


def replaced(name: str, place: int, value: object) -> pa.Table:
    cells = rows()[name].to_pylist()
    cells[place] = value
    at = rows().schema.get_field_index(name)
    return rows().set_column(at, pa.field(name, rows().schema.field(name).type), [cells])


def joined(*parts: pa.Table) -> pa.Table:
    return pa.concat_tables(parts)


WRONG: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "in another order": (lambda: rows().sort_by("volume"), "file.order"),
    "two row groups that changed places": (lambda: joined(rows().slice(70), rows().slice(0, 70)), "file.order"),
    "a key twice": (lambda: joined(rows().slice(0, 10), rows().slice(9)), "key.duplicate"),
    "a key twice, in two row groups": (lambda: joined(rows().slice(0, 70), rows().slice(69)), "key.duplicate"),
    "no key": (lambda: replaced("net", 300, None), "key.null"),
    "another column": (lambda: rows().append_column("more", rows()["net"]), "column.unknown"),
    "a column less": (lambda: rows().drop_columns(["vessel"]), "column.missing"),
    "another type": (lambda: rows().set_column(2, "volume", rows()["vessel"]), "type.number"),
    "a breach of the contract": (lambda: replaced("volume", 400, -1.0), "constraint.minimum"),
    "no rows": (lambda: rows().slice(0, 0), "table.empty"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "rule"), WRONG.values(), ids=WRONG)
def test_a_large_file_that_does_not_fit_is_refused_with_the_reason(
    table: Callable[[], pa.Table], rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_FILE", 100)
    path = tmp_path / "nets.parquet"
    pq.write_table(table(), path, row_group_size=70)
    _, receipt, _ = created(path)
    assert receipt.status == "rejected"
    assert receipt.violations[0]["rule"] == rule, receipt.violations


def test_violations_are_counted_in_all_row_groups_and_the_first_are_told(tmp_path: Path) -> None:
    below = rows().set_column(2, "volume", pc.multiply(rows()["volume"], -1.0))
    _, receipt, _ = created(write(tmp_path / "nets.parquet", below))
    expected = pc.sum(pc.less(below["volume"], 0)).as_py()
    assert (receipt.errors, len(receipt.violations)) == (expected, inbox.SHOWN)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "nets.parquet", rows())
    body = bytearray(path.read_bytes())
    body[200:400] = bytes(200)
    path.write_bytes(body)
    _, receipt, _ = created(path)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "file.unreadable")


def test_a_value_that_must_be_unique_is_looked_for_in_all_row_groups(tmp_path: Path) -> None:
    raw = {
        "fields": [
            {"name": "id", "type": "integer"},
            {"name": "tag", "type": "string", "constraints": {"unique": True}},
        ]
    }
    contract = Contract.parse({**raw, "primaryKey": "id", "towline": {"version": 1, "dataset": NAME}})
    tags = [f"tag {number}" for number in range(300)]
    table = pa.table({"id": list(range(300)), "tag": [*tags[:-1], "tag 3"]}, schema=contract.schema)
    _, receipt, _ = created(write(tmp_path / "tags.parquet", table), contract)
    assert receipt.violations[0]["rule"] == "constraint.unique"


@pytest.fixture
def nets(tmp_path: Path) -> Nets:
    return Nets(created(write(tmp_path / "first.parquet", rows()))[0])


def propose(nets: Nets, path: Path, **options: object) -> Receipt:
    draft = nets.dataset.file("next.parquet", path, "corrected", nets.commit, **options)  # type: ignore[arg-type]
    assert nets.dataset.preview(draft).ok
    return nets.send(draft)[0]


def test_a_large_file_is_an_edit_of_what_differs(nets: Nets, tmp_path: Path) -> None:
    other = pa.concat_tables([replaced("volume", 301, 5.0).cast(rows().schema).slice(0, 500), rows().slice(502)])
    receipt = propose(nets, write(tmp_path / "next.parquet", other, 64))
    assert receipt.status == "committed"
    assert nets.head().table.equals(other.combine_chunks())
    record = records(nets)[-1]
    assert (record["rows_updated"], record["rows_deleted"], record["cells_changed"]) == (1, 2, 11)
    check_promises(nets)


def test_a_large_file_of_some_rows_leaves_the_others(nets: Nets, tmp_path: Path) -> None:
    some = tables.sort(replaced("volume", 301, 5.0).cast(rows().schema).slice(300, 200), CONTRACT.key)
    receipt = propose(nets, write(tmp_path / "next.parquet", some), partial=True)
    assert (receipt.status, nets.head().file.num_rows) == ("committed", TOWS * NETS)
    assert nets.row(60, 1)["volume"] == 5.0


def test_a_large_file_that_lacks_most_rows_is_refused(nets: Nets, tmp_path: Path) -> None:
    path = write(tmp_path / "next.parquet", rows(10))
    (receipt,) = nets.send(nets.dataset.file("next.parquet", path, "half", nets.commit))
    assert receipt.violations[0]["rule"] == "table.rows_deleted"


MASTERS: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "in key order": (lambda: replaced("volume", 301, 5.0), ""),
    "in another order": (lambda: replaced("volume", 301, 5.0).sort_by("vessel"), ""),
    "with a breach of the contract": (lambda: replaced("volume", 301, -5.0), "; in it 1 violation of the contract"),
    "with a key twice": (lambda: joined(rows().slice(0, 10), rows().slice(9)), "put back"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "remark"), MASTERS.values(), ids=MASTERS)
def test_a_large_master_that_was_put_past_towline_is_recorded_by_row_groups(
    table: Callable[[], pa.Table], remark: str, nets: Nets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external, "MAX_FILE", 1_000)
    nets.pipeline.store.put(keys.master(NAME), write(tmp_path / "foreign.parquet", table()).read_bytes())
    assert reconcile(nets.pipeline.bench).problems == ()
    record, head = records(nets)[-1], nets.head()
    assert (record["kind"], head.number) == ("external", 2)
    assert remark in str(record["note"])
    expected = rows() if remark == "put back" else tables.sort(table(), CONTRACT.key).cast(CONTRACT.schema)
    assert head.table.equals(expected)
    assert head.file.footer.digests is not None
    check_promises(nets)


def test_a_contract_is_inferred_from_all_row_groups(tmp_path: Path) -> None:
    odd = replaced("vessel", 500, "two\nlines").set_column(2, "volume", [[float("nan")] * (TOWS * NETS)])
    path = write(tmp_path / "nets.parquet", odd)
    assert infer.infer(open_file(path), NAME, ("tow", "net")) == infer.infer(odd, NAME, ("tow", "net"))
    with pytest.raises(ContractError, match="cannot be the first"):
        infer.infer(open_file(path), NAME, ("tow",))


def test_streamed_rows_are_those_of_the_table(tmp_path: Path) -> None:
    found, report = streamed.check(open_file(write(tmp_path / "nets.parquet", rows())), CONTRACT)
    assert found is not None
    assert report.ok
    assert found.table().equals(rows())
    keys = [(3, 4), (119, 0), (500, 0)]
    assert found.rows(keys) == tables.rows_by_key(rows(), CONTRACT.key, keys)
    held = pa.concat_tables(found.values("vessel", ["v 0", "v 4"]))
    assert held.num_rows == pc.sum(pc.is_in(rows()["vessel"], pa.array(["v 0", "v 4"]))).as_py()
    assert found.filled() == sum(len(column) - column.null_count for column in rows().columns)
