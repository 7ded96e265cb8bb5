"""`towline quarantine`: what was refused, why, where it is, and to try it again."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pytest

from tests.app.furnished import SET, Furnished
from tests.cli.conftest import Towline
from towline import keys
from towline.errors import Refused
from towline.inbox import Arrival
from towline.ingest import retrying
from towline.ingest.entry import Entry
from towline.memory import fail_once

NASTY = "bad\n\x1b[31mname.zip"


@pytest.fixture
def files(bucket: Towline) -> Furnished:
    return Furnished(bucket.store)


@pytest.fixture
def refused(files: Furnished) -> Entry:
    return files.refused("bad.csv", "it has no row", body=b"a,b\n")


@pytest.fixture
def with_rows(files: Furnished) -> Entry:
    entry = files.good("rounds.csv")
    rows = pa.table({"row": [7], "column": ["latitude"], "value": ["431.2"], "reason": ["expected -90 to 90"]})
    files.refuse_rows(entry, rows, "latitude: expected -90 to 90 (1 row)")
    return entry


def answer(bucket: Towline) -> None:
    """What the function does with a retry, the moment it is asked for."""

    def deliver(operation: str, key: str, phase: Literal["before", "after"]) -> None:
        if (operation, phase) == ("put", "after") and key.startswith(keys.RETRIES):
            stat = bucket.store.head(key)
            arrival = Arrival(key, stat.version, stat.etag, stat.size)
            retrying.receive(bucket.pipeline.bench, arrival, lambda dataset: None, lambda entry: None)

    bucket.store.faults = deliver


def test_an_empty_quarantine_says_so(bucket: Towline) -> None:
    assert "the quarantine is empty" in bucket.good("quarantine", "list").err
    assert bucket.good("quarantine", "list", "--json").json == []


def test_files_rows_and_proposals_are_listed_with_their_reasons(
    towline: Towline, files: Furnished, refused: Entry, with_rows: Entry
) -> None:
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=-1", "--note", "why")
    out = towline.good("quarantine", "list").out
    assert "it has no row" in out
    assert "latitude: expected -90 to 90 (1 row)" in out
    assert "1 row" in out
    assert "proposal" in out
    found = towline.good("quarantine", "list", "--json").json
    assert {each["kind"] for each in found} == {"file", "rows", "proposal"}
    assert {each["id"] for each in found} >= {refused.ingest, with_rows.ingest}
    own = towline.good("quarantine", "list", SET, "--json").json
    assert [each["kind"] for each in own] == ["rows", "file"], "newest first"


def test_a_refused_file_is_shown_and_given_back(bucket: Towline, refused: Entry) -> None:
    out = bucket.good("quarantine", "show", refused.ingest).out
    assert "✕ it has no row" in out
    assert f"came as {refused.raw}" in out
    assert f"kept in {refused.quarantine} (4 bytes)" in out
    target = bucket.directory / "back.csv"
    assert "4 bytes" in bucket.good("quarantine", "show", refused.ingest, "-o", str(target)).err
    assert target.read_bytes() == b"a,b\n"
    assert bucket("quarantine", "show", refused.ingest, "-o", str(target)).code == 2, "it is not overwritten"
    bucket.good("quarantine", "show", refused.ingest, "-o", str(target), "--force", "--json")


def test_refused_rows_are_shown_and_their_file_is_in_bronze(bucket: Towline, with_rows: Entry) -> None:
    out = bucket.good("quarantine", "show", with_rows.ingest, "--dataset", SET).out
    assert "431.2" in out
    assert f"bronze {with_rows.bronze}" in out
    told = bucket.good("quarantine", "show", with_rows.ingest, "--json").json
    assert told["rows"] == [{"row": 7, "column": "latitude", "value": "431.2", "reason": "expected -90 to 90"}]
    target = bucket.directory / "back.csv"
    assert (
        bucket.good("quarantine", "show", with_rows.ingest, "-o", str(target), "--json").json["key"] == with_rows.bronze
    )


def test_a_proposal_is_shown_and_cannot_be_retried(towline: Towline) -> None:
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=-1", "--note", "why")
    (each,) = towline.good("quarantine", "list", "tows", "--json").json
    assert "volume" in towline.good("quarantine", "show", each["id"]).out
    result = towline("quarantine", "retry", each["id"])
    assert result.code == 2
    assert "propose it again" in result.err


def test_a_file_that_was_mended_meanwhile_is_taken_by_a_retry(bucket: Towline, files: Furnished) -> None:
    entry = files.refused("good.csv", "the pipeline wanted other columns", body=b"a,b\n1,2\n")
    answer(bucket)
    out = bucket.good("quarantine", "retry", entry.ingest, "--wait", "--timeout", "5").out
    assert f"{entry.ingest}.1: it is in bronze, and the next load takes it" in out


def test_a_file_that_is_refused_again_ends_with_10_and_says_why(bucket: Towline, refused: Entry) -> None:
    answer(bucket)
    result = bucket("quarantine", "retry", refused.ingest, "--wait", "--timeout", "5", "--json")
    assert (result.code, result.json["outcome"]["status"]) == (10, "quarantined")
    assert result.json["outcome"]["reasons"]


def test_a_retry_is_asked_for_and_need_not_be_waited_for(bucket: Towline, refused: Entry) -> None:
    assert "is tried again" in bucket.good("quarantine", "retry", refused.ingest).out
    assert bucket.store.get(keys.retry(SET, refused.ingest, "ana"))
    late = bucket("quarantine", "retry", refused.ingest, "--wait", "--timeout", "0")
    assert late.code == 12
    assert "nothing came of it within 0 s" in late.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show"], 2, "say what to show"),
        (["list", "--wait"], 2, "--wait to `retry`"),
        (["retry", "x", "-o", "y"], 2, "--output belongs to `show`"),
        (["show", "20260301T090100-3f9a52c07be1"], 13, "nothing lies in the quarantine of any dataset"),
        (["show", "nothing", "--dataset", SET], 13, f"of {SET}"),
        (["show", "20269999T090100-3f9a52c07be1", "--dataset", SET], 13, f"of {SET}"),
        (["list", "No-Dataset"], 2, "cannot name a dataset"),
    ],
)
def test_what_cannot_be_meant_is_said(bucket: Towline, arguments: list[str], code: int, said: str) -> None:
    result = bucket("quarantine", *arguments)
    assert result.code == code
    assert said in result.err


def test_names_of_strangers_cannot_command_the_terminal(bucket: Towline, files: Furnished) -> None:
    entry = files.refused(NASTY, NASTY)
    files.store.delete(entry.quarantine.rsplit("/", 1)[0] + "/report.json")
    assert "the report is not written yet" in bucket.good("quarantine", "list").out
    files.report(entry, reasons=[NASTY])
    for out in (bucket.good("quarantine", "list").out, bucket.good("quarantine", "show", entry.ingest).out):
        assert "\x1b" not in out
        assert "bad␊" in out or "bad\n" in out


def test_a_report_that_cannot_be_read_says_so(bucket: Towline, refused: Entry) -> None:
    bucket.store.put(f"{refused.quarantine.rsplit('/', 1)[0]}/report.json", b"[1")
    assert "cannot be read" in bucket.good("quarantine", "show", refused.ingest).out


def test_what_only_stewards_may_read_keeps_nobody_from_the_rest(towline: Towline, refused: Entry) -> None:
    towline.good("edit", "tows", "--where", "tow=1,net=1", "--set", "volume=-1", "--note", "why")
    towline.store.faults = fail_once("get", "before", Refused("no"), prefix="quarantine/tows/")
    out = towline.good("quarantine", "list").out
    assert "a steward may read why" in out
    assert "it has no row" in out
