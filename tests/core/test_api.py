"""The Python API: DataFrames in and out, on a bucket in memory."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import towline
from tests.athena import Answers
from tests.conftest import ROOT
from tests.pipeline import Pipeline
from tests.sql_pipeline import SqlPipeline
from towline import connect
from towline.connect import Connection
from towline.contract import Contract
from towline.errors import BadProposal, NotFound, OpenConflicts, UsageError
from towline.files import write_table
from towline.sample import sample_table
from towline.settings import Settings

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "vessel", "type": "string"},
            {"name": "volume", "type": "number", "towline": {"nonfinite": "allow"}},
            {"name": "count", "type": "integer"},
            {"name": "is_day", "type": "boolean"},
            {"name": "day", "type": "date"},
            {"name": "at", "type": "datetime"},
            {"name": "sent", "type": "datetime", "towline": {"timezone": "UTC"}},
        ],
        "primaryKey": ["tow"],
        "towline": {"version": 1, "dataset": "tows"},
    }
)
CSV = """\
tow,vessel,volume,count,is_day,day,at,sent
1,Meridian,1.5,9007199254740993,TRUE,2026-01-04,2026-01-04T18:03:09.25,2026-01-04T18:03:09Z
2,"",nan,,FALSE,,,
3,,,7,,0001-01-01,1900-01-01T00:00:00,
4,=1+1,0.1,-1,TRUE,,,
"""


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A bucket whose functions run the moment a proposal lands, and to which the API connects."""
    pipeline = SqlPipeline()

    def deliver(operation: str, key: str, phase: Literal["before", "after"]) -> None:
        if (operation, phase) == ("put", "after") and key.startswith("inbox/") and key.endswith(".json"):
            pipeline.pump()

    pipeline.store.faults = deliver
    connection = Connection(Settings("towline", endpoint_url="http://127.0.0.1:9"), pipeline.bench)
    monkeypatch.setattr(connect, "here", lambda data_dir=None: connection)
    monkeypatch.setattr(connect, "connect", lambda settings: Connection(settings, pipeline.bench))
    return pipeline


@pytest.fixture
def tows(pipeline: Pipeline, tmp_path: Path) -> towline.Dataset:
    file = tmp_path / "tows.csv"
    file.write_text(CSV)
    return towline.create("tows", file, note="first", contract=CONTRACT)


def head(pipeline: Pipeline) -> pa.Table:
    return pipeline.dataset("tows").table()[1]


def test_the_public_names_are_these() -> None:
    nouns, verbs = ["Dataset", "Receipt", "Ticket", "TowlineError"], ["create", "datasets", "lake", "open", "query"]
    assert towline.__all__ == nouns + verbs
    assert all(getattr(towline, name) for name in towline.__all__)
    assert set(towline.__all__) <= set(dir(towline))
    with pytest.raises(AttributeError, match="nope"):
        towline.nope  # noqa: B018 - looking is the test
    public = {name for name in vars(towline.Dataset) if not name.startswith("_")}
    reading = "contract read status log diff blame conflicts verify preview preview_restore preview_sql reviews case"
    writing = "propose edit insert delete sql promote discard restore resolve review prune publish"
    assert public == {*reading.split(), *writing.split()}


def test_the_version_is_that_of_the_project() -> None:
    assert towline.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_importing_towline_imports_nothing_heavy() -> None:
    program = "import sys, towline; print([n for n in ('pandas', 'pyarrow', 'boto3', 'click') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip() == "[]"


def test_columns_keep_their_types_with_and_without_nulls(tows: towline.Dataset) -> None:
    df = tows.read()
    assert {name: str(df.dtypes[name]) for name in ("tow", "count", "is_day")} == {
        "tow": "int64",
        "count": "Int64",
        "is_day": "boolean",
    }
    assert df.loc[0, "count"] == 2**53 + 1
    assert df.loc[1, "vessel"] == ""
    assert pd.isna(df.loc[2, "vessel"])
    assert str(df.dtypes["at"]).startswith("datetime64[us")
    assert str(df.dtypes["sent"]) == "datetime64[us, UTC]"


def test_a_table_that_nobody_edited_proposes_no_change(tows: towline.Dataset) -> None:
    plan = tows.preview(tows.read())
    assert [violation.rule for violation in plan.report.violations] == ["change.nothing"]


def test_nan_is_null_except_where_the_table_holds_nan_and_nobody_touched_it(
    tows: towline.Dataset, pipeline: Pipeline
) -> None:
    df = tows.read()
    df.loc[0, "volume"] = None
    assert tows.propose(df, note="why").wait(1).status == "committed"
    volumes = head(pipeline)["volume"].to_pylist()
    assert volumes[0] is None
    assert math.isnan(volumes[1])
    assert volumes[2:] == [None, 0.1]


