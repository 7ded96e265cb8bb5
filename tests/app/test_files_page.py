"""The Files page: what came in and what became of it, whatever strangers call their files."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.files import html, sheet, upload
from app.files.ledger import PAGE, Ledger
from app.files.sheet import COLUMNS, ROWS, Sheet
from tests.app.furnished import CSV, SET, Furnished
from tests.pipeline import Pipeline
from towline import connect, keys
from towline.connect import Connection
from towline.parquet.source import BytesSource
from towline.pipeline import inventory
from towline.pipeline.inventory import FAILED, Inventory, Loaded
from towline.reconcile import Findings, note
from towline.sampling.sample import sample

NASTY = "evil\n<script>alert(1)</script>![x](http:\u202eevil.example)\"'&.csv"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


# ---- samples as tables ----


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in (["a", "b"], [1, None], ["<b>", 2.5]):
        book.active.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "body", "names", "rows"),
    [
        ("x.csv", b'\xef\xbb\xbfa;b\n1;\n"x;y";2\n', ["a", "b"], [["1", None], ["x;y", "2"]]),
        ("x.tsv", b"a\tb\n1\t2\t3\n", ["a", "b", "column 3"], [["1", "2", "3"]]),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n"), ["a", "b"], [["1", "2"]]),
        (
            "x.json",
            b'[{"a": 1, "b": null}, {"c": {"d": ["<"]}}]',
            ["a", "b", "c"],
            [["1", None, None], [None, None, '{"d": ["<"]}']],
        ),
        ("x.json", b'{"a": true}', ["a"], [["true"]]),
        ("x.jsonl", b'{"a": 1}\n\n{"a": 2}\n', ["a"], [["1"], ["2"]]),
        ("x.jsonl", b'1\n["<"]\n', ["value"], [["1"], ['["<"]']]),
        ("x.parquet", parquet(pa.table({"a": [1, None], "b": ["<", None]})), ["a", "b"], [["1", "<"], [None, None]]),
        ("x.XLSX", workbook(), ["a", "b"], [["1", None], ["<b>", "2.5"]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a workbook has the time in its bytes
)
def test_a_sample_of_each_format_is_a_table(name: str, body: bytes, names: list[str], rows: list[list[str]]) -> None:
    (found,) = sheet.read(name, body)
    assert (list(found.names), [list(row) for row in found.rows]) == (names, rows)


def test_listings_are_text_and_meta_are_facts() -> None:
    (text,) = sheet.read("x.tar.gz.txt", b"a\nb\n")
    assert text.text == "a\nb\n"
    (facts,) = sheet.read("x.bin.meta.json", json.dumps({"size": 3, "type": None}).encode())
    assert facts.facts == {"size": "3", "type": ""}
    assert "size" in html.sheet(facts, "x")


def test_a_sample_of_an_archive_is_its_listing_and_the_rows_of_a_file_in_it() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("<b>/rounds.csv", CSV)
    made = sample(BytesSource(packed.getvalue(), "x"), "x.zip")
    listing, rows = sheet.read(made.name, made.body)
    assert "<b>/rounds.csv" in listing.rows[0]
    assert list(rows.names) == ["round_id", "course", "startTime", "pace"]


NESTED = parquet(pa.table({"a": [[1, 2]]}))


@pytest.mark.parametrize(
    ("name", "body"),
    [("x.parquet", NESTED), ("x.xlsx", b"PK\x03\x04\0"), ("x.gz", b"\x1f\x8b\0"), ("x.meta.json", b"[")],
)
def test_a_sample_that_cannot_be_shown_says_so(name: str, body: bytes) -> None:
    (found,) = sheet.read(name, body)
    assert found.note
    assert not found.names
    assert not found.text


def test_a_sample_is_cut_to_what_can_be_looked_at() -> None:
    wide = ",".join(f"c{n}" for n in range(COLUMNS + 7)).encode()
    (found,) = sheet.read("x.csv", wide + b"\n" + b"v\n" * (ROWS + 5) + b"x" * 1000 + b"\n")
    assert (len(found.names), len(found.rows), found.note) == (COLUMNS, ROWS, "7 more columns")


# ---- the HTML ----


def test_whatever_strangers_wrote_is_escaped_and_on_one_line() -> None:
    files = Furnished(Pipeline().store)
    entry = files.refused(NASTY, NASTY)
    (line,) = Ledger.of([entry], {}).lines
    found = Sheet([NASTY], [[NASTY, None]], note=NASTY)
    shown = [
        html.listing([line], line.id, NOW), html.head(line), html.story(entry, NOW), html.reasons([NASTY]),
        html.sheet(found, NASTY), html.sheet(Sheet(text=NASTY), NASTY), html.sheet(Sheet(facts={NASTY: NASTY}), NASTY),
        html.went({NASTY: [NASTY]}),
    ]  # fmt: skip
    for text in shown:
        assert "<script" not in text
        assert "\u202e" not in text
        assert "&lt;script&gt;" in text or "evil.example" in text
    assert "evil\n" not in "".join(shown[:5])


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 byte"), (999, "999 bytes"), (3400, "3.4 kB"), (250_000_000, "250 MB"), (5 * 10**12, "5,000 GB")],
)
def test_sizes_are_said_in_the_unit_that_fits(count: int, said: str) -> None:
    assert html.size(count) == said


def test_what_a_list_costs_grows_with_its_files_and_no_faster() -> None:
    files = Furnished(Pipeline().store)
    made = [files.entry(f"f{n}.csv", b"") for n in range(2_000)]

    def listed(times: int) -> int:
        """How often a function is called until one page of so many files is on the screen."""
        calls = 0

        def count(_frame: FrameType, event: str, _what: object) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count)
        try:
            ledger = Ledger.of(made * times, {})
            assert len(ledger.matching("In bronze", "F1234.CSV")) == times
            html.listing(ledger.matching("All", "")[:PAGE], "", NOW)
        finally:
            sys.setprofile(None)
        return calls

    assert listed(10) < 11 * listed(1)


# ---- the page ----


def script() -> None:
    import streamlit as st

    from app.pages import files
    from app.session import Session

    Session.here().dataset = st.session_state.get("chosen", "")
    files.page()


class Screen:
    """A tab on the page, over a bucket in memory."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        st.cache_resource.clear()
        st.cache_data.clear()
        patch.setenv("S3_BUCKET", "towline")
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        patch.setenv("LOGNAME", "ana")
        pipeline = Pipeline()
        patch.setattr(connect, "connect", lambda settings: Connection(settings, pipeline.bench))
        self.bench, self.store = pipeline.bench, pipeline.store
        self.files = Furnished(self.store)
        self.tab = AppTest.from_function(script, default_timeout=30)

    def open(self, **query: str) -> str:
        """Everything that the page says, as HTML."""
        for name, value in query.items():
            self.tab.query_params[name] = value
        self.tab.run()
        assert not self.tab.exception, self.tab.exception
        lists = [json.loads(each.proto.json) for each in self.tab.get("bidi_component")]
        return "\n".join([*(str(each.proto.body) for each in self.tab.get("html")), *map(str, lists)])


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch)


