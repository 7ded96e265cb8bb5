"""A rule as one line: read, and written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editing.condition import OPERATORS, Condition
from app.editing.rule import Rule, problems
from app.editing.sentence import BadSentence, parse
from app.editing.setting import ACTIONS, Setting
from app.editing.wording import sentence
from tests.app.moments import WORDS
from towline.contract import Contract

CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "volume", "type": "number"},
            {"name": "vessel", "type": "string"},
            {"name": "is_day", "type": "boolean"},
            {"name": "day", "type": "date"},
            {"name": "net `size` (m)", "type": "number"},
            {"name": "set", "type": "string"},
        ],
        "primaryKey": ["tow"],
        "towline": {"version": 1, "dataset": "nets"},
    }
)

columns = st.sampled_from(CONTRACT.names)
texts = st.sampled_from(
    [*WORDS[1:], '""', '""""', "1", "-1.5", "+2e3", ".5", "True", "2024-05-04", "where", "nan", "volume"]
) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=4)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from(list(OPERATORS)))
    takes = OPERATORS[operator]
    count = draw(st.integers(1, 3)) if takes is None else takes
    return Condition(draw(columns), operator, tuple(draw(texts) for _ in range(count)))


@st.composite
def settings(draw: st.DrawFn) -> Setting:
    action, column = draw(st.sampled_from(ACTIONS)), draw(columns)
    if action in ("value", "null"):
        return Setting(column, action, draw(texts) if action == "value" else "")
    is_computed = action in ("plus", "minus", "times", "divided by")
    text = draw(st.sampled_from(["1", "-1.5", "1e3"]) | columns) if is_computed else ""
    digits = draw(st.sampled_from(["1", "-2"])) if action == "rounded" or (is_computed and draw(st.booleans())) else ""
    return Setting(column, action, text, draw(columns), digits)


@given(
    st.lists(conditions(), max_size=3).map(tuple),
    st.lists(settings(), min_size=1, max_size=3, unique_by=lambda setting: setting.column).map(tuple),
    st.booleans(),
)
def test_every_rule_has_a_line_that_says_it(
    conditions: tuple[Condition, ...], settings: tuple[Setting, ...], is_any: bool
) -> None:
    sound = sound_parts(Rule(conditions, settings))
    rule = replace(sound, is_any=is_any and len(sound.conditions) > 1)
    read = parse(sentence(rule, CONTRACT), CONTRACT)
    assert trimmed(read) == trimmed(rule)


def sound_parts(rule: Rule) -> Rule:
    """The parts of a rule that can be understood, and one that sets something."""
    found = problems(rule, CONTRACT)
    conditions = (c for place, c in enumerate(rule.conditions) if place not in found.conditions)
    settings = tuple(s for place, s in enumerate(rule.settings) if place not in found.settings)
    return Rule(tuple(conditions), settings or (Setting("vessel", "null"),))


def trimmed(rule: Rule) -> Rule:
    """Around all but text, spaces do not count, and the line has none."""
    kept = ("contains", "begins with", "matches")
    conditions = [
        c
        if c.operator in kept or is_text(c.column)
        else Condition(c.column, c.operator, tuple(map(str.strip, c.texts)))
        for c in rule.conditions
    ]
    settings = [
        s if is_text(s.column) else Setting(s.column, s.action, s.text.strip(), s.source, s.digits)
        for s in rule.settings
    ]
    return Rule(tuple(conditions), tuple(settings), rule.is_any)


def is_text(column: str) -> bool:
    return CONTRACT.field(column).type == "string"


@given(
    st.text()
    | st.lists(st.sampled_from(["where", "set", "and", "volume", "=", '"a"', "1", "(", ",", "-", "`set`"])).map(
        " ".join
    )
)
def test_any_line_is_a_rule_or_is_refused_at_a_place(line: str) -> None:
    try:
        assert parse(line, CONTRACT).settings
    except BadSentence as refused:
        place = refused.at
    else:
        place = 0
    assert 0 <= place <= len(line)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("set volume = null", Rule((), (Setting("volume", "null"),))),
        (
            'WHERE vessel = "Sally ""S"" Ride" AND tow >= 2 '
            "SET volume = round(volume * 1.02, 1), `set` = upper(vessel)",
            Rule(
                (Condition("vessel", "is", ('Sally "S" Ride',)), Condition("tow", ">=", ("2",))),
                (
                    Setting("volume", "times", "1.02", "volume", "1"),
                    Setting("set", "upper case", source="vessel"),
                ),
            ),
        ),
        (
            "where day between 2024-05-04 and 2024-05-05 or tow in (1,-2) or is_day != true set volume=volume-2",
            Rule(
                (
                    Condition("day", "between", ("2024-05-04", "2024-05-05")),
                    Condition("tow", "one of", ("1", "-2")),
                    Condition("is_day", "is not", ("True",)),
                ),
                (Setting("volume", "minus", "2", "volume"),),
                is_any=True,
            ),
        ),
        (
            'where vessel = "" and volume is not null and vessel begins with "" set `net ``size`` (m)` = volume',
            Rule(
                (
                    Condition("vessel", "is", ('""',)),
                    Condition("volume", "is not null"),
                    Condition("vessel", "begins with", ("",)),
                ),
                (Setting("net `size` (m)", "column", source="volume"),),
            ),
        ),
    ],
)
def test_a_line_is_read_as_it_is_meant(line: str, rule: Rule) -> None:
    assert parse(line, CONTRACT) == rule


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "“where” or “set” is due at character 1; the line ends there"),
        ("where", "a column is due at character 6; the line ends there"),
        ("where depth = 1 set tow = 1", "there is no column depth (character 7); there are tow, volume, vessel"),
        ("where vessel = Other set tow = 1", "a value (texts in quotation marks) is due at character 16; “Other” is"),
        ("where tow 1 set tow = 1", "a comparison (=, !=, <, <=, >, >=, is null, between"),
        ("where tow = 1 set tow", "“=” is due at character 22; the line ends there"),
        ("where tow = 1", "“and”, “or” or “set” is due at character 14"),
        (
            "where tow = 1 and day is null or tow = 2 set tow = 1",
            "“and” and “or” do not mix in one rule (character 31)",
        ),
        ('set vessel = "a', 'what begins with " at character 14 does not end'),
        ("set volume = 12,5", "a column is due at character 17; “5” is there"),
        ("set volume = volume *", "a number or a column is due at character 22"),
        ("set volume = round(volume)", "“,” is due at character 26; “)” is there"),
        ("set volume = 1 tow = 2", "a comma, or the end of the line, is due at character 16"),
        ("where set = 1 set tow = 1", "a column is due at character 7; “set” is there"),
    ],
)
def test_a_line_that_is_no_rule_is_refused_with_what_is_due_and_where(line: str, says: str) -> None:
    with pytest.raises(BadSentence) as refused:
        parse(line, CONTRACT)
    assert says in str(refused.value)
