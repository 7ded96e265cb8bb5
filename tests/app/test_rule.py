"""Many cells by rule: which rows are meant, and what becomes of their cells."""

from __future__ import annotations

import math
import operator
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.editing.arithmetic import Stuck, computed, rounded
from app.editing.cells import Misfit, Text, text_of, value_of
from app.editing.condition import OPERATORS, Condition
from app.editing.gridlog import GridLog, State
from app.editing.now import Now
from app.editing.preview import Preview, gained
from app.editing.rule import Rule, meant, preview, problems
from app.editing.setting import ACTIONS, ARITHMETIC, LETTERS, Setting
from app.editing.typed import BadRule
from tests.app.moments import COLUMNS, moments, shown
from tests.app.sheets import CONTRACT, row, sheet
from towline.values import Value, same

columns = st.sampled_from(COLUMNS)
operands = st.sampled_from(["0", "1", "1.5", "2", "12", "a", "A", '""', "True", "2024-05-04", "-3.25", "nan", "(", ""])
conditions = st.builds(
    Condition, columns, st.sampled_from(list(OPERATORS)), st.lists(operands, min_size=1, max_size=3).map(tuple)
)
settings = st.builds(
    Setting,
    columns,
    st.sampled_from(ACTIONS),
    operands | columns,
    columns,
    st.sampled_from(["", "", "0", "1", "-1"]),
)
rules = st.builds(
    Rule,
    st.lists(conditions, max_size=3).map(tuple),
    st.lists(settings, min_size=1, max_size=2, unique_by=lambda setting: setting.column).map(tuple),
    st.booleans(),
)


def now(*rows: Any, **cells: dict[str, Text]) -> Now:
    """A sheet with texts on top, by row id: `now(r10={...})` is of tow 1, net 0."""
    return Now(sheet(*rows), State({f"{name[1]}|{name[2]}": texts for name, texts in cells.items()}))


def news(preview: Preview) -> dict[tuple[str, str], Text]:
    return {(cell.row, cell.column): cell.new for cell in preview.cells() if cell.problem is None}


def stuck(preview: Preview) -> dict[tuple[str, str], str]:
    return {(cell.row, cell.column): cell.problem for cell in preview.cells() if cell.problem is not None}


def one(setting: Setting, *conditions: Condition, **cells: Value) -> Preview:
    """A rule, tried on one net."""
    return preview(now(row(1, 0, **cells)), Rule(conditions, (setting,)))


UNKNOWN = object()  # the model's word for what does not fit its column


def value(moment: Now, place: int, column: str) -> Any:
    text = moment.texts(column)[place]
    try:
        (text or "").encode()
        return value_of(text, CONTRACT.field(column), CONTRACT.missing_values)
    except (Misfit, UnicodeEncodeError):
        return UNKNOWN


def is_meant(moment: Now, place: int, condition: Condition) -> bool:
    """One condition on one row, in plain words."""
    column, operator, texts = condition.column, condition.operator, condition.texts
    text, held = moment.texts(column)[place], value(moment, place, column)
    if operator in ("is null", "is not null"):
        return (text is None) == (operator == "is null")
    if operator in ("contains", "begins with", "matches"):
        return text is not None and is_found(text, operator, texts[0])
    if operator in ("is", "is not", "one of"):
        is_one = held is not UNKNOWN and any(same(held, wanted(each, column)) for each in texts[: OPERATORS[operator]])
        return is_one != (operator == "is not")
    if held is UNKNOWN or held is None:
        return False
    low = wanted(texts[0], column)
    return {
        "<": lambda: held < low,
        "<=": lambda: held <= low,
        ">": lambda: held > low,
        ">=": lambda: held >= low,
        "between": lambda: low <= held <= wanted(texts[1], column),
    }[operator]()


def is_found(text: str, operator: str, wanted: str) -> bool:
    if operator == "matches":
        return re.search(wanted, text) is not None
    at = text.casefold().find(wanted.casefold())
    return at == 0 if operator == "begins with" else at >= 0