def test_without_any_file_the_page_says_how_one_is_put_in(screen: Screen) -> None:
    assert "towline ingest NAME FILE" in screen.open()
    screen.tab.session_state["chosen"] = "nets"
    assert "No file has come in for nets yet" in screen.open()


def test_a_dataset_without_a_table_is_there_by_itself_and_by_the_address(screen: Screen) -> None:
    screen.files.good("a.csv")
    assert "golf_rounds · 1 file came in" in screen.open()
    screen.tab.session_state["chosen"] = "nets"
    assert "No file has come in for nets yet" in screen.open()
    assert "golf_rounds · 1 file came in" in screen.open(of=SET)
    assert screen.tab.selectbox(key="files-of").options == [SET, "nets"]


def test_a_file_tells_its_story(screen: Screen) -> None:
    entry = screen.files.good("a.csv", source=("loggers", "north"))
    screen.files.load(entry)
    shown = screen.open()
    assert entry.bronze in shown
    assert "<th>startTime</th>" in shown
    assert "<td>2025-07-01T09:10:00Z</td>" in shown
    assert "<b>silver fix</b> course_id=erinhills/event_date=2025-07-01" in shown
    assert "<b>gold pace</b>" in shown
    assert "known 0.4 s later" in shown


def test_what_is_not_there_yet_is_said_in_plain_sentences(screen: Screen) -> None:
    entry = screen.files.good("a.csv")
    screen.store.delete(keys.sample(entry.bronze))
    screen.store.put(f"raw/{SET}/b.csv", CSV)
    screen.store.put(f"raw/{SET}/temp_c.csv", CSV)
    shown = screen.open()
    assert "Under way" in screen.tab.button_group[0].options[1]
    assert "No load has taken it yet" in shown
    assert "There is none yet" in shown
    assert "temp_c" not in shown
    assert "Reconcile says" not in shown
    found = Findings((), (), (), (), (f"{SET}: pipeline.py fails", "others: too"))
    note(screen.bench, found, timedelta(minutes=10), {})
    assert f"Reconcile says of {SET}: pipeline.py fails. Until that is mended, files wait." in screen.open()


