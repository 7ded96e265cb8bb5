"""Find and replace, in what the grid shows now."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editing.cells import Misfit, Text, text_of, value_of
from app.editing.find import Query, find, replaced
from app.editing.gridlog import GridLog, State
from app.editing.now import Now, meanings
from app.editing.patterns import BadPattern
from app.editing.preview import Preview
from tests.app.moments import COLUMNS, WORDS, moments, shown, typed
from tests.app.sheets import CONTRACT, row, sheet

queries = st.builds(
    Query,
    st.sampled_from(["", "a", "1", "ab", '"', ".", "2024", "True", "é", "\\"]) | st.text(max_size=2),
    st.booleans(),
    st.booleans(),
    st.just(False),
    st.sampled_from([False, False, False, True]),
    st.lists(st.sampled_from(COLUMNS), unique=True).map(tuple),
)


def now(*rows: Any, **cells: dict[str, Text]) -> Now:
    """A sheet with texts on top, by row id: `now(r10={...})` is of tow 1, net 0."""
    typed = {f"{name[1]}|{name[2]}": texts for name, texts in cells.items()}
    return Now(sheet(*rows), State(typed))


def news(preview: Preview) -> dict[tuple[str, str], Text]:
    """What the preview lists as new, problems left out."""
    return {(cell.row, cell.column): cell.new for cell in preview.cells() if cell.problem is None}


def canonical(text: Text, column: str) -> tuple[Text, bool]:
    """A text as it is shown once it is read, and whether it fits."""
    try:
        (text or "").encode()
        return text_of(value_of(text, CONTRACT.field(column), CONTRACT.missing_values)), True
    except (Misfit, UnicodeEncodeError):
        return text, False


@given(moments())
def test_the_columns_hold_what_the_grid_shows(moment: Now) -> None:
    texts = {(row, name): text for name in COLUMNS for row, text in zip(moment.ids, moment.texts(name), strict=True)}
    assert texts == shown(moment)


@given(st.lists(typed), st.sampled_from([f.name for f in CONTRACT.fields]))
def test_many_texts_mean_what_each_of_them_means(texts: list[Text], column: str) -> None:
    field = CONTRACT.field(column)
    meant = meanings(texts, field, CONTRACT.missing_values)
    for text in texts:
        said, fits = canonical(text, column)
        assert (text_of(meant[text]) if fits else meant[text].value) == (said if fits else "a text that does not fit")


@given(moments(), queries, typed)
def test_the_preview_is_what_a_plain_search_through_all_cells_finds(moment: Now, query: Query, new: Text) -> None:
    try:
        preview = replaced(moment, query, new)
    except BadPattern:
        assert new is not None
        assert "\ud800" in new
        return
    expected: dict[tuple[str, str], Text] = {}
    for (each, column), text in shown(moment).items():
        changed = plainly_replaced(text, query, new) if column in columns(query) else text
        said, fits = canonical(changed, column)
        if said != text and fits and is_hit(text, query) and column in columns(query):
            expected[each, column] = said
    assert news(preview) == expected
    assert preview.total == len(expected)
    assert len(preview.places) == len({each for each, _ in expected})


def columns(query: Query) -> tuple[str, ...]:
    return query.columns or tuple(name for name in COLUMNS if name not in CONTRACT.key)


def is_hit(text: Text, query: Query) -> bool:
    if query.is_null:
        return text is None
    return text is not None and query.text != "" and plain(query).search(text) is not None


def plain(query: Query) -> re.Pattern[str]:
    bare = re.escape(query.text)
    return re.compile(rf"\A(?:{bare})\Z" if query.whole else bare, 0 if query.match_case else re.IGNORECASE)


def plainly_replaced(text: Text, query: Query, new: Text) -> Text:
    if not is_hit(text, query) or new is None or text is None:
        return new if is_hit(text, query) else text
    return plain(query).sub(lambda _: new, text)


@given(moments(), queries, st.sampled_from(WORDS) | st.none(), st.booleans())
def test_applying_does_what_the_preview_says_and_nothing_else_and_undo_takes_it_back(
    moment: Now, query: Query, new: Text, with_unfit: bool
) -> None:
    preview = replaced(moment, query, new)
    log = GridLog(start=moment.state, state=moment.state).do(preview.event(with_unfit=with_unfit))
    applied = {(c.row, c.column): c.new for c in preview.cells() if c.problem is None or with_unfit}
    assert shown(Now(moment.sheet, log.state)) == {**shown(moment), **applied}
    assert preview.size(with_unfit=with_unfit) == (len(applied), len({row for row, _ in applied}))
    if applied:
        assert len(log.state.past) == 1
        assert log.do({"undo": 1}).state.cells == moment.state.cells


@given(moments(), queries)
def test_find_and_replace_find_the_same_cells(moment: Now, query: Query) -> None:
    hits = find(moment, query)
    assert hits.total == len(hits.cells()) == sum(is_hit(text, query) for text in searched(moment, query))
    assert hits.rows == replaced(moment, query, "x").found
    assert len(hits.cells(2)) == min(2, hits.total)


def searched(moment: Now, query: Query) -> list[Text]:
    return [text for (_, column), text in shown(moment).items() if column in columns(query)]


@given(moments(), queries, st.sampled_from(WORDS), st.data())
def test_what_is_ticked_off_stays_as_it_is(moment: Now, query: Query, new: str, data: st.DataObject) -> None:
    preview = replaced(moment, query, new)
    cells = preview.cells()
    off = data.draw(st.lists(st.sampled_from(cells), unique=True)) if cells else []
    column = data.draw(st.sampled_from(COLUMNS))
    left = preview.without([column], {(cell.place, cell.column) for cell in off})
    assert left.cells() == [cell for cell in cells if cell not in off and cell.column != column]
    assert left.total == sum(cell.problem is None for cell in left.cells())


def test_the_key_is_left_alone_unless_it_is_asked_for() -> None:
    moment = now(row(1, 0, volume=1.0), row(1, 1, volume=1.0))
    assert {cell.column for cell in find(moment, Query("1")).cells()} == {"volume"}
    asked = find(moment, Query("1", columns=("tow",))).cells()
    assert [(cell.row, cell.column) for cell in asked] == [("1|0", "tow"), ("1|1", "tow")]


def test_a_part_of_a_cell_is_replaced_and_the_rest_stays() -> None:
    assert news(replaced(now(row(1, 0, vessel="Sally Ride")), Query("sally"), "R/V Sally")) == {
        ("1|0", "vessel"): "R/V Sally Ride"
    }


def test_what_is_typed_on_top_of_the_sheet_is_what_is_searched() -> None:
    moment = now(row(1, 0, vessel="Ride"), r10={"vessel": "Meridian"})
    assert not find(moment, Query("Ride")).total
    assert find(moment, Query("Meridian")).total == 1


def test_a_misfit_is_found_and_can_be_mended() -> None:
    moment = now(row(1, 0), r10={"volume": "12,5"})
    assert news(replaced(moment, Query(",", columns=("volume",)), ".")) == {("1|0", "volume"): "12.5"}


def test_what_would_not_fit_is_listed_first_with_the_reason_and_left_out() -> None:
    moment = now(row(1, 0, volume=3.0), row(1, 1, volume=1.5))
    preview = replaced(moment, Query(".", columns=("volume", "vessel")), ",")
    assert (preview.total, preview.unfit) == (0, 1)
    (cell,) = preview.cells()
    assert (cell.row, cell.old, cell.new) == ("1|1", "1.5", "1,5")
    assert "it has a comma" in str(cell.problem)
    assert preview.event() == {"set": []}
    assert preview.event(with_unfit=True) == {"set": [[["1|1"], ["volume"], "1,5"]]}


def test_nulls_are_found_and_filled_and_the_empty_text_is_none() -> None:
    moment = now(row(1, 0, vessel=None), row(1, 1, vessel=""))
    filled = replaced(moment, Query(is_null=True, columns=("vessel",)), "Other")
    assert news(filled) == {("1|0", "vessel"): "Other"}
    assert news(replaced(moment, Query('""', columns=("vessel",)), "Other")) == {("1|1", "vessel"): "Other"}


def test_null_takes_all_of_the_cell_and_so_does_a_text_that_means_null() -> None:
    moment = now(row(1, 0, vessel="Sally Ride", volume=99.0))
    assert news(replaced(moment, Query("Ride"), None)) == {("1|0", "vessel"): None}
    assert news(replaced(moment, Query("99"), "NA")) == {("1|0", "volume"): None}
    assert news(replaced(moment, Query("Sally Ride"), "")) == {("1|0", "vessel"): None}


def test_groups_of_a_regular_expression_can_be_put_in() -> None:
    moment = now(row(1, 0, vessel="Ride, Sally"))
    assert news(replaced(moment, Query(r"(\w+), (\w+)", regex=True), r"\2 \1")) == {("1|0", "vessel"): "Sally Ride"}
    assert news(replaced(moment, Query("Ride"), r"\1")) == {("1|0", "vessel"): r"\1, Sally"}


@pytest.mark.parametrize(
    ("query", "new", "says"),
    [
        (Query("(", regex=True), "", "this is no regular expression: missing )"),
        (Query("(?=a)", regex=True), "", "invalid perl operator"),
        (Query("a" * 1001), "", "1,001 characters; 1,000 are the most"),
        (Query("a{999}a{999}", regex=True), "", "1,998 repetitions"),
        (Query("\ud800"), "", "half a character"),
        (Query("(a)", regex=True), r"\2", r"write \1 to \9 for groups that it has"),
        (Query("(a)", regex=True), "\\t", r"\\ for a backslash"),
        (Query("a"), "x" * 10_001, "10,001 characters; 10,000 are the most"),
        (Query("a"), "\ud800", "all whole"),
    ],
)
def test_what_cannot_be_searched_or_put_in_is_refused_with_the_reason(query: Query, new: str, says: str) -> None:
    with pytest.raises(BadPattern) as refused:
        replaced(now(row(1, 0, vessel="banana")), query, new)
    assert says in str(refused.value)


def test_a_pattern_that_would_make_an_endless_text_is_refused() -> None:
    long = row(1, 0, vessel="a" * 10_000)
    with pytest.raises(BadPattern, match=r"would make 100,010,000 characters"):
        replaced(now(long), Query("a"), "x" * 10_000)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", "(.*)*x", "(a?){30}a{30}", "(?:(?:a{10}){10}){10}b"])
def test_patterns_that_hang_others_end_here(pattern: str) -> None:
    many = [row(tow, 0, vessel="a" * 5_000) for tow in range(1, 10)]
    assert find(now(*many), Query(pattern, regex=True)).total in (0, 9)


def test_a_pattern_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.editing.patterns.PATIENCE", -1.0)
    many = [row(tow, 0, vessel=str(tow) + "a" * 9_000) for tow in range(1, 10)]
    with pytest.raises(BadPattern, match="takes too long"):
        find(now(*many), Query("x"))


def test_a_block_is_one_a_column_and_says_one_text_once() -> None:
    moment = now(*(row(tow, 0, vessel="x", volume=float(tow)) for tow in range(1, 4)))
    assert replaced(moment, Query("x"), "y").event() == {"set": [[["1|0", "2|0", "3|0"], ["vessel"], "y"]]}
    (block,) = replaced(moment, Query("[123]", regex=True), r"\0\0").event()["set"]
    assert block == [["1|0", "2|0", "3|0"], ["volume"], [["11"], ["22"], ["33"]]]
