"""`towline health`: the facts of the Health page, for people and for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Towline
from towline import connect
from towline.cli import health
from towline.connect import Connection
from towline.health.checkup import Checkup, Probe
from towline.health.fact import Fact, State

DEAD = Fact("pipeline", "Dead letters of apply", "red", "2 messages failed five times", "mend it", "Dead letters")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Fact]:
    """What there is to find, to be added to."""
    facts = [Fact("storage", "S3", "fine", "answers"), Fact("datasets", "head", "fine", "commit 1", about="tows")]

    def checkup(connection: Connection, data_dir: Path | None = None, *, patience: float = 0) -> Checkup:
        return Checkup([Probe("storage", ("S3",), lambda: facts)])

    monkeypatch.setattr(health, "checkup", checkup)
    return facts


def test_all_is_fine(bucket: Towline, found: list[Fact]) -> None:
    result = bucket.good("health")
    assert "✓   S3" in result.out
    assert "tows: head   commit 1" in result.out
    assert "All is fine" in result.out


def test_what_is_red_says_what_to_do_and_ends_with_12(bucket: Towline, found: list[Fact]) -> None:
    found.append(DEAD)
    result = bucket("health")
    assert result.code == 12
    assert "✕   Dead letters of apply" in result.out
    assert "-> mend it (docs/runbook.md: Dead letters)" in result.out
    assert "1 red" in result.out


@pytest.mark.parametrize("state", ["attention", "unknown"])
def test_what_is_not_red_ends_with_0(bucket: Towline, found: list[Fact], state: State) -> None:
    found.append(Fact("pipeline", "Reconcile", state, "late", "wait", "Reconcile is late"))
    assert bucket.good("health").out


def test_programs_get_every_fact_with_its_figures(bucket: Towline, found: list[Fact]) -> None:
    found.append(Fact("pipeline", "Apply queue", "fine", "3 waiting", values={"waiting": 3}))
    answer = bucket.good("health", "--json").json
    assert answer["state"] == "fine"
    assert answer["facts"][-1] == {
        "group": "pipeline",
        "name": "Apply queue",
        "state": "fine",
        "says": "3 waiting",
        "do": "",
        "see": "",
        "about": "",
        "values": {"waiting": 3},
    }


def test_dead_letters_are_sent_again_before_anybody_looks(
    bucket: Towline, found: list[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    from towline.aws.health import Queues

    monkeypatch.setattr(Queues, "redrive", lambda self, name: {"apply": 2}.get(name, 0))
    assert "2 dead letters sent again" in bucket.good("health", "--redrive").err


def test_facts_cannot_command_the_terminal(bucket: Towline, found: list[Fact]) -> None:
    found.append(Fact("pipeline", "Reconcile", "unknown", "\x1b[2J[bold]", "", "A check fails"))
    out = bucket.good("health").out
    assert "\x1b" not in out
    assert "[bold]" in out


def test_without_a_stack_the_real_checks_say_so_and_raise_nothing(
    bucket: Towline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket is in memory; S3, the queues and the stack are asked for at an address where nothing answers."""
    monkeypatch.setenv("TOWLINE_DATA_DIR", str(tmp_path))
    result = bucket("health", "--json")
    assert result.code == 12
    states = {fact["name"]: fact["state"] for fact in result.json["facts"] if fact["group"] != "versions"}
    assert (states["S3"], states["Process"], states["Versioning"]) == ("red", "red", "unknown")
    assert (states["Disk"], states["Datasets"], states["You"]) == ("fine", "fine", "fine")
    assert connect.here().settings.local
