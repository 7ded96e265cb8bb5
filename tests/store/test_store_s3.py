"""What only the S3 store does: names of errors, requests, connections, large copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from towline.aws import connect, s3
from towline.aws.s3 import S3Store
from towline.errors import Contended, NotFound, PreconditionFailed, Refused, TowlineError, Unavailable, UsageError
from towline.store import ABSENT, MIB, Matches

WHEN = "2026-07-01T00:00:00Z"


@pytest.fixture
def stub() -> Iterator[tuple[S3Store, Stubber]]:
    client = connect("s3", "http://127.0.0.1:1")
    with Stubber(client) as stubber:
        yield S3Store(client, "bucket"), stubber


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", Refused),
        (403, "InvalidAccessKeyId", Refused),
        (403, "SignatureDoesNotMatch", Refused),
        (400, "ExpiredToken", Refused),
        (501, "NotImplemented", Refused),
        (404, "NoSuchBucket", NotFound),
        (409, "OperationAborted", Contended),
        (412, "PreconditionFailed", PreconditionFailed),
        (429, "TooManyRequests", Unavailable),
        (400, "EntityTooLarge", UsageError),
    ],
)
def test_errors_are_told_apart_by_status_and_code(
    stub: tuple[S3Store, Stubber], status: int, code: str, error: type[TowlineError]
) -> None:
    store, stubber = stub
    stubber.add_client_error("put_object", code, "Precondition access denied not found", status)
    with pytest.raises(TowlineError) as caught:
        store.put("k", b"")
    assert type(caught.value) is error


def test_access_denied_is_refused_for_every_operation(stub: tuple[S3Store, Stubber]) -> None:
    store, stubber = stub
    calls = {
        "get_object": lambda: store.get("k"),
        "head_object": lambda: store.head("k"),
        "put_object": lambda: store.put("k", b""),
        "create_multipart_upload": lambda: store.assemble("k", [b""]),
        "list_objects_v2": lambda: list(store.list("")),
        "list_object_versions": lambda: list(store.versions("k")),
        "delete_object": lambda: store.delete("k"),
    }
    for operation, call in calls.items():
        stubber.add_client_error(operation, "AccessDenied", "no", 403)
        with pytest.raises(Refused, match="s3://bucket/"):
            call()


def test_a_403_without_a_body_is_refused_too(stub: tuple[S3Store, Stubber]) -> None:
    store, stubber = stub
    stubber.add_client_error("head_object", "403", "Forbidden", 403)
    with pytest.raises(Refused):
        store.head("k")


@pytest.mark.parametrize(("when", "sent"), [(ABSENT, {"IfNoneMatch": "*"}), (Matches("abc"), {"IfMatch": '"abc"'})])
def test_the_conditions_of_a_copy_are_sent(stub: tuple[S3Store, Stubber], when: Any, sent: dict[str, str]) -> None:
    store, stubber = stub
    head = {"ETag": '"e"', "ContentLength": 3, "LastModified": WHEN, "Metadata": {}, "VersionId": "v1"}
    stubber.add_response("head_object", head, {"Bucket": "bucket", "Key": "a?b", "VersionId": "v1"})
    expected = {"Bucket": "bucket", "Key": "c", "CopySource": ANY, **sent}
    stubber.add_response("copy_object", {"CopyObjectResult": {"ETag": '"e"', "LastModified": WHEN}}, expected)
    store.copy("a?b", "c", version="v1", when=when)
    stubber.assert_no_pending_responses()


def test_a_client_that_cannot_send_the_conditions_of_a_copy_copies_by_parts(s3_store: S3Store) -> None:
    s3_store._copies_conditionally = False
    s3_store.put("source", b"small", metadata={"commit": "C1"}, content_type="text/csv")
    assert s3_store.copy("source", "target", when=ABSENT).metadata == {"commit": "C1"}
    with pytest.raises(PreconditionFailed):
        s3_store.copy("source", "target", when=ABSENT)
    assert s3_store.get("target").body == b"small"
    s3_store.put("empty", b"")
    assert s3_store.copy("empty", "target2", when=ABSENT).size == 0


def test_a_small_object_copied_by_parts_is_copied_whole_as_s3_documents_no_ranges_of_it(
    stub: tuple[S3Store, Stubber],
) -> None:
    store, stubber = stub
    store._copies_conditionally = False
    head = {"ETag": '"e"', "ContentLength": 3, "LastModified": WHEN, "Metadata": {}, "VersionId": "v1"}
    part = {"Bucket": "bucket", "Key": "c", "UploadId": "u", "PartNumber": 1, "CopySource": ANY}  # and no range
    stubber.add_response("head_object", head)
    stubber.add_response("create_multipart_upload", {"UploadId": "u"})
    stubber.add_response("upload_part_copy", {"CopyPartResult": {"ETag": '"p"'}}, part)
    stubber.add_response("complete_multipart_upload", {"ETag": '"e-1"', "ResponseMetadata": {}})
    assert store.copy("k", "c", when=ABSENT).size == 3


def test_a_copy_over_the_limit_goes_by_parts_with_metadata_and_content_type(
    s3_store: S3Store, s3_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "COPY_MAX", 10 * MIB)
    monkeypatch.setattr(s3, "COPY_PART", 5 * MIB)
    body = bytes(range(256)) * (11 * MIB // 256)
    stat = s3_store.put("big", body, metadata={"note": "é"}, content_type="text/csv")
    s3_store.put("big", b"newer")
    copied = s3_store.copy("big", "copy", version=stat.version, when=ABSENT)
    assert s3_store.get("copy").body == body
    assert (copied.size, copied.metadata) == (len(body), {"note": "é"})
    assert s3_store.requests["upload_part_copy"] == 3
    assert s3_client.head_object(Bucket=s3_store.bucket, Key="copy")["ContentType"] == "text/csv"


def test_a_copy_with_metadata_of_its_own_keeps_the_content_type_at_any_size(
    s3_store: S3Store, s3_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "COPY_MAX", 10 * MIB)
    monkeypatch.setattr(s3, "COPY_PART", 5 * MIB)
    for key, size in (("small", 10), ("big", 11 * MIB)):
        s3_store.put(key, b"x" * size, metadata={"old": "gone"}, content_type="text/csv")
        copied = s3_store.copy(key, f"{key} copy", metadata={"ingest": "é"})
        found = s3_client.head_object(Bucket=s3_store.bucket, Key=f"{key} copy")
        assert (found["ContentType"], found["ContentLength"]) == ("text/csv", size)
        assert copied.metadata == s3_store.head(f"{key} copy").metadata == {"ingest": "é"}


def test_a_copy_of_a_version_this_store_wrote_or_saw_is_one_request(s3_client: Any, bucket: str) -> None:
    writer, reader = S3Store(s3_client, bucket), S3Store(s3_client, bucket)
    stat = writer.put("k", b"1", metadata={"commit": "C1"})
    writer.copy("k", "c1", version=stat.version)
    assert writer.requests == {"put_object": 1, "copy_object": 1}
    assert reader.copy("k", "c2", version=stat.version).metadata == {"commit": "C1"}
    assert reader.requests == {"head_object": 1, "copy_object": 1}


def test_so_is_a_copy_with_metadata_of_its_own_which_keeps_the_content_type(s3_client: Any, bucket: str) -> None:
    writer, reader = S3Store(s3_client, bucket), S3Store(s3_client, bucket)
    stat = writer.put("k", b"1", content_type="text/csv")
    reader.get("k", version=stat.version)
    for number, store in enumerate((writer, reader, S3Store(s3_client, bucket))):
        before = store.requests.copy()
        again = store.copy("k", f"c{number}", version=stat.version, metadata={"ingest": "1"})
        store.copy(f"c{number}", f"d{number}", version=again.version, metadata={"ingest": "2"})
        expected = {"copy_object": 2} | ({"head_object": 1} if number == 2 else {})
        assert store.requests - before == expected
        assert s3_client.head_object(Bucket=bucket, Key=f"d{number}")["ContentType"] == "text/csv"


def test_the_versions_of_a_key_are_not_sought_among_those_of_longer_keys(s3_client: Any, bucket: str) -> None:
    store = S3Store(s3_client, bucket, page_size=2)
    for key in ("k", *(f"k{n}" for n in range(9))):
        store.put(key, b"")
    assert len(list(store.versions("k"))) == 1
    assert store.requests["list_object_versions"] == 1


def test_what_is_known_of_the_null_version_is_not_trusted_since_it_changes(stub: tuple[S3Store, Stubber]) -> None:
    store, stubber = stub
    head = {"ETag": '"e"', "LastModified": WHEN, "Metadata": {}, "VersionId": "null"}
    copied = {"CopyObjectResult": {"ETag": '"e"', "LastModified": WHEN}}
    stubber.add_response("head_object", head | {"ContentLength": 1})
    stubber.add_response("head_object", head | {"ContentLength": 22})
    stubber.add_response("copy_object", copied)
    assert store.head("k", version="null").size == 1
    assert store.copy("k", "c", version="null").size == 22


def test_a_bucket_without_versioning_works_and_has_no_versions(s3_client: Any) -> None:
    s3_client.create_bucket(Bucket="unversioned")
    store = S3Store(s3_client, "unversioned")
    assert store.put("k", b"1", metadata={"a": "1"}).version is None
    store.put("k", b"22", metadata={"a": "2"})
    assert store.copy("k", "c").metadata == {"a": "2"}
    assert [(version.version, version.size) for version in store.versions("k")] == [("null", 2)]


def test_a_missing_bucket_is_not_found(s3_client: Any) -> None:
    with pytest.raises(NotFound, match="NoSuchBucket"):
        S3Store(s3_client, "no-such-bucket").put("k", b"")


def test_content_type_is_kept(s3_store: S3Store, s3_client: Any) -> None:
    s3_store.put("k", b"", content_type="application/json")
    s3_store.copy("k", "c")
    assert s3_client.head_object(Bucket=s3_store.bucket, Key="c")["ContentType"] == "application/json"


def test_plain_metadata_is_readable_to_others(s3_store: S3Store, s3_client: Any) -> None:
    s3_store.put("k", b"", metadata={"commit": "01J0", "note": "two words, 5% é"})
    raw = s3_client.head_object(Bucket=s3_store.bucket, Key="k")["Metadata"]
    assert raw == {"commit": "01J0", "note": "two words, 5%25 %C3%A9"}


# connecting


def test_the_environment_names_the_endpoint(s3_url: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    S3Store.connect(bucket).put("k", b"1")
    assert S3Store.connect(bucket, s3_url, "us-east-1").get("k").body == b"1"


def test_a_local_endpoint_is_not_reached_through_a_proxy(
    s3_url: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    S3Store.connect(bucket, s3_url).put("k", b"1")


def test_a_local_endpoint_has_short_timeouts_and_few_tries() -> None:
    local = connect("s3", "http://localhost:4566").meta.config
    remote = connect("s3").meta.config
    assert (local.connect_timeout, local.retries["total_max_attempts"]) == (2, 2)
    assert (remote.connect_timeout, remote.retries["total_max_attempts"]) == (5, 4)
    assert local.max_pool_connections == remote.max_pool_connections == 32


def test_an_unknown_profile_and_a_bad_endpoint_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="no-such-profile"):
        S3Store.connect("bucket", profile="no-such-profile")
    with pytest.raises(UsageError, match="not a url"):
        S3Store.connect("bucket", "not a url")


def test_missing_credentials_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(Refused):
        S3Store.connect("bucket", "http://127.0.0.1:1").put("k", b"")
