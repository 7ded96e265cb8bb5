"""An Iceberg table on the local stack, in the very catalog that AWS has, read back by the engines that it is for."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import Table

import towline
from tests.local_stack import BUCKET, client
from towline import connect, history, publish
from towline import table as tables
from towline.aws.iceberg import GlueLake
from towline.cli import main
from towline.connect import Connection
from towline.errors import LostRace, NotFound, Refused
from towline.local.stack import StackInfo
from towline.store import ObjectStore

CSV = """\
tow,net,vessel,cruise,volume,is_day
1,0,Meridian,SR2407,1786.25,true
1,1,Meridian,SR2407,1467.5,false
2,0,"Méridian, II",SR 24/08,,
3,0,,,12.5,true
"""


@dataclass
class Copied:
    """A dataset with three commits, and what engines see of it."""

    dataset: towline.Dataset
    connection: Connection
    glue: Any
    data_dir: str

    @property
    def name(self) -> str:
        return self.dataset.name

    @property
    def table(self) -> Table:
        """As another program opens it, which reads the files by itself."""
        keys = {"s3.access-key-id": "test", "s3.secret-access-key": "test", "s3.region": "us-east-1"}
        endpoint = self.connection.settings.endpoint_url
        catalog = GlueCatalog("reader", client=self.glue, **{"s3.endpoint": endpoint, **keys})
        return catalog.load_table(("towline", f"{self.name}_iceberg"))

    def numbers(self) -> list[str]:
        return [each.summary["towline.number"] for each in self.table.snapshots()]

    def at(self, commit: str | None = None) -> pa.Table:
        return history.table_at(self.connection.bench, self.name, commit)[1]

    def edit(self, **cells: object) -> None:
        assert self.dataset.edit({"tow": 1, "net": 0}, cells, "because").wait().status == "committed"

    def keys(self, prefix: str) -> list[str]:
        return [entry.key for entry in self.connection.bench.store.list(prefix)]

    def get(self, location: str) -> bytes:
        return self.connection.bench.store.get(location.removeprefix(f"s3://{BUCKET}/")).body


@pytest.fixture
def copied(stack: StackInfo, request: pytest.FixtureRequest, tmp_path: Path) -> Copied:
    glue = client(stack, "glue")
    with suppress(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": "towline"})
    name = re.sub(r"\W+", "_", request.node.name.removeprefix("test_"))[-40:].strip("_")
    file = tmp_path / "tows.csv"
    file.write_text(CSV)
    dataset = towline.create(name, file, key=["tow", "net"], note="first", data_dir=stack.data_dir)
    found = Copied(dataset, connect.here(Path(stack.data_dir)), glue, str(stack.data_dir))
    found.edit(volume=1.0)
    found.edit(volume=2.0, vessel="Méridian 🐟")
    return found


def same(found: pa.Table, expected: pa.Table) -> None:
    """Equal in every cell, whatever order an engine gave the rows."""
    assert tables.sort(found.cast(expected.schema), ["tow", "net"]).equals(expected)


def test_iceberg_reads_each_commit_as_towline_does(copied: Copied) -> None:
    copied.dataset.publish(iceberg=True)
    table = copied.table
    snapshots = table.snapshots()
    assert copied.numbers() == ["1", "2", "3"], "one snapshot a commit"
    assert [entry.snapshot_id for entry in table.history()] == [each.snapshot_id for each in snapshots]
    for each in snapshots:
        found, expected = table.scan(snapshot_id=each.snapshot_id), copied.at(each.summary["towline.commit"])
        same(found.to_arrow(), expected)
        (task,) = found.plan_files()
        file = BytesIO(copied.get(task.file.file_path))
        same(duckdb.read_parquet(file).to_arrow_table(), expected)


def test_the_iceberg_table_knows_key_and_types(copied: Copied) -> None:
    copied.dataset.publish(iceberg=True, begin="head")
    schema = copied.table.schema()
    assert schema.identifier_field_names() == {"tow", "net"}
    assert [field.name for field in schema.fields if field.required] == ["tow", "net"]
    types = {field.name: str(field.field_type) for field in schema.fields}
    assert types == {
        "tow": "long",
        "net": "long",
        "vessel": "string",
        "cruise": "string",
        "volume": "double",
        "is_day": "boolean",
    }
    glue = copied.glue.get_table(DatabaseName="towline", Name=f"{copied.name}_iceberg")["Table"]
    assert glue["Parameters"]["table_type"] == "ICEBERG"
    assert glue["StorageDescriptor"]["Location"].startswith(f"s3://{BUCKET}/iceberg/{copied.name}/")


class Killed(BaseException):
    """The process dies: nothing catches this."""


@dataclass
class Mortal:
    """A store or a client whose user dies right after its call number `left` that changes something."""

    target: Any
    left: int

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.target, name)
        return partial(self._call, found) if name in ("put", "create_table", "update_table") else found

    def _call(self, found: Any, *arguments: Any, **named: Any) -> Any:
        answer = found(*arguments, **named)
        self.left -= 1
        if self.left <= 0:
            raise Killed
        return answer


@pytest.mark.parametrize("what", ["files", "glue"])
def test_a_publisher_that_dies_leaves_nothing_doubled_and_nothing_out(copied: Copied, what: str) -> None:
    """It dies after each of its writes in turn; the next one completes what it began."""
    bench = copied.connection.bench
    for life in range(1, 8):
        store = cast(ObjectStore, Mortal(bench.store, life)) if what == "files" else bench.store
        glue = Mortal(copied.glue, life) if what == "glue" else copied.glue
        lake = GlueLake(glue, replace(bench, store=store), BUCKET, "towline", copied.name)
        with suppress(Killed):
            publish.run(bench, lake, publish.plan(bench, copied.name, lake))
    copied.dataset.publish(iceberg=True)
    assert copied.numbers() == ["1", "2", "3"]
    table = copied.table
    for each in table.snapshots():
        same(table.scan(snapshot_id=each.snapshot_id).to_arrow(), copied.at(each.summary["towline.commit"]))
    assert len(copied.keys(f"{table.location().removeprefix(f's3://{BUCKET}/')}/data/")) == 3


def test_publishers_at_once_put_each_commit_once(copied: Copied) -> None:
    with ThreadPoolExecutor(4) as pool:
        for found in [pool.submit(copied.dataset.publish, iceberg=True) for _ in range(4)]:
            found.result()
    assert copied.numbers() == ["1", "2", "3"]
    same(copied.table.scan().to_arrow(), copied.at())


def test_who_comes_second_puts_nothing_and_harms_nothing(copied: Copied) -> None:
    copied.dataset.publish(iceberg=True)
    copied.edit(volume=3.0)
    bench, late = copied.connection.bench, connect.lake(copied.connection, copied.name)
    todo = publish.plan(bench, copied.name, late)
    copied.dataset.publish(iceberg=True)
    (records,) = todo.commits
    assert todo.last is not None
    with pytest.raises(LostRace, match="another snapshot"):
        late.append(copied.at(), publish.summary(records), todo.last.id)
    assert publish.run(bench, late, todo).published == ()
    assert copied.numbers() == ["1", "2", "3", "4"]
    same(copied.table.scan().to_arrow(), copied.at())


def test_what_another_engine_wrote_is_refused_and_replaced_on_demand(copied: Copied) -> None:
    copied.dataset.publish(iceberg=True)
    copied.table.delete("tow = 1")
    with pytest.raises(Refused, match="not published by Towline"):
        copied.dataset.publish(iceberg=True)
    old = copied.table.location()
    copied.dataset.publish(iceberg=True, rebuild=True, begin="head")
    assert copied.numbers() == ["3"]
    same(copied.table.scan().to_arrow(), copied.at())
    new = copied.table.location()
    assert new != old
    assert {key.split("/")[2] for key in copied.keys(f"iceberg/{copied.name}/")} == {new.split("/")[-1]}


def test_a_table_of_this_name_that_is_no_iceberg_table_is_left_alone(copied: Copied) -> None:
    name = f"{copied.name}_iceberg"
    copied.glue.create_table(DatabaseName="towline", TableInput={"Name": name, "Parameters": {"classification": "csv"}})
    for rebuild in (False, True):
        with pytest.raises(Refused, match="is no Iceberg table"):
            copied.dataset.publish(iceberg=True, rebuild=rebuild)
    assert copied.glue.get_table(DatabaseName="towline", Name=name)["Table"]["Parameters"] == {"classification": "csv"}


def test_without_the_database_it_says_who_makes_it(copied: Copied) -> None:
    lake = GlueLake(copied.glue, copied.connection.bench, BUCKET, "elsewhere", copied.name)
    with pytest.raises(NotFound, match=r"no Glue database elsewhere.*GLUE_DATABASE"):
        lake.create(copied.dataset.contract())


def test_a_table_may_become_empty_and_fill_again(copied: Copied) -> None:
    copied.dataset.publish(iceberg=True)
    lake = connect.lake(copied.connection, copied.name)
    last = (lake.snapshots() or [])[-1]
    about = {**last.summary, "towline.number": "4", "towline.commit": copied.connection.bench.new_id()}
    empty = lake.append(copied.at().slice(0, 0), about, last.id)
    assert copied.table.scan().to_arrow().num_rows == 0
    lake.append(
        copied.at(), {**about, "towline.number": "5", "towline.commit": copied.connection.bench.new_id()}, empty
    )
    same(copied.table.scan().to_arrow(), copied.at())


def test_the_command_publishes_and_says_so(copied: Copied, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        with pytest.raises(SystemExit) as done:
            main(["publish", copied.name, "--iceberg", *arguments, "--data-dir", copied.data_dir])
        output = capsys.readouterr()
        assert done.value.code == 0, output.err
        return output.out.strip()

    table = f"towline.{copied.name}_iceberg"
    assert said("--dry-run") == f"would publish commits 1 to 3 of {copied.name} to {table}"
    assert [each["number"] for each in json.loads(said("--head-only", "--json"))["published"]] == [3]
    assert said() == f"nothing to publish: {table} has commit 3, the newest of {copied.name}"
    copied.edit(volume=5.0)
    assert said() == f"published commit 4 of {copied.name} to {table}"
    made = json.loads(said("--rebuild", "--from", "2", "--json"))
    assert [each["number"] for each in made["commits"]] == [2, 3, 4]
    assert [each["snapshot"] for each in made["published"]] == [each.snapshot_id for each in copied.table.snapshots()]
