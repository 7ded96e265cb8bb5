"""The SQL page, driven as a researcher would, without a browser, an engine and a state machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pyarrow as pa
import pytest

from app import sqlbox
from app.solving.picks import ALL
from tests.app.editor import Editor
from tests.app.queries import Queries
from tests.core.nets import Nets
from tests.core.reviewed import Reviewed
from tests.sql_pipeline import SqlPipeline
from towline import inbox, keys
from towline.connect import Connection
from towline.inbox import Arrival
from towline.receipts import Receipt

UPDATE = "UPDATE nets SET volume = volume * 2 WHERE tow = 1 AND volume > 0"
WHEN_DELETED = {"policy": "when", "when": {"rows_deleted": 0}}
FOUND = pa.table({"tow": [1, 2], "n": [2, 2]})


class Slow(SqlPipeline):
    """A pipeline whose queries never end, while `is_slow`."""

    is_slow = False

    def _receive(self, arrival: Arrival) -> Receipt | None:
        if self.is_slow and arrival.key.endswith(".sql.json"):
            inbox.receive(self.bench, arrival)
            return None
        return super()._receive(arrival)


@dataclass
class Page(Editor):
    """A tab on the SQL page, where the SQL that a test writes is what stands in the field."""

    nets: Nets = field(default_factory=lambda: Reviewed(Slow(), policy=WHEN_DELETED))
    engine: Queries = field(default_factory=lambda: Queries(FOUND))
    written: str = ""
    stamp: Any = None
    says: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.patch.setattr(sqlbox, "draw", self._drawn)
        self.patch.setattr(sqlbox, "written", lambda key, text, stamp: self.written)
        self.patch.setattr(Connection, "tables", lambda connection: ["nets", "nets_snapshots", "audit", "changes"])
        self.patch.setattr(Connection, "engine", self.engine)

    def _drawn(self, key: str, text: str, stamp: int, side: str, on_text: Any, on_run: Any) -> None:
        if (stamp, key) != self.stamp:
            self.written, self.stamp = text, (stamp, key)
        if self.says in ("wrote", "run"):
            said, self.says = self.says, ""
            (on_run if said == "run" else on_text)()
        self.lists["side"] = (side, lambda act: None)

    def write(self, text: str, note: str = "recalibrated") -> Page:
        self.written = text
        self.tab.text_input[0].set_value(note)
        return self

    def say(self, what: str) -> Page:
        """What the field tells Python: that something was written, or is to be run."""
        self.says = what
        self.open()
        self.open()
        return self

    def previewed(self, text: str = UPDATE) -> Page:
        self.open().go("SQL")
        self.write(text).press("Preview the edit")
        return self

    def pump(self) -> Page:
        """Have everything happen that was held back."""
        self.is_pumping = True
        self.nets.pipeline.pump()
        self.open()
        return self

    def act_on(self, key: str, act: str) -> Page:
        self.lists[key][1](json.dumps(act))
        self.open()
        return self

    @property
    def run(self) -> str:
        """The newest run."""
        return keys.InboxKey("", "", self.inbox(".sql.json")[-1].rsplit("/", 1)[1]).proposal

    @property
    def buttons(self) -> set[str]:
        return {button.label for button in self.tab.button}

    def words(self, word: str) -> list[Any]:
        return [json.loads(self.nets.pipeline.store.get(key).body) for key in self.inbox(f".{word}.json")]

    def inbox(self, ending: str) -> list[str]:
        return [e.key for e in self.nets.pipeline.store.list(keys.INBOX) if e.key.endswith(ending)]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch)


def test_the_tables_and_examples_are_beside_the_field(page: Page) -> None:
    page.open().go("SQL")
    for said in ("nets", "volume", "number", "edits change this one", "Examples", "UPDATE nets\nSET volume"):
        assert said in page.text


def test_an_edit_is_shown_before_anything_changes(page: Page) -> None:
    page.previewed()
    for said in (
        "Updates 1 row, of 4.",
        "Nothing is changed yet",
        "10.5",
        "21<",
        "25%",
        "1.2 kB, 0.000048 USD",
        "recalibrated",
        escape(UPDATE),
    ):
        assert said in page.text, said
    assert page.nets.row(1, 0)["volume"] == 10.5


def test_one_click_commits_what_was_shown(page: Page) -> None:
    page.previewed().press("Promote").open()
    assert "Committed as commit 2: 1 cell changed." in page.text
    assert page.nets.row(1, 0)["volume"] == 21.0
    (word,) = page.words("promote")
    assert word["effect"] == page.nets.dataset.status(page.run).run["effect"]
    assert not {"Promote", "Discard"} & page.buttons
    page.press("Commit 2 in History")
    assert "Commit 2" in page.text


def test_a_preview_that_is_dropped_changes_nothing(page: Page) -> None:
    page.previewed().press("Discard").open()
    assert "Discarded: nothing was changed." in page.text
    assert page.nets.row(1, 0)["volume"] == 10.5
    assert not {"Promote", "Discard"} & page.buttons


def test_my_proposals_tell_of_it_and_lead_here(page: Page) -> None:
    page.previewed()
    page.go("My proposals")
    assert "It was tried out, and waits for your word on the SQL page." in page.text
    page.go("SQL").press("Discard").open().go("My proposals")
    assert "Rejected: discarded by its author. The table is as it was. Write the statement anew" in page.text
    assert "SQL" in page.buttons
    assert "Reopen" not in page.buttons


def test_after_a_reload_the_preview_is_still_there(page: Page) -> None:
    page.previewed()
    run = page.run
    page.reload().go("SQL")
    assert "waits for your word" in page.text
    page.act_on("sql-runs", run)
    assert "Updates 1 row, of 4." in page.text
    page.press("Promote").open()
    assert "Committed as commit 2" in page.text


def test_a_second_tab_cannot_promote_again(page: Page) -> None:
    page.previewed()
    run, other = page.run, page.tab
    page.reload().go("SQL").act_on("sql-runs", run).press("Promote").open()
    page.tab = other
    page.press("Promote")
    assert "It was promoted already: it is commit 2. A preview is promoted once; nothing was sent." in page.text
    assert len(page.words("promote")) == 1


def test_a_word_that_is_on_its_way_is_not_said_twice(page: Page) -> None:
    page.previewed()
    run, other = page.run, page.tab
    page.is_pumping = False
    page.press("Promote")
    assert "being promoted" in page.text
    assert "Promote" not in page.buttons
    page.tab = other
    page.reload().go("SQL").act_on("sql-runs", run).press("Promote")
    assert f"Promote was said of run {run} before" in page.text
    assert "Committed as commit 2" in page.pump().text


def test_where_others_committed_since_it_says_what_promoting_means(page: Page) -> None:
    page.previewed()
    page.nets.send(page.nets.edit(2, 1, vessel="Other"))
    page.open()
    assert "The table is at commit 2 by now, and this was tried out on commit 1." in page.text
    page.press("Promote").open()
    assert "Committed as commit 3: 1 cell changed; merged onto what others committed meanwhile." in page.text
    assert (page.nets.row(1, 0)["volume"], page.nets.row(2, 1)["vessel"]) == (21.0, "Other")


def test_where_others_changed_the_same_cell_the_way_leads_to_conflicts(page: Page) -> None:
    page.previewed()
    page.nets.send(page.nets.edit(1, 0, volume=1.0))
    page.press("Promote").open()
    assert "Others changed the same cells meanwhile." in page.text
    assert page.nets.row(1, 0)["volume"] == 1.0
    page.press("Solve on the Conflicts page")
    assert "0 of 1 decided" in page.text
    page.go("Conflicts").act("conflict-list", "all", *ALL, "ours")
    page.press("Send")
    assert page.nets.row(1, 0)["volume"] == 21.0


def test_what_deletes_says_so_plainly(page: Page) -> None:
    page.previewed("DELETE FROM nets WHERE tow = 1")
    for said in (
        "Deletes 2 rows: 4 rows become 2.",
        "It deletes 2 rows: 50% of 4.",
        "Rows that are deleted",
        "Once you promote it, a steward has to approve it: 2 rows are deleted; more than 0 are reviewed.",
    ):
        assert said in page.text, said


def test_a_refused_statement_is_shown_with_its_place_and_not_sent(page: Page) -> None:
    page.previewed("UPDATE nets SET volme = 1")
    assert "Line 1:17: nets has no column volme; did you mean volume?" in page.text
    assert "  UPDATE nets SET volme = 1\n                  ^^^^^" in page.text
    assert page.inbox(".sql.json") == []
    page.write("UPDATE nets SET volume = 1").say("wrote")
    assert "volme" not in page.text


def test_an_edit_needs_a_note(page: Page) -> None:
    page.open().go("SQL")
    page.write(UPDATE, note="").press("Preview the edit")
    assert "A note that says why is required" in page.text
    assert page.inbox(".sql.json") == []


def test_a_run_that_fails_says_why_in_athenas_words_and_where_the_report_lies(page: Page) -> None:
    page.previewed("UPDATE nets SET volume = 1 / (net - net)")
    assert "Nothing was changed: 1 error." in page.text
    (violation,) = page.nets.dataset.status(page.run).violations
    assert escape(str(violation["message"])) in page.text
    assert violation["rule"] == "sql.query"
    assert f"kept whole in quarantine/nets/2026-03-01/{page.run}/" in page.text


def test_a_run_that_is_going_is_looked_at_again_and_again(page: Page) -> None:
    page.is_pumping = False
    page.previewed()
    assert "… received" in page.text
    page.pump()
    assert page.buttons >= {"Promote", "Discard"}


def test_a_run_is_cancelled_by_a_word(page: Page) -> None:
    page.nets.pipeline.is_slow = True
    page.previewed().press("Cancel the run")
    assert "Discarded: nothing was changed." in page.open().text
    assert len(page.words("discard")) == 1


def test_a_query_shows_what_it_finds_and_what_it_costs(page: Page) -> None:
    page.open().go("SQL")
    page.write("SELECT tow, count(*) AS n FROM master GROUP BY tow", note="").press("Run").open()
    for said in ("2 rows", "19 kB, 0.000048 USD at Athena"):
        assert said in page.text, said
    assert page.tab.dataframe[0].value.to_dict("list") == {"tow": [1, 2], "n": [2, 2]}
    assert '"towline"."nets"' in page.engine.asked[0]
    assert [each.label for each in page.tab.get("download_button")] == [
        "Download result.csv",
        "Download result.parquet",
    ]


def test_a_long_result_is_cut_and_the_true_total_is_told(page: Page) -> None:
    page.engine.finds = pa.table({"n": list(range(1_500))})
    page.open().go("SQL")
    page.write("SELECT tow AS n FROM nets").press("Run").open()
    assert "the first 1,000 of 1,500 rows; the files have all" in page.text
    assert len(page.tab.dataframe[0].value) == 1_000


def test_a_query_that_takes_long_can_be_cancelled(page: Page) -> None:
    page.engine.holds = True
    page.open().go("SQL")
    page.write("SELECT tow FROM nets").press("Run").open()
    assert "running: SELECT tow FROM nets" in page.text
    page.press("Cancel").open()
    assert page.engine.stopped == ["q-1"]
    assert "The query was cancelled." in page.text


def test_a_query_that_fails_says_why(page: Page) -> None:
    page.engine.fails = "DIVISION_BY_ZERO: / by zero"
    page.open().go("SQL")
    page.write("SELECT 1 / 0 AS n FROM nets").press("Run").open()
    assert "DIVISION_BY_ZERO: / by zero" in page.text


def test_a_result_that_cannot_be_read_is_not_asked_for_again(page: Page) -> None:
    page.engine.breaks = True
    page.open().go("SQL")
    page.write("SELECT tow FROM nets").press("Run").open()
    page.open()
    assert "sql/results/x.csv&#x27; has 2,147,483,648 bytes to read" in page.text
    assert page.engine.read == 1


def test_columns_of_one_name_get_names_of_their_own(page: Page) -> None:
    page.engine.finds = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["n", "n", "n_2"])
    page.open().go("SQL")
    page.write("SELECT 1 AS n, 2 AS n FROM nets").press("Run").open()
    assert list(page.tab.dataframe[0].value) == ["n", "n_2", "n_2_2"]


def test_what_cannot_be_looked_at_now_is_looked_at_again(page: Page) -> None:
    page.is_pumping = False
    page.previewed()
    page.cut_off()
    assert "S3 does not answer" in page.open().text
    page.restore()
    assert "Updates 1 row, of 4." in page.pump().text


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT * FROM somewhere", "Line 1:15"),
        ("SELECT 1; DROP TABLE nets", "Line 1:"),
        (UPDATE, "UPDATE edits: say why, and preview it"),
        ("", "Line 1:1"),
    ],
)
def test_what_is_no_query_is_refused_at_its_place(page: Page, statement: str, said: str) -> None:
    page.open().go("SQL")
    page.write(statement).press("Run")
    assert said in page.text
    assert page.engine.asked == []


def test_ctrl_enter_runs_what_reads_and_previews_what_edits(page: Page) -> None:
    page.open().go("SQL")
    page.write("SELECT tow FROM nets").say("run")
    assert len(page.engine.asked) == 1
    page.write("/* why not */ -- so\n" + UPDATE).say("run")
    assert "Updates 1 row, of 4." in page.text


def test_what_was_run_is_offered_again(page: Page) -> None:
    page.previewed()
    assert "Run lately" in page.text
    page.press("Discard").open().write("SELECT 1").say("wrote").press("Edit the statement again")
    assert page.written == UPDATE


def test_text_of_data_is_never_markup(page: Page) -> None:
    page.previewed("UPDATE nets SET vessel = '<script>alert(1)</script><b>'")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "&lt;b&gt;" in page.text


def test_a_run_that_nobody_sent_says_so(page: Page) -> None:
    page.open().go("SQL")
    page.tab.query_params["run"] = "nothing"
    assert "Nobody sent a run nothing of nets from this account." in page.open().text
