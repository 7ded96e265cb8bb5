"""The modules that speak to AWS, or to the local stack in its place; and here, what they share.

Failures are told apart by HTTP status, error code and botocore's exception class, never by a message. A write
whose answer is unclear is OutcomeUnknown, unless the store says 412 or 409, which both mean "look" anyway.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from botocore.loaders import JSONFileLoader
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from towline.errors import (
    Contended,
    Corrupt,
    NotFound,
    OutcomeUnknown,
    PreconditionFailed,
    Refused,
    TowlineError,
    Unavailable,
    UsageError,
)

FAILURES = (boto.BotoCoreError, boto.ClientError, ResponseParserError, HTTPError)

_BY_CODE: Mapping[str, type[TowlineError]] = {
    "AccessDeniedException": Refused,  # services that speak JSON may say this with status 400
    "AWS.SimpleQueueService.NonExistentQueue": NotFound,  # 400
    "AlreadyExistsException": Contended,  # Glue's and Athena's errors all come with status 400
    "ConcurrentModificationException": Contended,
    "EntityNotFoundException": NotFound,
    "ThrottlingException": Unavailable,
    "TooManyRequestsException": Unavailable,
    "ConditionalRequestConflict": Contended,
    "ExpiredToken": Refused,  # these three come with status 400
    "InvalidToken": Refused,
    "TokenRefreshRequired": Refused,
    "OperationAborted": Contended,
    "PreconditionFailed": PreconditionFailed,  # may come inside a 200 when an upload is completed
    "NoSuchUpload": Unavailable,  # somebody, or a lifecycle rule, cleared the parts away
    "RequestTimeout": Unavailable,  # 400: S3 waited for the body in vain
    "SlowDown": Unavailable,
}
_BY_STATUS: Mapping[int, type[TowlineError]] = {
    401: Refused,
    403: Refused,
    404: NotFound,
    405: NotFound,  # reading a delete marker by its version
    409: Contended,
    412: PreconditionFailed,
    429: Unavailable,
    501: Refused,  # some bucket policies turn conditional copies into this
}
_NO_CREDENTIALS = (
    boto.CredentialRetrievalError,
    boto.NoAuthTokenError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.SSOError,
    boto.TokenRetrievalError,
)
# Raised after (part of) a request went out. Failures to connect are of other classes.
_BROKE_OFF = (boto.HTTPClientError, boto.IncompleteReadError, boto.SSLError, ResponseParserError)

# botocore's descriptions of services, each read once a process: to parse them takes several times as long as all else
# that a client does when it is made, and each session would do it anew.
_MODELS = JSONFileLoader()
_MODELS.load_file = cache(_MODELS.load_file)

_ADVICE: Mapping[type[TowlineError], str] = {
    Contended: "Another write of this key interfered: read it again, then retry",
    Corrupt: "Read it again; if that stays, read an older version",
    NotFound: "Check the bucket, the key and the version",
    PreconditionFailed: "The object is not what the write expected: read it again, then decide",
    Refused: "Check the credentials, and the policies of the role and the bucket",
    Unavailable: "Nothing changed; try again when the store answers (for the local stack: towline up)",
    UsageError: "The service does not take this request",
}


def connect(
    service: str,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    credentials: tuple[str, str] | None = None,
    *,
    hurried: bool = False,
) -> Any:
    """A boto3 client; what is None comes from the environment, as boto3 reads it. Nothing is sent yet. One that is
    `hurried` asks once and waits for seconds only: its caller would rather hear of a failure than wait.

    UsageError: no such profile, no region where one is needed, or an endpoint that is no URL.
    """
    name = f"AWS_ENDPOINT_URL_{service.upper()}"
    endpoint = endpoint_url or os.environ.get(name) or os.environ.get("AWS_ENDPOINT_URL") or None
    try:
        made = session(credentials, region, profile)
        return made.client(service, endpoint_url=endpoint, config=_config(endpoint, hurried=hurried))
    except (boto.NoRegionError, boto.ProfileNotFound, ValueError) as error:
        raise UsageError(f"{error}. Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL") from error


def session(credentials: tuple[str, str] | None, region: str | None, profile: str | None = None) -> boto3.Session:
    """What makes clients, one thread at a time; what is None comes from the environment."""
    core = botocore.session.Session(profile=profile)
    core.get_component("data_loader").file_loader = _MODELS
    return boto3.Session(*(credentials or ()), region_name=region, botocore_session=core)


def failure(error: Exception, place: str, *, in_doubt: bool = False) -> TowlineError:
    """The error to raise for botocore's `error` (one of FAILURES) at `place`.

    `in_doubt`: this was a write, and at least one try of it had no clear answer.
    """
    kind, detail = _kind(error), _detail(error)
    if in_doubt and not issubclass(kind, PreconditionFailed):
        return OutcomeUnknown(f"{place}: not known whether this was written ({detail}). Read it before you retry")
    doubt = " (an earlier try got no answer: this may be our own write)" if in_doubt else ""
    return kind(f"{place}: {detail}. {_ADVICE[kind]}{doubt}")


def is_unclear(error: Exception) -> bool:
    """Whether the store may have acted on the request that ended in `error`."""
    if isinstance(error, boto.ClientError):
        return is_unclear_answer(error.response)
    return isinstance(error, _BROKE_OFF)


def is_unclear_answer(answer: Mapping[str, Any]) -> bool:
    """The same of a parsed answer: server errors, except those that say that nothing was done."""
    status, code = _status(answer)
    return status >= 500 and status not in (501, 507) and code not in _BY_CODE


def is_no_upload(error: BaseException | None) -> bool:
    """Whether `error` says that an upload was ended or given up."""
    return isinstance(error, boto.ClientError) and _status(error.response)[1] == "NoSuchUpload"


def _status(answer: Mapping[str, Any]) -> tuple[int, str]:
    return answer["ResponseMetadata"].get("HTTPStatusCode", 0), answer.get("Error", {}).get("Code", "")


def _kind(error: Exception) -> type[TowlineError]:
    if isinstance(error, boto.ClientError):
        status, code = _status(error.response)
        fallback = Unavailable if status >= 500 else UsageError
        return _BY_CODE.get(code) or _BY_STATUS.get(status, fallback)
    if isinstance(error, boto.FlexibleChecksumError):
        return Corrupt
    if isinstance(error, boto.ParamValidationError):
        return UsageError
    return Refused if isinstance(error, _NO_CREDENTIALS) else Unavailable


def _detail(error: Exception) -> str:
    if not isinstance(error, boto.ClientError):
        return f"{error}".rstrip(".")
    status, code = _status(error.response)
    message = error.response.get("Error", {}).get("Message", "")
    return " ".join(filter(None, [str(status), code if code != str(status) else "", message])).rstrip(".")


def _config(endpoint: str | None, *, hurried: bool) -> Config:
    """Few retries. On this machine short timeouts and no proxy too: a dead local stack is noticed at once."""
    local = _is_loopback(endpoint)
    return Config(
        retries={"mode": "standard", "total_max_attempts": 1 if hurried else 2 if local else 4},
        connect_timeout=2 if local or hurried else 5,
        read_timeout=3 if hurried else 30 if local else 60,
        max_pool_connections=32,
        tcp_keepalive=True,
        s3={"addressing_style": "path" if endpoint else "auto"},
        **({"proxies": {}} if local else {}),
    )


def _is_loopback(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "").hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
