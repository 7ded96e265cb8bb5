"""The pages keep up with the code: links lead somewhere, rules are explained, named tests exist."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from tests.conftest import ROOT
from towline.verify.finding import BREAKS, NOTES

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_pages_name_exist(page) -> None:
    named = set(re.findall(r"`(test_\w+)`", page.read_text()))
    assert {name for name in named if f"def {name}(" not in TESTS} == set()


def test_every_rule_of_a_refused_proposal_is_explained() -> None:
    page = (ROOT / "docs" / "proposal.md").read_text()
    modules = ("proposals", "sent", "rowchanges", "plan", "inbox", "restore")
    sources = [(ROOT / "src" / "towline" / f"{name}.py").read_text() for name in modules]
    rules = {rule for source in sources for rule in re.findall(r'"([a-z]+\.[a-z_]+)"', source)}
    assert len(rules) > 20
    assert {rule for rule in rules if f"`{rule}`" not in page} == set()


def test_every_function_has_its_events() -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert functions == {path.name.split(".")[0] for path in (ROOT / "events").glob("*.json")}


def test_every_kind_that_verify_finds_is_explained() -> None:
    breaks = (ROOT / "docs" / "runbook.md").read_text()
    notes = (ROOT / "docs" / "verify.md").read_text()
    assert {kind for kind in BREAKS if f"`{kind}`" not in breaks} == set()
    assert {kind for kind in NOTES if f"`{kind}`" not in notes} == set()


def test_the_numbers_on_the_page_of_limits_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "limits.md").read_text()
    rows = re.findall(r"\| ([\d,]+)[^|]* \| `([\w.]+)\.(\w+)` \|", page)
    assert len(rows) >= 10
    for value, module, name in rows:
        assert getattr(import_module(module), name) == int(value.replace(",", "")), name
