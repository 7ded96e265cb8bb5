"""The object store on S3, or on anything that speaks its protocol."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import islice
from typing import Any

from towline.ahead import ahead
from towline.aws import FAILURES, connect, failure, is_no_upload, is_unclear, is_unclear_answer
from towline.errors import OutcomeUnknown, TowlineError, Unavailable, UsageError
from towline.store import (
    ALWAYS,
    MIB,
    Absent,
    Blob,
    CopyRange,
    Entry,
    FileRange,
    Matches,
    Metadata,
    ObjectStore,
    Part,
    Precondition,
    Span,
    Stat,
    TooLarge,
    Unfinished,
    Version,
    check_key,
    check_span,
    checked,
    clip,
    quote_metadata,
    size_of,
    unquote_metadata,
)

_BINARY = "application/octet-stream"
# CopyObject takes sources of 5 GiB at most, and 15 s for one of 1 GiB. What is larger than a part goes by parts of
# 128 MiB, side by side, which takes 4 s (both measured in https://github.com/awslabs/aws-c-s3/pull/288).
COPY_MAX = COPY_PART = 128 * MIB
FILES = 2  # parts of files that are in memory together
AT_ONCE = 8  # requests of one reading or writing that are under way together; botocore has ten connections
_REMEMBERED = 1000  # immutable versions of which the Stat and the content type are kept


class S3Store(ObjectStore):
    """One bucket, through a boto3 client. Safe to share between threads.

    `requests` counts calls by S3 operation. botocore repeats calls that got no answer, which is harmless for
    reads and for unconditional writes. A conditional write that succeeded at a first try whose answer was lost
    is repeated too and gets 412 from its own success: this store says PreconditionFailed, and the caller looks.

    MiniStack 1.5.33, stock, ignores the conditions of CopyObject, which S3 checks, and answers a span of a named
    version with the whole of it, which is cut here.
    """

    def __init__(self, client: Any, bucket: str, *, page_size: int = 1000) -> None:
        self.bucket, self.requests = bucket, Counter[str]()
        self._client, self._page_size = client, page_size
        self._known: dict[tuple[str, str], tuple[Stat, str]] = {}  # with the content type
        self._lock, self._call_state = threading.Lock(), threading.local()
        self._files = threading.Semaphore(FILES)
        members = client.meta.service_model.operation_model("CopyObject").input_shape.members
        self._copies_conditionally = {"IfMatch", "IfNoneMatch"} <= set(members)
        client.meta.events.register("needs-retry.s3", self._note_attempt)
        client.meta.events.register("before-parse.s3.ListObjectVersions", _keep_order, unique_id=_keep_order)

    @classmethod
    def connect(
        cls, bucket: str, endpoint_url: str | None = None, region: str | None = None, profile: str | None = None
    ) -> S3Store:
        """A store on `bucket`; nothing is sent yet. Arguments and errors as in `towline.aws.connect`."""
        return cls(connect("s3", endpoint_url, region, profile), bucket)

    def get(
        self,
        key: str,
        *,
        version: str | None = None,
        span: Span | None = None,
        tail: int | None = None,
        max_bytes: int | None = None,
    ) -> Blob:
        try:
            answer = self._call("get_object", key, {"Key": key, **_version(version), **_range(span, tail)})
        except UsageError:
            if tail is None or (stat := self.head(key, version=version)).size:
                raise
            return Blob(stat, b"")  # an empty object has no last bytes that could be asked for
        stat = self._stat(key, answer)
        with closing(answer["Body"]) as stream:
            start, stop = clip(span, stat.size, key, tail)
            if max_bytes is not None and stop - start > max_bytes:
                raise TooLarge(key, stop - start, max_bytes)
            body = self._body(key, stream)
        return Blob(stat, body if len(body) == stop - start else body[start:stop])

    def ranges(self, key: str, spans: Sequence[Span], *, version: str | None = None) -> list[bytes]:
        if len(spans) < 2:
            return super().ranges(key, spans, version=version)
        with ThreadPoolExecutor(min(AT_ONCE, len(spans)), "ranges") as pool:
            return list(pool.map(lambda span: self.get(key, version=version, span=span).body, spans))

    def head(self, key: str, *, version: str | None = None) -> Stat:
        return self._head(key, version)[0]

    def put(
        self,
        key: str,
        body: bytes,
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
        content_type: str = _BINARY,
    ) -> Stat:
        kept = {"Metadata": quote_metadata(metadata), "ContentType": content_type}
        sent = {"Key": key, "Body": body, **kept, **_conditions(when)}
        answer = self._call("put_object", key, sent, writes=True)
        return self._written(key, len(body), answer, metadata, content_type)

    def copy(
        self,
        source: str,
        target: str,
        *,
        version: str | None = None,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        check_key(source)
        known, content_type = self._known.get((source, version or "")) or self._head(source, version)
        carried = known.metadata if metadata is None else metadata
        if known.size > COPY_MAX or (when != ALWAYS and not self._copies_conditionally):
            return self._copy_by_parts(known, target, when, carried, content_type)
        sent = {"Key": target, "CopySource": self._source(source, known.version), **_conditions(when)}
        if metadata is not None:  # S3 takes the source's content type and metadata, or new ones for both
            kept = {"Metadata": quote_metadata(metadata), "ContentType": content_type}
            sent |= {"MetadataDirective": "REPLACE", **kept}
        answer = self._call("copy_object", f"{source} -> {target}", sent, writes=True)
        return self._written(target, known.size, answer | answer["CopyObjectResult"], carried, content_type)

    def assemble(
        self,
        key: str,
        parts: Iterable[Part],
        *,
        when: Precondition = ALWAYS,
        metadata: Metadata | None = None,
    ) -> Stat:
        return self._assemble(key, parts, when, metadata, _BINARY)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        asked = {"Prefix": prefix, "MaxUploads": self._page_size}
        while True:
            page = self._call("list_multipart_uploads", prefix, asked)
            for each in page.get("Uploads", ()):
                yield Unfinished(each["Key"], each["UploadId"], each["Initiated"])
            if not page["IsTruncated"]:
                return
            asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def give_up(self, unfinished: Unfinished) -> None:
        try:
            self._abort({"Key": unfinished.key, "UploadId": unfinished.upload})
        except Unavailable as error:
            if not is_no_upload(error.__cause__):
                raise

    def _abort(self, target: Mapping[str, str]) -> None:
        self._call("abort_multipart_upload", target["Key"], target)

    def list(self, prefix: str, *, after: str | None = None) -> Iterator[Entry]:
        asked = {"Prefix": prefix, "MaxKeys": self._page_size}
        start = {"StartAfter": after} if after else {}
        while True:
            page = self._call("list_objects_v2", prefix, asked | start)
            for entry in page.get("Contents", ()):
                yield Entry(entry["Key"], entry["Size"], _unquoted(entry), entry["LastModified"])
            if not page["IsTruncated"]:
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def versions(self, key: str, *, newest: int | None = None) -> Iterator[Version]:
        check_key(key)
        return islice(self._versions(key, min(newest or self._page_size, self._page_size)), newest)

    def _versions(self, key: str, page_size: int) -> Iterator[Version]:
        asked = {"Prefix": key, "MaxKeys": page_size}
        while True:
            page = self._call("list_object_versions", key, asked)
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            ours = [entry for entry in entries if entry["Key"] == key]
            yield from map(_as_version, sorted(ours, key=lambda entry: page["Order"][entry["VersionId"]]))
            # Keys come in order, so the first longer one says that there is no more of ours.
            if not page["IsTruncated"] or len(ours) < len(entries):
                return
            asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    def delete(self, key: str) -> None:
        self._call("delete_object", key, {"Key": key}, writes=True)

    def _assemble(
        self,
        key: str,
        parts: Iterable[Part],
        when: Precondition,
        metadata: Metadata | None,
        content_type: str,
    ) -> Stat:
        parts, kept = checked(parts), quote_metadata(metadata)
        begin = {"Key": key, "Metadata": kept, "ContentType": content_type}
        upload = self._call("create_multipart_upload", key, begin)
        target = {"Key": key, "UploadId": upload["UploadId"]}
        try:
            done, size = self._send_parts(target, parts)
            end = {**target, "MultipartUpload": {"Parts": done}, **_conditions(when)}
            answer = self._call("complete_multipart_upload", key, end, writes=True)
        except OutcomeUnknown:
            raise  # only completing can say so, and it may be on its way still
        except BaseException:  # Ctrl-C, too: whatever ends it, the parts are paid for until they are dropped
            with suppress(TowlineError):  # Reconcile and the bucket's lifecycle rule clear away what this leaves
                self._abort(target)
            raise
        return self._written(key, size, answer, metadata, content_type)

    def _send_parts(self, target: Mapping[str, str], parts: Iterable[Part]) -> tuple[Sequence[dict[str, Any]], int]:
        """Send the parts, some side by side; what is to be said of them, and the bytes of all. When this returns or
        raises, none is on its way any more: what arrived after the upload was aborted would stay."""
        sent = list(ahead(partial(self._send_part, target), enumerate(parts, 1), AT_ONCE))
        return [answer for answer, _ in sent], sum(size for _, size in sent)

    def _send_part(self, target: Mapping[str, str], numbered: tuple[int, Part]) -> tuple[dict[str, Any], int]:
        number, part = numbered
        at = {**target, "PartNumber": number}
        if isinstance(part, CopyRange):
            answer = self._call("upload_part_copy", part.key, at | self._range(part))["CopyPartResult"]
        elif isinstance(part, FileRange):
            with self._files:
                answer = self._call("upload_part", target["Key"], at | {"Body": part.read()})
        else:
            answer = self._call("upload_part", target["Key"], at | {"Body": part})
        return {"PartNumber": number, "ETag": answer["ETag"]}, size_of(part)

    def _range(self, part: CopyRange) -> dict[str, Any]:
        source = {"CopySource": self._source(part.key, part.version)}
        known = self._known.get((part.key, part.version or ""))
        if known and part.size == known[0].size:
            return source  # S3 documents ranges only of objects over 5 MiB; a whole object needs none
        return {**source, "CopySourceRange": f"bytes={part.start}-{part.stop - 1}"}

    def _copy_by_parts(
        self, source: Stat, target: str, when: Precondition, metadata: Metadata, content_type: str
    ) -> Stat:
        """A copy that CopyObject cannot make: of more than 5 GiB, or conditional with an old botocore."""
        starts = range(0, source.size, COPY_PART)
        ranges = [CopyRange(source.key, source.version, n, min(n + COPY_PART, source.size)) for n in starts]
        return self._assemble(target, ranges or [b""], when, metadata, content_type)

    def _source(self, key: str, version: str | None) -> dict[str, str]:
        # As a dict: botocore then quotes the key. A string it sends as it is, and "?" would begin the version.
        return {"Bucket": self.bucket, "Key": key, **_version(version)}

    def _call(self, operation: str, about: str, sent: Mapping[str, Any], *, writes: bool = False) -> dict[str, Any]:
        """Make one S3 call. `writes`: it changes an object, so that an unclear answer is OutcomeUnknown."""
        if "Key" in sent:
            check_key(sent["Key"])
        with self._lock:
            self.requests[operation] += 1
        self._call_state.in_doubt = False
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(Bucket=self.bucket, **sent)
        except FAILURES as error:
            doubt = writes and (self._call_state.in_doubt or is_unclear(error))
            raise failure(error, self._place(about), in_doubt=doubt) from error
        return answer

    def _note_attempt(self, response: Any = None, caught_exception: Any = None, **_: Any) -> None:
        """Called by botocore after each try of a call.

        Its error tells only how the last one ended: "connection refused" after a try whose answer was lost
        would pass for a write that never left.
        """
        unclear = is_unclear(caught_exception) if caught_exception else is_unclear_answer(response[1])
        self._call_state.in_doubt = getattr(self._call_state, "in_doubt", False) or unclear

    def _body(self, key: str, stream: Any) -> bytes:
        try:
            return bytes(stream.read())
        except FAILURES as error:
            raise failure(error, self._place(key)) from error

    def _head(self, key: str, version: str | None) -> tuple[Stat, str]:
        """The Stat of a version, and its content type."""
        answer = self._call("head_object", key, {"Key": key, **_version(version)})
        return self._stat(key, answer), answer.get("ContentType", _BINARY)

    def _stat(self, key: str, answer: Mapping[str, Any]) -> Stat:
        of_span = answer.get("ContentRange", "").rpartition("/")[2]
        size = int(of_span or answer["ContentLength"])
        metadata = unquote_metadata(answer["Metadata"])
        stat = Stat(key, size, _unquoted(answer), answer.get("VersionId"), answer["LastModified"], metadata)
        return self._remember(stat, answer.get("ContentType", _BINARY))

    def _written(
        self, key: str, size: int, answer: Mapping[str, Any], metadata: Metadata | None, content_type: str
    ) -> Stat:
        modified = answer.get("LastModified") or _date(answer)
        stat = Stat(key, size, _unquoted(answer), answer.get("VersionId"), modified, dict(metadata or {}))
        return self._remember(stat, content_type)

    def _remember(self, stat: Stat, content_type: str) -> Stat:
        """Keep what is known of a version, which never changes: copying it later needs no head request."""
        if stat.version not in (None, "null"):  # "null" is what every write without versioning gets
            with self._lock:
                self._known[stat.key, stat.version] = (stat, content_type)
                if len(self._known) > _REMEMBERED:
                    self._known.pop(next(iter(self._known)))
        return stat

    def _place(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def _version(version: str | None) -> dict[str, str]:
    return {} if version is None else {"VersionId": version}


def _range(span: Span | None, tail: int | None) -> dict[str, str]:
    if span:
        check_span(span)
        return {"Range": f"bytes={span[0]}-{span[1] - 1}"}
    return {"Range": f"bytes=-{tail}"} if tail else {}


def _conditions(when: Precondition) -> dict[str, str]:
    match when:
        case Absent():
            return {"IfNoneMatch": "*"}
        case Matches(etag):
            return {"IfMatch": f'"{etag}"'}
        case _:
            return {}


def _unquoted(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ETag", "")).strip('"')


def _date(answer: Mapping[str, Any]) -> datetime:
    sent = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(sent) if sent else datetime.now(UTC)


def _keep_order(response_dict: Mapping[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Add `Order`, version id -> position, to a parsed page of versions.

    S3 lists versions and delete markers of a key newest first; botocore parts them into two lists, and their
    times (whole seconds) cannot merge those again.
    """
    order: dict[str, int] = {}
    for place, found in enumerate(re.findall(rb"<VersionId>([^<]*)</VersionId>", response_dict["body"])):
        order.setdefault(found.decode(), place)
    customized_response_dict["Order"] = order


def _as_version(entry: Mapping[str, Any]) -> Version:
    size, marker = entry.get("Size", 0), "Size" not in entry
    etag, modified = _unquoted(entry), entry["LastModified"]
    return Version(entry["Key"], entry["VersionId"], etag, size, modified, entry["IsLatest"], marker)
