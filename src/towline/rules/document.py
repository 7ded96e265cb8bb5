"""Reading a JSON document strictly: every complaint names the place, the value and the way out.

A contract is written by people and comes from a bucket, so its size and depth are bounded before it is read.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NoReturn

from towline.errors import ContractError
from towline.values import shown

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_NAME = 200


@dataclass(frozen=True)
class Node:
    """One JSON value and its path, such as `$.fields[3].constraints.minimum`."""

    value: object
    path: str = "$"

    def fail(self, why: str) -> NoReturn:
        raise ContractError(f"{self.path}: {shown(self.value)} {why}")

    def object(self, known: Collection[str] | None = None) -> dict[str, Node]:
        """The members of an object; with `known`, no others are allowed."""
        if not isinstance(self.value, Mapping):
            self.fail("is not a JSON object; write {...}")
        unknown = [name for name in self.value if known is not None and name not in known]
        if unknown:
            raise ContractError(
                f"{self.path}: {shown(unknown[0])} means nothing here; use {', '.join(sorted(known or ()))}"
            )
        return {name: Node(value, f"{self.path}.{name}") for name, value in self.value.items()}

    def array(self, most: int) -> list[Node]:
        if not isinstance(self.value, list):
            self.fail("is not a list; write [...]")
        if len(self.value) > most:
            raise ContractError(f"{self.path}: {len(self.value):,} entries; at most {most:,} are allowed")
        return [Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str):
            self.fail("is not text; write it in quotes")
        if any("\ud800" <= character <= "\udfff" for character in self.value):
            self.fail("holds half of a surrogate pair, which is no character; write valid Unicode")
        return self.value

    def name(self) -> str:
        """A text that can name a column: not empty, not overlong, printable."""
        text = self.text()
        if not text.strip() or text != text.strip() or len(text) > MAX_NAME or not text.isprintable():
            self.fail(f"cannot be a name; use 1 to {MAX_NAME} printable characters, without spaces at the ends")
        return text

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.fail("is not a flag; write true or false")
        return self.value

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("is not a number")
        try:
            return float(self.value)
        except OverflowError:
            self.fail("is too large for a number")

    def count(self, least: int = 0) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value < 2**31:
            self.fail(f"is not a count; write a whole number, {least} or more")
        return self.value

    def share(self) -> float:
        if not 0 <= self.number() <= 1:
            self.fail("is not a share of the table; write a number from 0 to 1")
        return self.number()

    def one_of(self, options: Collection[str]) -> str:
        if not isinstance(self.value, str) or self.value not in options:
            self.fail(f"is not one of {', '.join(options)}; use one of them")
        return self.value


def read(raw: bytes | str | Mapping[str, object]) -> Node:
    """The root of a document. Raises ContractError when it is no JSON object, too large, or too deep."""
    body = raw if isinstance(raw, bytes | str) else _dumped(raw)
    if len(body) > MAX_BYTES:
        raise ContractError(f"$: a contract of {len(body):,} bytes; at most {MAX_BYTES:,} are allowed")
    root = Node(_loaded(body))
    _check_depth(root.value)
    root.object()
    return root


def canonical(document: object) -> bytes:
    """The one spelling of a document that its digest is taken of: sorted members, two spaces, a final newline."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return (text + "\n").encode()


def _loaded(body: bytes | str) -> object:
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        document: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
        canonical(document)  # half a surrogate pair cannot be written again
    except UnicodeError as error:
        raise ContractError(f"$: the contract is not valid UTF-8: {error}") from None
    except RecursionError:
        raise ContractError(f"$: nested too deeply; at most {MAX_DEPTH} levels are allowed") from None
    except ValueError as error:
        raise ContractError(f"$: the contract is not valid JSON: {error}") from None
    return document


def _dumped(document: Mapping[str, object]) -> str:
    try:
        return json.dumps(dict(document), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ContractError(f"$: the contract cannot be written as JSON: {error}") from None


def _unique(members: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(members)
    if len(document) < len(members):
        twice = Counter(name for name, _ in members).most_common(1)[0][0]
        raise ValueError(f"{shown(twice)} is given twice in one object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{shown(text)} is too large for a number")
    return number


def _check_depth(document: object) -> None:
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ContractError(f"$: nested too deeply; at most {MAX_DEPTH} levels are allowed")
        level = [child for value in level for child in _children(value)]


def _children(value: object) -> Collection[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
