"""What the SQL page says, without the page: examples, sources, what is pointed out of a preview, refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app import preview_markup, sql_markup
from app.past import html
from app.sql import words
from app.sql.sources import sources
from tests.app.test_past import BAD, record
from tests.cli.test_preview import ROWS, made
from tests.core.nets import CONTRACT
from towline import sqledit
from towline.contract import Contract
from towline.receipts import Receipt

BASE = '"towline"."run_base"'


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("select 1", "SELECT"),
        ("  -- why\n /* UPDATE */ (WITH a AS (SELECT 1) SELECT * FROM a)", "WITH"),
        ("\tmerge INTO nets", "MERGE"),
        ("", ""),
        ("-- only a comment", ""),
        ("1 + 1", ""),
        ("/* " * 1_000 + "SELECT", ""),
        ("/**/" * 1_000 + "(" * 1_000 + "1", ""),
        ("/* a **/" * 1_000 + "delete", "DELETE"),
    ],
)
def test_the_verb_is_behind_comments_and_brackets(statement: str, verb: str) -> None:
    assert words.verb(statement) == verb
    assert words.is_edit(statement) == (verb in ("MERGE", "DELETE"))


def test_every_example_can_be_run_as_it_is() -> None:
    found = words.examples(CONTRACT)
    assert len(found) == 5
    for _, statement in found:
        if words.is_edit(statement) or "OVER" in statement:
            sqledit.compile(statement, CONTRACT, base=BASE, others={}, database="towline")
        else:
            sqledit.read_only(statement, ["nets"], "towline")


def test_examples_quote_names_that_need_it() -> None:
    raw = json.loads(CONTRACT.to_json())
    raw["fields"][2]["name"] = "Volume (m³)"
    raw["fields"][1]["name"] = "order"
    raw["primaryKey"] = ["tow", "order"]
    raw["towline"].pop("severities")
    contract = Contract.parse(raw)
    for _, statement in words.examples(contract):
        if words.is_edit(statement) or "OVER" in statement:
            sqledit.compile(statement, contract, base=BASE, others={}, database="towline")
    assert any('"order" = 1' in statement for _, statement in words.examples(contract))


def test_a_dataset_without_numbers_has_examples_too() -> None:
    fields = [{"name": "id", "type": "string"}]
    contract = Contract.parse({"fields": fields, "primaryKey": "id", "towline": {"version": 1, "dataset": "ids"}})
    assert [title for title, _ in words.examples(contract)] == ["Look at the table", "Delete rows"]


def test_the_edited_table_comes_first_and_all_others_are_there() -> None:
    found = sources("nets", [CONTRACT])
    assert [source.name for source in found] == ["nets", "nets_snapshots", "changes", "audit"]
    assert [source.is_edited for source in found] == [True, False, False, False]
    assert found[0].columns["volume"] == "double"
    assert "date" in found[3].columns


def test_what_is_put_in_is_escaped() -> None:
    text = sql_markup.side([], [('<b>"', 'SELECT "<b>"')], [BAD])
    assert BAD not in text
    assert 'data-put="SELECT &quot;&lt;b&gt;&quot;" data-whole' in text


def test_a_refusal_shows_the_place_on_lines_of_its_own() -> None:
    with pytest.raises(sqledit.SqlRefused) as refused:
        sqledit.compile("UPDATE nets SET <", CONTRACT, base=BASE, others={}, database="towline")
    text = sql_markup.refusal(str(refused.value))
    assert "Line 1:" in text
    assert '<pre class="tl-place">  UPDATE nets SET &lt;\n' in text
    assert '<pre class="tl-place">' not in sql_markup.refusal("a note is required")


def test_what_is_easily_done_by_mistake_is_pointed_out() -> None:
    emptied = made([{**row, "volume": None} for row in ROWS])
    assert "volume has 2 more empty cells than before." in preview_markup.dangers(emptied)
    assert "It changes most of volume (66.7%)." in preview_markup.dangers(emptied)
    assert "It deletes 1 row: 33.3% of 3." in preview_markup.dangers(made(ROWS[:2]))
    assert preview_markup.dangers(made([{**ROWS[0], "volume": 1.0}, *ROWS[1:]])) == ""


@pytest.mark.parametrize(
    ("held", "said"),
    [(0, "0%"), (0.0001, "under 0.1%"), (0.5, "50%"), (0.333, "33.3%"), (0.9999, "over 99.9%"), (1, "100%")],
)
def test_a_share_never_reads_as_nothing_or_all_where_it_is_neither(held: float, said: str) -> None:
    assert preview_markup.share(held) == said


def test_only_columns_that_change_have_a_line() -> None:
    text = preview_markup.columns(made([{**ROWS[0], "volume": 21.0}, *ROWS[1:]]), CONTRACT)
    assert text.count("<tr>") == 2
    assert "As they were: tow, net, vessel, is_day" in text
    assert '10.5 → <span class="tl-new">21</span>' in text


def test_a_newer_head_is_told_of_and_the_same_is_not() -> None:
    shown = made(ROWS[:2])
    assert preview_markup.moved(shown, 7) == ""
    assert "The table is at commit 8 by now, and this was tried out on commit 7." in preview_markup.moved(shown, 8)


def test_text_of_data_is_no_markup() -> None:
    shown = made([{**ROWS[0], "vessel": BAD}, {**ROWS[1], "tow": 9}, ROWS[2]])
    text = preview_markup.before(shown, 7) + preview_markup.details(shown, CONTRACT)
    assert BAD not in text
    assert "&lt;script&gt;" in text


def test_lists_that_are_cut_say_so() -> None:
    shown = made(ROWS[:2])
    more = replace(shown, rows=replace(shown.rows, deleted=250))
    assert "Rows that are deleted, the first 1 of 250" in preview_markup.rows(more, CONTRACT)


def test_a_refused_run_says_where_the_report_lies() -> None:
    wrong = {"rule": "sql.query", "severity": "error", "key": None, "column": None, "value": None, "message": "<x>"}
    receipt = Receipt("R", "nets", "rejected", message="1 violation: <x>", violations=(wrong,), errors=1)
    text = sql_markup.outcome(replace(receipt, quarantine="quarantine/nets/2026-03-01/R/"), CONTRACT)
    for said in ("Nothing was changed: 1 error.", "&lt;x&gt;", "kept whole in quarantine/nets/2026-03-01/R/"):
        assert said in text


def test_a_commit_shows_the_statement_that_it_was_made_by() -> None:
    text = html._said(record(2, kind="sql", query="DELETE FROM nets WHERE volume < 0"))
    assert "DELETE FROM nets WHERE volume &lt; 0" in text
    assert "SQL" in text
    assert "<pre" not in html._said(record(2))
