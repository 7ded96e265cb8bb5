"""Published copies on the local stack, in the very catalog that AWS has, read back by the engines that they are for."""

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
import pyarrow.dataset as pads
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import Table

import towline
from tests.conftest import ROOT
from tests.local_stack import BUCKET, client
from towline import connect, copies, history, publish
from towline import table as tables
from towline.aws.glue_copies import GlueCopies
from towline.aws.iceberg import GlueLake, schema_of
from towline.cli import main
from towline.connect import Connection
from towline.contract import Contract
from towline.errors import LostRace, NotFound, Refused
from towline.execution import Execution
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

    def ask(self, statement: str) -> pa.Table:
        """What Athena finds."""
        done = self.asked(statement)
        assert done.state == "SUCCEEDED", done.reason
        return self.connection.engine.result(done, self.connection.bench.store)

    def asked(self, statement: str) -> Execution:
        engine = self.connection.engine
        return engine.wait(engine.start(statement, self.connection.bench.new_id()), 30)

    def rows(self, table: str, where: str = "true") -> pa.Table:
        names = ", ".join(self.at().column_names)
        return self.ask(f"SELECT {names} FROM {table} WHERE {where}")  # noqa: S608 - of the test's own words

    def edit(self, **cells: object) -> None:
        assert self.dataset.edit({"tow": 1, "net": 0}, cells, "because").wait().status == "committed"

    def keys(self, prefix: str) -> list[str]:
        return [entry.key for entry in self.connection.bench.store.list(prefix)]

    def get(self, location: str) -> bytes:
        return self.connection.bench.store.get(location.removeprefix(f"s3://{BUCKET}/")).body


def made(stack: StackInfo, name: str, directory: Path) -> Copied:
    glue = client(stack, "glue")
    with suppress(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": "towline"})
    file = directory / "tows.csv"
    file.write_text(CSV)
    dataset = towline.create(name, file, key=["tow", "net"], note="first", data_dir=stack.data_dir)
    found = Copied(dataset, connect.here(Path(stack.data_dir)), glue, str(stack.data_dir))
    found.edit(volume=1.0)
    found.edit(volume=2.0, vessel="Méridian 🐟")
    return found


@pytest.fixture
def copied(stack: StackInfo, request: pytest.FixtureRequest, tmp_path: Path) -> Copied:
    return made(stack, re.sub(r"\W+", "_", request.node.name.removeprefix("test_"))[-40:].strip("_"), tmp_path)


@pytest.fixture(scope="module")
def still(stack: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """The same for tests that publish, and edit nothing."""
    return made(stack, "published_tows", tmp_path_factory.mktemp("still"))


def same(found: pa.Table, expected: pa.Table) -> None:
    """Equal in every cell, whatever order an engine gave the rows."""
    assert tables.sort(found.cast(expected.schema), ["tow", "net"]).equals(expected)


def test_iceberg_reads_each_commit_as_towline_does(still: Copied) -> None:
    still.dataset.publish(iceberg=True)
    table = still.table
    snapshots = table.snapshots()
    assert still.numbers() == ["1", "2", "3"], "one snapshot a commit"
    assert [entry.snapshot_id for entry in table.history()] == [each.snapshot_id for each in snapshots]
    for each in snapshots:
        found, expected = table.scan(snapshot_id=each.snapshot_id), still.at(each.summary["towline.commit"])
        same(found.to_arrow(), expected)
        (task,) = found.plan_files()
        file = BytesIO(still.get(task.file.file_path))
        same(duckdb.read_parquet(file).to_arrow_table(), expected)
    assert len(snapshots[-1].manifests(table.io)) == 2, "what was added and what was replaced; nothing piles up"
    refused = still.asked(f"SELECT * FROM {still.name}_iceberg")  # noqa: S608
    assert (refused.state, "HIVE_UNSUPPORTED_FORMAT" in refused.reason) == ("FAILED", True), "by the local Athena"
    schema = table.schema()
    assert schema.identifier_field_names() == {"tow", "net"}
    assert [field.name for field in schema.fields if field.required] == ["tow", "net"]
    types = [str(field.field_type) for field in schema.fields]
    assert types == ["long", "long", "string", "string", "double", "boolean"]
    described = still.glue.get_table(DatabaseName="towline", Name=f"{still.name}_iceberg")["Table"]
    assert described["Parameters"]["table_type"] == "ICEBERG"
    assert described["StorageDescriptor"]["Location"].startswith(f"s3://{BUCKET}/iceberg/{still.name}/")


def test_the_example_of_the_page_runs(still: Copied, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / "publish.md").read_text(), re.MULTILINE | re.DOTALL
    )
    still.dataset.publish(iceberg=True)
    here = block.replace("net_tows", still.name).replace(
        "http://127.0.0.1:4566", str(still.connection.settings.endpoint_url)
    )
    exec(here, {"ds": still.dataset})  # noqa: S102 - the page's own words
    assert "Méridian, II" in capsys.readouterr().out, "the table of the first commit"


def test_columns_carry_their_units_and_meaning() -> None:
    contract = Contract.parse(
        {
            "fields": [
                {"name": "tow", "type": "integer", "title": "Tow"},
                {"name": "depth", "type": "number", "description": "of the net. " + "x" * 300},
                {"name": "volume", "type": "number", "title": "Volume", "description": "filtered"},
                {"name": "at", "type": "datetime"},
            ],
            "primaryKey": ["tow", "depth"],
            "towline": {"version": 1, "dataset": "tows", "units": {"volume": "m^3"}},
        }
    )
    schema = schema_of(contract)
    assert schema.find_field("volume").doc == "Volume. filtered [m^3]"
    assert schema.find_field("tow").doc == "Tow"
    assert len(schema.find_field("depth").doc or "") == 255, "as Glue keeps it"
    assert schema.find_field("at").doc is None
    assert schema.identifier_field_names() == set(), "Iceberg allows no floats there"
    assert [field.name for field in schema.fields if field.required] == ["tow", "depth"]


class Killed(BaseException):
    """The process dies: nothing catches this."""


CHANGING = (
    "put",
    "create_table",
    "update_table",
    "batch_create_partition",
    "batch_update_partition",
    "delete_partition",
)


@dataclass
class Mortal:
    """A store or a client whose user dies right after its call number `left` that changes something."""

    target: Any
    left: int

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.target, name)
        return partial(self._call, found) if name in CHANGING else found

    def _call(self, found: Any, *arguments: Any, **named: Any) -> Any:
        answer = found(*arguments, **named)
        self.left -= 1
        if self.left <= 0:
            raise Killed
        return answer


