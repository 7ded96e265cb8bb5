"""What a caller is told when the store, or the way to it, fails: and what is then true of the object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.store import store_proxy
from tests.store.conftest import free_port
from tests.store.store_proxy import Proxy
from towline.aws import connect
from towline.aws.s3 import S3Store
from towline.errors import (
    Contended,
    NotFound,
    OutcomeUnknown,
    PreconditionFailed,
    Refused,
    Unavailable,
    UsageError,
)
from towline.store import ABSENT, Matches, TooLarge, file_parts

MINE = {"commit": "mine"}


# on both stores


def test_another_write_that_interferes_is_contended_and_a_retry_may_pass(trouble: Any) -> None:
    first = trouble.store.put("k", b"1")
    trouble.contend()
    with pytest.raises(Contended):
        trouble.store.put("k", b"2", when=Matches(first.etag))
    trouble.recover()
    trouble.store.put("k", b"2", when=Matches(first.etag))


@pytest.mark.parametrize("when", [ABSENT, None])
def test_a_write_whose_answers_are_all_lost_is_of_unknown_outcome_and_did_happen(trouble: Any, when: Any) -> None:
    trouble.lose_answers()
    with pytest.raises(OutcomeUnknown):
        trouble.store.put("k", b"1", metadata=MINE, **({"when": when} if when else {}))
    trouble.recover()
    assert trouble.store.head("k").metadata == MINE


def test_a_write_that_never_left_is_unavailable_and_did_not_happen(trouble: Any) -> None:
    trouble.disconnect()
    with pytest.raises(Unavailable) as caught:
        trouble.store.put("k", b"1")
    assert not isinstance(caught.value, OutcomeUnknown)
    trouble.recover()
    with pytest.raises(NotFound):
        trouble.store.head("k")


# on S3: what botocore's own retries make of it


@pytest.mark.parametrize("conditional_on", ["absence", "etag"])
def test_after_a_lost_answer_botocore_is_told_412_by_our_own_success(
    s3_trouble: Any, proxy: Proxy, conditional_on: str
) -> None:
    store = s3_trouble.store
    when = ABSENT if conditional_on == "absence" else Matches(store.put("k", b"0").etag)
    proxy.seen.clear()
    proxy.misbehave("PUT", store_proxy.lose)
    with pytest.raises(PreconditionFailed, match="our own"):
        store.put("k", b"1", when=when, metadata=MINE)
    assert [method for method, _ in proxy.seen] == ["PUT", "PUT"]
    assert store.head("k").metadata == MINE


def test_a_lost_answer_and_then_a_dead_store_is_unknown_not_unavailable(s3_trouble: Any, proxy: Proxy) -> None:
    proxy.misbehave("PUT", store_proxy.lose_and_die)
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.put("k", b"1", metadata=MINE)
    s3_trouble.recover()
    assert s3_trouble.store.head("k").metadata == MINE


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchKey"), (507, "InsufficientStorage")])
def test_a_lost_answer_and_then_a_clear_no_is_still_unknown(
    s3_trouble: Any, proxy: Proxy, status: int, code: str
) -> None:
    etag = s3_trouble.store.put("k", b"0").etag
    proxy.misbehave("PUT", store_proxy.lose)
    proxy.misbehave("PUT", store_proxy.answer(status, code))
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.put("k", b"1", when=Matches(etag), metadata=MINE)
    assert s3_trouble.store.head("k").metadata == MINE


def test_doubt_about_one_write_does_not_taint_the_next(s3_trouble: Any, proxy: Proxy) -> None:
    proxy.misbehave("PUT", store_proxy.lose)
    s3_trouble.store.put("k", b"1")  # the second try of an unconditional put passes
    proxy.misbehave("PUT", store_proxy.answer(403, "AccessDenied"))
    with pytest.raises(Refused):
        s3_trouble.store.put("k", b"2")


def test_a_dropped_request_is_sent_again(s3_trouble: Any, proxy: Proxy) -> None:
    proxy.misbehave("PUT", store_proxy.drop)
    s3_trouble.store.put("k", b"1", when=ABSENT)
    proxy.misbehave("GET", store_proxy.drop)
    assert s3_trouble.store.get("k").body == b"1"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_leave_a_write_unknown_and_a_read_unavailable(s3_trouble: Any, proxy: Proxy, status: int) -> None:
    for method in ("PUT", "GET"):
        proxy.misbehave(method, store_proxy.answer(status, "InternalError"), times=9)
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.put("k", b"1")
    with pytest.raises(Unavailable) as caught:
        s3_trouble.store.get("k")
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(("status", "code"), [(507, "InsufficientStorage"), (503, "SlowDown"), (400, "RequestTimeout")])
def test_a_store_that_says_it_did_nothing_is_unavailable_in_its_own_words(
    s3_trouble: Any, proxy: Proxy, status: int, code: str
) -> None:
    proxy.misbehave("PUT", store_proxy.answer(status, code, "12 MB left, 50 MB needed"), times=9)
    with pytest.raises(Unavailable, match="12 MB left, 50 MB needed") as caught:
        s3_trouble.store.put("k", b"1")
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_delete_whose_answers_are_lost_is_of_unknown_outcome(s3_trouble: Any, proxy: Proxy) -> None:
    s3_trouble.store.put("k", b"1")
    proxy.misbehave("DELETE", store_proxy.lose, times=9)
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.delete("k")


def test_reads_that_find_nobody_are_unavailable() -> None:
    store = S3Store(connect("s3", f"http://127.0.0.1:{free_port()}"), "bucket")
    reads = [store.get, store.head, lambda key: list(store.list(key)), lambda key: list(store.versions(key))]
    for read in reads:
        with pytest.raises(Unavailable) as caught:
            read("k")
        assert not isinstance(caught.value, OutcomeUnknown)


def test_a_body_that_breaks_off_is_unavailable_never_a_short_body(s3_trouble: Any, proxy: Proxy) -> None:
    s3_trouble.store.put("k", b"0123456789" * 1000)
    proxy.misbehave("GET", store_proxy.cut)
    with pytest.raises(Unavailable):
        s3_trouble.store.get("k")
    assert len(s3_trouble.store.get("k").body) == 10_000


def test_an_object_that_is_too_large_is_refused_before_one_byte_of_it_has_come(s3_trouble: Any, proxy: Proxy) -> None:
    proxy.misbehave("GET", store_proxy.promise(200_000_000))
    with pytest.raises(TooLarge) as caught:
        s3_trouble.store.get("k", max_bytes=1_000_000)
    assert caught.value.size == 200_000_000


# on S3: multipart


def is_completion(path: str) -> bool:
    return "uploadId=" in path


def open_uploads(trouble: Any) -> list[Any]:
    return trouble.client.list_multipart_uploads(Bucket=trouble.bucket).get("Uploads", [])


def test_a_part_that_fails_is_no_doubt_about_the_object_and_its_upload_is_aborted(
    s3_trouble: Any, proxy: Proxy
) -> None:
    proxy.misbehave("PUT", store_proxy.lose, times=9)
    with pytest.raises(Unavailable) as caught:
        s3_trouble.store.assemble("k", [b"1"])
    assert not isinstance(caught.value, OutcomeUnknown)
    assert open_uploads(s3_trouble) == []


def test_a_file_that_is_cut_aborts_its_upload(s3_trouble: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12")
    parts = file_parts(path)
    path.write_bytes(b"1")
    with pytest.raises(UsageError):
        s3_trouble.store.assemble("k", parts)
    assert open_uploads(s3_trouble) == []


def test_a_refused_completion_aborts_its_upload(s3_trouble: Any) -> None:
    s3_trouble.store.put("k", b"0")
    with pytest.raises(PreconditionFailed):
        s3_trouble.store.assemble("k", [b"1"], when=ABSENT)
    assert open_uploads(s3_trouble) == []


def test_a_completion_that_contends_is_contended_and_aborted(s3_trouble: Any, proxy: Proxy) -> None:
    proxy.misbehave("POST", store_proxy.answer(409, "ConditionalRequestConflict"), only=is_completion)
    with pytest.raises(Contended):
        s3_trouble.store.assemble("k", [b"1"], when=ABSENT)
    assert open_uploads(s3_trouble) == []


def test_a_completion_whose_answers_are_lost_is_of_unknown_outcome_and_did_happen(
    s3_trouble: Any, proxy: Proxy
) -> None:
    proxy.misbehave("POST", store_proxy.lose, times=9, only=is_completion)
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.assemble("k", [b"1"], when=ABSENT, metadata=MINE)
    assert s3_trouble.store.head("k").metadata == MINE
    assert not [path for method, path in proxy.seen if method == "DELETE"]


def test_an_upload_that_is_gone_at_a_second_try_of_completing_it_is_of_unknown_outcome(
    s3_trouble: Any, proxy: Proxy
) -> None:
    proxy.misbehave("POST", store_proxy.lose, only=is_completion)
    proxy.misbehave("POST", store_proxy.answer(404, "NoSuchUpload"), only=is_completion)
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.assemble("k", [b"1"], metadata=MINE)
    assert s3_trouble.store.head("k").metadata == MINE


def test_an_error_inside_a_200_is_an_error(s3_trouble: Any, proxy: Proxy) -> None:
    """S3 may begin its answer to a completion or a copy with 200 and fail afterwards."""
    proxy.misbehave("POST", store_proxy.answer(200, "InternalError"), times=9, only=is_completion)
    with pytest.raises(OutcomeUnknown):
        s3_trouble.store.assemble("k", [b"1"])
    proxy.misdeeds.clear()
    proxy.misbehave("POST", store_proxy.answer(200, "PreconditionFailed"), times=9, only=is_completion)
    with pytest.raises(PreconditionFailed):
        s3_trouble.store.assemble("k", [b"1"], when=ABSENT)
