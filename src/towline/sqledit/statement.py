"""Reading a statement: one, of a verb that Towline knows, parsed whole by sqlglot, or else refused with its place.

What is text and what is comment, where a statement ends, how deep it nests: that is for the tokenizer to say, never
for a pattern over the text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from towline.sqledit.refusal import Place, SqlRefused, refused

DIALECT = "athena"
MAX_BYTES = 256 * 2**10  # Athena takes no longer statement (262,144 bytes; "Service quotas" of its user guide)
MAX_DEPTH = 100  # parentheses, brackets and CASEs within each other
MAX_TREE = 400  # levels of the parsed tree: so many that a chain of a few hundred ORs still fits
EDITS = ("UPDATE", "DELETE", "INSERT", "MERGE")
QUERIES = ("SELECT", "WITH", "(")

_SELECT_WAY_OUT = "send its SELECT alone; Towline writes the table"
_WAYS_OUT = {
    "CREATE": _SELECT_WAY_OUT,
    "UNLOAD": "send the SELECT alone; `towline query … --csv FILE` writes it to a file",
    "TRUNCATE": "write DELETE FROM master WHERE … and say which rows",
    "DROP": "`towline delete` ends rows, and a dataset's table is Towline's to make",
    "ALTER": "columns are the contract's: docs/contract.md",
    "VALUES": "write INSERT INTO master VALUES …",
    "TABLE": "write SELECT * FROM …",
    "EXPLAIN": "`--dry-run` shows what an edit would change",
}
_PARTS = {
    "USING": "say which rows with WHERE EXISTS (SELECT …)",
    "EXCEPT": "write the columns out",
    "SAMPLE": "say which rows with WHERE",
    "VERSION": "earlier commits are in the table of snapshots",
    "LIMIT": "say which rows with WHERE",
}
# What each kind of node may carry beside nothing: sqlglot reads many dialects, and what Athena does not know must not
# pass unnoticed.
_QUERY_ARGS = {"with_", "order", "limit", "offset"}
_ALLOWED: Mapping[type[exp.Expr], set[str]] = MappingProxyType(
    {
        exp.Select: _QUERY_ARGS | {"expressions", "distinct", "from_", "joins", "where", "group", "having", "windows"},
        exp.SetOperation: _QUERY_ARGS | {"this", "expression", "distinct"},
        exp.Subquery: _QUERY_ARGS | {"this", "alias", "joins"},
        exp.Table: {"this", "db", "catalog", "alias", "joins"},
        exp.Join: {"this", "side", "kind", "method", "on", "using"},
        exp.Distinct: {"expressions"},
        exp.With: {"expressions", "recursive"},
        exp.CTE: {"this", "alias"},
        exp.Star: set(),
        exp.Update: {"this", "expressions", "from_", "where", "with_"},
        exp.Delete: {"this", "where", "with_"},
        exp.Insert: {"this", "expression", "with_"},
        exp.Merge: {"this", "using", "on", "whens", "with_"},
        exp.When: {"matched", "condition", "then"},
    }
)
_NEVER = (exp.Command, exp.Into, exp.Lateral, exp.Placeholder, exp.Parameter, exp.SessionParameter, exp.DDL, exp.DML)
# Words and signs of other dialects, which sqlglot would put into Athena's words as well as it can.
_FOREIGN = {"::", ":", "==", "^", "&", "&&", "|", "~", "<<", ">>", "!", "?", "@", "#", "$", "{", "}"}
_FOREIGN |= {"DIV", "ILIKE", "RLIKE", "REGEXP", "ISNULL", "NOTNULL", "SEMI", "ANTI", "ASOF"}
# DECIMAL '1.5' is 1.5 to Athena, and CAST('1.5' AS DECIMAL), as which sqlglot reads it, is 2.
_NO_LITERALS = {TokenType.DECIMAL, TokenType.CHAR, TokenType.STRING}
# Each run gives another answer: the query in the audit record would not say what was done.
_CHANCE = {"RAND", "RANDOM", "UUID", "SHUFFLE", "NOW", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"}
_CHANCE |= {"LOCALTIME", "LOCALTIMESTAMP", "CURRENT_TIMEZONE", "CURRENT_USER"}


@dataclass(frozen=True)
class Statement:
    """One parsed statement, with the text that its nodes' positions are of."""

    sql: str
    tokens: Sequence[Token]
    tree: exp.Expr

    def refused(self, rule: str, reason: str, node: exp.Expr | None = None, word: str | None = None) -> SqlRefused:
        """The refusal of a node. `word`: where nodes of its kind do not remember their place, what to look for."""
        if node is None or (word is not None and "start" not in node.meta):
            found = (token for token in self.tokens if token.text.upper() == str(word).upper())
            if (token := next(found, self.tokens[0] if node is None else None)) is not None:
                return SqlRefused(rule, reason, self.sql, _place(self.sql, token))
        return refused(rule, reason, self.sql, node)


