"""`towline sql`: what is sent, what is refused before it is, and the words on a preview."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests.cli.conftest import CONTRACT, CSV, Towline
from towline import keys, preview, receipts
from towline.contract import Contract
from towline.diff import diff
from towline.files import read_table
from towline.receipts import Receipt
from towline.rows import InMemory
from towline.violation import Report, Violation

UPDATE = "UPDATE master SET volume = volume * 2 WHERE vessel = 'Meridian'"
EFFECT = "ab" * 32


def sent(towline: Towline, ending: str) -> list[dict[str, object]]:
    """The objects of this ending in ana's inbox."""
    found = towline.store.list(keys.inbox("tows", "ana", ""))
    return [json.loads(towline.store.get(entry.key).body) for entry in found if entry.key.endswith(ending)]


@pytest.fixture
def quiet(towline: Towline) -> Towline:
    """The dataset, with functions that see nothing of what is sent."""
    towline.deliver = False
    return towline


def put(towline: Towline, status: str, **more: object) -> Receipt:
    """The receipt of a run as the functions would leave it."""
    receipt = Receipt("01RUN", "tows", "received", "ana", "ana", kind="sql", run={"effect": EFFECT})
    stored = receipts.swap(towline.store, replace(receipt, status=status, **more))
    assert stored is not None
    return stored


def shown(towline: Towline, report: Report = Report()) -> str:  # noqa: B008 - frozen
    """A preview beside it; its effect."""
    contract = Contract.parse(CONTRACT)
    base, _ = contract.conform(read_table(CSV.encode(), "tows.csv", contract)[0])
    result, _ = contract.conform(read_table(CSV.replace("1467.2", "2934.4").encode(), "tows.csv", contract)[0])
    assert base is not None
    assert result is not None
    document = preview.build(
        InMemory(base, contract.key),
        InMemory(result, contract.key),
        diff(base, result, contract.key),
        contract,
        run=keys.Run("tows", "01RUN"),
        statement=UPDATE,
        commit="01KJM9G0Z0ZZZZZZZZZZZZZZZZ",
        number=1,
        report=report,
        reasons=(),
        query={"scanned_bytes": 1234, "cost_usd": 0.00005, "engine_ms": 12, "query_id": "q"},
    )
    towline.store.put(keys.Run("tows", "01RUN").preview, json.dumps(document).encode())
    return str(document["effect"])


def test_what_is_sent_is_the_statement_as_it_was_written(quiet: Towline) -> None:
    result = quiet.good("sql", "tows", UPDATE, "--note", "calibration", "--mode", "row", "--json")
    (proposal,) = sent(quiet, ".sql.json")
    expected = {"dataset": "tows", "kind": "sql", "note": "calibration", "mode": "row", "sql": UPDATE, "preview": False}
    assert expected.items() <= proposal.items()
    assert "base" not in proposal
    assert result.json["status"] == "received"
    assert quiet.good("status", result.json["proposal"], "--json").json["status"] == "received"


def test_a_base_is_named_as_everywhere(quiet: Towline) -> None:
    quiet.good("sql", "tows", UPDATE, "--note", "why", "--base", "1")
    (proposal,) = sent(quiet, ".sql.json")
    assert proposal["base"] == quiet.good("log", "tows", "--json").json[0]["commit"]


