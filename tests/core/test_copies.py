"""Partitioned copies: whole, apart, and told of only when all is there."""

from __future__ import annotations

from datetime import date
from urllib.parse import unquote

import pyarrow as pa
import pytest

from tests.core.catalogs import MemoryTables
from tests.core.nets import NAME, Nets
from tests.pipeline import Pipeline
from towline import copies, partitions
from towline import table as tables
from towline.contract import Contract
from towline.copies import CLAIM, COMMIT, Copy
from towline.errors import Contended, LostRace, NotFound, Refused, UsageError

BUCKET = "towline"


@pytest.fixture
def nets() -> Nets:
    return Nets()


def planned(nets: Nets, there: MemoryTables, *columns: str) -> Copy:
    return copies.plan(nets.pipeline.bench, NAME, columns or ("vessel",), there, BUCKET)


def published(nets: Nets, there: MemoryTables, *columns: str) -> Copy:
    return copies.run(nets.pipeline.bench, there, planned(nets, there, *columns))


def stored(nets: Nets) -> list[str]:
    return [entry.key for entry in nets.pipeline.store.list("published/")]


def rows(nets: Nets, there: MemoryTables) -> list[dict[str, object]]:
    """What an engine reads: the files of each partition, with the values of the partition."""
    found = []
    assert there.table is not None
    names = [column["Name"] for column in there.table["PartitionKeys"]]
    for values, place in there.places.items():
        told = {name: None if value == partitions.NULL else value for name, value in zip(names, values, strict=True)}
        for entry in nets.pipeline.store.list(place.removeprefix(f"s3://{BUCKET}/")):
            body = nets.pipeline.store.get(entry.key).body
            found += [{**row, **told} for row in tables.from_parquet(body, entry.key).to_pylist()]
    return sorted(found, key=lambda row: (row["tow"], row["net"]))


def head(nets: Nets) -> list[dict[str, object]]:
    found = nets.head()
    assert found is not None
    return found.table.to_pylist()


def test_an_engine_finds_each_row_once_in_its_partition(nets: Nets) -> None:
    there = MemoryTables()
    assert published(nets, there).is_new
    assert set(there.places) == {("Meridian",), (partitions.NULL,)}
    assert rows(nets, there) == head(nets)
    assert there.table is not None
    assert there.table["Name"] == "nets_by_vessel"
    assert there.table["PartitionKeys"][0]["Type"] == "string"
    assert "vessel" not in {column["Name"] for column in there.table["StorageDescriptor"]["Columns"]}
    assert there.table["Parameters"][COMMIT] == nets.commit
    assert CLAIM not in there.table["Parameters"]


def test_the_same_commit_is_not_published_twice(nets: Nets) -> None:
    there = MemoryTables()
    published(nets, there)
    version = there.version
    assert not published(nets, there).is_new
    assert there.version == version


def test_a_new_commit_takes_the_place_of_the_old_one_whose_files_stay_for_one_more(nets: Nets) -> None:
    there, commits = MemoryTables(), [nets.commit]
    published(nets, there)
    for vessel in ("Orca", "Orca", "Kaiyo"):
        nets.send(nets.edit(1, 0, vessel=vessel, volume=float(len(commits))))
        commits.append(nets.commit)
        published(nets, there)
        assert rows(nets, there) == head(nets)
        assert {key.split("/")[3] for key in stored(nets)} == set(commits[-2:])
    assert set(there.places) == {("Kaiyo",), ("Meridian",), (partitions.NULL,)}, "Orca has no row any more"


class Killed(BaseException):
    """The process dies: nothing catches this."""


