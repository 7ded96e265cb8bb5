"""A history as it is shown: which commits, which rows, how much when; pure, and escaped."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editing.links import read_key, write_key
from app.past import activity, html, touched
from app.past.commits import Commit, Wanted, commits, people, window
from app.past.reader import Reader
from app.past.touched import Touched
from tests.app.sheets import CONTRACT, row, sheet
from tests.core.nets import CONTRACT as NETS
from tests.core.nets import NAME, Nets
from towline import history
from towline.change import RowChange
from towline.contract import Contract
from towline.diff import Diff
from towline.errors import NotFound, UsageError
from towline.history import Place
from towline.shelf import Shelf

PAST = Path(__file__).parents[2] / "app" / "past"
BAD = '<script>alert("1")</script>'


def test_what_is_shown_knows_no_screen() -> None:
    modules = list(PAST.glob("*.py"))
    assert len(modules) > 5
    for module in modules:
        tops = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(module.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert not tops & {"streamlit", "pandas"}, module


def record(number: int, user: str = "ana", note: str = "why", **fields: object) -> Mapping[str, object]:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=number)
    return {
        "number": number,
        "commit": f"{number:026d}",
        "parent": f"{number - 1:026d}" if number > 1 else None,
        "timestamp": at.isoformat(),
        "user": user,
        "principal": user,
        "note": note,
        "kind": "edit",
        "proposal": "p",
        "rows_inserted": 0,
        "rows_updated": 1,
        "rows_deleted": 0,
        "cells_changed": 2,
        "row_count": 4,
        "column_count": 7,
        "new_version": "v",
        "prev_version": "u",
        "snapshot_key": "s",
        "changes_key": "c",
        "changes_sha256": "0",
        "prev_chain": "0",
        "chain": "0",
        **fields,
    }


def place(number: int, user: str = "ana") -> Place:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(hours=number)
    return Place(f"audit/nets/{number:03d}", at, user)


def test_proposals_that_were_committed_together_are_one_commit() -> None:
    found = commits([record(3, note="c"), record(2, "bo", "second"), record(2, "ana", "first"), record(1)])
    assert [commit.number for commit in found] == [3, 2, 1]
    together = found[1]
    assert together.notes == ("first", "second")
    assert together.people == ("ana", "bo")
    assert together.count("cells_changed") == 4
    assert "2 proposals together" in html.commit_list(found, "", date(2026, 3, 1))


def test_a_window_is_the_newest_part_and_tells_what_is_left() -> None:
    places = [place(number, "ana" if number % 2 else "bo") for number in range(9, 0, -1)]
    part = window(places, Wanted(), 4)
    assert (len(part.places), part.shown, part.left) == (4, 4, 5)
    part = window(places, Wanted(people=frozenset({"bo"})), 10)
    assert {each.user for each in part.places} == {"bo"}
    assert part.left == 0
    assert window([], Wanted(), 10) == window(places, Wanted(since=date(2030, 1, 1)), 10)


def test_a_window_cuts_no_commit_in_two() -> None:
    places = [place(3), place(2, "ana"), place(2, "bo"), place(2, "cy"), place(1)]
    assert len(window(places, Wanted(), 2).places) == 4
    assert len(window(places, Wanted(people=frozenset({"bo"})), 5).places) == 3


def test_days_are_both_included() -> None:
    places = [place(number) for number in (100, 50, 1)]
    day = places[1].at.date()
    assert window(places, Wanted(since=day, until=day), 9).places == (places[1],)


def test_people_have_the_names_that_they_are_known_by() -> None:
    found = people([place(1, "Jos-N-ez"), place(2, "ana")], commits([record(1, "José Núñez")]))
    assert found["ana"] == "ana"
    assert people([place(1, "Jos-N-ez")], []) == {"Jos-N-ez": "Jos-N-ez"}


@pytest.mark.parametrize("text", ["1,0", " 1 , 0 ", "1,0.0", '"1","0"'])
def test_a_row_is_named_by_its_key(text: str) -> None:
    assert read_key(text, CONTRACT) == (1, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1", "tow, net"), ("1,2,3", "3 of these 2"), ("x,1", "whole number"), ("1,", "net is empty"), ('"', "tow, net")],
)
def test_a_key_that_is_none_is_explained(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_key(text, CONTRACT)


STATIONS = Contract.parse(
    {
        "fields": [
            {"name": "station", "type": "string"},
            {"name": "day", "type": "date"},
            {"name": "n", "type": "number"},
        ],
        "primaryKey": ["station", "day"],
        "towline": {"version": 1, "dataset": "stations"},
    }
)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip() and "\r" not in text), st.dates())
def test_any_key_that_is_written_is_read_as_the_same(station: str, day: date) -> None:
    if "\n" not in station and "\x00" not in station:
        assert read_key(write_key((station, day)), STATIONS) == (station, day)


def test_the_rows_of_a_changes_file_are_those_of_its_diff() -> None:
    held = sheet().rows
    changes = (
        RowChange(held[1, 0], {**held[1, 0], "volume": 3.0, "vessel": None}),
        RowChange(held[1, 1], None),
        RowChange(None, row(9, 9, start=datetime(2024, 5, 4, 18, 3, 9))),
    )
    diff = Diff(CONTRACT.key, changes)
    found = Touched(CONTRACT, touched.of_diff(diff))
    rows = list(found.rows())
    assert len(found) == len(rows) == 3
    assert [each.kind for each in rows] == ["update", "delete", "insert"]
    assert [list(each.cells) for each in rows] == [list(change.cells()) for change in changes]
    assert [found.count(kind) for kind in ("insert", "update", "delete")] == [1, 1, 1]
    assert list(found.rows(1, 2)) == rows[1:2]
    assert list(found.rows(3, 9)) == []
    assert json.loads(found.to_json()) == json.loads(json.dumps(diff.to_json()))
    assert found.to_csv().splitlines()[1].startswith(b"update,1,0,volume,10.5,3")


def test_rows_are_found_by_key_and_by_column() -> None:
    held = sheet().rows
    changes = [RowChange(held[key], {**held[key], "volume": 3.0, "vessel": "X"}) for key in ((1, 0), (2, 1))]
    found = Touched(CONTRACT, touched.of_diff(Diff(CONTRACT.key, tuple(changes))))
    assert [each.key for each in found.only(touched.key_text((2, 1), CONTRACT)).rows()] == [{"tow": 2, "net": 1}]
    assert {cell.column for each in found.only(column="vessel").rows() for cell in each.cells} == {"vessel"}
    assert len(found.only(touched.key_text((1, 1), CONTRACT), "vessel")) == 0
    assert found.only() is found


def test_nothing_touched_is_nothing() -> None:
    none = Touched(CONTRACT, touched.NO_CELLS)
    assert (len(none), list(none.rows()), none.count("insert"), bool(none)) == (0, [], 0, False)
    assert json.loads(none.to_json()) == {"inserted": [], "deleted": [], "updated": []}
    assert none.to_csv().decode().splitlines() == ["change,tow,net,column,old,new"]


def test_values_of_columns_that_are_gone_or_of_another_type_are_shown_as_they_were() -> None:
    other = Contract.parse(
        {
            "fields": [
                {"name": "tow", "type": "integer"},
                {"name": "net", "type": "string"},
                {"name": "volume", "type": "date"},
            ],
            "primaryKey": ["tow", "net"],
            "towline": {"version": 1, "dataset": "nets"},
        }
    )
    held = sheet().rows[1, 0]
    cells = touched.of_diff(Diff(CONTRACT.key, (RowChange(held, {**held, "volume": 3.0, "vessel": BAD}),)))
    (found,) = Touched(other, cells).rows()
    assert [(cell.column, cell.new) for cell in found.cells] == [("volume", "3.0"), ("vessel", BAD)]
    assert BAD not in html.rows([found], other, {})
    assert b"1,0,volume" in Touched(other, cells).to_csv()


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.integers(0, 400))
def test_every_proposal_is_in_one_bar(hours: list[int], later: int) -> None:
    places = [place(number * 24) for number in hours]
    today = max(each.at for each in places).date() + timedelta(later)
    found = activity.activity(places, places[::2], today)
    assert sum(bar.total for bar in found.bars) == len(places)
    assert sum(bar.wanted for bar in found.bars) == len(places[::2])
    assert all(one.stop == other.start for one, other in zip(found.bars, found.bars[1:], strict=False))
    assert found.bars[-1].start <= today < found.bars[-1].stop
    assert 7 <= len(found.bars) <= 120 or found.span == "month"
    assert activity.html(found).count("title=") == len(found.bars)


def test_nothing_committed_has_no_bars() -> None:
    assert activity.activity([], [], date(2026, 3, 1)).bars == ()


@pytest.mark.parametrize("text", [BAD, "🐟" * 3_000, "a\nb\n" * 40, "'\"&"])
def test_notes_are_escaped_and_long_ones_are_folded_away(text: str) -> None:
    commit = Commit((record(1, user=text, note=text, kind=text, proposal=text, principal=text),))
    now = datetime(2026, 3, 2, tzinfo=UTC)
    for drawn in (html.commit_list([commit], "", now.date()), html.head(commit, now), html.facts(commit)):
        assert "<script" not in drawn
    folded = html.note(text)
    assert ("<details>" in folded) == (len(text) > html.WHOLE or text.count("\n") > html.LINES)
    assert len(html.commit_list([commit], "", now.date())) < 40_000


def test_an_audit_record_that_was_edited_is_told() -> None:
    assert "towline verify" in html.facts(Commit((record(1),)))
    nets = Nets()
    (commit,) = Reader(nets.pipeline.bench).commits(history.places(nets.pipeline.bench, NAME))
    assert "✓ the record is as it was written" in html.facts(commit)


def test_acts_are_read_back_and_others_are_none() -> None:
    assert html.read_act('["commit", "4"]') == ("commit", "4")
    for act in ("", "x", "[1]", '["delete", "4"]', '["row", 4]', "null", '{"a": 1, "b": 2}'):
        assert html.read_act(act) is None


@pytest.fixture
def nets() -> Nets:
    """Commits: 1 load, 2 volume of 1,0, 3 vessel of 1,1 and volume of 2,1 together, 4 insert of 3,0, 5 its delete."""
    nets = Nets()
    nets.send(nets.edit(1, 0, volume=3.0))
    bo, cy = nets.by("bo"), nets.by("cy")
    drafts = (bo.edit(1, 1, vessel="X", note="bo's"), cy.edit(2, 1, volume=9.0, note="cy's"))
    bo.dataset.send(drafts[0])
    cy.dataset.send(drafts[1])
    nets.pipeline.pump()
    nets.send(nets.insert(3, 0, volume=1.0))
    nets.send(nets.delete(3, 0))
    return nets


def search(nets: Nets, **wanted: object) -> list[int]:
    reader = Reader(nets.pipeline.bench)
    found = reader.commits(history.places(nets.pipeline.bench, NAME))
    return [commit.number for commit in reader.search(found, Wanted(**wanted), NETS)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "column", "numbers"),
    [
        ((1, 0), "", [2, 1]),
        ((1, 1), "", [3, 1]),
        ((3, 0), "", [5, 4]),
        (None, "vessel", [3, 1]),
        ((2, 1), "volume", [3, 1]),
        ((2, 1), "vessel", [1]),
        ((8, 8), "", []),
    ],
)
def test_commits_are_found_by_what_they_touched(
    nets: Nets, key: tuple[int, int] | None, column: str, numbers: list[int]
) -> None:
    assert search(nets, key=touched.key_text(key, NETS) if key else "", column=column) == numbers


def test_commits_are_found_by_their_people(nets: Nets) -> None:
    assert search(nets, people=frozenset({"cy"})) == [3]
    assert search(nets, people=frozenset({"ana"})) == [5, 4, 2, 1]


def test_what_is_known_is_not_read_again(nets: Nets) -> None:
    store, reader = nets.pipeline.store, Reader(nets.pipeline.bench)
    places = history.places(nets.pipeline.bench, NAME)
    wanted = Wanted(column="vessel")
    first = reader.search(reader.commits(places), wanted, NETS)
    before = store.requests["get"]
    assert reader.search(reader.commits(places), wanted, NETS) == first
    assert store.requests["get"] == before


def test_a_commit_whose_changes_file_is_gone_is_told_by_its_snapshots(nets: Nets) -> None:
    reader = Reader(nets.pipeline.bench)
    commit = reader.find(NAME, "2", history.places(nets.pipeline.bench, NAME))
    told = list(reader.touched(commit, NETS).rows())
    nets.pipeline.store.delete(str(commit.records[0]["changes_key"]))
    again = list(Reader(nets.pipeline.bench).touched(commit, NETS).rows())
    assert [(each.key, each.cells) for each in again] == [(each.key, each.cells) for each in told]


def test_a_commit_is_found_by_number_and_id(nets: Nets) -> None:
    reader, places = Reader(nets.pipeline.bench), history.places(nets.pipeline.bench, NAME)
    found = reader.find(NAME, "3", places)
    assert found.notes == ("bo's", "cy's")
    assert reader.find(NAME, found.id, places) == reader.find(NAME, "#3", places) == found
    for name in ("99", "0", "Z" * 26, "7" + "Z" * 25, "x", "", "9" * 5000, "²", "-1", "<b>"):
        with pytest.raises(NotFound, match="has no commit"):
            reader.find(NAME, name, places)


def test_a_listing_is_good_for_a_while_and_no_longer_than_its_head(nets: Nets) -> None:
    bench, reader = nets.pipeline.bench, Reader(nets.pipeline.bench)
    for _ in range(9):
        bench.clock()  # the head was made some seconds ago
    head = nets.commit
    before = nets.pipeline.store.requests["list"]
    assert reader.places(NAME, head) is reader.places(NAME, head)
    assert nets.pipeline.store.requests["list"] == before + 2, "of the audit records, and of the archived ones"
    nets.send(nets.edit(1, 0, volume=77.0))
    assert len(reader.places(NAME, nets.commit)) == 7


def test_the_way_between_two_commits_is_their_difference(nets: Nets) -> None:
    reader, places = Reader(nets.pipeline.bench), history.places(nets.pipeline.bench, NAME)
    one, other = (reader.find(NAME, number, places) for number in ("1", "5"))
    found = reader.way(NETS, one.id, other.id)
    assert [each.key for each in found.rows()] == [{"tow": 1, "net": 0}, {"tow": 1, "net": 1}, {"tow": 2, "net": 1}]


def test_a_shelf_keeps_what_was_used_last() -> None:
    shelf: Shelf[str] = Shelf(10, len)
    assert shelf.get("a", lambda: "aaaa") == "aaaa"
    shelf.put("b", "bbbb")
    assert shelf.get("a", lambda: "never") == "aaaa"
    shelf.put("c", "cccc")
    assert (shelf.peek("a"), shelf.peek("b"), shelf.peek("c")) == ("aaaa", None, "cccc")
    shelf.put("large", "x" * 50)
    assert shelf.peek("large") == "x" * 50
    assert shelf.peek("a") is None
