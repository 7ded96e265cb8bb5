"""Files made to harm: each is refused with the reason or sampled safely, with few bytes read, kept and held."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import subprocess
import sys
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core import forged, raw
from towline.files import write_table
from towline.parquet.source import BytesSource
from towline.sampling.bounds import LOOK_MAX, MIB, SAMPLE_MAX
from towline.sampling.kinds import KINDS
from towline.sampling.look import look
from towline.sampling.sample import Sample, sample
from towline.sampling.shown import shown

ROOT = Path(__file__).parents[2]
GIB = 2**30
# These two take long to make; the last one lies of row groups without rows, which are left out.
OTHERS = {"60,000 row groups", "a million columns in a group", forged.FOR_NO_ROWS}
CUT = "the archive ends without its mark: it is cut"
HELD = 100 * MIB  # bytes that making any sample may take beside the file itself


def sampled(name: str, body: bytes) -> Sample:
    """The sample, having made sure of what holds for all."""
    source = raw.Made(len(body), lambda start, stop: body[start:stop], name)
    tracemalloc.start()
    try:
        found = sample(source, name)
        assert tracemalloc.get_traced_memory()[1] < HELD
    finally:
        tracemalloc.stop()
    assert source.read_so_far <= SAMPLE_MAX
    assert len(found.body) <= 8 * MIB
    source.read_so_far = 0
    assert look(source, name).kind in KINDS
    assert source.read_so_far <= LOOK_MAX
    shown(found.name, found.body)
    return found


def zeros(size: int) -> bytes:
    """A raw deflate stream of `size` zeros, a thousandth of it long."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


ZEROS = zeros(512 * MIB)


def listed(found: Sample) -> str:
    with zipfile.ZipFile(io.BytesIO(found.body)) as archive:
        return archive.read("_manifest.txt").decode()


def files(found: Sample) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(found.body)) as archive:
        return archive.namelist()


def claimed(entries: list[tuple[str, bytes, int, int]], offsets: list[int] | None = None, more: bytes = b"") -> bytes:
    """A ZIP of (name, packed bytes, size that is claimed, method) at the places that are said."""
    body, directory, places = bytearray(), bytearray(), []
    for name, packed, size, method in entries:
        places.append(len(body))
        about = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, 0, len(packed), size, len(name), 0)
        body += b"PK\x03\x04" + about + name.encode() + packed
    for (name, packed, size, method), at in zip(entries, offsets or places, strict=True):
        about = struct.pack(
            "<HHHHHHIIIHHHHHII", 20, 20, 0, method, 0, 33, 0, len(packed), size, len(name), len(more), 0, 0, 0, 0, at
        )
        directory += b"PK\x01\x02" + about + name.encode() + more
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    return bytes(body + directory) + b"PK\x05\x06" + end


def test_a_zip_bomb_is_listed() -> None:
    found = sampled("bomb.zip", claimed([("a.csv", ZEROS, 512 * MIB, 8)]))
    assert "536870912" in listed(found)
    assert files(found) == ["_manifest.txt"]


def test_a_zip_that_says_less_than_it_unpacks_to_is_not_believed() -> None:
    found = sampled("bomb.zip", claimed([("a.bin", ZEROS, 100, 8), ("b.csv", b"a,b\n1,2\n", 8, 0)]))
    assert files(found) == ["_manifest.txt", "b.csv"]


def test_archives_in_archives_stay_packed() -> None:
    inner = claimed([("a.csv", ZEROS, 512 * MIB, 8)])
    found = sampled("bomb.zip", raw.zipped({"1.zip": inner, "2.csv.gz": gzip.compress(b"a\n1\n"), "3.txt": b"3"}))
    assert files(found) == ["_manifest.txt", "3.txt"]


def test_nothing_is_unpacked_where_entries_overlap() -> None:
    found = sampled("bomb.zip", claimed([("a.csv", ZEROS, 512 * MIB, 8), ("b.csv", b"a\n1\n", 4, 0)], [0, 0]))
    assert "shares bytes with another entry: nothing was unpacked" in listed(found)
    assert files(found) == ["_manifest.txt"]