def test_an_edited_cell_is_the_only_change(tows: towline.Dataset, pipeline: Pipeline) -> None:
    before = head(pipeline)
    df = tows.read()
    df.loc[df.tow == 1, "volume"] = 2
    receipt = tows.propose(df, note="why").wait(1)
    assert receipt.status == "committed"
    (change,) = tows.diff(1).changes
    assert [(cell.column, cell.old, cell.new) for cell in change.cells()] == [("volume", 1.5, 2.0)]
    assert head(pipeline).drop(["volume"]).equals(before.drop(["volume"]))
    assert tows.status(receipt.proposal).commit == receipt.commit


def test_the_base_is_what_the_frame_remembers_so_that_others_are_not_overwritten(tows: towline.Dataset) -> None:
    mine, theirs = tows.read(), tows.read()
    theirs.loc[0, "volume"] = 7
    tows.propose(theirs, note="theirs").wait(1)
    tows.read()  # the object has read the newer commit; the frame is still of the older
    assert tows.propose(mine.assign(vessel="Méridian"), note="mine").wait(1).status == "committed"
    df = tows.read()
    assert (df.loc[0, "volume"], df.loc[0, "vessel"]) == (7, "Méridian")
    mine.loc[0, "volume"] = 8
    receipt = tows.propose(mine, note="late").wait(1)
    assert receipt.status == "conflicted"
    assert any(cell["column"] == "volume" for cell in receipt.conflicts[0]["cells"])  # type: ignore[attr-defined]


def test_without_a_base_the_last_commit_read_is_it_and_without_that_it_has_to_be_said(tows: towline.Dataset) -> None:
    df = tows.read()
    df.attrs.clear()
    with pytest.raises(UsageError, match='base="head"'):
        towline.open("tows").propose(df, note="why")
    assert towline.open("tows").propose(df.assign(vessel="a"), note="why", base="head").wait(1).status == "committed"
    assert tows.propose(df.assign(vessel="b"), note="why").wait(1).status == "conflicted"  # read before that commit


def test_a_named_index_is_columns_and_another_is_not(tows: towline.Dataset) -> None:
    df = tows.read()
    assert not tows.preview(df.set_index("tow")).diff
    assert not tows.preview(df.sort_values("volume")).diff
    assert not tows.preview(df.set_index(pd.Index(list("abcd")))).diff


def test_integers_that_pandas_made_floats_come_back_as_integers(tows: towline.Dataset) -> None:
    df = tows.read()
    df["count"] = [1.0, np.nan, 7.0, -1.0]
    (change,) = tows.preview(df).diff.changes
    assert [(cell.column, cell.new) for cell in change.cells()] == [("count", 1)]


def conflicted(tows: towline.Dataset) -> str:
    """A proposal that two columns of row 1 and the day of row 3 keep from being committed."""
    mine = tows.read()
    theirs = mine.copy()
    mine.loc[0, ["vessel", "volume"]] = ["Mine", 2.5]
    mine.loc[2, "day"] = date(2026, 2, 2)
    theirs.loc[0, ["vessel", "volume"]] = ["Theirs", 3.5]
    theirs.loc[2, "day"] = date(2026, 3, 3)
    assert tows.propose(theirs, note="theirs").wait(1).status == "committed"
    receipt = tows.propose(mine, note="mine").wait(1)
    assert receipt.status == "conflicted"
    return receipt.proposal


def test_conflicts_are_looked_at_and_decided(tows: towline.Dataset) -> None:
    proposal = conflicted(tows)
    first, second = tows.conflicts(proposal)
    assert (first.key, [cell.column for cell in first.cells]) == ({"tow": 1}, ["vessel", "volume"])
    assert (second.base["day"], second.ours["day"], second.theirs["day"]) == (
        date(1, 1, 1), date(2026, 2, 2), date(2026, 3, 3),
    )  # fmt: skip
    with pytest.raises(OpenConflicts):
        tows.resolve(proposal)
    with pytest.raises(OpenConflicts):
        tows.resolve(proposal, take="ours", column="vessel")
    answers = [{"key": {"tow": np.int64(3)}, "column": "day", "value": date(2026, 4, 4)}]
    receipt = tows.resolve(proposal, take="ours", set={"volume": np.float64(3)}, answers=answers, note="both").wait(1)
    assert (receipt.status, receipt.resolves, receipt.note) == ("committed", proposal, "both")
    assert tows.read().loc[0, ["vessel", "volume"]].tolist() == ["Mine", 3]
    assert tows.read().loc[2, "day"] == date(2026, 4, 4)