@pytest.mark.parametrize("arguments", [["-f", "edit.sql"], ["-f", "-"], ["-"]])
def test_a_statement_can_come_from_a_file_and_from_stdin(
    quiet: Towline, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = quiet.file("edit.sql", f"-- twice\n{UPDATE};\n")
    monkeypatch.setattr("towline.cli.sql._stdin", lambda: f"-- twice\n{UPDATE};\n".encode())
    quiet.good("sql", "tows", *[path if each == "edit.sql" else each for each in arguments], "--note", "why")
    assert sent(quiet, ".sql.json")[0]["sql"] == f"-- twice\n{UPDATE};\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["UPDATE master SET volum = 1"], 10, ["line 1:19", "volum", "did you mean volume?", "^^^^^"]),
        (["DROP TABLE master"], 10, ["line 1:1", "DROP"]),
        (["DELETE FROM master WHERE tow = 1; DROP TABLE master"], 10, ["line 1:35", "one statement"]),
        (["SELECT tow, net FROM master"], 10, ["lacks vessel"]),
        (["SELECT * FROM other"], 10, ["no table other", "tows"]),
        ([], 2, ["one statement"]),
        ([UPDATE, "-f", "x.sql"], 2, ["one statement"]),
        ([UPDATE, "--promote", "01RUN"], 2, ["one statement"]),
        (["--promote", "01RUN", "--discard", "01RUN"], 2, ["one statement"]),
        (["-f", "nothing.sql"], 2, ["nothing.sql"]),
        ([UPDATE, "--base", "99"], 13, ["99"]),
    ],
)
def test_what_cannot_be_meant_is_refused_before_it_is_sent(
    quiet: Towline, arguments: list[str], code: int, said: list[str]
) -> None:
    words = {"--promote", "--discard"} & set(arguments)
    result = quiet("sql", "tows", *arguments, *([] if words else ["--note", "why"]))
    assert result.code == code, result.err
    assert all(word in result.err for word in said), result.err
    assert sent(quiet, ".sql.json") == []


def test_an_edit_says_why(quiet: Towline) -> None:
    result = quiet("sql", "tows", UPDATE)
    assert result.code == 10
    assert "note" in result.err
    assert sent(quiet, ".sql.json") == []


def test_a_dataset_that_there_is_not_is_not_found(quiet: Towline) -> None:
    assert quiet("sql", "nothing", UPDATE, "--note", "why").code == 13


def test_a_preview_can_be_shown_again(quiet: Towline) -> None:
    put(quiet, "previewed")
    effect = shown(quiet)
    found = quiet.good("sql", "tows", "--show", "01RUN")
    assert "1467.2   ->   2934.4" in found.out
    assert "--promote 01RUN" in found.out
    document = quiet.good("sql", "tows", "--show", "01RUN", "--json").json
    assert (document["dry_run"], document["effect"]) == (True, effect)
    assert "--show 01RUN" in quiet.good("status", "01RUN").out


def test_a_preview_that_breaks_the_contract_exits_as_a_violation(quiet: Towline) -> None:
    put(quiet, "rejected")
    breach = Violation("constraint.minimum", "error", {"tow": 1, "net": 0}, "volume", -1.0, "volume is less than 0")
    shown(quiet, Report((breach,), 1, 0))
    assert quiet("sql", "tows", "--show", "01RUN").code == 10


def test_a_promotion_is_bound_to_what_was_previewed_and_is_said_once(quiet: Towline) -> None:
    put(quiet, "previewed")
    result = quiet.good("sql", "tows", "--promote", "01RUN", "--json")
    assert result.json == {"proposal": "01RUN", "dataset": "tows", "word": "promote"}
    (word,) = sent(quiet, ".promote.json")
    assert {
        "format": "towline.word/v1",
        "dataset": "tows",
        "proposal": "01RUN",
        "effect": EFFECT,
    }.items() <= word.items()
    again = quiet("sql", "tows", "--promote", "01RUN")
    assert again.code == 14
    assert "before" in again.err


@pytest.mark.parametrize("status", ["accepted", "previewed"])
def test_a_run_can_be_discarded_while_it_is_under_way(quiet: Towline, status: str) -> None:
    put(quiet, status)
    assert "towline status 01RUN" in quiet.good("sql", "tows", "--discard", "01RUN").err
    assert len(sent(quiet, ".discard.json")) == 1


@pytest.mark.parametrize(
    ("status", "more", "word", "code", "said"),
    [
        ("accepted", {}, "promote", 2, "under way"),
        ("committed", {}, "promote", 2, "it is committed"),
        ("rejected", {"message": "no rows"}, "discard", 2, "no rows"),
        ("previewed", {"principal": "bo", "user": "bo"}, "promote", 14, "bo's"),
        ("in_review", {"kind": "edit"}, "discard", 2, "no SQL edit"),
        ("accepted", {}, "show", 2, "under way"),
    ],
)
def test_a_word_that_cannot_be_said(
    quiet: Towline, status: str, more: dict[str, object], word: str, code: int, said: str
) -> None:
    put(quiet, status, **more)
    result = quiet("sql", "tows", f"--{word}", "01RUN")
    assert result.code == code
    assert said in result.err
    assert sent(quiet, f".{word}.json") == []