def wanted(text: str, column: str) -> Any:
    is_number = CONTRACT.field(column).type in ("integer", "number")
    return float(text) if is_number else value_of(text, CONTRACT.field(column))


@given(moments(), st.lists(conditions, max_size=3).map(tuple), st.booleans())
def test_a_rule_means_the_rows_that_one_would_pick_by_hand(
    moment: Now, conditions: tuple[Condition, ...], is_any: bool
) -> None:
    rule = Rule(conditions, (), is_any)
    assume(not problems(rule, CONTRACT).conditions)
    every = range(len(moment.ids))
    held = [[is_meant(moment, place, condition) for condition in conditions] for place in every]
    joined = any if is_any and conditions else all
    assert meant(moment, rule) == [place for place in every if joined(held[place])]


@given(moments(), settings.filter(lambda setting: setting.action not in (*ARITHMETIC, "rounded")))
def test_a_rule_sets_what_one_would_type_by_hand(moment: Now, setting: Setting) -> None:
    rule = Rule((), (setting,))
    assume(not problems(rule, CONTRACT))
    found = {cell.place: cell for cell in preview(moment, rule).cells()}
    for place in range(len(moment.ids)):
        old, cell = moment.texts(setting.column)[place], found.get(place)
        new = canonical(by_hand(moment, place, setting), setting.column)
        if new is UNKNOWN:
            assert cell is None or cell.problem is not None
        else:
            assert (cell.new if cell and not cell.problem else old) == new


def by_hand(moment: Now, place: int, setting: Setting) -> Any:
    """The text that a person would type."""
    if setting.action in ("value", "null"):
        return setting.text if setting.action == "value" else None
    if setting.action == "column":
        return moment.texts(setting.source)[place]
    held = value(moment, place, setting.source)
    return text_of(LETTERS[setting.action](held)) if isinstance(held, str) else held


def canonical(text: Any, column: str) -> Any:
    """A text as it is shown once it is read."""
    if text is UNKNOWN:
        return UNKNOWN
    try:
        (text or "").encode()
        return text_of(value_of(text, CONTRACT.field(column), CONTRACT.missing_values))
    except (Misfit, UnicodeEncodeError):
        return UNKNOWN


@given(moments(), rules)
def test_applying_does_what_the_preview_says_and_nothing_else_and_undo_takes_it_back(moment: Now, rule: Rule) -> None:
    assume(not problems(rule, CONTRACT))
    found = preview(moment, rule)
    log = GridLog(start=moment.state, state=moment.state).do(found.event())
    assert shown(Now(moment.sheet, log.state)) == {**shown(moment), **news(found)}
    assert found.total == len(news(found))
    assert {place[0] for place in news(found)} <= {moment.ids[place] for place in meant(moment, rule)}
    if found.total:
        assert log.do({"undo": 1}).state.cells == moment.state.cells


@given(moments(), rules)
def test_any_rule_has_a_preview_or_problems(moment: Now, rule: Rule) -> None:
    found = problems(rule, CONTRACT)
    if found:
        with pytest.raises(BadRule):
            preview(moment, rule)
    else:
        assert isinstance(gained(preview(moment, rule)), tuple)


finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**63 - 1)
HAND: Mapping[str, Callable[[Fraction, Fraction], Fraction]] = {
    "plus": operator.add,
    "minus": operator.sub,
    "times": operator.mul,
    "divided by": operator.truediv,
}


@given(finite | whole, st.sampled_from(ARITHMETIC), finite | whole)
@example(3.047863692211529e16, "plus", 2.858114195475255e-88)  # a hair more than the middle of two floats
def test_a_result_is_the_nearest_to_what_one_works_out_by_hand_or_there_is_none(
    a: float, action: str, b: float
) -> None:
    if action == "divided by" and b == 0:
        with pytest.raises(Stuck, match="cannot be divided by 0"):
            computed(a, action, b)
        return
    exact = HAND[action](Fraction(repr(a)), Fraction(repr(b)))
    if abs(exact) > sys.float_info.max:
        with pytest.raises(Stuck, match="too large to be stored"):
            computed(a, action, b)
    elif isinstance(a, int) and isinstance(b, int) and exact.denominator == 1:
        assert computed(a, action, b) == exact
    else:
        assert computed(a, action, b) == exact.numerator / exact.denominator  # which Python rounds to the nearest


