"""ingest and manifest: files of this machine on their way in, and what became of each."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Literal

import pytest

from tests.cli.conftest import Towline
from tests.core.landed import arrival
from towline import keys
from towline.ingest import receive, sending
from towline.reconcile import Findings, note
from towline.store import MIB

CSV = "x,y\n1,2\n"


@pytest.fixture
def bay(bucket: Towline) -> Towline:
    """A bucket whose files are taken in the moment they land, unless `deliver` is False."""

    def deliver(operation: str, key: str, phase: Literal["before", "after"]) -> None:
        if bucket.deliver and (operation, phase) in (("put", "after"), ("assemble", "after")):
            raw = bucket.store.head(key)
            receive.receive(bucket.pipeline.bench, arrival(raw), lambda dataset: None, lambda entry: None)

    bucket.store.faults = deliver
    return bucket


def test_files_are_sent_and_what_became_of_them_is_told(bay: Towline) -> None:
    files = [bay.file("a.csv", CSV), bay.file("b.csv", CSV), bay.file("empty.csv", "")]
    result = bay("ingest", "golf", *files, "--source", "range/north", "--wait")
    assert result.code == 10
    lines = [line.split() for line in result.out.splitlines()[2:]]
    assert [(line[1], line[4]) for line in lines] == [
        ("bronze", "range/north/a.csv"),
        ("duplicate", "range/north/b.csv"),
        ("quarantined", "range/north/empty.csv"),
    ]
    assert lines[0][5].startswith("bronze/golf/source=range-north/ingest_date=")
    assert "it is empty" in result.out
    assert bay.store.get("raw/golf/range/north/a.csv").body == CSV.encode()
    assert bay.good("ingest", "golf", bay.file("c.csv", "x\n3\n"), "--wait").code == 0


def test_programs_get_the_entries(bay: Towline) -> None:
    found = bay.good("ingest", "golf", bay.file("a.csv", CSV), "--wait", "--json").json
    assert [(each["status"], each["raw"], each["columns"]) for each in found] == [
        ("bronze", "raw/golf/a.csv", ["x", "y"])
    ]
    (line,) = bay.good("manifest", "golf", "--json").out.splitlines()
    assert json.loads(line) == found[0]


def test_without_waiting_the_ingest_is_told_that_a_file_will_have(bay: Towline) -> None:
    (sent,) = bay.good("ingest", "golf", bay.file("a.csv", CSV), "--json").json
    (entry,) = (json.loads(line) for line in bay.good("manifest", "golf", "--json").out.splitlines())
    assert {name: sent[name] for name in sent} == {name: entry[name] for name in sent}
    result = bay.good("ingest", "golf", bay.file("b.csv", "x\n1\n"))
    assert result.out.startswith("raw/golf/b.csv: ingest 2026")
    assert "`towline manifest golf`" in result.err


def test_what_takes_too_long_is_told_and_is_safe(bay: Towline) -> None:
    bay.deliver = False
    result = bay("ingest", "golf", bay.file("a.csv", CSV), "--wait", "--timeout", "0", "--json")
    assert (result.code, result.json[0]["raw"]) == (12, "raw/golf/a.csv")
    assert "status" not in result.json[0]
    assert "they are safe there" in result.err
    note(bay.pipeline.bench, Findings((), (), (), (), ("golf: pipeline.py fails",)), timedelta(minutes=10), {})
    result = bay("ingest", "golf", bay.file("b.csv", CSV), "--wait", "--timeout", "0")
    assert "what Reconcile found wrong with golf: pipeline.py fails" in result.err


def test_a_large_file_goes_by_parts(bay: Towline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "ONE_PUT", 5 * MIB)
    body = "x,y\n" + "1,2\n" * (6 * MIB // 4)
    (found,) = bay.good("ingest", "golf", bay.file("a.csv", body), "--wait", "--json").json
    assert found["etag"].endswith("-2")
    assert (found["status"], found["size"]) == ("bronze", len(body))
    assert bay.store.get(found["bronze"]).body == body.encode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["golf", "temp_a.csv"], "rename it"),
        (["Golf", "a.csv"], "cannot name a dataset"),
        (["golf", "a.csv", "--source", "../up"], "'..' is not the name of a folder"),
        (["golf", "a.csv", "--source", "a//b"], "'' is not the name of a folder"),
        (["golf", "a.csv", "--source", "x" * 1020], "cannot be a key"),
        (["golf", "a.csv", "a.csv"], "would both be raw/golf/a.csv"),
    ],
)
def test_what_would_not_be_taken_in_is_not_sent(bay: Towline, arguments: list[str], message: str) -> None:
    dataset, *rest = arguments
    result = bay("ingest", dataset, *(bay.file(each, CSV) if each.endswith(".csv") else each for each in rest))
    assert result.code == 2
    assert message in result.err
    assert list(bay.store.list(keys.RAW)) == []


def test_the_manifest_is_read_newest_first_by_people_and_oldest_first_by_programs(bay: Towline) -> None:
    for number in range(4):
        bay.good("ingest", "golf", bay.file(f"{number}.csv", f"x\n{number}\n" if number % 2 else ""))
    written = [json.loads(line)["raw"] for line in bay.good("manifest", "golf", "--json").out.splitlines()]
    assert written == [f"raw/golf/{number}.csv" for number in range(4)]
    shown = bay.good("manifest", "golf", "-n", "3").out.splitlines()
    assert [line.split()[4] for line in shown[2:5]] == ["3.csv", "2.csv", "1.csv"]
    assert shown[-1] == "… 1 older (-n 0 lists all)"
    refused = bay.good("manifest", "golf", "--status", "quarantined", "--json").out.splitlines()
    assert [json.loads(line)["raw"] for line in refused] == ["raw/golf/0.csv", "raw/golf/2.csv"]


def test_the_manifest_can_be_a_file(bay: Towline) -> None:
    bay.good("ingest", "golf", bay.file("a.csv", CSV))
    target = bay.directory / "golf.jsonl"
    assert "1 entries of golf" in bay.good("manifest", "golf", "-o", str(target)).err
    (line,) = target.read_bytes().splitlines()
    assert json.loads(line)["raw"] == "raw/golf/a.csv"
    assert "overwrite it with --force" in bay("manifest", "golf", "-o", str(target)).err
    bay.good("manifest", "golf", "-o", str(target), "--force")


def test_a_dataset_without_files_has_an_empty_manifest(bay: Towline) -> None:
    result = bay.good("manifest", "golf")
    assert (result.out, "no such files of golf" in result.err) == ("", True)


def test_names_of_files_cannot_command_the_terminal(bay: Towline) -> None:
    bay.good("ingest", "golf", bay.file("\x1b[31mred\n.csv", ""), "--json")
    out = bay.good("manifest", "golf").out
    assert "\x1b" not in out.replace("\x1b[0m", "")
    assert "␛[31mred" in out
