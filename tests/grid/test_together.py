"""The grid's own modules and Python's log, talking over a line that loses, delays and repeats.

Whatever a person does, in whatever view, and however often the page is loaded again: no edit is lost, and none is on
the wrong row."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from shutil import which
from typing import Any

import pytest

from app.editing.cells import Misfit, value_of
from app.editing.gridlog import REDO, UNDO, UNTOUCHED, GridLog, Message
from app.editing.gridsheet import edits_of, row_id, table_json
from app.editing.pending import review
from tests.app import sheets
from tests.needs import need
from towline.values import Row, Value

PERSON = Path(__file__).with_name("person.js")
SHEET = sheets.sheet(
    sheets.row(1, 0, volume=3.0, vessel="p"),
    sheets.row(1, 1, volume=1.0, vessel=None),
    sheets.row(2, 0, volume=None, vessel="q", is_day=False),
    sheets.row(2, 1, volume=2.0, vessel=""),
    sheets.row(3, 0, volume=10.0, vessel="P"),
)
TABLE = table_json(SHEET)
COLUMNS = [column["name"] for column in TABLE["columns"]]
IDS = [row_id(key) for key in SHEET.rows]
_TEXTS = zip(*TABLE["texts"], strict=True)
BASE = {row: dict(zip(COLUMNS, texts, strict=True)) for row, texts in zip(IDS, _TEXTS, strict=True)}
TEXTS = ["7", "12,5", '""', None, "p", "10", "2", "True", "2024-05-04", "3.50", "NA"]
QUERIES = [
    {"filters": {}},
    {"filters": {"volume": ">1"}},
    {"filters": {"vessel": "null"}},
    {"filters": {"tow": "=1", "volume": "!null"}},
    {"search": "p"},
    {"search": ""},
    {"only": "changed"},
    {"only": ""},
    {"sort": []},
    {"sort": [{"name": "volume", "descending": True}]},
    {"sort": [{"name": "vessel", "descending": False}, {"name": "net", "descending": True}]},
]


class Line:
    """A program that is told, and answers, line by line."""

    def __init__(self) -> None:
        self.program = subprocess.Popen(["node", str(PERSON)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, **words: Any) -> Mapping[str, Any]:
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        self.program.stdin.write(json.dumps(words) + "\n")
        self.program.stdin.flush()
        answer: Mapping[str, Any] = json.loads(self.program.stdout.readline())
        return answer

    def close(self) -> None:
        self.program.communicate(timeout=10)


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    need(which("node"), "node is not installed")
    talk = Line()
    yield talk
    talk.close()


class Story:
    """One session: a grid, Python's log, and the line between them."""

    def __init__(self, line: Line, seed: int) -> None:
        self.line, self.chance = line, Random(seed)  # noqa: S311 - a story to be told again, no secret
        self.log = GridLog(seed)
        self.up: list[Message] = []
        self.now = line.tell(act="open")
        self.talk()

    @property
    def shown(self) -> list[str]:
        """The rows on the screen."""
        return [each[0] for each in self.now["shown"]]

    @property
    def texts(self) -> dict[str, list[str | None]]:
        """What stands in them."""
        return {each[0]: each[1] for each in self.now["shown"]}

    def talk(self) -> None:
        """All that is to be said is said, both ways, until nobody has anything new."""
        for _ in range(5):
            self.deliver(self.message())
            if not self.now["message"]["events"] and self.now["message"]["seen"] == self.log.version:
                return
        raise AssertionError(self.now)

    def message(self) -> Message:
        heard = Message.read(self.now["message"])
        assert heard is not None
        return heard

    def deliver(self, message: Message) -> None:
        self.log = self.log.hear(message)
        answer = self.log.answer(message)
        self.now = self.line.tell(act="hear", answer={**answer, "table": TABLE} if "state" in answer else answer)

    def do(self, deed: str, **how: Any) -> None:
        self.now = self.line.tell(act="do", deed=deed, **how)

    def look(self, query: Mapping[str, Any] | None = None) -> None:
        self.now = self.line.tell(act="look", query=query or self.chance.choice(QUERIES))

    def look_at_all(self) -> None:
        self.look({"filters": {}, "search": "", "only": "", "sort": []})

    def lossy(self) -> None:
        """A message sets out; of all that are under way one arrives, old or new, perhaps for the second time."""
        self.up.append(self.message())
        if self.chance.random() < 0.7:
            self.deliver(self.chance.choice(self.up))

    def reload(self) -> None:
        """The page is loaded again once all is said: another instance."""
        self.talk()
        self.now = self.line.tell(act="open")
        self.talk()

    def page(self) -> None:
        """A button of the page, while the grid may have more to say."""
        self.log = self.log.do(self.button())

    def epoch(self) -> None:
        """Another commit is loaded, with the edits on top, while the grid may have more to say."""
        self.log = self.log.restart(self.log.state)

    def button(self) -> Mapping[str, Any]:
        """What the page can ask for: a step, a rule, a cell, a row or an added row taken back."""
        state, chance = self.log.state, self.chance
        reverts: list[Mapping[str, Any]] = [
            {"set": [[[each], list(texts), UNTOUCHED]], "rest": [each]} for each, texts in state.cells.items()
        ]
        reverts += [{"set": [[[each], [name], UNTOUCHED]]} for each, texts in state.cells.items() for name in texts]
        reverts += [{"rest": [each]} for each in state.deleted] + [{"del": [each]} for each, _ in state.added]
        rules: list[Mapping[str, Any]] = [UNDO, REDO, {"set": [[IDS[::3], ["volume"], "9"]]}, {"del": [IDS[1]]}]
        return chance.choice(reverts) if reverts and chance.random() < 0.6 else chance.choice(rules)


