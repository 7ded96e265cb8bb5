"""Ranges on the local stack, of current and of named versions and of what is copied; and the conditions of a copy."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_stack import BUCKET, client
from towline.local.stack import StackInfo

KEY = "exports/slices.bin"
OLD, NEW = bytes(range(256)) * 24_000, b"new"  # more than 5 MiB, of which S3 copies ranges


@pytest.fixture(scope="module")
def s3(stack: StackInfo) -> Any:
    return client(stack, "s3")


@pytest.fixture(scope="module")
def old(s3: Any) -> str:
    version = s3.put_object(Bucket=BUCKET, Key=KEY, Body=OLD)["VersionId"]
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=NEW)
    return str(version)


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=100-299", 100, 300), ("bytes=-7", len(OLD) - 7, len(OLD)), ("bytes=6143990-", 6_143_990, len(OLD))],
)
def test_a_range_of_a_named_version_comes_alone(s3: Any, old: str, asked: str, start: int, stop: int) -> None:
    answer = s3.get_object(Bucket=BUCKET, Key=KEY, VersionId=old, Range=asked, ChecksumMode="ENABLED")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == f"bytes {start}-{stop - 1}/{len(OLD)}"
    assert answer["ContentLength"] == stop - start
    assert answer["Body"].read() == OLD[start:stop]


def test_a_range_of_the_current_version_comes_alone(s3: Any, old: str) -> None:
    answer = s3.get_object(Bucket=BUCKET, Key=KEY, Range="bytes=1-9")
    assert (answer["ContentRange"], answer["Body"].read()) == ("bytes 1-2/3", NEW[1:])


def test_a_range_past_the_end_is_refused(s3: Any, old: str) -> None:
    with pytest.raises(ClientError, match="not satisfiable"):
        s3.get_object(Bucket=BUCKET, Key=KEY, VersionId=old, Range=f"bytes={len(OLD)}-")


def test_a_whole_version_comes_whole(s3: Any, old: str) -> None:
    assert s3.get_object(Bucket=BUCKET, Key=KEY, VersionId=old)["Body"].read() == OLD


def test_a_range_of_an_old_version_is_copied(s3: Any, old: str) -> None:
    target = {"Bucket": BUCKET, "Key": "exports/copied.bin"}
    upload = {**target, "UploadId": s3.create_multipart_upload(**target)["UploadId"]}
    source = {"Bucket": BUCKET, "Key": KEY, "VersionId": old}
    part = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange="bytes=1000-5999999")
    parts = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(**target)["Body"].read() == OLD[1000:6_000_000]


def test_a_copy_is_held_to_its_conditions(s3: Any, old: str) -> None:
    source = {"Bucket": BUCKET, "Key": KEY, "VersionId": old}
    target = {"Bucket": BUCKET, "Key": "exports/condition.bin", "CopySource": source}
    etag = s3.copy_object(**target, IfNoneMatch="*")["CopyObjectResult"]["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(**target, IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.copy_object(**target, IfMatch=f'"{"0" * 32}"')
    s3.copy_object(**target, IfMatch=etag)
    s3.delete_object(Bucket=BUCKET, Key="exports/condition.bin")
    s3.copy_object(**target, IfNoneMatch="*")