def read(sql: str, verbs: Collection[str]) -> Statement:
    """The statement that `sql` holds, which begins with one of `verbs`. Raises SqlRefused."""
    if len(sql.encode()) > MAX_BYTES:
        raise too_long(sql, "the statement", len(sql.encode()), MAX_BYTES)
    tokens = _tokens(sql)
    _check_one(sql, tokens)
    _check_verb(sql, tokens, verbs)
    _check_nesting(sql, tokens)
    _check_words(sql, tokens)
    statement = Statement(sql, tokens, _parse(sql, tokens))
    if not isinstance(statement.tree, exp.Query) and statement.tree.key.upper() not in verbs:  # WITH … DELETE
        verb = statement.tree.key.upper()
        raise statement.refused("sql.verb", _not_run(verb, verbs), word=verb)
    _check_understood(statement)
    return statement


def too_long(sql: str, what: str, size: int, most: int) -> SqlRefused:
    """The refusal of a text, which `what` names, that has more bytes than fit."""
    reason = f"{what} has {size:,} bytes, and {most:,} fit; propose long lists of values as a table file"
    return refused("sql.length", reason, sql)


def check_repeatable(statement: Statement) -> None:
    """Refuse what gives another answer at every run: an edit's query, which its audit record carries, gives the same
    table whenever it runs on its base."""
    for node in statement.tree.find_all(exp.Func):
        names = {node.name.upper()} if isinstance(node, exp.Anonymous) else set(type(node).sql_names())
        for name in sorted(names & _CHANCE):
            reason = f"{name.lower()} gives another value at every run; write the value itself, as in DATE '2026-03-01'"
            raise statement.refused("sql.function", reason, node, name)


def _tokens(sql: str) -> Sequence[Token]:
    try:
        tokens = [token for token in sqlglot.tokenize(sql, dialect=DIALECT) if token.text or token.end > token.start]
    except SqlglotError as error:
        start = getattr(error, "start", None)
        place = Place.of(sql, start or 0, getattr(error, "end", None) or len(sql)) if start else Place(1, 1, sql[:40])
        reason = "a text, a quoted name or a comment has no end; close it"
        raise SqlRefused("sql.syntax", reason, sql, place) from error
    if all(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise SqlRefused("sql.statements", "there is no statement; write one", sql, Place(1, 1, ""))
    return tokens


def _check_one(sql: str, tokens: Sequence[Token]) -> None:
    ends = [number for number, token in enumerate(tokens) if token.token_type == TokenType.SEMICOLON]
    if not ends:
        return
    later = [token for token in tokens[ends[0] :] if token.token_type != TokenType.SEMICOLON]
    if later:
        token = later[0]
        reason = f"{token.text} begins another statement; send one statement at a time"
        raise SqlRefused("sql.statements", reason, sql, _place(sql, token))


def _check_verb(sql: str, tokens: Sequence[Token], verbs: Collection[str]) -> None:
    verb = tokens[0].text.upper().split()[0]
    if verb in verbs:
        return
    raise SqlRefused("sql.verb", _not_run(verb, verbs), sql, _place(sql, tokens[0]))


def _not_run(verb: str, verbs: Collection[str]) -> str:
    known = [each for each in verbs if each.isalpha()]
    way_out = _WAYS_OUT.get(verb, f"write {', '.join(known[:-1])} or {known[-1]}")
    if verb in EDITS:
        way_out = "queries read; `towline sql` edits"
    return f"{verb} is not what is run here; {way_out}"


def _check_nesting(sql: str, tokens: Sequence[Token]) -> None:
    opening = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE}
    closing = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END}
    depth = 0
    for token in tokens:
        depth += (token.token_type in opening) - (token.token_type in closing)
        if depth > MAX_DEPTH:
            reason = f"more than {MAX_DEPTH} parentheses within each other; say it in steps with WITH"
            raise SqlRefused("sql.depth", reason, sql, _place(sql, token))