@pytest.mark.parametrize(
    ("decision", "error", "said"),
    [
        ({"take": "mine"}, UsageError, "take is 'mine'"),
        ({"take": "ours", "column": "depth"}, UsageError, "no column 'depth'"),
        ({"take": "ours", "column": ["count"]}, UsageError, "column count is not in conflict"),
        ({"take": "ours", "where": {"tow": 2}}, UsageError, "row tow=2 is not in conflict"),
        ({"take": "ours", "set": {"volume": "3"}}, BadProposal, "'3' is not a number"),
        ({"take": "theirs"}, BadProposal, "nothing is left to change"),
    ],
)
def test_what_cannot_be_decided_so_is_refused(tows: towline.Dataset, decision: dict, error: type, said: str) -> None:
    proposal = conflicted(tows)
    with pytest.raises(error, match=re.escape(said)):
        tows.resolve(proposal, **decision)
    assert len(tows.log()) == 2


def test_what_is_not_in_conflict_cannot_be_resolved(tows: towline.Dataset) -> None:
    receipt = tows.edit({"tow": 1}, {"volume": 3.0}, note="why").wait(1)
    with pytest.raises(UsageError, match="is committed, not in conflict"):
        tows.conflicts(receipt.proposal)
    with pytest.raises(NotFound):
        tows.conflicts("nobody-sent-this")


@pytest.mark.parametrize(
    ("mode", "status"), [("cell", "committed"), ("row", "conflicted"), ("table", "conflicted"), ("fill", "committed")]
)
def test_every_merge_mode_is_as_strict_as_it_says(tows: towline.Dataset, mode: str, status: str) -> None:
    df = tows.read()
    tows.edit({"tow": 1}, {"vessel": "Theirs"}, note="why").wait(1)
    df.loc[0, "volume"] = 9.0
    assert tows.propose(df, note="mine", mode=mode).wait(1).status == status


def test_two_partial_inserts_of_one_key_are_filled(tows: towline.Dataset) -> None:
    df = tows.read()
    tows.insert({"tow": 9, "volume": 1.0}, note="the volume").wait(1)
    mine = pd.concat([df, pd.DataFrame({"tow": [9], "vessel": ["Aurora"]})], ignore_index=True)
    assert tows.propose(mine, note="the vessel", base=1).wait(1).status == "conflicted"
    assert tows.propose(mine, note="the vessel", base=1, mode="fill").wait(1).status == "committed"
    assert tows.read().loc[4, ["volume", "vessel"]].tolist() == [1.0, "Aurora"]


def test_a_file_is_proposed_by_its_path(tows: towline.Dataset, tmp_path: Path) -> None:
    file = tmp_path / "edited.csv"
    file.write_text(CSV.replace("Meridian", "Sally Ride"))
    assert tows.propose(file, note="why", base=1).wait(1).status == "committed"
    assert tows.read().loc[0, "vessel"] == "Sally Ride"


def test_a_part_of_the_rows_leaves_the_others_only_when_that_is_said(tows: towline.Dataset) -> None:
    part = tows.read().head(1).assign(vessel="x")
    assert not tows.preview(part).ok
    assert tows.propose(part, note="why", partial=True).wait(1).status == "committed"
    assert list(tows.read()["vessel"])[0] == "x"  # noqa: RUF015 - the first row is meant
    assert len(tows.read()) == 4


def test_single_rows_are_edited_inserted_and_deleted(tows: towline.Dataset) -> None:
    edited = tows.edit({"tow": np.int64(1)}, {"volume": np.float64(3), "count": np.nan, "at": pd.NaT}, note="why")
    assert edited.wait(1).status == "committed"
    tows.insert({"tow": 9, "at": pd.Timestamp("2026-01-01 12:00"), "is_day": np.bool_(True)}, note="why").wait(1)
    tows.delete({"tow": 2}, note="why").wait(1)
    df = tows.read().set_index("tow")
    assert list(df.index) == [1, 3, 4, 9]
    assert df.loc[1, "volume"] == 3
    assert pd.isna(df.loc[1, "count"])
    assert df.loc[9, "at"] == pd.Timestamp("2026-01-01 12:00")
    assert [record["number"] for record in tows.log()] == [4, 3, 2, 1]


