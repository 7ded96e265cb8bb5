"""From what was found to a Fact: the bounds, the words, and the way out. Pure.

`see` names a section of docs/runbook.md. The bounds are the template's alarms' where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from towline.health.fact import Fact, State, count, size, span
from towline.reconcile import Run

SKEW = timedelta(minutes=5)  # S3 refuses requests that are more than 15 minutes off
MANY = 100  # messages that wait: more than a burst of proposals
SLOW, STUCK = timedelta(minutes=1), timedelta(minutes=15)  # that a proposal waits; alarms come at a quarter of an hour
OVERDUE = timedelta(minutes=30)  # three runs of Reconcile that did not put something right
LATE, STOPPED = 2, 6  # runs of Reconcile that did not come


@dataclass(frozen=True)
class Queue:
    """The messages of a queue: those that wait, and those that a function works on, or failed at and will get again."""

    waiting: int
    in_flight: int


@dataclass(frozen=True)
class Disk:
    """Bytes: what the data directory holds, what is left on its disk, and below what a stack refuses to start or to
    write."""

    used: int
    free: int
    to_start: int
    to_write: int


def reached(where: str, took: timedelta, skew: timedelta) -> Fact:
    """S3 answered at `where`, after `took`; its clock and ours are `skew` apart."""
    values = {"where": where, "ms": round(took.total_seconds() * 1000)}
    says = f"answers in {values['ms']} ms at {where}"
    if skew > SKEW:
        do = "set this machine's clock (NTP): S3 refuses requests that are a quarter of an hour off"
        return Fact("storage", "S3", "attention", f"{says}; clocks are {span(skew)} apart", do, "Clocks", values=values)
    return Fact("storage", "S3", "fine", says, values=values)


START_AGAIN = "`towline up` starts the stack again; nothing is lost, and an editor that runs keeps its edits"


def unreached(says: str, do: str, message: str = "") -> Fact:
    """S3 does not answer; `message` is how it was found out."""
    return Fact("storage", "S3", "red", says, do, "S3 does not answer", values={"message": message or says})


def versioning(status: str) -> Fact:
    """`status` as S3 says it: Enabled, Suspended, or nothing where it never was on."""
    says = (status or "never switched on").lower()
    if status == "Enabled":
        return Fact("storage", "Versioning", "fine", says, values={"status": status})
    do = "switch it on again (`aws s3api put-bucket-versioning`): without it no commit can be finished or traced"
    return Fact("storage", "Versioning", "red", says, do, "Versioning is off", values={"status": status})


def you(principal: str) -> Fact:
    """Who the caller is, as the inbox knows it."""
    return Fact("storage", "You", "fine", principal, values={"principal": principal})


def queue(name: str, found: Queue) -> Fact:
    values = {"waiting": found.waiting, "in_flight": found.in_flight}
    says = f"{found.waiting:,} waiting, {found.in_flight:,} in flight"
    if found.waiting > MANY:
        do = "look again in a minute; if they do not become fewer, read the log of the function"
        return Fact("pipeline", name, "attention", says, do, "A queue stands still", values=values)
    return Fact("pipeline", name, "fine", says, values=values)


def dead_letters(name: str, function: str, letters: int) -> Fact:
    values = {"messages": letters}
    if not letters:
        return Fact("pipeline", name, "fine", "none", values=values)
    says = f"{count(letters, 'message')} failed five times"
    do = (
        f"the proposals are still in the inbox, untouched: find the cause in the log of {function} and mend it, then "
        "`towline health --redrive` sends them again"
    )
    return Fact("pipeline", name, "red", says, do, "Dead letters", values=values)


def last_run(run: Run | None, now: datetime) -> Fact:
    """Whether Reconcile runs, and whether its last run found something that needs a person."""
    if run is None:
        do = "look again once it should have run (every ten minutes, unless the stack was deployed otherwise)"
        return Fact("pipeline", "Reconcile", "attention", "no run is noted yet", do, "Reconcile is late")
    ago, every = now - run.at, span(run.every)
    values = {"at": run.at.isoformat(), "requeued": run.requeued, "problems": list(run.problems)}
    says = f"ran {span(ago)} ago (every {every}), {count(run.requeued, 'proposal')} queued again"
    missed = ago / run.every if run.every else 0.0
    if run.problems:
        text, do = f"{says}. {'; '.join(run.problems)}", "do what the message says: a dataset needs a person"
        return Fact("pipeline", "Reconcile", "red", text, do, "A dataset needs a person", values=values)
    if missed > LATE:
        state: State = "red" if missed > STOPPED else "attention"
        do = "read its log; on a laptop that has just woken up, look again in a minute"
        return Fact("pipeline", "Reconcile", state, f"{says}: it is late", do, "Reconcile is late", values=values)
    return Fact("pipeline", "Reconcile", "fine", says, values=values)


def disk(where: str, found: Disk) -> Fact:
    values = {"data_dir": where, "used": found.used, "free": found.free, "to_write": found.to_write}
    says = f"{size(found.free)} free; {where} holds {size(found.used)}"
    do = "free some space, or move the data directory to another disk"
    if found.free < found.to_write:
        says = f"{says}; below {size(found.to_write)} nothing is written"
        return Fact("stack", "Disk", "red", says, do, "The disk is full", values=values)
    if found.free < found.to_start:
        says = f"{says}; below {size(found.to_start)} the stack does not start"
        return Fact("stack", "Disk", "attention", says, do, "The disk is full", values=values)
    return Fact("stack", "Disk", "fine", says, values=values)


def waiting(dataset: str, since: dict[str, datetime], now: datetime) -> Fact:
    """Proposals without a final receipt, and since when they have been where they are."""
    ages = sorted(((now - at, proposal) for proposal, at in since.items()), reverse=True)
    slow = [proposal for age, proposal in ages if age > SLOW]
    oldest = ages[0][0] if ages else timedelta(0)
    values = {"proposals": len(ages), "slow": slow, "oldest_seconds": max(0, round(oldest.total_seconds()))}
    if not slow:
        says = f"{len(ages)} on their way" if ages else "none"
        return Fact("datasets", "waiting", "fine", says, about=dataset, values=values)
    names = ", ".join(slow[:3]) + (" …" if len(slow) > 3 else "")
    says = f"{len(slow):,} for {span(oldest)}{' at most' if len(slow) > 1 else ''}: {names}"
    do = "look at the queues and dead letters; nothing is lost, and Reconcile queues it again"
    state: State = "red" if oldest > STUCK else "attention"
    return Fact("datasets", "waiting", state, says, do, "A proposal waits", dataset, values)


def quarantine(dataset: str, entries: int, newest: datetime | None) -> Fact:
    """Refused input is nothing to worry about: its author has a receipt that says why."""
    values = {"entries": entries, "newest": newest.isoformat() if newest else None}
    says = f"{entries:,} refused, the last on {newest:%Y-%m-%d}" if newest else "none"
    return Fact("datasets", "quarantine", "fine", says, about=dataset, values=values)


def version(name: str, found: str, wanted: str, do: str) -> Fact:
    """The version of Towline that something runs, where it should be the `wanted` one."""
    values = {"version": found}
    if found == wanted:
        return Fact("versions", name, "fine", f"Towline {found}", values=values)
    says = f"Towline {found or 'of an unknown version'}, and you have {wanted}"
    return Fact("versions", name, "attention", says, do, "Versions differ", values=values)
