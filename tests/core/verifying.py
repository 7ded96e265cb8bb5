"""What tests of verifying a history have in common: looking, and changing by hand what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.core.nets import NAME, Nets
from towline import audit, keys
from towline.store import Version
from towline.verify import Finding, Verdict, verify

Change = Callable[[dict[str, Any]], None]


def check(nets: Nets, *, quick: bool = False) -> Verdict:
    return verify(nets.pipeline.bench, NAME, quick=quick)


def kinds(verdict: Verdict) -> list[str]:
    return [finding.kind for finding in verdict.findings]


def first(nets: Nets) -> Finding:
    """The first break, which every way of looking names."""
    verdict = check(nets)
    assert not verdict.ok
    if verdict.findings[0].kind != "table.differs":
        quick = check(nets, quick=True).findings[0]
        assert (quick.kind, quick.key, quick.number) == (
            verdict.findings[0].kind,
            verdict.findings[0].key,
            verdict.findings[0].number,
        )
    return verdict.findings[0]


def key_of(nets: Nets, record: Mapping[str, Any]) -> str:
    at = keys.commit_time(record["commit"])
    return nets.pipeline.bench.layout.audit_record(NAME, record["user"], record["proposal"], at)


def rewrite(nets: Nets, key: str, change: Change, *, seal: bool = False) -> None:
    """Change the JSON of an object; `seal` makes its chain value right again."""
    content = json.loads(nets.pipeline.store.get(key).body)
    change(content)
    if seal:
        content["chain"] = audit.link(content)
    nets.pipeline.store.put(key, json.dumps(content).encode())


def versions(nets: Nets) -> list[Version]:
    """Of the master, oldest first."""
    return list(nets.pipeline.store.versions(keys.master(NAME)))[::-1]


def overwrite(nets: Nets, body: bytes | None = None, **metadata: str) -> str:
    key = keys.master(NAME)
    version = nets.pipeline.store.put(key, body or nets.head().blob.body + b" ", metadata=metadata).version
    assert version is not None
    return version
