"""A rule from one line. Pure; wording.py makes the line again.

where vessel = "Other" and net >= 2 set volume_filtered = round(volume_filtered * 1.02, 1), quality = null

line        [where CONDITION {and CONDITION | or CONDITION}] set SETTING {, SETTING}
condition   COLUMN = VALUE, != VALUE, < <= > >= VALUE, is [not] null, between VALUE and VALUE, contains TEXT,
            begins with TEXT, matches TEXT, one of (VALUE, ...)
setting     COLUMN = VALUE, null, COLUMN, COLUMN * NUMBER (also + - /, also a column for the number),
            round(any of the last two, DIGITS), trim(COLUMN), upper(COLUMN), lower(COLUMN)
value       12.5, 2024-05-04, true, or anything in quotation marks; one of these in a text is written twice
column      its name; in backquotes where it is not one plain word, or is one of this language
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from app.editing.cells import text_of
from app.editing.condition import Condition
from app.editing.rule import Rule
from app.editing.setting import ARITHMETIC, Setting
from app.editing.typed import BadRule
from towline.contract import Contract

_TOKENS = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"]|"")*")
  | (?P<name>`(?:[^`]|``)+`)
  | (?P<bare>\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?
           | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d]\w*)
  | (?P<sign><=|>=|!=|<>|==|[=<>(),+*/-])
  | (?P<bad>\S)
    )""",
    re.VERBOSE,
)