@pytest.mark.parametrize("a", [math.nan, math.inf])
def test_what_is_no_number_gives_none(a: float) -> None:
    with pytest.raises(Stuck, match="not a number that can be stored"):
        computed(a, "times", 2)
    with pytest.raises(Stuck, match="cannot be rounded"):
        rounded(a, 1)


@given(finite | whole, st.integers(-15, 15))
def test_rounding_is_that_of_the_decimals_that_are_shown(number: float, digits: int) -> None:
    with localcontext(prec=800):
        exact = Decimal(repr(number))
        expected = (exact.scaleb(digits)).to_integral_value(ROUND_HALF_UP).scaleb(-digits)
    assert rounded(number, digits) == type(number)(expected)


@pytest.mark.parametrize(
    ("number", "digits", "result"),
    [(2.675, 2, "2.68"), (-0.4, 0, "0"), (1234, -2, "1200"), (-2.5, 0, "-3"), (3, 2, "3")],
)
def test_halves_go_away_from_zero(number: float, digits: int, result: str) -> None:
    assert text_of(rounded(number, digits)) == result


# Examples, as they are documented.


def test_numbers_are_computed_and_shown_shortest() -> None:
    setting = Setting("volume", "times", "1.025", "volume")
    assert news(one(setting, volume=1349.6)) == {("1|0", "volume"): "1383.34"}  # in binary, 1383.3399999999997
    assert news(one(Setting("volume", "times", "1.02", "volume", "1"), volume=1786.2)) == {("1|0", "volume"): "1821.9"}


def test_a_column_can_be_computed_from_two_others() -> None:
    moment = now(row(3, 2, volume=9.0), row(3, 0, volume=9.0))
    found = preview(moment, Rule((), (Setting("volume", "divided by", "net", "volume"),)))
    assert news(found) == {("3|2", "volume"): "4.5"}
    assert stuck(found) == {("3|0", "volume"): "9 cannot be divided by 0"}


def test_whole_numbers_stay_whole_or_say_why_not() -> None:
    assert news(one(Setting("net", "plus", "2", "tow"))) == {("1|0", "net"): "3"}
    found = preview(now(row(3, 1)), Rule((), (Setting("net", "divided by", "2", "tow"),)))
    assert "this column has no decimals" in stuck(found)["3|1", "net"]
    assert found.event() == {"set": []}


def test_an_overflow_is_a_problem_and_the_cell_stays() -> None:
    found = one(Setting("volume", "times", "10", "volume"), volume=1e308)
    assert stuck(found) == {("1|0", "volume"): "1e+308 * 10 is too large to be stored"}
    assert (found.total, found.stuck) == (0, 1)


def test_a_null_gives_a_null_and_a_misfit_gives_a_problem() -> None:
    setting = Setting("volume", "plus", "1", "volume")
    assert not one(setting, volume=None).cells()
    found = preview(now(row(1, 0), r10={"volume": "12,5"}), Rule((), (setting,)))
    assert stuck(found) == {("1|0", "volume"): "what volume holds does not fit its column; mend it first"}


def test_all_settings_see_what_was_there_before_the_rule() -> None:
    found = preview(
        now(row(1, 2)), Rule((), (Setting("tow", "column", source="net"), Setting("net", "column", source="tow")))
    )
    assert news(found) == {("1|2", "tow"): "2", ("1|2", "net"): "1"}


def test_texts_are_trimmed_and_their_letters_changed() -> None:
    assert news(one(Setting("vessel", "trimmed", source="vessel"), vessel=" a ")) == {("1|0", "vessel"): "a"}
    assert news(one(Setting("vessel", "trimmed", source="vessel"), vessel="  ")) == {("1|0", "vessel"): '""'}
    assert news(one(Setting("vessel", "upper case", source="vessel"), vessel="é")) == {("1|0", "vessel"): "É"}