@pytest.mark.parametrize("first", [True, False])
def test_a_run_that_was_killed_is_completed_by_the_next(first: bool) -> None:
    """At each of its changes in the catalog; what it had not yet told of is read as before."""
    for life in range(1, 7):
        nets, there = Nets(), MemoryTables()
        if not first:
            published(nets, there)
            nets.send(nets.edit(1, 0, vessel="Orca"))
        left = [life]

        def count(operation: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 1:
                raise Killed

        there.before = count
        try:
            published(nets, there)
        except Killed:
            assert there.table is None or there.table["Parameters"].get(COMMIT) != nets.commit
        there.before = lambda operation: None
        published(nets, there)
        assert rows(nets, there) == head(nets)
        assert not planned(nets, there).is_new


def test_two_who_publish_at_once_leave_one_whole_copy(nets: Nets) -> None:
    """Wherever in its work the first one is interrupted by the second, which publishes a newer commit."""
    for at in range(1, 7):
        there, left = MemoryTables(), [at]
        published(nets, there)
        nets.send(nets.edit(1, 0, vessel=f"Orca {at}"))
        todo = planned(nets, there)

        def other(operation: str, left: list[int] = left, there: MemoryTables = there, at: int = at) -> None:
            left[0] -= 1
            if left[0] == 0:
                nets.send(nets.edit(1, 1, vessel=f"Kaiyo {at}"))
                published(nets, there)

        there.before = other
        copies.run(nets.pipeline.bench, there, todo)
        assert left[0] < 1
        assert rows(nets, there) == head(nets)


def test_one_of_many_publishers_gives_up_in_the_end(nets: Nets) -> None:
    there = MemoryTables()
    published(nets, there)
    nets.send(nets.edit(1, 0, vessel="Orca"))

    def other(operation: str) -> None:
        there.version += 1

    there.before = other
    with pytest.raises(LostRace, match=r"towline\.nets_by_vessel: others publish it"):
        published(nets, there)


def test_a_file_that_others_write_at_the_same_time_is_there_in_the_end(nets: Nets) -> None:
    there, raised = MemoryTables(), []

    def fault(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("put", "before") and key.startswith("published/") and not raised:
            raised.append(key)
            raise Contended(f"{key}: another write interfered")

    nets.pipeline.store.faults = fault
    published(nets, there)
    assert raised
    assert rows(nets, there) == head(nets)


def test_several_columns_nest(nets: Nets) -> None:
    there = MemoryTables()
    copy = published(nets, there, "vessel", "tow")
    assert copy.table == "nets_by_vessel_tow"
    assert ("Meridian", "1") in there.places
    assert f"published/nets/by_vessel_tow/{nets.commit}/vessel=Meridian/tow=1/part.parquet" in stored(nets)
    assert [row["net"] for row in rows(nets, there)] == [row["net"] for row in head(nets)]


def test_planning_changes_nothing(nets: Nets) -> None:
    there = MemoryTables()
    found = planned(nets, there)
    assert found.is_new
    assert [part["rows"] for part in found.to_json()["partitions"]] == [3, 1]  # type: ignore[attr-defined]
    assert (there.table, stored(nets)) == (None, [])


def test_a_table_of_another_kind_is_left_alone(nets: Nets) -> None:
    there = MemoryTables(table={"Parameters": {}, "StorageDescriptor": {"Location": "s3://elsewhere/"}})
    with pytest.raises(Refused, match=r"another table nets_by_vessel.* left alone"):
        planned(nets, there)


def test_without_a_dataset_there_is_nothing_to_copy() -> None:
    with pytest.raises(NotFound, match="there is no dataset"):
        copies.plan(Pipeline().bench, NAME, ["vessel"], MemoryTables(), BUCKET)


AWKWARD = ["a b", "a/b", "a=b", "50%", "%41", "Méridian 🐟", "a+b", "a:b*?{}[]^#'\"\\", "tab\tline\n", "..", "x" * 300]


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_of_any_characters_comes_back_from_its_place(value: str) -> None:
    table = pa.table({"k": [1, 2], "vessel": [value, None]})
    one, other = partitions.split(table, ["vessel"])
    assert (one.values, other.values) == ((value,), (partitions.NULL,))
    assert other.folder == f"vessel={partitions.NULL}/"
    name, _, quoted = one.folder.removesuffix("/").partition("=")
    assert (name, unquote(quoted)) == ("vessel", value)
    assert not set(quoted) & set(" /=+:*?{}[]^#'\"\\\t\n")
    assert one.table.column_names == ["k"]


def test_other_types_have_the_text_that_hive_gives_them() -> None:
    table = pa.table({"k": [1, 2], "at": [date(2024, 2, 29), date(1, 1, 1)], "is_day": [True, False]})
    assert [part.values for part in partitions.split(table, ["at", "is_day"])] == [
        ("2024-02-29", "true"),
        ("0001-01-01", "false"),
    ]


@pytest.mark.parametrize("value", ["", partitions.NULL])
def test_a_value_that_looks_like_none_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="could not tell from no value"):
        partitions.split(pa.table({"k": [1], "vessel": [value]}), ["vessel"])


def test_too_many_partitions_are_refused() -> None:
    table = pa.table({"k": range(20), "tow": range(20)})
    assert len(partitions.split(table, ["tow"], most=20)) == 20
    with pytest.raises(UsageError, match="20 different values, and a copy at most 19 partitions"):
        partitions.split(table, ["tow"], most=19)


def test_a_value_too_long_for_a_place_is_refused() -> None:
    with pytest.raises(UsageError, match="600 characters"):
        partitions.split(pa.table({"k": [1], "vessel": ["x" * 600]}), ["vessel"])


def test_rows_keep_their_order_and_an_empty_table_has_no_part() -> None:
    table = pa.table({"k": [3, 1, 2, 0], "tow": [1, 2, 1, 2]})
    assert [part.table["k"].to_pylist() for part in partitions.split(table, ["tow"])] == [[3, 2], [1, 0]]
    assert partitions.split(table.slice(0, 0), ["tow"]) == []


CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "volume", "type": "number"},
            {"name": "at", "type": "datetime"},
            {"name": "cruise id", "type": "string"},
        ],
        "primaryKey": "tow",
        "towline": {"version": 1, "dataset": "odd"},
    }
)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "name the columns"),
        (["tow", "tow"], "each once"),
        (["volume"], "'volume' has the type number"),
        (["at"], "has the type datetime"),
        (["cruise id"], "cannot name a partition's key"),
        (["vessel"], "has no column 'vessel'"),
    ],
)
def test_columns_that_nobody_can_partition_by_are_refused(columns: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        partitions.check(CONTRACT, columns)


def test_something_must_be_left_in_the_files() -> None:
    contract = Contract.parse(
        {"fields": [{"name": "tow", "type": "integer"}], "primaryKey": "tow", "towline": {"version": 1, "dataset": "o"}}
    )
    with pytest.raises(UsageError, match="by all columns"):
        partitions.check(contract, ["tow"])
