"""Whether a dataset's history is whole: every version of the master has its records, the records are one chain, each
snapshot is the version of its commit, and replaying the changes files from the first table gives every later one.

    stored    everything that lies there, listed and read but for the tables
    commits   which versions are commits, and what is told of the others
    records   the audit records and receipts against the versions
    tables    snapshots and changes files
    replay    the changes, from one table to the next
    intents   the records once more, against what was foretold
    finding   what was found, and what to do about it

Nothing is written. What lands meanwhile is left out, and looked at the next time.
"""

from __future__ import annotations

from collections.abc import Callable

from towline.verify import commits, records, stored, tables
from towline.verify.finding import Finding, Verdict
from towline.workbench import Workbench

__all__ = ["Finding", "Verdict", "verify"]


def verify(
    bench: Workbench, dataset: str, *, quick: bool = False, seen: Callable[[int, int], None] = lambda done, all: None
) -> Verdict:
    """Verify a dataset. `quick` reads no table: versions, records, chain, receipts and digests only. `seen` is told how
    many commits of how many are done.

    NotFound: no such dataset. What is wrong with the history is in the verdict, and never an error.
    """
    found = stored.look(bench, dataset)
    landed, strangers = commits.split(found)
    lost = records.arrange(found, landed)
    findings = [
        *found.broken,
        *commits.check(found, landed, strangers),
        *records.check(found, landed, lost),
        *tables.check(bench, found, landed, quick=quick, seen=lambda number: seen(number, len(landed))),
    ]
    findings.sort(key=lambda finding: finding.place)  # stable: versions come before records, and those before tables
    newest = landed[-1] if landed else None
    return Verdict(
        dataset=dataset,
        commits=len(landed),
        versions=len(found.marks),
        head=newest.commit if newest else None,
        chain=newest.records[-1]["chain"] if newest and newest.records else None,
        quick=quick,
        findings=tuple(finding for finding in findings if finding.is_break),
        notes=tuple(finding for finding in findings if not finding.is_break),
    )
