"""Thrift's compact protocol without a schema, for the footers and page indexes of Parquet files.

    https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

Classes generated from a schema drop the fields that they do not know; here a struct is what its bytes say, so that it
is written again as it was read. Counts and lengths are held to the bytes that are there before anything is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from towline.errors import Corrupt

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
_DEEPEST = 32  # structs and lists within each other; a footer has no more than eight
_INTEGERS = frozenset((I16, I32, I64))
_MALFORMED = "malformed Thrift"


@dataclass(frozen=True, slots=True)
class Many:
    """A list or a set: the type of its members, and these."""

    of: int
    members: list[Any]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class Mapped:
    """A map, as pairs."""

    types: tuple[int, int]
    pairs: list[tuple[Any, Any]]


@dataclass(slots=True)
class Struct:
    """Fields by their number: type and value. Integers are ints, binary is bytes, booleans are the type alone."""

    fields: dict[int, tuple[int, Any]] = field(default_factory=dict)

    def get(self, number: int, default: Any = None) -> Any:
        """The value of a field; `default` where it is not there."""
        found = self.fields.get(number)
        return default if found is None else found[1]

    def set(self, number: int, type: int, value: Any) -> None:
        """Give a field a value, in its place by number."""
        is_new = number not in self.fields
        self.fields[number] = (type, value)
        if is_new:
            self.fields = dict(sorted(self.fields.items()))

    def drop(self, *numbers: int) -> None:
        for number in numbers:
            self.fields.pop(number, None)

    def copy(self) -> Struct:
        """One with fields of its own; structs within it are shared."""
        return Struct(dict(self.fields))


def decode(data: bytes, start: int = 0) -> tuple[Struct, int]:
    """The struct that begins at `start`, and where it ends. Corrupt: there is none."""
    try:
        return _struct(data, start, _DEEPEST)
    except (IndexError, RecursionError):
        raise Corrupt(f"{_MALFORMED}: a struct at byte {start:,} goes on past the end") from None


def skip(data: bytes, start: int) -> int:
    """Where the struct that begins at `start` ends, without making anything of it. Corrupt as in `decode`."""
    try:
        return _skip_struct(data, start, _DEEPEST)
    except (IndexError, RecursionError):
        raise Corrupt(f"{_MALFORMED}: a struct at byte {start:,} goes on past the end") from None


def leading(data: bytes, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """The fields of the struct at `start`: number, type, where the value begins. It is passed over only when the next
    one is asked for. Corrupt as in `decode`."""
    number, at = 0, start
    try:
        while data[at]:
            number, kind, at = header(data, at, number)
            yield number, kind, at
            at = skip_value(data, at, kind, _DEEPEST)
    except (IndexError, RecursionError):
        raise Corrupt(f"{_MALFORMED}: a struct at byte {start:,} goes on past the end") from None


def fields(data: bytes, start: int = 0) -> Iterator[tuple[int, int, int, int]]:
    """The fields of the struct at `start`, not decoded: number, type, and from where to where the value goes. The stop
    byte is yielded as number 0. Corrupt as in `decode`."""
    number, at = 0, start
    try:
        while data[at]:
            number, kind, at = header(data, at, number)
            end = skip_value(data, at, kind, _DEEPEST)
            yield number, kind, at, end
            at = end
    except (IndexError, RecursionError):
        raise Corrupt(f"{_MALFORMED}: a struct at byte {start:,} goes on past the end") from None
    yield 0, 0, at, at + 1


def list_header(data: bytes, at: int) -> tuple[int, int, int]:
    """Of a list: type of its members, how many, where they begin."""
    first = data[at]
    count, at = first >> 4, at + 1
    if count == 15:
        count, at = _varint(data, at)
    if count > len(data) - at:
        raise Corrupt(
            f"{_MALFORMED}: a list at byte {at:,} claims {count:,} members, and {len(data) - at:,} bytes follow"
        )
    return first & 15, count, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 128:
        return byte, at + 1
    value, shift = byte & 127, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 127) << shift
        shift += 7
        if value >> 64 or (shift > 63 and byte > 127):
            raise Corrupt(f"{_MALFORMED}: a number of more than 64 bits at byte {at:,}")
        if byte < 128:
            return value, at + 1


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def header(data: bytes, at: int, last: int) -> tuple[int, int, int]:
    """Number and type of the field whose header is at `at`, and where its value begins."""
    first = data[at]
    if first >> 4:
        return last + (first >> 4), first & 15, at + 1
    number, at = _zigzag(data, at + 1)
    return number, first & 15, at


def _binary(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _varint(data, at)
    if size > len(data) - at:
        raise Corrupt(f"{_MALFORMED}: a text at byte {at:,} claims {size:,} bytes, and {len(data) - at:,} follow")
    return data[at : at + size], at + size


def _struct(data: bytes, at: int, deep: int) -> tuple[Struct, int]:
    if deep < 0:
        raise Corrupt(f"{_MALFORMED}: more than {_DEEPEST} structs within each other at byte {at:,}")
    found: dict[int, tuple[int, Any]] = {}
    number = 0
    value: Any
    while head := data[at]:
        # A footer has tens of thousands of fields, nearly all of them with a short header and a short value.
        if head > 15:
            number, kind, at = number + (head >> 4), head & 15, at + 1
        else:
            number, kind, at = header(data, at, number)
        if number in found:
            raise Corrupt(f"{_MALFORMED}: field {number} twice in a struct, at byte {at:,}")
        if kind in _INTEGERS:
            if (byte := data[at]) < 128:
                value, at = (byte >> 1) ^ -(byte & 1), at + 1
            else:
                value, at = _zigzag(data, at)
        else:
            value, at = _value(data, at, kind, deep)
        found[number] = (kind, value)
    return Struct(found), at + 1


def _value(data: bytes, at: int, kind: int, deep: int) -> tuple[Any, int]:
    if kind in _INTEGERS:
        return _zigzag(data, at)
    if kind == BINARY:
        return _binary(data, at)
    if kind == STRUCT:
        return _struct(data, at, deep - 1)
    if kind in (LIST, SET):
        return _list(data, at, deep - 1)
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind == BYTE:
        return data[at], at + 1
    if kind == DOUBLE:
        if len(data) - at < 8:
            raise IndexError
        return data[at : at + 8], at + 8
    if kind == MAP:
        return _map(data, at, deep - 1)
    raise Corrupt(f"{_MALFORMED}: there is no type {kind}, at byte {at:,}")


def _list(data: bytes, at: int, deep: int) -> tuple[Many, int]:
    of, count, at = list_header(data, at)
    members = []
    for _ in range(count):
        member, at = _member(data, at, of, deep)
        members.append(member)
    return Many(of, members), at


def _member(data: bytes, at: int, kind: int, deep: int) -> tuple[Any, int]:
    """Of a list: a boolean takes a byte there, which in a field is said by the type."""
    return (data[at], at + 1) if kind in (TRUE, FALSE) else _value(data, at, kind, deep)


def _map(data: bytes, at: int, deep: int) -> tuple[Mapped, int]:
    count, at = _varint(data, at)
    if count > len(data) - at:
        raise Corrupt(f"{_MALFORMED}: a map at byte {at:,} claims {count:,} pairs")
    if not count:
        return Mapped((0, 0), []), at
    types, at, pairs = (data[at] >> 4, data[at] & 15), at + 1, []
    for _ in range(count):
        key, at = _member(data, at, types[0], deep)
        value, at = _member(data, at, types[1], deep)
        pairs.append((key, value))
    return Mapped(types, pairs), at


def _skip_struct(data: bytes, at: int, deep: int) -> int:
    """As `_struct`, for the many structs that only have to be passed over: no slices, few calls."""
    if deep < 0:
        raise Corrupt(f"{_MALFORMED}: more than {_DEEPEST} structs within each other at byte {at:,}")
    head = data[at]
    while head:
        at += 1
        if head < 16:  # the field's number follows
            while data[at] > 127:
                at += 1
            at += 1
        kind = head & 15
        if kind in _INTEGERS:
            while data[at] > 127:
                at += 1
            at += 1
        elif kind > 2:
            at = skip_value(data, at, kind, deep)
        head = data[at]
    return at + 1


def skip_value(data: bytes, at: int, kind: int, deep: int) -> int:
    if kind == BINARY:
        size, at = _varint(data, at)
        if size > len(data) - at:
            raise IndexError
        return at + size
    if kind == STRUCT:
        return _skip_struct(data, at, deep - 1)
    if kind in (LIST, SET):
        of, count, at = list_header(data, at)
        for _ in range(count):
            at = at + 1 if of in (TRUE, FALSE) else skip_value(data, at, of, deep - 1)
        return at
    return _value(data, at, kind, deep)[1]


def encode(struct: Struct) -> bytes:
    """The bytes of a struct."""
    out = bytearray()
    _put_struct(out, struct)
    return bytes(out)


def put_field(out: bytearray, number: int, kind: int, last: int) -> None:
    """The header of a field; `last`: the number of the field before it, 0 for none."""
    step = number - last
    if 0 < step < 16:
        out.append(step << 4 | kind)
    else:
        out.append(kind)
        _put_varint(out, (number << 1) ^ (number >> 63))


def put_list(out: bytearray, of: int, count: int) -> None:
    """The header of a list."""
    if count < 15:
        out.append(count << 4 | of)
    else:
        out.append(0xF0 | of)
        _put_varint(out, count)


def put_value(out: bytearray, kind: int, value: Any) -> None:
    """The value of a field."""
    if kind in _INTEGERS:
        _put_varint(out, ((value << 1) ^ (value >> 63)) & 0xFFFF_FFFF_FFFF_FFFF)
    elif kind == BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind == STRUCT:
        _put_struct(out, value)
    elif kind in (LIST, SET):
        put_list(out, value.of, len(value.members))
        for member in value.members:
            _put_member(out, value.of, member)
    elif kind == BYTE:
        out.append(value)
    elif kind == DOUBLE:
        out += value
    elif kind == MAP:
        _put_map(out, value)


def _put_member(out: bytearray, kind: int, member: Any) -> None:
    if kind in (TRUE, FALSE):
        out.append(member)
    else:
        put_value(out, kind, member)


def _put_map(out: bytearray, value: Mapped) -> None:
    _put_varint(out, len(value.pairs))
    if value.pairs:
        out.append(value.types[0] << 4 | value.types[1])
    for pair in value.pairs:
        for kind, member in zip(value.types, pair, strict=True):
            _put_member(out, kind, member)


def _put_struct(out: bytearray, struct: Struct) -> None:
    last = 0
    for number, (kind, value) in struct.fields.items():
        if 0 < number - last < 16:
            out.append(number - last << 4 | kind)
        else:
            put_field(out, number, kind, last)
        if kind in _INTEGERS and -64 <= value < 64:
            out.append(((value << 1) ^ (value >> 63)) & 127)
        else:
            put_value(out, kind, value)
        last = number
    out.append(0)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def structs(members: Sequence[Struct]) -> Many:
    return Many(STRUCT, list(members))