@pytest.mark.parametrize("sizes", [(2**63, 2**63, 0), (2**64 - 1, 1, 2**64 - 1), (1, 2**40, 2**40)])
def test_a_zip64_that_lies_is_listed_or_refused(sizes: tuple[int, int, int]) -> None:
    body = claimed([("a.csv", b"a\n1\n", 2**32 - 1, 0)], [2**32 - 1], struct.pack("<HHQQQ", 1, 24, *sizes))
    found = sampled("lie.zip", body)
    assert found.name.endswith(".meta.json") or files(found) == ["_manifest.txt"]


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd.csv", "/etc/passwd.csv", "..\\a.csv", "C:/a.csv", "a\nb.csv", "\x1b[2J.csv"]
)
def test_names_in_a_zip_are_shown_on_one_line_and_never_used(name: str) -> None:
    found = sampled("names.zip", claimed([(name, b"a\n1\n", 4, 0), ("good.csv", b"a\n1\n", 4, 0)]))
    assert files(found) == ["_manifest.txt", "good.csv"]
    lines = listed(found).splitlines()
    assert len(lines) == 3
    assert "its name leads elsewhere" in lines[1]
    assert all(line.replace("\t", "").isprintable() for line in lines)


def test_a_zip_of_many_entries_is_listed_in_part() -> None:
    found = sampled("many.zip", raw.zipped({f"{n}.txt": b"" for n in range(5000)}))
    assert len(listed(found).splitlines()) == 1002
    assert "5,000 entries in all" in listed(found)


def test_a_zip_whose_directory_is_too_long_says_so() -> None:
    body = raw.zipped({f"{n:0200}.txt": b"" for n in range(12_000)})
    assert "at most 2,097,152 are read in all" in sampled("many.zip", body).about["reason"]


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.json.gz", "bomb.gz", "bomb.tar.gz"])
def test_a_gz_bomb_is_unpacked_no_further_than_is_allowed(name: str) -> None:
    bomb = b"\x1f\x8b\x08" + bytes(7) + ZEROS + struct.pack("<II", 0, 512 * MIB)
    found = sampled(name, bomb)
    assert "reason" in found.about or len(found.body) < MIB


def test_of_a_gz_bomb_with_rows_the_rows_are_taken() -> None:
    body = gzip.compress(b"a,b\n" + b"1,2\n" * 200 + bytes(64 * MIB))
    assert gzip.decompress(sampled("bomb.csv.gz", body).body) == b"a,b\n" + b"1,2\n" * 100


def header(name: str, type: bytes, **about: object) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type = type
    for key, value in about.items():
        setattr(found, key, value)
    return found


def test_links_devices_and_paths_in_a_tar_are_listed_and_not_followed() -> None:
    members = {
        "../../etc/cron.d/x": b"* * * * * root sh",
        "/etc/passwd": b"root",
        "link": header("link", tarfile.SYMTYPE, linkname="../../etc/shadow"),
        "hard": header("hard", tarfile.LNKTYPE, linkname="/etc/shadow"),
        "null": header("null", tarfile.CHRTYPE, devmajor=1, devminor=3),
        "pipe": header("pipe", tarfile.FIFOTYPE),
        "a\nb\x1b[2J": b"x",
    }
    text = sampled("evil.tar", raw.tarred(members)).body.decode()
    types = [line.split("\t")[0] for line in text.splitlines()]
    assert types == ["type", "file", "file", "symbolic link", "hard link", "device", "pipe", "file"]
    assert text.count("its name leads elsewhere") == 3
    assert text.count("its link leads elsewhere") == 2
    assert text.replace("\t", "").replace("\n", "").isprintable()


@pytest.mark.parametrize("size", [8 * GIB, 2**62, -5])
def test_a_tar_whose_member_is_larger_than_it_is_listed(size: int) -> None:
    member = header("a", tarfile.REGTYPE)
    member.size = abs(size)
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT)[:512])
    if size < 0:
        block[124:136] = size.to_bytes(12, "big", signed=True)
        block[148:156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    found = sampled("a.tar", bytes(block) + b"x" * 100)
    assert found.about.get("members") == ("1" if size > 0 else None)
    assert size < 0 or found.body.decode().splitlines()[-1] == "# the listing ends here: " + CUT


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (tarfile.XHDTYPE, b"99999999999 path=a\n", "none of its words"),
        (tarfile.XHDTYPE, b"0 path=a\n", "none of its words"),
        (tarfile.XHDTYPE, b"\xff\xfe" * 100, "none of its words"),
    ],
)
def test_a_tar_with_broken_words_on_a_member_is_refused(kind: bytes, body: bytes, said: str) -> None:
    words = header("x", kind)
    words.size = len(body)
    archive = words.tobuf(tarfile.USTAR_FORMAT) + body.ljust(512, b"\0")
    assert said in sampled("a.tar", archive + raw.tarred({"a": b"a"})).about["reason"]


