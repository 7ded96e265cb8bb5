"""The text in a file's bytes: UTF-8, UTF-16 with a byte order mark, or Windows-1252 where nothing speaks against it.

Any bytes read as some single-byte encoding, so the last is the one guess made here, and it is made only where text
of other encodings, or damaged UTF-8, would look different:

- no byte that Windows-1252 leaves undefined or uses for rare letters (Mac Roman and DOS write their accents there);
- no run of three or more high letters (Cyrillic, Greek and others write whole words with them);
- no valid UTF-8 sequence beside the invalid bytes (that is a mixture of two files, or a damaged one).
"""

from __future__ import annotations

import re

from towline.errors import UnreadableFile

_UTF8_BOM, _UTF16_LE, _UTF16_BE = b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"
_HIGH = re.compile(rb"[\x80-\xff]")
_UTF8_SEQUENCE = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|\xc2[\xa0-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
# Everything from 0x80 to 0x9f but the euro, the ellipsis, curly quotes, dashes, the bullet and the trade mark.
_UNLIKELY = re.compile(rb"[\x81-\x84\x86-\x90\x98\x9a-\x9f]")
_FOREIGN_WORD = re.compile(rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff]{3}")


def decode(body: bytes) -> tuple[str, list[str]]:
    """The text, and notes on anything but plain UTF-8. Raises UnreadableFile with byte offset and line."""
    if body.startswith((_UTF16_LE, _UTF16_BE)):
        text, notes = _utf16(body), ["UTF-16"]
    elif body.startswith(_UTF8_BOM):
        text, notes = _utf8(body[len(_UTF8_BOM) :]), ["byte order mark removed"]
    else:
        text, notes = _utf8_or_windows(body)
    nul = text.find("\x00")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise UnreadableFile(f"line {line} holds a NUL character; this is no text file, or it is damaged")
    return text, notes


def _utf16(body: bytes) -> str:
    try:
        return body.decode("utf-16")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"damaged UTF-16 at byte {error.start:,}; write the file again as UTF-8") from None


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _doubt(body, error.start, "the file is marked as UTF-8 and this byte is not") from None


def _utf8_or_windows(body: bytes) -> tuple[str, list[str]]:
    try:
        return body.decode("utf-8"), []
    except UnicodeDecodeError as error:
        _check_windows(body, error)
    is_latin = not re.search(rb"[\x80-\x9f]", body)
    return body.decode("cp1252"), ["Latin-1" if is_latin else "Windows-1252"]


def _check_windows(body: bytes, error: UnicodeDecodeError) -> None:
    """Raise unless the bytes can be taken for Windows-1252 without a doubt."""
    if error.reason == "unexpected end of data":
        raise _doubt(body, error.start, "the file ends in the middle of a UTF-8 character: it is cut")
    doubts = (
        (_UTF8_SEQUENCE, "other bytes are UTF-8, so this is damaged, or two encodings in one file"),
        (_UNLIKELY, "it is neither UTF-8 nor common in Windows-1252"),
        (_FOREIGN_WORD, "it is not UTF-8, and no word in a Western language has these letters"),
    )
    for pattern, reason in doubts:
        found = pattern.search(body)
        if found:
            raise _doubt(body, error.start if pattern is _UTF8_SEQUENCE else found.start(), reason)


def _doubt(body: bytes, offset: int, reason: str) -> UnreadableFile:
    line = body.count(b"\n", 0, offset) + 1
    return UnreadableFile(
        f"byte {offset:,} (line {line}) is 0x{body[offset]:02x}: {reason}; save the file as UTF-8 and send it again"
    )
