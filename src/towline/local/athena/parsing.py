"""Reading Athena's SQL: functions keep the names that they are written with, and what Trino's grammar lacks is refused.

sqlglot reads more than Trino does (`a::int`, `FROM t SELECT a`), so the tokens are looked at as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from towline.local.athena.errors import AthenaError

COMMA = "COMMA"
_KEPT = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION")


def _decimal_literal(text: exp.Literal, kind: exp.DataType) -> exp.Cast:
    """DECIMAL '1.50' has the digits that it is written with."""
    whole, _, fraction = text.name.lstrip("+-").partition(".")
    sizes = max(len(whole.lstrip("0") + fraction), 1), len(fraction)
    kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(size)) for size in sizes])
    return exp.Cast(this=text, to=kind)


class TowlineAthena(Trino):
    """Trino's dialect without a guess at what a function means."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Callable[..., exp.Expr]]] = {}
        TYPE_LITERAL_PARSERS: ClassVar[dict[exp.DType, Callable[..., Any]]] = {
            **TrinoParser.TYPE_LITERAL_PARSERS,
            exp.DType.DECIMAL: lambda parser, this, to: _decimal_literal(this, to),
        }
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: read for name, read in TrinoParser.FUNCTION_PARSERS.items() if name in _KEPT
        }

        def _parse_join(self, *args: Any, **kwargs: Any) -> exp.Join | None:
            """A comma is told from a JOIN that lacks its ON."""
            comma = self._curr is not None and self._curr.token_type == TokenType.COMMA
            join: exp.Join | None = super()._parse_join(*args, **kwargs)
            if join is not None and comma:
                join.set("kind", COMMA)
            return join


_FOREIGN = {TokenType.DCOLON, TokenType.CARET, TokenType.AMP, TokenType.PIPE, TokenType.TILDE, TokenType.L_BRACE}
_FOREIGN |= {TokenType.ILIKE, TokenType.RLIKE, TokenType.GLOB, TokenType.SIMILAR_TO, TokenType.DIV, TokenType.HASH}
_FOREIGN |= {TokenType.NULLSAFE_EQ, TokenType.DARROW, TokenType.ISNULL, TokenType.NOTNULL, TokenType.QUALIFY}
_FOREIGN_TEXT = {"=="}
# What a comma cannot stand before.
_CLOSES = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING}
_CLOSES |= {TokenType.ORDER_BY, TokenType.LIMIT, TokenType.UNION, TokenType.SEMICOLON}
# What may stand before a subscript; before anything else "[" would begin a list of DuckDB's.
_SUBSCRIPTED = {TokenType.VAR, TokenType.IDENTIFIER, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.ARRAY}


def parse(query: str) -> exp.Expr:
    """The one statement in `query`. Raises AthenaError."""
    try:
        tokens = TowlineAthena().tokenize(query)
        check_tokens(tokens)
        statements = [one for one in TowlineAthena().parser().parse(tokens, query) if one is not None]
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        at = next(
            (token for token in tokens if token.line == found.get("line") and token.col == found.get("col")), None
        )
        place = place_of(at) if at else "line 1:1"
        raise AthenaError("SYNTAX_ERROR", f"{place}: mismatched input '{at.text if at else query[:20]}'") from None
    except (SqlglotError, RecursionError) as error:
        raise AthenaError("SYNTAX_ERROR", f"line 1:1: {' '.join(str(error).split())}") from None
    if len(statements) != 1:
        raise AthenaError("SYNTAX_ERROR", f"Only one sql statement is allowed. Got: {query}")
    statements[0].meta["tokens"] = tuple(tokens)
    return statements[0]


def check_tokens(tokens: Sequence[Token]) -> None:
    """Refuse the words and signs that sqlglot takes and Trino's grammar does not. Raises AthenaError."""
    if tokens and tokens[-1].token_type == TokenType.COMMA:
        raise AthenaError("SYNTAX_ERROR", f"{place_of(tokens[-1])}: mismatched input '<EOF>'")
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else None
        if _is_foreign(token, before) or _is_late_offset(tokens, number):
            raise AthenaError("SYNTAX_ERROR", f"{place_of(token)}: mismatched input '{token.text}'")


def _is_foreign(token: Token, before: Token | None) -> bool:
    kind = token.token_type
    if kind in _FOREIGN or token.text in _FOREIGN_TEXT:
        return True
    if kind == TokenType.DISTINCT and before is not None and before.token_type == TokenType.GROUP_BY:
        return True
    if kind == TokenType.FROM:
        return before is None or before.token_type in (TokenType.COMMA, TokenType.L_PAREN)
    if kind == TokenType.L_BRACKET:
        return before is None or before.token_type not in _SUBSCRIPTED
    if before is not None and before.token_type == TokenType.NUMBER and token.start == before.end + 1:
        return kind in (TokenType.VAR, TokenType.NUMBER)
    if kind in _CLOSES:
        return before is not None and before.token_type == TokenType.COMMA
    if before is not None and before.token_type == TokenType.INTERVAL:
        return kind == TokenType.NUMBER
    return kind == TokenType.STRING and before is not None and before.token_type == TokenType.STRING


def _is_late_offset(tokens: Sequence[Token], number: int) -> bool:
    """OFFSET after LIMIT (in Trino it stands before), and LIMIT 1, 2."""
    late = tokens[number].token_type in (TokenType.OFFSET, TokenType.COMMA)
    return late and number >= 2 and tokens[number - 2].token_type == TokenType.LIMIT


def place_of(token: Token) -> str:
    """Where a token stands: "line 1:15" (columns count from 1)."""
    return f"line {token.line}:{token.col - (token.end - token.start)}"


def place(node: exp.Expr) -> str:
    """Where Trino says that a node stands: an operator at its sign, anything else at its first character."""
    if isinstance(node, exp.Binary) and (sign := _sign(node)):
        return sign
    found = [each.meta for each in node.walk() if "line" in each.meta]
    if not found:
        return place(node.parent) if node.parent else "line 1:1"
    first = min(found, key=lambda meta: int(meta["start"]))
    return f"line {first['line']}:{first['col'] - (first['end'] - first['start'])}"


def _sign(node: exp.Binary) -> str | None:
    """The place of a binary operator: the first token after its left side that closes nothing."""
    ends = [int(each.meta["end"]) for each in node.this.walk() if "end" in each.meta]
    tokens = node.root().meta.get("tokens", ())
    after = (token for token in tokens if ends and token.start > max(ends))
    sign = next((token for token in after if token.token_type not in (TokenType.R_PAREN, TokenType.R_BRACKET)), None)
    return place_of(sign) if sign else None


def only(node: exp.Expr, *known: str) -> None:
    """Refuse a node with a part that is not looked at."""
    for name, part in node.args.items():
        if part and name not in known:
            raise AthenaError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{name.strip('_')}'")