@dataclass
class Plain:
    """The plainest model there is: what was typed into every cell, by row; rows that were added, or deleted."""

    typed: dict[str, dict[str, str | None]] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)

    def copy(self) -> Plain:
        return Plain({row: dict(texts) for row, texts in self.typed.items()}, [*self.added], {*self.deleted})

    def write(self, rows: Iterable[str], texts: Mapping[str, str | None]) -> None:
        for row in rows:
            self.typed[row] = {**self.typed.get(row, {}), **texts}

    def take_back(self, rows: Iterable[str], columns: Iterable[str]) -> None:
        for row in {*rows} & {*self.typed}:
            self.typed[row] = {name: text for name, text in self.typed[row].items() if name not in columns}
            if not self.typed[row]:
                del self.typed[row]

    def text(self, row: str, name: str) -> str | None:
        return self.typed.get(row, {}).get(name, BASE[row][name] if row in BASE else None)

    def rows(self) -> Counter[str]:
        """The table that this is, as far as texts fit: every row by what it holds. An added row into which nothing but
        null was typed is none."""
        held = {row_id(key): values for key, values in SHEET.rows.items()}
        blank: Row = dict.fromkeys(SHEET.contract.names)
        fresh = [row for row in self.added if any(_fit(*each) != (None,) for each in self.typed.get(row, {}).items())]
        left = [row for row in (*held, *fresh) if row not in self.deleted]
        return Counter(repr(self._row(row, held.get(row, blank))) for row in left)

    def _row(self, row: str, held: Row) -> Row:
        fit = {name: _fit(name, text) for name, text in self.typed.get(row, {}).items()}
        return {name: fit[name][0] if fit.get(name) else value for name, value in held.items()}


def _fit(name: str, text: str | None) -> tuple[Value, ...]:
    """The value of a text, if it is one."""
    try:
        return (value_of(text, SHEET.contract.field(name), SHEET.contract.missing_values),)
    except Misfit:
        return ()


