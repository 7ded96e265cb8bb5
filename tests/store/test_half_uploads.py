"""A commit of a large master that dies between two requests: the next Reconcile drops what it left, and goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.core.nets import CONTRACT, NAME
from tests.large import small_bounds
from towline import commit, inbox, keys, master
from towline.aws import connect
from towline.aws.s3 import S3Store
from towline.change import RowChange
from towline.dataset import Dataset
from towline.inbox import Arrival
from towline.receipts import Receipt
from towline.reconcile import reconcile
from towline.workbench import Workbench

MULTIPART = {"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"}


class Death(BaseException):
    """The process ends: no error that anybody handles."""


class Mortal:
    """A client of S3 that dies `when` ("before" or "after") it makes the request `at` of an upload, and then makes no
    other: a dead process aborts nothing."""

    def __init__(self, url: str, at: int, when: str) -> None:
        self.client = connect("s3", url)
        self._at, self._when, self._made, self.is_dead = at, when, Counter[str](), False
        self.client.meta.events.register_first("before-call.s3", self._before)
        self.client.meta.events.register_last("after-call.s3", self._after)

    def _before(self, model: Any, **_: Any) -> None:
        if self.is_dead:
            raise Death
        self._count(model, "before")

    def _after(self, model: Any, **_: Any) -> None:
        self._count(model, "after")

    def _count(self, model: Any, when: str) -> None:
        if model.name in MULTIPART:
            self._made[when] += 1
            if (self._made[when], when) == (self._at, self._when):
                self.is_dead = True
                raise Death


def later() -> datetime:
    """When Reconcile takes no upload that was begun just now for one that is under way."""
    return datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def bench(s3_client: Any, bucket: str) -> Iterator[Workbench]:
    """A bucket with a master that is spliced."""
    bench = Workbench(S3Store(s3_client, bucket), pause=lambda seconds: None)
    lines = (f"{tow},{net},{tow}.5,v {tow * net},true" for tow in range(150) for net in range(5))
    dataset = Dataset(bench, NAME, "ana")
    csv = "\n".join(["tow,net,volume,vessel,is_day", *lines]).encode()
    deliver(bench, dataset.send(dataset.create("nets.csv", csv, CONTRACT, "first load")).proposal)
    with small_bounds():
        yield bench


def deliver(bench: Workbench, proposal: str) -> list[Receipt]:
    """A proposal in the inbox, received and committed."""
    stat = bench.store.head(keys.inbox(NAME, "ana", f"{proposal}.json"))
    receipt = inbox.receive(bench, Arrival(stat.key, stat.version, stat.etag, stat.size))
    assert receipt is not None
    return commit.commit(bench, NAME, [receipt])


def edited(bench: Workbench, volume: float) -> str:
    """Send an edit of the middle of the table; the proposal's id."""
    head = master.read(bench.store, NAME)
    assert head is not None
    assert head.commit is not None
    assert not head.is_whole
    (row,) = head.rows(CONTRACT.key).rows([(30, 1)]).values()
    dataset = Dataset(bench, NAME, "ana")
    return dataset.send(dataset.rows([RowChange(row, {**row, "volume": volume})], "an edit", head.commit)).proposal


def test_an_upload_that_is_cut_at_any_request_is_dropped_by_the_next_reconcile_and_the_commit_goes_on(
    bench: Workbench, s3_url: str, bucket: str
) -> None:
    store, left, at, died = bench.store, 0, 0, True
    while died:
        at += 1
        for when in ("before", "after"):
            now = datetime.now(UTC)
            proposal = edited(bench, at + (when == "after") / 2)
            mortal = Mortal(s3_url, at, when)
            try:
                deliver(Workbench(S3Store(mortal.client, bucket), pause=lambda seconds: None), proposal)
            except Death:
                left += len(list(store.unfinished("")))
            died = mortal.is_dead
            again = Workbench(store, clock=later, pause=lambda seconds: None)
            found = reconcile(again, since=now - timedelta(seconds=2))
            assert found.problems == ()
            assert list(store.unfinished("")) == []
            commit.commit(again, NAME, found.undecided)
            assert Dataset(again, NAME, "ana").status(proposal).status == "committed"
    assert at > 4, "begun, two parts and more, joined"
    assert left > 4, "it did leave something at most of them"
