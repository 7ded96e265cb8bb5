"""Reading Athena's SQL: functions keep the names that they are written with, and what Trino's grammar lacks is refused.

sqlglot reads more than Trino does (`a::int`, `FROM t SELECT a`), so the tokens are looked at as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokens import Token, TokenType

from towline.local.athena.errors import AthenaError

_KEPT = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION")


class TowlineAthena(Trino):
    """Trino's dialect without a guess at what a function means."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {name: read for name, read in Trino.Parser.FUNCTION_PARSERS.items() if name in _KEPT}


_FOREIGN = {TokenType.DCOLON, TokenType.CARET, TokenType.AMP, TokenType.PIPE, TokenType.TILDE, TokenType.L_BRACE}
_FOREIGN |= {TokenType.ILIKE, TokenType.RLIKE, TokenType.GLOB, TokenType.SIMILAR_TO, TokenType.DIV, TokenType.HASH}
_FOREIGN |= {TokenType.NULLSAFE_EQ, TokenType.DARROW, TokenType.ISNULL, TokenType.NOTNULL, TokenType.QUALIFY}
_FOREIGN_TEXT = {"=="}
_OPENS = {TokenType.L_PAREN}
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
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else None
        if _is_foreign(token, before) or _is_late_offset(tokens, number):
            raise AthenaError("SYNTAX_ERROR", f"{place_of(token)}: mismatched input '{token.text}'")


def _is_foreign(token: Token, before: Token | None) -> bool:
    kind = token.token_type
    if kind in _FOREIGN or token.text in _FOREIGN_TEXT:
        return True
    if kind == TokenType.FROM:
        return before is None or before.token_type in (TokenType.COMMA, TokenType.L_PAREN)
    if kind == TokenType.L_BRACKET:
        return before is None or before.token_type not in _SUBSCRIPTED
    if kind in (TokenType.R_PAREN, TokenType.R_BRACKET):
        return before is not None and before.token_type == TokenType.COMMA
    return kind == TokenType.STRING and before is not None and before.token_type == TokenType.STRING


def _is_late_offset(tokens: Sequence[Token], number: int) -> bool:
    """OFFSET after LIMIT: in Trino it stands before."""
    return (
        tokens[number].token_type == TokenType.OFFSET
        and number >= 2
        and tokens[number - 2].token_type in (TokenType.LIMIT,)
    )


def place_of(token: Token) -> str:
    """Where a token stands: "line 1:15" (columns count from 1)."""
    return f"line {token.line}:{token.col - (token.end - token.start)}"


def place(node: exp.Expr) -> str:
    """Where Trino says that a node stands: an operator at its sign, anything else at its first character."""
    if isinstance(node, exp.Binary) and (sign := _sign(node)):
        return sign
    found = [each.meta for each in node.walk() if "line" in each.meta]
    if not found:
        return "line 1:1"
    first = min(found, key=lambda meta: int(meta["start"]))
    return f"line {first['line']}:{first['col'] - (first['end'] - first['start'])}"


def _sign(node: exp.Binary) -> str | None:
    """The place of a binary operator: the first token after its left side that closes nothing."""
    ends = [int(each.meta["end"]) for each in node.this.walk() if "end" in each.meta]
    tokens = node.root().meta.get("tokens", ())
    after = (token for token in tokens if ends and token.start > max(ends))
    sign = next((token for token in after if token.token_type not in (TokenType.R_PAREN, TokenType.R_BRACKET)), None)
    return place_of(sign) if sign else None