def _check_words(sql: str, tokens: Sequence[Token]) -> None:
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        kind, word = token.token_type, token.text.upper()
        if word in _FOREIGN and kind not in (TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING):
            reason = f"{token.text} is not Athena's SQL; if it is a name, put it in double quotes"
            raise SqlRefused("sql.syntax", reason, sql, _place(sql, token))
        if after is not None and after.token_type == TokenType.STRING and kind in _NO_LITERALS:
            reason = f"{after.text!r} is no text to be written here; write CAST('…' AS …), or join texts by ||"
            raise SqlRefused("sql.syntax", reason, sql, _place(sql, after))
        if kind == TokenType.COMMA and after is not None and after.token_type in (TokenType.FROM, TokenType.R_PAREN):
            raise SqlRefused("sql.syntax", "nothing follows this comma; leave it out", sql, _place(sql, token))


def _parse(sql: str, tokens: Sequence[Token]) -> exp.Expr:
    parser = Dialect.get_or_raise(DIALECT).parser(error_level=ErrorLevel.RAISE, error_message_context=len(sql))
    try:
        trees = parser.parse(list(tokens), sql)
    except ParseError as error:
        raise _syntax(sql, error) from error
    except RecursionError as error:
        raise too_deep(sql) from error
    tree = next(tree for tree in trees if tree is not None)
    if max(_depths(tree)) > MAX_TREE:
        raise too_deep(sql)
    _keep_logarithms(sql, tree)
    return tree


def _keep_logarithms(sql: str, tree: exp.Expr) -> None:
    """Leave log10 and log2 as they are: sqlglot writes LOG(10, x), whose last digits differ."""
    for node in list(tree.find_all(exp.Log)):
        name = sql[node.meta.get("start", 0) : node.meta.get("end", -1) + 1].lower()
        if name in ("log10", "log2"):
            node.replace(exp.Anonymous(this=name, expressions=[node.expression]))


def _syntax(sql: str, error: ParseError) -> SqlRefused:
    said = error.errors[0] if error.errors else {}
    start = len(said.get("start_context") or "")
    text = said.get("highlight") or ""
    reason = str(said.get("description") or error).split("\n")[0]
    if reason.startswith("Invalid expression"):
        reason = f"{text or 'the end'} was not expected here"
    elif found := re.match(r"Required keyword: '(\w+)' missing for <class '.*\.(\w+)'>", reason):
        reason = f"{found[2].upper()} lacks a part ({found[1]})"
    return SqlRefused(
        "sql.syntax", f"{reason}; check the statement's syntax", sql, Place.of(sql, start, start + len(text))
    )


def too_deep(sql: str) -> SqlRefused:
    return refused("sql.depth", "the statement nests too deeply to be read; use IN (…) or a joined table", sql)


def _depths(tree: exp.Expr) -> Iterator[int]:
    """How deep each node lies, found without recursion."""
    level: list[exp.Expr] = [tree]
    depth = 0
    while level:
        depth += 1
        yield depth
        level = [child for node in level for child in node.iter_expressions()]


def _check_understood(statement: Statement) -> None:
    for node in statement.tree.walk():
        if isinstance(node, _NEVER) and node is not statement.tree and not isinstance(node.parent, exp.When):
            shown = node.sql(dialect=DIALECT).split("\n")[0][:40]
            raise statement.refused("sql.syntax", f"{shown} is not understood here; leave it out", node, node.key)
        if isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null):
            reason = "Athena knows IS NULL and IS NOT NULL alone; of a condition write COALESCE(…, FALSE)"
            raise statement.refused("sql.syntax", reason, node)
        allowed = next((args for kind, args in _ALLOWED.items() if isinstance(node, kind)), None)
        extra = [name for name, value in node.args.items() if allowed is not None and value and name not in allowed]
        if extra:
            word = extra[0].strip("_").upper()
            reason = f"{node.key.upper()} with {word} is not understood; {_PARTS.get(word, 'leave it out')}"
            part = node.args[extra[0]]
            raise statement.refused("sql.syntax", reason, part if isinstance(part, exp.Expr) else node, word)


def _place(sql: str, token: Token) -> Place:
    return Place.of(sql, token.start, token.end + 1)