def test_a_word_takes_no_note(quiet: Towline) -> None:
    put(quiet, "previewed")
    assert quiet("sql", "tows", "--promote", "01RUN", "--note", "why").code == 2
    assert quiet("sql", "tows", "--promote", "NOTHING").code == 13


def test_an_edit_is_previewed_promoted_and_recorded_with_its_query(towline: Towline) -> None:
    before = towline.rows()
    run = towline.good("sql", "tows", UPDATE, "--note", "calibration", "--dry-run")
    assert "preview: Updates 2 rows, of 3." in run.out
    assert "1786.2   ->   3572.4" in run.out
    assert towline.rows() == before
    (id,) = re.findall(r"--promote (\w+)", run.out)
    assert "committed tows #2" in towline.good("sql", "tows", "--promote", id, "--wait").out
    assert [row["volume"] for row in towline.rows().values()] == [3572.4, 2934.4, None]
    assert towline.good("log", "tows", "--json").json[0]["query"] == UPDATE
    assert towline("sql", "tows", "--promote", id).code == 2


def test_an_edit_that_waits_is_committed(towline: Towline) -> None:
    result = towline.good("sql", "tows", "DELETE FROM master WHERE tow = 2", "--note", "why", "--wait", "--json")
    assert (result.json["status"], result.json["kind"], result.json["run"]["counts"]["rows_deleted"]) == (
        "committed",
        "sql",
        1,
    )
    assert set(towline.rows()) == {(1, 0), (1, 1)}


def test_what_is_promoted_is_merged_onto_what_others_did_meanwhile(towline: Towline) -> None:
    runs = [
        towline.good("sql", "tows", UPDATE, "--note", "why", "--dry-run", "--json").json["run"]
        for _ in ("first", "second")
    ]
    towline.good("edit", "tows", "--where", "tow=1,net=0", "--set", "count=99", "--note", "why", "--wait")
    towline.good("sql", "tows", "--promote", runs[0], "--wait")
    assert (towline.rows()[1, 0]["count"], towline.rows()[1, 0]["volume"]) == (99, 3572.4)
    towline.good("edit", "tows", "--where", "tow=1,net=0", "--set", "volume=1", "--note", "why", "--wait")
    assert towline("sql", "tows", "--promote", runs[1], "--wait").code == 11
    assert towline.rows()[1, 0]["volume"] == 1


def test_what_is_discarded_changes_nothing(towline: Towline) -> None:
    run = towline.good("sql", "tows", UPDATE, "--note", "why", "--dry-run", "--json").json["run"]
    assert "discarded by its author" in towline.good("sql", "tows", "--discard", run, "--wait").out
    assert towline("sql", "tows", "--promote", run).code == 2
    assert towline.rows()[1, 0]["volume"] == 1786.2


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--wait"]])
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE master SET vessel = 1", "MISMATCH"),
        ("UPDATE master SET volume = 1 / 0", "ivision by zero"),
        ("UPDATE master SET volume = -1", "constraint.minimum"),
        ("UPDATE master SET count = 0.5", "whole numbers"),
        ("INSERT INTO master SELECT * FROM master", "key.duplicate"),
        ("SELECT * FROM master WHERE FALSE", "no rows"),
        (
            "UPDATE master SET volume = b FROM (VALUES (1, 7), (1, 8)) AS v(a, b) WHERE a = tow",
            "several rows of the source match one row",
        ),
    ],
)
def test_what_the_query_or_its_result_is_refused_for(
    towline: Towline, sql: str, said: str, arguments: list[str]
) -> None:
    before = towline.rows()
    result = towline("sql", "tows", sql, "--note", "why", *arguments)
    assert result.code == 10
    assert said in result.out
    assert towline.rows() == before