def test_a_date_is_compared_as_a_date_and_a_null_with_nothing() -> None:
    moment = now(row(1, 0, day=date(2024, 5, 4)), row(1, 1))
    for comparison, text, places in (("<", "2024-05-05", [0]), (">=", "2024-05-05", []), ("is not", "2024-05-04", [1])):
        assert meant(moment, Rule((Condition("day", comparison, (text,)),))) == places


def test_whole_numbers_can_be_compared_with_any_number() -> None:
    assert meant(now(row(2, 0), row(3, 0)), Rule((Condition("tow", ">", ("2.5",)),))) == [1]


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (Condition(""), "choose a column"),
        (Condition("depth", "is", ("1",)), "no column 'depth'"),
        (Condition("volume", "is", ("12,5",)), "it has a comma"),
        (Condition("volume", "is", ("",)), "write a value"),
        (Condition("volume", "is", ("NA",)), "'NA' means null in volume; choose “is null”"),
        (Condition("volume", "between", ("1",)), "write two values"),
        (Condition("volume", "between", ("2", "1")), "'2' is more than '1'; write the smaller one first"),
        (Condition("is_day", "<", ("True",)), "neither is more; choose “is”"),
        (Condition("day", "<", ("5 May",)), "write it like 2024-05-04"),
        (Condition("vessel", "matches", ("(",)), "this is no regular expression: missing )"),
        (Condition("vessel", "one of", ()), "write a value"),
        (Condition("vessel", "sounds like", ("a",)), "is no comparison; choose one of is, is not"),
    ],
)
def test_a_condition_that_cannot_be_understood_says_why(condition: Condition, says: str) -> None:
    (said,) = problems(Rule((condition,), (Setting("volume", "null"),)), CONTRACT).conditions.values()
    assert says in said


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (Setting(""), "choose a column"),
        (Setting("volume"), "write a value"),
        (Setting("volume", text="12,5"), "it has a comma"),
        (Setting("volume", text="null"), "'null' means null in volume; choose “null”"),
        (Setting("volume", "column"), "choose a column"),
        (Setting("volume", "times", "2", "vessel"), "vessel holds text; “times” needs a column of numbers"),
        (Setting("volume", "times", "", "volume"), "write a number, or a column of numbers"),
        (Setting("volume", "times", "1,02", "volume"), "it has a comma"),
        (Setting("volume", "times", "vessel", "volume"), "vessel holds text; “times” needs a column of numbers"),
        (Setting("volume", "times", "NA", "volume"), "is not a number"),
        (Setting("volume", "times", "null", "volume"), "'null' is no number"),
        (Setting("volume", "rounded", source="volume"), "to how many digits?"),
        (Setting("volume", "rounded", source="volume", digits="1.5"), "to how many digits?"),
        (Setting("is_day", "plus", "1", "volume"), "is_day holds True or False; a number does not fit there"),
        (Setting("vessel", "trimmed", source="volume"), "volume holds numbers; “trimmed” needs a column of text"),
        (Setting("volume", "squared"), "cannot be done; choose one of value, null"),
    ],
)
def test_a_setting_that_cannot_be_understood_says_why(setting: Setting, says: str) -> None:
    (said,) = problems(Rule((), (setting,)), CONTRACT).settings.values()
    assert says in said


def test_a_rule_that_sets_nothing_or_one_column_twice_says_so() -> None:
    assert problems(Rule(), CONTRACT).whole == "say what is to be set"
    twice = Rule((), (Setting("volume", "null"), Setting("volume", text="1")))
    assert problems(twice, CONTRACT).settings == {1: "volume is set above already; take one of the two away"}


def test_a_preview_tells_what_the_contract_would_say() -> None:
    moment = now(row(1, 0), row(1, 1, volume=-5.0))
    assert gained(preview(moment, Rule((), (Setting("volume", text="-1"),)))) == (1, 0)
    assert gained(preview(moment, Rule((), (Setting("volume", text="1"),)))) == (-1, 0)