def test_a_publisher_that_dies_leaves_nothing_doubled_and_nothing_out(still: Copied) -> None:
    """It dies after each of its writes in turn, of files and in Glue; the next one completes what it began."""
    bench = still.connection.bench
    for what in ("files", "glue"):
        connect.lake(still.connection, still.name).drop()
        for life in range(1, 8):
            store = cast(ObjectStore, Mortal(bench.store, life)) if what == "files" else bench.store
            glue = Mortal(still.glue, life) if what == "glue" else still.glue
            lake = GlueLake(glue, replace(bench, store=store), BUCKET, "towline", still.name)
            with suppress(Killed):
                publish.run(bench, lake, publish.plan(bench, still.name, lake))
        still.dataset.publish(iceberg=True)
        assert still.numbers() == ["1", "2", "3"]
        table = still.table
        for each in table.snapshots():
            same(table.scan(snapshot_id=each.snapshot_id).to_arrow(), still.at(each.summary["towline.commit"]))
        assert len(still.keys(f"{table.location().removeprefix(f's3://{BUCKET}/')}/data/")) == 3


def test_publishers_at_once_put_each_commit_once(still: Copied) -> None:
    connect.lake(still.connection, still.name).drop()
    with ThreadPoolExecutor(4) as pool:
        for found in [pool.submit(still.dataset.publish, iceberg=True) for _ in range(4)]:
            found.result()
    assert still.numbers() == ["1", "2", "3"]
    same(still.table.scan().to_arrow(), still.at())


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
    for key in copied.keys(f"iceberg/{copied.name}/"):
        copied.connection.bench.store.delete(key)
    with pytest.raises(NotFound, match=r"metadata of .* is gone: publish it anew with --rebuild"):
        copied.dataset.publish(iceberg=True)
    copied.dataset.publish(iceberg=True, rebuild=True, begin="head")
    same(copied.table.scan().to_arrow(), copied.at())
    new = copied.table.location()
    assert new != old
    assert {key.split("/")[2] for key in copied.keys(f"iceberg/{copied.name}/")} == {new.split("/")[-1]}


def test_where_no_table_can_be_it_says_why(still: Copied) -> None:
    name, plain = "others_iceberg", {"classification": "csv"}
    still.glue.create_table(DatabaseName="towline", TableInput={"Name": name, "Parameters": plain})
    lake = GlueLake(still.glue, still.connection.bench, BUCKET, "towline", "others")
    for asked in (lake.snapshots, lake.drop):
        with pytest.raises(Refused, match="is no Iceberg table"):
            asked()
    assert still.glue.get_table(DatabaseName="towline", Name=name)["Table"]["Parameters"] == plain
    elsewhere = GlueLake(still.glue, still.connection.bench, BUCKET, "elsewhere", still.name)
    with pytest.raises(NotFound, match=r"no Glue database elsewhere.*GLUE_DATABASE"):
        elsewhere.create(still.dataset.contract())


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
            main(["publish", copied.name, *arguments, "--data-dir", copied.data_dir])
        output = capsys.readouterr()
        assert done.value.code == 0, output.err
        return output.out.strip()

    table, copy = f"towline.{copied.name}_iceberg", f"towline.{copied.name}_by_cruise"
    assert [each["number"] for each in json.loads(said("--iceberg", "--head-only", "--json"))["published"]] == [3]
    made = json.loads(said("--iceberg", "--rebuild", "--from", "2", "--json"))
    assert [each["snapshot"] for each in made["published"]] == [each.snapshot_id for each in copied.table.snapshots()]
    assert said("--iceberg") == f"nothing to publish: {table} has commit 3, the newest of {copied.name}"
    assert said("--partition-by", "cruise") == f"published commit 3 of {copied.name} to {copy}, 3 partitions"