def test_a_tar_of_nothing_but_words_ends() -> None:
    words = header("x", tarfile.GNUTYPE_LONGNAME)
    words.size = 5
    archive = (words.tobuf(tarfile.GNU_FORMAT) + b"name\0".ljust(512, b"\0")) * 3_000
    assert "more than" in sampled("a.tar", archive).about["reason"]


@pytest.mark.parametrize(
    ("head", "unit", "said"),
    [
        (b'{"a": "', b"x", "not one row is whole"),
        (b"[", b"[", "brackets within each other"),
        (b'[{"a": ', b'{"a": ', "brackets within each other"),
        (b'["', b'\\"', "not one row is whole"),
        (b"[1", b"0", "not one row is whole"),
        (b" ", b" ", "nothing but blanks"),
        (b"\x00", b"\x00", "no JSON array or object"),
    ],
)
def test_a_gigabyte_of_json_on_one_line_is_refused_with_the_reason(head: bytes, unit: bytes, said: str) -> None:
    source = raw.repeated(head, unit, GIB)
    found = sample(source, "line.json")
    assert said in found.about["reason"]
    assert source.read_so_far <= SAMPLE_MAX


def test_a_gigabyte_of_records_on_one_line_has_a_sample() -> None:
    source = raw.repeated(b"[", b'{"id": 1, "fixes": [1, 2]},', GIB)
    assert len(json.loads(sample(source, "line.json").body)) == 100


@pytest.mark.parametrize(
    ("name", "head", "unit"),
    [
        ("carriage.csv", b"a,b\n", b"\t\r"),
        ("blank.jsonl", b"", b"\t\n"),
    ],
)
def test_text_that_is_made_to_take_long_does_not(name: str, head: bytes, unit: bytes) -> None:
    begun = time.monotonic()
    assert "not one row is whole" in sample(raw.repeated(head, unit, GIB), name).about["reason"]
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("deep.json", b"[" * 100_000 + b"]" * 100_000, "brackets within each other"),
        ("surrogates.json", b'[{"\\ud800": "\\udfff", "b": ["\\udfff"]}]', ""),
        ("digits.json", b"[" + b"9" * 10**6 + b"]", ""),
        ("quotes.csv", b'a,b\n"' + b"x" * 3 * MIB, "not one row is whole"),
        ("field.csv", b"a,b\n1," + b"x" * 5 * MIB + b"\n", "not one row is whole"),
        ("nul.csv", b"a,b\n1,2\n" + b"\0" * 1000, ""),
        ("mixed.csv", "é,b\n1,2\n".encode() + "é,2\n".encode("latin-1"), ""),
        ("utf16.csv", "é,b\n1,2\n".encode("utf-16") + b"1", ""),
        ("surrogates.csv", b"\xff\xfea\0\n\0\x00\xd8\n\x00", ""),
        ("bom.csv", b"\xef\xbb\xbf", ""),
        ("ragged.csv", b"a,b\n1\n1,2,3\n\n,,,,\n", ""),
        ("wide.csv", b",".join(b"c%d" % n for n in range(10_000)) + b"\n" + b"1," * 9_999 + b"1\n", ""),
        ("commas.csv", b"," * 3 * MIB, "not one row is whole"),
        ("newlines.csv", b"\n" * 3 * MIB, "not one row is whole"),
        ("a\nb/../..\x1b[2J.csv", b"a,b\n1,2\n", ""),
    ],
)
def test_odd_text_is_cut_as_it_is_or_refused(name: str, body: bytes, said: str) -> None:
    found = sampled(name, body)
    if said:
        assert said in found.about["reason"]
    else:
        assert body.startswith(found.body.rstrip(b"]"))


def test_ten_thousand_columns_are_too_many_for_the_manifest() -> None:
    body = b",".join(b"c%d" % n for n in range(10_000)) + b"\n" + b"1," * 9_999 + b"1\n"
    assert look(BytesSource(body), "wide.csv").problems == ("it has 10,000 columns; at most 5,000 are taken",)


@pytest.mark.parametrize("lie", sorted(forged.LIES.keys() - OTHERS))
def test_parquet_files_that_lie_are_refused(lie: str) -> None:
    body = forged.LIES[lie][0](forged.honest())
    assert "reason" in sample(BytesSource(body), "lie.parquet").about


@pytest.mark.parametrize("make", [forged.prefixes, forged.repeated])
def test_a_parquet_file_whose_texts_are_a_bomb_is_refused(make: Callable[[int], bytes]) -> None:
    assert "reason" in sampled("bomb.parquet", make(70)).about