def test_a_refused_file_says_why_and_is_retried(screen: Screen) -> None:
    entry = screen.files.refused("bad.zip", "it is no ZIP archive")
    assert "it is no ZIP archive" in screen.open()
    screen.tab.button(key=f"retry-{entry.ingest}").click()
    assert "… to be tried again" in screen.open()
    assert screen.store.get(keys.retry(SET, entry.ingest, "ana"))
    screen.files.at = datetime.now(UTC)
    screen.files.retried(entry, screen.store.head(keys.retry(SET, entry.ingest, "ana")).modified)
    screen.tab.button(key="files-again").click()
    assert f'data-act="{entry.ingest}.1"' in screen.open(file=entry.ingest)


def test_refused_rows_are_a_table_with_reasons(screen: Screen) -> None:
    entry = screen.files.good("a.csv")
    rows = pa.table({"row": [7], "column": ["latitude"], "value": ["431.2"], "reason": ["expected -90 to 90"]})
    screen.files.refuse_rows(entry, rows, "latitude: expected -90 to 90 (1 row)")
    screen.files.load(entry, refused=1)
    shown = screen.open()
    assert "latitude: expected -90 to 90 (1 row)" in shown
    assert "<td>431.2</td>" in shown
    assert "all 1 row" in shown


def test_a_file_of_which_nothing_was_loaded_says_why(screen: Screen) -> None:
    entry = screen.files.good("a.csv")
    inventory.write(
        screen.store, Inventory(SET, keys.SILVER, loaded={entry.ingest: Loaded(FAILED, reasons=("too many",))})
    )
    shown = screen.open()
    assert "<b>not loaded</b>" in shown
    assert "too many" in shown
    assert "all of them were refused" in shown


def test_a_duplicate_says_how_the_first_file_stands(screen: Screen) -> None:
    entry = screen.files.good("a.csv")
    again = screen.files.duplicate(entry, "b.csv")
    inventory.write(screen.store, Inventory(SET, keys.SILVER, loaded={entry.ingest: Loaded(FAILED, reasons=("why",))}))
    shown = screen.open(file=again.ingest)
    assert f'data-act="{entry.ingest}" title="Show that file"' in shown
    assert "<b>not loaded</b>: it is in bronze, and the load refused all of it" in shown


def test_lines_are_filtered_found_and_turned(screen: Screen) -> None:
    for number in range(PAGE + 3):
        screen.files.write(screen.files.entry(f"f{number}.csv", str(number).encode()))
    bad = screen.files.refused("bad.zip", "why")
    assert f"1 to {PAGE} of {PAGE + 4}" in screen.open()
    screen.tab.button(key="files-older").click()
    assert f"{PAGE + 1} to {PAGE + 4} of {PAGE + 4}" in screen.open()
    screen.tab.text_input(key=f"files-find-{SET}").set_value("BAD.z")
    assert bad.ingest in screen.open()
    screen.tab.text_input(key=f"files-find-{SET}").set_value("nowhere")
    assert "No file is like that" in screen.open()


def test_an_address_that_names_no_file_says_so(screen: Screen) -> None:
    screen.files.good("a.csv")
    assert "There is no file with the ingest &lt;b&gt;" in screen.open(file="<b>")


# ---- putting files in ----


@dataclass
class Chosen:
    """A file as the browser hands it over."""

    name: str
    body: bytes = CSV
    claims: int | None = None

    @property
    def size(self) -> int:
        return len(self.body) if self.claims is None else self.claims

    def getvalue(self) -> bytes:
        return self.body


def test_files_are_put_below_their_source_and_what_is_not_says_why(screen: Screen) -> None:
    chosen = [Chosen("a.csv"), Chosen("temp_b.csv"), Chosen("big.csv", claims=upload.MOST + 1)]
    said = upload._put(SET, " loggers/north ", chosen)  # type: ignore[arg-type]
    assert [kind for kind, _ in said] == ["done", "stop", "stop"]
    assert said[0][1].startswith(f"1 file put into raw/{SET}/loggers/north/")
    assert "rename it" in said[1][1]
    assert "big.csv was not put in: it has 105 MB" in said[2][1]
    assert [entry.key for entry in screen.store.list(keys.RAW)] == [f"raw/{SET}/loggers/north/a.csv"]
    assert upload._put(SET, "../other", [Chosen("a.csv")])[0][0] == "stop"  # type: ignore[list-item]


def test_so_many_files_at_once_and_no_more(screen: Screen) -> None:
    said = upload._put(SET, "", [Chosen(f"{n}.csv") for n in range(upload.TOGETHER + 1)])  # type: ignore[misc]
    assert [text[:8] for _, text in said] == ["50 files", "50.csv w"]