def test_athena_finds_the_rows_of_each_partition(still: Copied) -> None:
    still.dataset.publish(partition_by="cruise")
    table = f"{still.name}_by_cruise"
    same(still.rows(table), still.at())
    assert still.rows(table, "cruise = 'SR 24/08'").column("tow").to_pylist() == [2]
    assert still.rows(table, "cruise IS NULL").column("tow").to_pylist() == [3]
    assert still.rows(table, "cruise = 'elsewhere'").num_rows == 0
    asked = towline.query(f"SELECT cruise, count(*) AS nets FROM {table} GROUP BY cruise", data_dir=still.data_dir)  # noqa: S608
    assert dict(zip(asked["cruise"].fillna("none"), asked["nets"], strict=True)) == {
        "SR2407": 2,
        "SR 24/08": 1,
        "none": 1,
    }
    still.dataset.publish(partition_by=["tow", "is_day"])
    table = f"{still.name}_by_tow_is_day"
    same(still.rows(table), still.at())
    assert still.rows(table, "tow > 1 AND is_day").column("tow").to_pylist() == [3]


def test_other_engines_read_the_same_from_the_directory(still: Copied, tmp_path: Path) -> None:
    copy = still.dataset.publish(partition_by=["cruise", "is_day"])
    for key in still.keys(copy.prefix):
        file = tmp_path / "copy" / key.removeprefix(copy.prefix)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(still.get(key))
    order = still.at().column_names
    hive = pads.partitioning(pa.schema([("cruise", pa.string()), ("is_day", pa.bool_())]), flavor="hive")
    found = pads.dataset(tmp_path / "copy", partitioning=hive)
    same(found.to_table().select(order), still.at())
    assert len([*found.get_fragments(pads.field("cruise") == "SR 24/08")]) == 1, "the others are not even opened"
    read = duckdb.read_parquet(f"{tmp_path}/copy/**/*.parquet", hive_partitioning=True)
    same(read.to_arrow_table().select(order), still.at())


def test_a_copy_follows_the_head_and_leaves_one_behind(copied: Copied) -> None:
    first = copied.dataset.publish(partition_by="vessel")
    assert (first.is_new, copied.dataset.publish(partition_by="vessel").is_new) == (True, False)
    for volume in (7.0, 8.0):
        copied.edit(volume=volume, vessel=f"Orca {volume}")
        last = copied.dataset.publish(partition_by="vessel")
        same(copied.rows(last.table), copied.at())
    commits = {key.split("/")[3] for key in copied.keys(f"published/{copied.name}/")}
    assert last.commit in commits
    assert first.commit not in commits
    assert len(commits) == 2
    described = copied.glue.get_table(DatabaseName="towline", Name=last.table)["Table"]
    assert described["StorageDescriptor"]["Location"] == last.location
    assert described["Parameters"]["towline.commit"] == last.commit


def test_copiers_at_once_leave_one_whole_copy(copied: Copied) -> None:
    copied.dataset.publish(partition_by="vessel")
    copied.edit(vessel="Orca")
    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(copied.dataset.publish, partition_by="vessel") for _ in range(4)]
        assert {each.result().table for each in made} == {f"{copied.name}_by_vessel"}
    same(copied.rows(f"{copied.name}_by_vessel"), copied.at())
    assert not copied.dataset.publish(partition_by="vessel", dry_run=True).is_new


def test_a_copy_that_broke_off_is_completed(copied: Copied) -> None:
    copied.dataset.publish(partition_by="vessel")
    bench, columns = copied.connection.bench, ["vessel"]
    for life in (1, 2, 3):
        copied.edit(vessel=f"Orca {life}")
        mortal = GlueCopies(Mortal(copied.glue, life), "towline")
        with pytest.raises(Killed):
            copies.run(bench, mortal, copies.plan(bench, copied.name, columns, mortal, BUCKET))
        copied.dataset.publish(partition_by="vessel")
        same(copied.rows(f"{copied.name}_by_vessel"), copied.at())


def test_more_partitions_than_fit_one_request(still: Copied) -> None:
    tables_, name = GlueCopies(still.glue, "towline"), f"{still.name}_many"
    like = still.dataset.publish(partition_by="vessel").described()
    tables_.create({**like, "Name": name})
    places = {(f"v {number}",): f"s3://{BUCKET}/published/nowhere/{number}/" for number in range(230)}
    tables_.move({**like, "Name": name}, places, {})
    assert (there := tables_.look(name)) is not None
    assert there.places == places
    moved = {values: f"{place}moved/" for values, place in list(places.items())[10:]}
    tables_.move({**like, "Name": name}, moved, places)
    assert (there := tables_.look(name)) is not None
    assert there.places == moved
    with pytest.raises(LostRace, match="somebody else changed its partitions"):
        tables_.move({**like, "Name": name}, moved, {})
