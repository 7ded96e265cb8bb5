"""The log of the grid: nothing is lost, doubled or out of order, and every step can be taken back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.editing.gridlog import REDO, UNDO, UNTOUCHED, GridLog, Message, State, cells_of
from tests.needs import need

ROWS, COLUMNS, TEXTS = ["a", "b", "c", "+1", "+2"], ["x", "y"], ["1", "12,5", '""', "", None]
GRID = Path(__file__).resolve().parents[2] / "app" / "grid"


def typed(row: str, column: str, text: str | None) -> dict[str, Any]:
    return {"set": [[[row], [column], [[text]]]]}


def log_of(*events: Mapping[str, Any]) -> GridLog:
    log = GridLog()
    for event in events:
        log = log.do(event)
    return log


def test_a_block_is_one_step() -> None:
    block = {"add": [["+1", None]], "set": [[["a", "+1"], ["x", "y"], [["1", "n/a"], [None, '""']]]]}
    log = log_of(block)
    assert log.state.cells == {"a": {"x": "1", "y": "n/a"}, "+1": {"x": None, "y": '""'}}
    assert log.do(UNDO).state.cells == {}
    assert log.do(UNDO).state.added == ()
    assert log.do(UNDO).do(REDO).state == log.state


def test_null_the_empty_text_and_untouched_are_three_things() -> None:
    state = log_of(typed("a", "x", None), typed("a", "y", "")).state
    assert (state.text("a", "x"), state.text("a", "y"), state.text("b", "x")) == (None, "", UNTOUCHED)


def test_a_deleted_row_comes_back_with_what_was_typed_into_it() -> None:
    log = log_of(typed("a", "x", "1"), {"del": ["a"]})
    assert list(log.state.deleted) == ["a"]
    assert log.do({"rest": ["a"]}).state.cells == {"a": {"x": "1"}}
    assert not log.do(UNDO).state.deleted


def test_a_cell_is_taken_back_to_what_the_sheet_says_and_that_is_a_step_too() -> None:
    log = log_of(typed("a", "x", "1"), typed("a", "y", None), {"set": [[["a"], ["x"], [[UNTOUCHED]]]]})
    assert log.state.cells == {"a": {"y": None}}
    assert log.do(UNDO).state.cells == {"a": {"x": "1", "y": None}}
    assert log.do({"set": [[["a", "b"], ["x", "y"], UNTOUCHED]]}).state.cells == {}
    assert log.do({"set": [[["b"], ["x"], UNTOUCHED]]}).state.past == log.state.past


def test_an_added_row_is_taken_back_with_what_was_typed_into_it_kept_for_undo() -> None:
    log = log_of({"add": [["+1", None]]}, typed("+1", "x", "1"), {"del": ["+1"]})
    assert list(log.state.deleted) == ["+1"]
    assert log.do(UNDO).state.cells == {"+1": {"x": "1"}}


def test_numbers_are_taken_once_and_in_order() -> None:
    one, two, three = typed("a", "x", "1"), typed("a", "x", "2"), typed("a", "x", "3")
    log = GridLog(7).apply([(1, one), (2, two)], 7, "A")
    assert log.apply([(1, one), (2, two)], 7, "A") == log
    assert log.apply([(4, three)], 7, "A") == log
    assert log.apply([(3, three)], 6, "A") == log
    assert log.apply([(2, two), (3, three)], 7, "A").state.cells == {"a": {"x": "3"}}
    assert log.acked == {"A": 2}


def test_an_instance_is_told_what_it_lacks() -> None:
    log = GridLog(7).apply([(1, typed("a", "x", "1")), (2, typed("a", "x", "2"))], 7, "A").do(UNDO)
    log = log.apply([(3, typed("b", "x", "3"))], 7, "A")
    answer = log.answer(Message("A", 7, 0, have=True))
    assert (answer["since"], answer["version"], answer["entries"]) == (0, 4, [[2, 2], {"undo": 1}, [3, 1]])
    assert log.answer(Message("A", 7, 3, have=True))["entries"] == [[3, 1]]
    assert log.answer(Message("B", 7, 1, have=True))["entries"][0] == typed("a", "x", "2")
    assert "state" not in answer


@pytest.mark.parametrize("message", [None, Message("B"), Message("A", 6, 1, have=True)])
def test_an_instance_that_holds_nothing_is_given_all(message: Message | None) -> None:
    log = GridLog(7).apply([(1, typed("a", "x", "1"))], 7, "A")
    answer = log.answer(message)
    assert State(**{**State().to_json(), **answer["state"]}).cells == {"a": {"x": "1"}}
    assert answer["entries"] == []


def test_a_new_epoch_takes_what_was_not_said_yet() -> None:
    log = GridLog(7).apply([(1, typed("a", "x", "1"))], 7, "A").restart()
    assert log.apply([(2, typed("a", "y", "2"))], 7, "A") == log
    assert log.apply([(2, typed("a", "y", "2"))], 8, "A").state.cells == {"a": {"y": "2"}}


blocks = st.builds(
    lambda rows, columns, texts: [
        rows,
        columns,
        [[texts[(i + j) % len(texts)] for j, _ in enumerate(columns)] for i, _ in enumerate(rows)],
    ],
    st.lists(st.sampled_from(ROWS), min_size=1, max_size=3),
    st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=2),
    st.lists(st.sampled_from([*TEXTS, UNTOUCHED]), min_size=1, max_size=3),
)
fills = st.builds(lambda row, text: [[row], COLUMNS, text], st.sampled_from(ROWS), st.sampled_from([*TEXTS, UNTOUCHED]))
edits = st.fixed_dictionaries(
    {},
    optional={
        "set": st.lists(blocks | fills, max_size=2),
        "add": st.lists(
            st.tuples(st.sampled_from(["+1", "+2"]), st.sampled_from([None, "", "a", "+1"])).map(list), max_size=2
        ),
        "del": st.lists(st.sampled_from(ROWS), max_size=2),
        "rest": st.lists(st.sampled_from(ROWS), max_size=2),
    },
)
events = edits | st.sampled_from([UNDO, REDO])


@dataclass
class Plain:
    """The plainest model there is: whole pictures of the table, before and after each step."""

    cells: dict[tuple[str, str], str | int | None] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    deleted: frozenset[str] = frozenset()

    @property
    def picture(self) -> tuple[Any, ...]:
        return (dict(self.cells), self.added, self.deleted)

    def do(self, event: Mapping[str, Any]) -> None:
        self.deleted -= set(event.get("rest", ()))
        self.added += tuple(dict.fromkeys(row for row, _ in event.get("add", ()) if row not in self.added))
        for row, column, text in cells_of(event.get("set", ())):
            self.cells[row, column] = text
            if text == UNTOUCHED:
                del self.cells[row, column]
        self.deleted |= set(event.get("del", ()))


def played(sequence: list[Mapping[str, Any]]) -> tuple[Any, ...]:
    """What the plain model shows after the events: undo goes back one picture, redo forward."""
    pictures, at = [Plain()], 0
    for event in sequence:
        if event.get("undo"):
            at = max(0, at - 1)
        elif event.get("redo"):
            at = min(len(pictures) - 1, at + 1)
        else:
            next_ = Plain(*pictures[at].picture)
            next_.do(event)
            if next_.picture != pictures[at].picture:
                pictures[at + 1 :] = [next_]
                at += 1
    return pictures[at].picture


def shown(state: State) -> tuple[Any, ...]:
    cells = {(row, column): text for row, texts in state.cells.items() for column, text in texts.items()}
    return (cells, tuple(row for row, _ in state.added), frozenset(state.deleted))


@given(st.lists(events, max_size=25))
def test_any_events_leave_what_a_plain_model_shows(sequence: list[Mapping[str, Any]]) -> None:
    # A row that comes back and goes in one event is a step for the log and none for a picture: left out.
    sequence = [event for event in sequence if not set(event.get("rest", ())) & set(event.get("del", ()))]
    assert shown(log_of(*sequence).state) == played(sequence)


@given(st.lists(edits, max_size=10))
def test_undoing_everything_leaves_nothing_and_redoing_it_leaves_all(sequence: list[Mapping[str, Any]]) -> None:
    log = log_of(*sequence)
    steps = len(log.state.past)
    back = log_of(*sequence, *[UNDO] * steps)
    assert shown(back.state) == ({}, (), frozenset())
    assert shown(log_of(*sequence, *[UNDO] * steps, *[REDO] * steps).state) == shown(log.state)


@given(st.lists(events, max_size=12), st.data())
def test_no_message_that_is_lost_late_or_doubled_changes_what_arrives(
    sequence: list[Mapping[str, Any]], data: st.DataObject
) -> None:
    """A grid sends all that is not acknowledged; some messages are lost, some come twice, or late."""
    log, sent, acked = GridLog(3), list(enumerate(sequence, 1)), 0
    messages: list[Message] = []
    for upto in range(1, len(sent) + 1):
        messages.append(Message("A", 3, 0, True, None, tuple(sent[acked:upto])))
        heard = data.draw(st.lists(st.sampled_from(messages), max_size=2))
        for message in heard:
            log = log.hear(message)
        acked = log.acked.get("A", 0)
        assert [event for _, _, event in log.entries] == sequence[:acked]
    log = log.hear(Message("A", 3, 0, True, None, tuple(sent[acked:])))
    assert [event for _, _, event in log.entries] == sequence


TWIN = """
import { readFileSync } from "node:fs";
import { Model } from "./src/model.js";
const told = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(told.map((events) => {
  const model = new Model();
  events.forEach((event) => model.apply(event));
  return model;
})));
"""


@settings(max_examples=5, deadline=None)
@given(st.lists(st.lists(events, max_size=20), min_size=40, max_size=60))
def test_the_browser_and_python_make_the_same_of_the_same_events(stories: list[list[Mapping[str, Any]]]) -> None:
    need(which("node"), "node is not installed")
    command = ["node", "--input-type=module", "--eval", TWIN]
    told = subprocess.run(command, input=json.dumps(stories), capture_output=True, text=True, check=True, cwd=GRID)
    assert json.loads(told.stdout) == [json.loads(json.dumps(log_of(*story).state.to_json())) for story in stories]
