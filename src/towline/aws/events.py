"""S3 event notifications as they come through SQS: parsed, decoded once, and made anew where none was delivered."""

from __future__ import annotations

import json
from urllib.parse import quote_plus, unquote_plus

from aws_lambda_powertools.utilities.parser import BaseModel, Field, parse

from towline.inbox import Arrival


class _S3Object(BaseModel):
    key: str
    size: int = 0
    etag: str = Field(default="", alias="eTag")
    version: str | None = Field(default=None, alias="versionId")


class _S3(BaseModel):
    object: _S3Object


class _Identity(BaseModel):
    principal: str | None = Field(default=None, alias="principalId")


class _Record(BaseModel):
    s3: _S3
    identity: _Identity = Field(default=_Identity(), alias="userIdentity")


class _Notification(BaseModel):
    """What Towline reads of a notification. `s3:TestEvent`, sent when a notification is set up, has no Records."""

    records: list[_Record] = Field(default=[], alias="Records")


def arrivals(body: str, author_source: str) -> list[Arrival]:
    """The object versions that one SQS message tells of. Keys are URL-encoded in it, with `+` for a space.

    `author_source` `event`: the principal is the event's, which S3 vouches for; `path`: it is the inbox path's (the
    local stack, whose events name nobody).
    """
    notification = parse(event=json.loads(body), model=_Notification)
    return [_arrival(record, author_source) for record in notification.records]


def _arrival(record: _Record, author_source: str) -> Arrival:
    found = record.s3.object
    principal = record.identity.principal if author_source == "event" else None
    return Arrival(
        key=unquote_plus(found.key),
        version=found.version,
        etag=found.etag,
        size=found.size,
        # In events `AWS:` goes before what IAM policies know as ${aws:userid}.
        principal=principal.removeprefix("AWS:") if principal else None,
    )


def notification(arrival: Arrival) -> str:
    """The message that S3 would have sent for an arrival, without a principal: a listing does not tell it."""
    found = {
        "key": quote_plus(arrival.key, safe="/"),
        "size": arrival.size,
        "eTag": arrival.etag,
        "versionId": arrival.version,
    }
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": found}}]})
