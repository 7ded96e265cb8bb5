"""What the grid may show at a moment: sheets with anything in them, and anything typed on top."""

from __future__ import annotations

from hypothesis import strategies as st

from app.editing.cells import Text, text_of
from app.editing.gridlog import State
from app.editing.now import Now
from app.editing.sheet import Sheet, row_id
from tests.app.sheets import CONTRACT, row, sheet
from towline.values import Value

# Few of each kind, so that searches find something and rules meet.
WORDS = ("", "a", "A", "aa", "ab", 'b"', '""', "null", "12", "é", " a ", "a\nb", "\\1")
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "volume": st.sampled_from([0.0, 1.5, 2.0, 12.0, -3.25, 0.1, 1e300, float("nan"), float("inf")]),
    "vessel": st.sampled_from(WORDS) | st.text(max_size=3),
    "is_day": st.booleans(),
    "day": st.dates(),
    "start": st.datetimes(),
}
COLUMNS = CONTRACT.names
KEYS = [(tow, net) for tow in range(1, 4) for net in range(2)]

# What people type: values, and what does not fit everywhere.
typed: st.SearchStrategy[Text] = (
    st.none()
    | st.sampled_from([*WORDS, "12,5", "1.50", "007", "True", "2024-05-04", "NA", "\ud800"])
    | st.text(max_size=3)
)


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True))
    cells = st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()})
    return sheet(*(row(tow, net, **draw(cells)) for tow, net in keys))


@st.composite
def moments(draw: st.DrawFn) -> Now:
    """A sheet with texts typed over it, rows added, and rows deleted."""
    held = draw(sheets())
    ids = [row_id(key) for key in held.rows]
    fresh = draw(st.sampled_from([(), ("n1",), ("n1", "n2")]))
    texts = st.dictionaries(st.sampled_from(COLUMNS), typed, min_size=1, max_size=3)
    cells = draw(st.dictionaries(st.sampled_from([*ids, *fresh, "gone"]), texts, max_size=4))
    deleted = draw(st.lists(st.sampled_from([*ids, *fresh]), max_size=2))
    return Now(held, State(cells, tuple((each, None) for each in fresh), dict.fromkeys(deleted)))


def shown(now: Now) -> dict[tuple[str, str], Text]:
    """Every cell's text by row id and column, put together cell by cell."""
    texts: dict[tuple[str, str], Text] = {}
    for key, held in now.sheet.rows.items():
        texts.update({(row_id(key), name): text_of(value) for name, value in held.items()})
    texts.update({(each, name): None for each, _ in now.state.added for name in COLUMNS})
    for each, cells in now.state.cells.items():
        texts.update({(each, name): text or None for name, text in cells.items() if (each, name) in texts})
    return {place: text for place, text in texts.items() if place[0] not in now.state.deleted}