BOOK = write_table(raw.TABLE, "xlsx")


def book(**parts: bytes) -> bytes:
    """A workbook with other parts: `sheet1` for xl/worksheets/sheet1.xml, and so on."""
    places = {"sheet1": "xl/worksheets/sheet1.xml", "styles": "xl/styles.xml", "strings": "xl/sharedStrings.xml"}
    return raw.rezipped(BOOK, {places[part]: body for part, body in parts.items()})


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><worksheet><sheetData/></worksheet>'
SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
ROW = b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>%s</t></is></c></row>'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (lambda: book(sheet1=LAUGHS), "holds a document type"),
        (lambda: book(styles=LAUGHS), "holds a document type"),
        (lambda: book(sheet1=LAUGHS.decode().encode("utf-16")), "another encoding"),
        (lambda: book(sheet1=b'<?xml version="1.0" encoding="cp037"?><worksheet/>'), "another encoding"),
        (lambda: book(styles=b"<a>" + b" " * 64 * MIB), "is too large"),
        (lambda: book(sheet1=SHEET % (ROW % (1, 1, b"x" * 9 * MIB))), "is too large"),
        (lambda: book(sheet1=b"<worksheet><sheetData><row>"), "damaged"),
        (lambda: raw.zipped({"xl/workbook.xml": b"<workbook/>"}), "damaged"),
        (lambda: BOOK[:-30], "damaged"),
    ],
)
def test_workbooks_made_to_harm_are_refused(body: Callable[[], bytes], said: str) -> None:
    assert said in sampled("book.xlsx", body()).about["reason"]


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        (b"".join(ROW % (n, n, b"x") for n in range(1, 200_000)), 100),
        (ROW % (1, 1, b"x") + b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>y</t></is></c></row>', 100),
        (b'<row><c r="XFD1" t="inlineStr"><is><t>y</t></is></c></row>' * 20, 19),
        (b'<row r="1"><c r="A1" t="inlineStr"><is><t>=HYPERLINK("x")</t></is></c></row>' + b"<row/>" * 9, 9),
    ],
)
def test_of_odd_workbooks_there_are_rows(rows: bytes, count: int) -> None:
    found = sampled("book.xlsx", book(sheet1=SHEET % rows))
    assert found.about["rows"] == str(count)


def test_huge_shared_strings_are_refused() -> None:
    strings = b'<sst xmlns="%s">' % raw.SHEETS + b"<si><t>xxxx</t></si>" * 10**6
    assert "is too large" in sampled("book.xlsx", book(strings=strings)).about["reason"]


@pytest.mark.parametrize("name", raw.FILES)
def test_of_tampered_files_nothing_comes_but_samples_and_reasons(name: str) -> None:
    """Bytes changed, cut out, doubled and put in, at random places."""
    random_ = random.Random(name)  # noqa: S311  # a seed for tests, not a secret
    for _ in range(40):
        body = bytearray(raw.FILES[name])
        for _ in range(random_.choice((1, 1, 3, 20))):
            at, size = random_.randrange(len(body) + 1), random_.choice((1, 1, 2, 8, 100))
            what = random_.choice(
                (random_.randbytes(size), bytes(size), b"\xff" * size, b"", bytes(body[at : at + size]) * 2)
            )
            body[at : at + random_.choice((0, size))] = what
        source = BytesSource(bytes(body), name)
        found = sample(source, name, kind=random_.choice(("", "", raw.KINDS[name])))
        look(source, name)
        shown(found.name, found.body)


CHILD = """
import resource, sys
from pathlib import Path
from towline.parquet.source import FileSource
from towline.sampling.sample import sample
sound, *bombs = sys.argv[1:]
assert "rows" in sample(FileSource(Path(sound)), sound).about
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in bombs:
    assert "reason" in sample(FileSource(Path(path)), path).about, path
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_parquet_bombs_take_little_memory(tmp_path: Path) -> None:
    files = {"sound": forged.honest()}
    files |= {name: lie(forged.honest()) for name, (lie, _) in forged.PAGES.items() if name != forged.FOR_NO_ROWS}
    files |= {"repeated": forged.repeated(2000)}
    for name, body in files.items():
        (tmp_path / f"{name}.parquet").write_bytes(body)
    paths = [tmp_path / f"{name}.parquet" for name in files]
    done = subprocess.run([sys.executable, "-c", CHILD, *map(str, paths)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200 * MIB
