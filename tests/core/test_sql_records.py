"""The audit record of an edit by SQL: it carries the query, nobody can alter it unseen, and every reader knows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.nets import NAME
from tests.core.promises import records
from tests.core.raising import RAISE, raised
from tests.core.verifying import Change, check, first, key_of, rewrite
from tests.runs import Runs
from towline import audit, blame, history
from towline.audit import FIELDS, QUERY


@pytest.fixture
def runs() -> Runs:
    """Three commits: a table, an edit by SQL, and another of cells."""
    made = Runs(answer=raised)
    assert made.done(RAISE, note="recalibrated").status == "committed"
    made.nets.send(made.nets.edit(2, 1, volume=9.0))
    return made


def test_only_an_edit_by_sql_has_a_query(runs: Runs) -> None:
    create, sql, edit = records(runs.nets)
    assert (sql["kind"], sql[QUERY]) == ("sql", RAISE)
    assert QUERY not in create
    assert QUERY not in edit
    assert set(sql) == {*FIELDS, QUERY}
    assert audit.link(sql) == sql["chain"] == edit["prev_chain"]
    assert check(runs.nets).ok


def changed(record: dict[str, Any]) -> None:
    record[QUERY] = "UPDATE master SET volume = volume WHERE tow = 1"


def removed(record: dict[str, Any]) -> None:
    del record[QUERY]


@pytest.mark.parametrize("change", [changed, removed])
@pytest.mark.parametrize("seal", [False, True])
def test_a_query_that_was_altered_is_found(runs: Runs, change: Change, seal: bool) -> None:
    record = records(runs.nets)[1]
    rewrite(runs.nets, key_of(runs.nets, record), change, seal=seal)
    assert first(runs.nets).number == 2


def test_a_query_that_was_put_into_a_record_without_one_is_found(runs: Runs) -> None:
    record = records(runs.nets)[2]
    rewrite(runs.nets, key_of(runs.nets, record), changed)
    assert first(runs.nets).number == 3


def test_a_cell_that_an_edit_by_sql_changed_is_the_authors(runs: Runs) -> None:
    cell, first_load = blame.story(runs.bench, NAME, key=(1, 0), column="volume")
    assert (cell.kind, cell.user, cell.note, cell.old, cell.new) == ("sql", "ana", "recalibrated", 10.5, 11.5)
    assert first_load.change == "create"
    assert [record["kind"] for record in history.log(runs.bench, NAME)] == ["edit", "sql", "create"]
