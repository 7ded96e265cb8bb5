"""The Health page: every state with its sign, its word and its way out; drawn when nothing else can be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import health_markup, verify_markup
from app.health_markup import SIGNS, WORDS
from tests.core.nets import Nets
from tests.pipeline import Pipeline
from towline import connect
from towline.connect import Connection
from towline.health.checkup import Checkup, Probe
from towline.health.fact import GROUPS, STATES, Fact, Health, State
from towline.verify import Finding, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEAD = Fact(
    "pipeline",
    "Dead letters of apply",
    "red",
    "2 messages failed five times",
    "mend it, then `towline health --redrive`",
    "Dead letters",
)


def html(*facts: Fact) -> str:
    return health_markup.page(Health(NOW, facts), 5.0)


def head(state: State = "fine", about: str = "nets", name: str = "head") -> Fact:
    return Fact("datasets", name, state, f"{name} of {about}", about=about)


# ---- the HTML ----


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_sign_and_a_word_of_its_own(state: State) -> None:
    shown = html(Fact("storage", "S3", state, "found"))
    assert f">{SIGNS[state]}</span>" in shown
    assert f'aria-label="{WORDS[state]}"' in shown
    assert len(set(SIGNS.values())) == len(set(WORDS.values())) == len(STATES)


def test_every_group_is_on_the_page() -> None:
    facts = [Fact(group, f"a {group}", "fine", f"found in {group}") for group in GROUPS]
    assert all(f"found in {group}" in html(*facts) for group in GROUPS)


def test_what_is_red_says_what_to_do_and_where_to_read_more() -> None:
    shown = html(DEAD)
    assert "mend it, then <code>towline health --redrive</code>" in shown
    assert "docs/runbook.md, “Dead letters”" in shown
    assert "tl-stop" in shown


def test_all_being_fine_says_so_and_there_is_nothing_to_do() -> None:
    shown = html(Fact("storage", "S3", "fine", "answers"))
    assert "All is fine" in shown
    assert "looked at 12:00:00 UTC" in shown
    assert "→" not in shown


def test_what_is_unknown_for_one_reason_is_told_in_one_line_with_at_most_six_names() -> None:
    unknown = [
        Fact("pipeline", f"fact {n}", "unknown", "it does not answer", "wait", "S3 does not answer") for n in range(9)
    ]
    listed = health_markup.to_do(Health(NOW, tuple(unknown)))
    assert listed.count("<li>") == 1
    assert "fact 5 and 3 more</b>: unknown: it does not answer" in listed


def test_the_worst_comes_first_in_what_to_do() -> None:
    late = Fact("pipeline", "Reconcile", "attention", "late", "read its log", "Reconcile is late")
    shown = health_markup.to_do(Health(NOW, (late, DEAD)))
    assert shown.index("Dead letters of apply") < shown.index("Reconcile")


def test_each_dataset_is_a_line_and_what_is_not_known_of_it_is_a_dash() -> None:
    shown = health_markup.datasets(Health(NOW, (head(), head(name="waiting"), head(about="tows"))))
    assert shown.count("<tr>") == 3
    assert "head of nets" in shown
    assert "waiting of nets" in shown
    assert "head of tows" in shown


def test_datasets_that_cannot_be_listed_say_why() -> None:
    assert "it does not answer" in html(Fact("datasets", "Datasets", "unknown", "it does not answer"))


def test_everything_that_was_found_is_escaped() -> None:
    nasty = "<script>alert(1)</script>\"'`<b>`"
    facts = [Fact(group, nasty, "red", nasty, nasty, nasty, values={"message": nasty}) for group in GROUPS]
    facts.append(Fact("datasets", "head", "red", nasty, nasty, nasty, nasty, {"message": nasty}))
    shown = html(*facts) + html(facts[-1])
    assert "<script" not in shown
    assert "<b>`" not in shown
    assert escape(nasty.partition("`")[0]) in shown


# ---- the page ----


def script() -> None:
    import streamlit as st

    from app.pages import health
    from app.session import Session

    Session.here().dataset = st.session_state.get("chosen", "")
    health.page()


class Screen:
    """A tab on the page, over the facts that there are to find."""

    def __init__(self, patch: pytest.MonkeyPatch, facts: list[Fact]) -> None:
        self.facts, self.looked = facts, 0
        st.cache_resource.clear()
        patch.setenv("S3_BUCKET", "towline")
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        self.pipeline = Pipeline()
        patch.setattr(connect, "connect", lambda settings: Connection(settings, self.pipeline.bench))
        patch.setattr(connect, "checkup", lambda connection: Checkup([Probe("storage", ("S3",), self._find)]))
        self.tab = AppTest.from_function(script, default_timeout=30)

    def _find(self) -> Iterable[Fact]:
        self.looked += 1
        return self.facts

    def open(self) -> str:
        """Everything that the page says, as HTML."""
        self.tab.run()
        assert not self.tab.exception, self.tab.exception
        return "\n".join(str(each.proto.body) for each in self.tab.get("html"))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch, [Fact("storage", "S3", "fine", "answers in 3 ms")])


def test_the_page_shows_what_is_found(screen: Screen) -> None:
    shown = screen.open()
    assert "answers in 3 ms" in shown
    assert "All is fine" in shown
    assert screen.looked == 1, "what the page has seen is what it draws first"


def test_refreshing_looks_again(screen: Screen) -> None:
    screen.open()
    screen.facts.append(DEAD)
    screen.tab.button(key="refresh").click()
    assert "Dead letters of apply" in screen.open()


def test_a_check_that_breaks_is_on_the_page_and_is_no_traceback(screen: Screen) -> None:
    screen.facts = None  # type: ignore[assignment]
    assert "this check failed: TypeError" in screen.open()


def test_without_a_bucket_or_a_stack_the_page_says_what_to_start(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("S3_BUCKET")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("TOWLINE_DATA_DIR", str(tmp_path_factory.mktemp("empty")))
    shown = screen.open()
    assert "no local stack runs in" in shown
    assert "<code>towline up</code>" in shown


# ---- verifying ----


def choose(screen: Screen, dataset: str) -> None:
    screen.tab.session_state["chosen"] = dataset


def test_nothing_is_to_be_verified_before_a_dataset_is_chosen(screen: Screen) -> None:
    screen.open()
    assert [button.key for button in screen.tab.button] == ["refresh"]


def test_the_chosen_dataset_is_verified_and_what_came_of_it_stays_until_another_is_chosen(screen: Screen) -> None:
    nets = Nets(screen.pipeline)
    nets.send(nets.edit(1, 1, volume=12.5))
    choose(screen, "nets")
    assert "is whole" not in screen.open()
    screen.tab.button(key="verify-now").click()
    assert "nets is whole: 2 commits and 2 versions of the master" in screen.open()
    assert "is whole" in screen.open(), "another run of the page"
    choose(screen, "tows")
    assert "is whole" not in screen.open()


def test_a_break_is_shown_with_its_place_and_its_way_out(screen: Screen) -> None:
    receipt = Nets(screen.pipeline).dataset.log()[0]
    screen.pipeline.store.delete(str(receipt["snapshot_key"]))
    choose(screen, "nets")
    screen.open()
    screen.tab.button(key="verify-now").click()
    shown = screen.open()
    assert "nets is not whole: 1 break" in shown
    assert f"commit 1: snapshot.missing: the snapshot of this commit is not there; {receipt['snapshot_key']}" in shown
    assert "→ copy the version of the master" in shown


def test_what_cannot_be_verified_says_why(screen: Screen) -> None:
    choose(screen, "tows")
    screen.open()
    screen.tab.button(key="verify-now").click()
    assert "there is no dataset &#x27;tows&#x27;" in screen.open()


def test_what_verifying_found_is_escaped_and_cut() -> None:
    nasty = Finding("record.altered", "<script>", "audit/<b>", number=1)
    shown = verify_markup.verdict(Verdict("nets", 1, 1, None, None, False, (nasty,) * 60, (nasty,)))
    assert "<script" not in shown
    assert "<b>;" not in shown
    assert "… and 10 more" in shown