COMPARED = {"=": "is", "==": "is", "!=": "is not", "<>": "is not", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
TEXTUAL = ("contains", "begins with", "matches")
SIGNS = dict(zip("+-*/", ARITHMETIC, strict=True))
FUNCTIONS = {"trim": "trimmed", "upper": "upper case", "lower": "lower case"}
WORDS = {"where", "set", "and", "or", "is", "not", "null", "between", "contains", "begins", "with", "matches", "one"}
WORDS |= {"of", "in", "true", "false", "round", *FUNCTIONS}


class BadSentence(BadRule):
    """A line that is no rule. The message says what is due, and at which character; `at` is that, from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


def parse(line: str, contract: Contract) -> Rule:
    """The rule that a line says. Raises BadSentence; whether its values fit their columns is said by `problems`."""
    return _Reader(line, contract).rule()


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _tokens(line: str) -> Iterator[_Token]:
    for found in _TOKENS.finditer(line):
        kind = found.lastgroup or ""
        yield _Token(kind, found[kind], found.start(kind))
    yield _Token("end", "", len(line))


@dataclass
class _Reader:
    """Reads a line from left to right; `at` is the place of the token that is next."""

    line: str
    contract: Contract
    at: int = 0
    tokens: list[_Token] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = list(_tokens(self.line))

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def fail(self, due: str) -> BadSentence:
        kind, text, at = self.next
        if kind == "bad" and text in '"`':
            return BadSentence(f"what begins with {text} at character {at + 1} does not end; write another {text}", at)
        found = f"“{text}” is there" if text else "the line ends there"
        return BadSentence(f"{due} is due at character {at + 1}; {found}", at)

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def has(self, *words: str) -> bool:
        """Takes these words or signs where they come next, one after the other."""
        following = self.tokens[self.at : self.at + len(words)]
        is_there = [t.text.lower() if t.kind in ("word", "sign") else None for t in following] == list(words)
        self.at += len(words) * is_there
        return is_there

    def need(self, *words: str) -> None:
        if not self.has(*words):
            raise self.fail(f"“{' '.join(words)}”")

    def rule(self) -> Rule:
        conditions: list[Condition] = []
        is_any = False
        if self.has("where"):
            conditions, is_any = self.conditions()
        if not self.has("set"):
            raise self.fail("“and”, “or” or “set”" if conditions else "“where” or “set”")
        settings = [self.setting()]
        while self.has(","):
            settings.append(self.setting())
        if self.next.kind != "end":
            raise self.fail("a comma, or the end of the line,")
        return Rule(tuple(conditions), tuple(settings), is_any)

    def conditions(self) -> tuple[list[Condition], bool]:
        conditions = [self.condition()]
        is_any = self.next.text.lower() == "or"
        while self.has("or" if is_any else "and"):
            conditions.append(self.condition())
        if self.next.kind == "word" and self.next.text.lower() in ("and", "or"):
            at = self.next.at
            raise BadSentence(f"“and” and “or” do not mix in one rule (character {at + 1}); make two rules of it", at)
        return conditions, is_any and len(conditions) > 1

    def condition(self) -> Condition:
        column = self.column()
        for sign, operator in COMPARED.items():
            if self.has(sign):
                return self.compared(column, operator)
        for operator in TEXTUAL:
            if self.has(*operator.split()):
                return Condition(column, operator, (self.content(),))
        if self.has("is"):
            return self.compared(column, "is not" if self.has("not") else "is")
        if self.has("between"):
            low = self.value()
            self.need("and")
            return Condition(column, "between", (low, self.value()))
        if self.has("one", "of") or self.has("in"):
            return Condition(column, "one of", self.listed())
        raise self.fail("a comparison (=, !=, <, <=, >, >=, is null, between, contains, begins with, matches, one of)")

    def compared(self, column: str, operator: str) -> Condition:
        if operator in ("is", "is not") and self.has("null"):
            return Condition(column, f"{operator} null")
        return Condition(column, operator, (self.value(),))

    def listed(self) -> tuple[str, ...]:
        self.need("(")
        values = [self.value()]
        while self.has(","):
            values.append(self.value())
        self.need(")")
        return tuple(values)

    def has_column(self) -> bool:
        """Whether what comes next is meant as a column."""
        return self.next.kind == "name" or (self.next.kind == "word" and self.next.text.lower() not in WORDS)

    def column(self) -> str:
        kind, text, at = self.next
        name = text[1:-1].replace("``", "`") if kind == "name" else text
        if not self.has_column():
            raise self.fail("a column")
        if name not in self.contract.names:
            known = ", ".join(self.contract.names)
            raise BadSentence(f"there is no column {name} (character {at + 1}); there are {known}", at)
        self.at += 1
        return name

    def content(self) -> str:
        """What stands in quotation marks, or a number or a date without."""
        text = self.plain()
        if text is None:
            raise self.fail("a text in quotation marks")
        return text

    def value(self) -> str:
        """A value as it would be typed into a cell."""
        is_quoted = self.next.kind == "text"
        text = self.plain()
        if text is None:
            raise self.fail("a value (texts in quotation marks)")
        return text_of(text) or "" if is_quoted else text

    def plain(self) -> str | None:
        if self.next.kind == "text":
            return self.take().text[1:-1].replace('""', '"')
        if self.next.kind == "bare":
            return self.take().text
        if self.next.kind == "word" and self.next.text.lower() in ("true", "false"):
            return self.take().text.capitalize()
        return self.signed()

    def signed(self) -> str | None:
        """A number with a sign before it."""
        if self.next.text in ("-", "+") and self.tokens[self.at + 1].kind == "bare":
            return self.take().text + self.take().text
        return None

    def setting(self) -> Setting:
        column = self.column()
        self.need("=")
        if self.has("null"):
            return Setting(column, "null")
        if self.has("round", "("):
            return self.round(column)
        for word, action in FUNCTIONS.items():
            if self.has(word, "("):
                source = self.column()
                self.need(")")
                return Setting(column, action, source=source)
        if self.has_column():
            return self.computed(column)
        return Setting(column, "value", self.value())

    def computed(self, column: str) -> Setting:
        source = self.column()
        for sign, action in SIGNS.items():
            if self.has(sign):
                return Setting(column, action, self.number(), source)
        return Setting(column, "column", source=source)

    def number(self) -> str:
        if self.has_column():
            return self.column()
        text = self.take().text if self.next.kind == "bare" else self.signed()
        if text is None:
            raise self.fail("a number or a column")
        return text

    def round(self, column: str) -> Setting:
        inner = self.computed(column)
        self.need(",")
        digits = self.take().text if self.next.kind == "bare" else self.signed()
        if digits is None:
            raise self.fail("a number of digits")
        self.need(")")
        action = "rounded" if inner.action == "column" else inner.action
        return Setting(column, action, inner.text, inner.source, digits)
