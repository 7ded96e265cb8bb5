"""What was typed while a proposal was under way is an edit of what was committed, also where it takes that back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from app.editing.cells import Text
from app.editing.edits import Edits, RowId, settled
from app.editing.pending import review
from app.editing.sheet import Sheet
from app.editing.since import since
from tests.app.sheets import CONTRACT, edits, row, sheet

OLD = sheet(row(1, 0), row(1, 1), row(2, 0))


def test_what_was_sent_is_no_edit_any_more_and_what_came_after_is() -> None:
    sent = edits(r10={"volume": "12.25"})
    assert not since(OLD, sent, sent)[1]
    late = edits(r10={"volume": "13", "vessel": "late"}, r11={"vessel": "x"})
    base, left = since(OLD, sent, late)
    assert base.rows[1, 0]["volume"] == 12.25
    assert left == late


def test_what_was_taken_back_since_is_an_edit_of_what_was_committed() -> None:
    sent = Edits({(1, 0): {"volume": "3"}, 1: {"tow": "9", "net": "0"}}, frozenset({(2, 0)}), (1,))
    base, left = since(OLD, sent, Edits())
    assert left.cells[1, 0] == {"volume": "10.5"}
    assert left.deleted == {(9, 0)}
    (serial,) = left.added
    assert left.cells[serial]["vessel"] == "Meridian"
    assert shown(base, left) == shown(OLD, Edits())


def test_an_added_row_that_was_sent_can_be_typed_into_and_get_another_key() -> None:
    sent = Edits({1: {"tow": "9", "net": "0"}}, added=(1,))
    late = Edits({1: {"tow": "9", "net": "0", "vessel": "x"}, 2: {"tow": "8"}}, added=(1, 2))
    assert since(OLD, sent, late)[1] == Edits({(9, 0): {"vessel": "x"}, 2: {"tow": "8"}}, added=(2,))
    other = Edits({1: {"tow": "8", "net": "0"}}, added=(1,))
    assert since(OLD, sent, other)[1] == Edits({(9, 0): {"tow": "8"}})


def shown(on: Sheet, mine: Edits) -> Counter[tuple[tuple[str, Text], ...]]:
    """The rows as the grid shows them, in no order."""
    rows = [{**on.texts(key), **mine.cells.get(key, {})} for key in on.rows if key not in mine.deleted]
    rows += [{**dict.fromkeys(CONTRACT.names), **mine.cells[serial]} for serial in mine.added]
    return Counter(tuple((column, texts[column]) for column in CONTRACT.names) for texts in rows)


TYPED = {"volume": ["1", "2", None, "1,5"], "vessel": ["a", "b", None], "net": ["0", "1", "5", "6"]}


@st.composite
def some_edits(draw: st.DrawFn) -> Edits:
    texts = {name: st.sampled_from(typed) for name, typed in TYPED.items()}
    some = st.fixed_dictionaries({}, optional=texts)
    deleted = draw(st.sets(st.sampled_from(sorted(OLD.rows))))
    cells: dict[RowId, Mapping[str, Text]] = {key: draw(some) for key in OLD.rows if key not in deleted}
    for serial in draw(st.sets(st.integers(1, 3))):
        cells[serial] = {"tow": "9", "net": str(serial), **draw(some)}
    added = tuple(row for row in cells if isinstance(row, int))
    return settled(OLD, Edits(cells, frozenset(deleted), added))


@settings(max_examples=300, deadline=None)
@given(sent=some_edits().filter(lambda sent: review(OLD, sent).ready), now=some_edits())
def test_the_grid_shows_the_same_before_and_after(sent: Edits, now: Edits) -> None:
    base, left = since(OLD, sent, now)
    assert shown(base, left) == shown(OLD, now)