def test_what_cannot_be_meant_is_an_error(tows: towline.Dataset) -> None:
    with pytest.raises(NotFound):
        tows.edit({"tow": 77}, {"volume": 1.0}, note="why")
    with pytest.raises(BadProposal, match="volume"):
        tows.edit({"tow": 1}, {"volume": "3"}, note="why")
    with pytest.raises(BadProposal, match="note"):
        tows.edit({"tow": 1}, {"volume": 3.0}, note="")
    with pytest.raises(UsageError, match="2 rows match"):
        tows.delete({"is_day": True}, note="why")
    with pytest.raises(UsageError, match="cannot become a table"):
        tows.propose(tows.read().assign(vessel=[1, "a", None, b"x"]), note="why")
    with pytest.raises(NotFound):
        towline.open("nope")


def test_a_bad_value_is_a_rejected_receipt_not_an_error(tows: towline.Dataset) -> None:
    receipt = tows.propose(tows.read().assign(count=1.5), note="why").wait(1)
    assert receipt.status == "rejected"
    assert receipt.errors == 4
    assert {v["column"] for v in receipt.violations} == {"count"}


def test_earlier_commits_are_read_by_number_id_and_time(tows: towline.Dataset) -> None:
    tows.edit({"tow": 1}, {"volume": 3.0}, note="why").wait(1)
    first = tows.log()[-1]
    for at in (1, "1", first["commit"], first["timestamp"]):
        assert tows.read(at=at).loc[0, "volume"] == 1.5  # type: ignore[arg-type]
    assert tows.read().attrs["towline_commit"] == tows.log()[0]["commit"]


def test_a_commit_comes_back_whole_in_part_and_undone(tows: towline.Dataset) -> None:
    first = tows.read()
    tows.edit({"tow": 1}, {"volume": 3.0, "vessel": "Aurora"}, note="why").wait(1)
    tows.edit({"tow": 3}, {"count": 8}, note="why").wait(1)
    assert tows.preview_restore(1).counts()["cells_changed"] == 3
    tows.restore(1, note="back", where={"tow": np.int64(1)}, columns=["volume"]).wait(1)
    assert list(tows.read().loc[0, ["volume", "vessel"]]) == [1.5, "Aurora"]
    tows.restore(3, note="not that one", undo=True).wait(1)
    assert tows.read().loc[2, "count"] == 7
    assert tows.restore("1", note="all of it").wait(1).status == "committed"
    pd.testing.assert_frame_equal(tows.read(), first)


def test_a_dataset_is_made_of_a_frame(pipeline: Pipeline) -> None:
    hauls = pd.DataFrame({"haul": [1, 2], "catch": [12.5, None], "gear": pd.Categorical(["net", None])})
    ds = towline.create("hauls", hauls, key=["haul"], note="first")
    assert repr(ds) == "<towline.Dataset hauls in towline>"
    types = {field.name: field.type for field in ds.contract().fields}
    assert types == {"haul": "integer", "catch": "number", "gear": "string"}
    pd.testing.assert_frame_equal(ds.read(), hauls.astype({"gear": "str"}), check_dtype=False)
    assert towline.datasets() == ["hauls"]
    with pytest.raises(BadProposal, match="there already"):
        towline.create("hauls", hauls, key=["haul"], note="again")


def test_settings_may_be_given(pipeline: Pipeline) -> None:
    assert towline.datasets(settings=Settings("another", endpoint_url="http://127.0.0.1:9")) == []


def test_the_documented_code_runs(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a bucket in memory, where queries have no answers of their own: tests/local runs those of the page."""
    monkeypatch.setattr(Connection, "engine", Answers(pa.table({"mean": [1.5]})))
    monkeypatch.setattr(Connection, "tables", lambda self: [])
    file = tmp_path / "sample.parquet"
    file.write_bytes(write_table(sample_table(), "parquet"))
    towline.create("net_tows", file, key=["tow", "net"], note="first")
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own documentation
    printed = capsys.readouterr().out
    assert len(blocks) == 14
    assert "int64 bool" in printed
    assert "['hauls', 'net_tows']" in printed


def test_a_cell_tells_who_set_it(tows: towline.Dataset) -> None:
    key = {"tow": 1}
    tows.edit(key, {"volume": 12.5}, "meter read again").wait()
    story = tows.blame(key, "volume", every=True)
    names = ["tow", "column", "old", "new", "change", "commit", "number", "proposal", "at", "user"]
    assert list(story.columns) == [*names, "note", "kind"]
    assert list(story["note"]) == ["meter read again", "first"]
    assert list(story["new"]) == [12.5, 1.5]
    assert list(tows.blame(key)["column"]) == list(tows.contract().names)
    assert list(tows.blame(column="volume")["number"]) == [2, 1, 1, 1]
    assert [record["number"] for record in tows.log(limit=1)] == [2]
    with pytest.raises(UsageError, match="say which row"):
        tows.blame()
    assert list(tows.blame(column="volume", every=True)["tow"].isna()) == [False, True], "a first table is all rows"
