"""Runs whose stack, or whose function workers, are killed with them: taken up again, and nothing left of them."""

# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

import time
from pathlib import Path

from tests.local_stack import BUCKET, PROJECT, again, client, kill, kill_workers, running
from tests.statemachines.editing import ENDLESS, RAISE, Editor, running_queries
from towline import runs
from towline.dataset import Ticket
from towline.local import stack as stacks
from towline.local.stack import Start

HASTY = Start(port=0, app=False, parameters={"QuerySeconds": "2", "PreviewSeconds": "3"})


def test_what_takes_too_long_is_stopped_and_what_nobody_promotes_expires(tmp_path: Path) -> None:
    with running(tmp_path, HASTY) as info:
        ana = Editor(info, "hasty")
        forgotten = ana.sql(RAISE, preview=True)
        endless = ana.sql(ENDLESS)
        assert forgotten.wait(30).status == "previewed"
        late = ana.refused(Ticket(ana.bench, "hasty", endless.proposal), "sql.timeout")
        assert "longer than it may" in late.message
        assert not running_queries(info)
        gone = forgotten.wait(30, until=lambda receipt: receipt.final)
        assert (gone.status, gone.violations[0]["rule"]) == ("rejected", "sql.expired")
        ana.cleared(forgotten.proposal)


def test_runs_are_taken_up_again_wherever_they_were_killed(tmp_path: Path) -> None:
    with running(tmp_path, PROJECT) as info:
        ana = Editor(info, "killed")
        tows = sorted({row["tow"] for row in ana.head().table.to_pylist()})
        waiting = ana.previewed(update(tows[0]))
        tickets = started(ana, tows[1:5])
        kill_workers(info)
        tickets += started(ana, tows[5:8])
        kill(info)
        info = stacks.start(tmp_path, again(info, PROJECT))
        ana = Editor(info, "killed")
        final = [Ticket(ana.bench, "killed", ticket.proposal).wait(90) for ticket in tickets]
        assert [receipt.status for receipt in final] == ["committed"] * len(tickets)
        assert ana.dataset.status(waiting.proposal).status == "previewed"
        assert runs.promote(ana.dataset, waiting.proposal).wait(60).status == "committed"
        committed = [record["proposal"] for record in ana.dataset.log()]
        assert len(committed) == len(set(committed)) == len(tickets) + 2
        assert {row["vessel"] for row in ana.head().table.to_pylist() if row["tow"] in tows[:8]} == {"Aurora"}
        for ticket in (*tickets, waiting):
            ana.cleared(ticket.proposal)
        assert no_part_was_written_twice(ana)


def update(tow: int) -> str:
    return f"UPDATE master SET vessel = 'Aurora' WHERE tow = {tow}"


def started(ana: Editor, tows: list[int]) -> list[Ticket]:
    """Send an edit for each tow, a moment after another, so that they are in different states."""
    tickets = []
    for tow in tows:
        tickets.append(ana.sql(update(tow)))
        time.sleep(0.25)
    return tickets


def no_part_was_written_twice(ana: Editor) -> bool:
    """Whether each key below a run's next/ has had one version, so that no attempt wrote where another did."""
    pages = client(ana.info, "s3").get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="sql/")
    written = [version["Key"] for page in pages for version in page.get("Versions", []) if "/next/" in version["Key"]]
    return len(written) == len(set(written)) > 0