class Person:
    """Somebody who does things to the rows on the screen, and knows what they mean by it: the plain model, and every
    picture of it that undo leads back to."""

    def __init__(self, story: Story) -> None:
        self.story, self.chance = story, story.chance
        self.pictures, self.at = [Plain()], 0
        self.before: list[str] = []  # the rows on the screen when a block was chosen

    @property
    def plain(self) -> Plain:
        return self.pictures[self.at]

    def meant(self, change: Callable[[Plain], None]) -> None:
        """A step: what it changes, and that undo leads back from there. Nothing is no step."""
        then = self.plain.copy()
        change(then)
        if then != self.plain:
            self.pictures[self.at + 1 :] = [then]
            self.at += 1

    def block(self, most: int = 3) -> tuple[int, list[str], list[str]]:
        """Where a block begins, its rows, its columns."""
        self.before = self.story.shown
        at = self.chance.randrange(len(self.before) or 1)
        first = self.chance.randrange(len(COLUMNS))
        rows = self.before[at : at + self.chance.randint(1, most)]
        return at, rows, COLUMNS[first : first + self.chance.randint(1, 3)]

    def fresh(self, count: int) -> list[str]:
        """The rows that came, in the order in which they are shown."""
        fresh = [row for row in self.story.shown if row not in self.before]
        assert len(fresh) == count
        return fresh

    def write(self) -> None:
        """One cell, or a block, also past the last row."""
        at, rows, columns = self.block()
        height = max(1, self.chance.choice([len(rows), len(rows), len(rows) + 2]))
        rows = self.before[at : at + height]
        texts = [[self.chance.choice(TEXTS) for _ in columns] for _ in range(height)]
        self.story.do("write", at=at, height=len(rows), columns=columns, texts=texts)
        fresh = self.fresh(height - len(rows))

        def change(plain: Plain) -> None:
            plain.added += fresh
            for row, line in zip([*rows, *fresh], texts, strict=True):
                plain.write([row], dict(zip(columns, line, strict=True)))

        self.meant(change)

    def clear(self) -> None:
        at, rows, columns = self.block()
        self.story.do("clear", at=at, height=len(rows), columns=columns)
        self.meant(lambda plain: plain.write(rows, dict.fromkeys(columns)))

    def revert(self) -> None:
        at, rows, columns = self.block()
        self.story.do("revert", at=at, height=len(rows), columns=columns)

        def change(plain: Plain) -> None:
            plain.deleted -= set(rows)
            plain.take_back(rows, columns)

        self.meant(change)

    def fill(self) -> None:
        """The first row of a block into the others; into a block of one row, the row above it."""
        at, rows, columns = self.block()
        self.story.do("fill", at=at, height=len(rows), columns=columns)
        source, *targets = rows if len(rows) > 1 else [*self.before[max(0, at - 1) : at], *rows] or [""]
        texts = {name: self.plain.text(source, name) for name in columns if targets}
        self.meant(lambda plain: plain.write(targets, texts))

    def extend(self) -> None:
        """Drag the corner of a block down or up."""
        at, rows, columns = self.block(2)
        if not rows:
            return
        top, end = self.chance.choice([(at, at + len(rows) + 2), (max(0, at - 2), at + len(rows))])
        target, before = self.before[top:end], self.plain
        to = {"at": top, "height": len(target), "columns": columns, "before": {"rows": at - top, "columns": 0}}
        self.story.do("extend", at=at, height=len(rows), columns=columns, to=to)

        def change(plain: Plain) -> None:
            for place, row in enumerate(target, top - at):
                if row not in rows:
                    plain.write([row], {name: before.text(rows[place % len(rows)], name) for name in columns})

        self.meant(change)

    def add(self) -> None:
        at, rows, _ = self.block(1)
        count = self.chance.randint(1, 2)
        self.story.do("add", at=at, height=len(rows), count=count)
        fresh, shown = self.fresh(count), self.story.shown
        if rows:
            assert shown[shown.index(rows[0]) + 1 :][:count] == fresh  # below the row that was selected, in their order
        self.meant(lambda plain: plain.added.extend(fresh))

    def toggle(self) -> None:
        """Delete rows, or bring them back."""
        at, rows, _ = self.block(2)
        is_gone = set(rows) <= self.plain.deleted
        self.story.do("toggle", at=at, height=len(rows))

        def change(plain: Plain) -> None:
            plain.deleted = plain.deleted - set(rows) if is_gone else plain.deleted | set(rows)

        self.meant(change)

    def undo(self) -> None:
        self.story.do("step", event=UNDO)
        self.at = max(0, self.at - 1)

    def redo(self) -> None:
        self.story.do("step", event=REDO)
        self.at = min(len(self.pictures) - 1, self.at + 1)

    def step(self) -> None:
        """Whatever happens: what stands on the screen is what the person means, row by row."""
        story = self.story
        does = [self.write] * 6 + [self.fill, self.extend, self.clear, self.revert, self.add, self.toggle, self.toggle]
        does += [self.undo] * 3 + [self.redo] * 2 + [story.look] * 4 + [story.lossy] * 6 + [story.reload]
        self.chance.choice(does)()
        for row, texts in story.texts.items():
            assert texts == [self.plain.text(row, name) for name in COLUMNS]
            assert row in BASE or row not in self.plain.deleted


@pytest.mark.parametrize("seed", range(40))
def test_what_a_person_sees_and_what_python_knows_are_one(line: Line, seed: int) -> None:
    """With buttons of the page and other commits in between, in any order."""
    story = Story(line, seed)
    person = Person(story)
    deeds = [person.write, person.fill, person.clear, person.revert, person.add, person.toggle, person.undo] * 2
    others = [story.look, story.lossy, story.lossy, story.page] * 2
    for _ in range(60):
        story.chance.choice([*deeds, *others, story.reload, story.epoch])()
    story.talk()
    story.look_at_all()
    state = story.log.state
    for row, texts in story.texts.items():
        held = {**dict.fromkeys(COLUMNS), **BASE.get(row, {}), **state.cells.get(row, {})}
        assert texts == [held[name] for name in COLUMNS]
    added = {row for row, _ in state.added} - set(state.deleted)
    assert sorted(story.shown) == sorted(set(BASE) | added)


@pytest.mark.parametrize("seed", range(80))
def test_no_edit_is_lost_and_none_is_on_the_wrong_row(line: Line, seed: int) -> None:
    """Edit, paste, fill, add, delete, sort, filter, undo, redo, load the page again: what is submitted in the end is
    what a plain model makes of it."""
    story = Story(line, 1000 + seed)
    person = Person(story)
    for _ in range(60):
        person.step()
    story.talk()
    changes = review(SHEET, edits_of(story.log.state, SHEET)).changes
    after = Counter(repr(dict(row)) for row in SHEET.rows.values())
    after.subtract(repr(dict(change.old)) for change in changes if change.old is not None)
    after.update(repr(dict(change.new)) for change in changes if change.new is not None)
    assert min(after.values(), default=0) >= 0
    assert +after == person.plain.rows()
