"""As whom: clients with the credentials of the settings, and the principal that S3 sees behind them."""

from __future__ import annotations

from typing import Any

from towline.aws import FAILURES, connect, failure
from towline.settings import Settings


def client(service: str, settings: Settings, *, hurried: bool = False) -> Any:
    """A client for the endpoint, region and credentials of `settings`. Nothing is sent yet. `hurried` as in `connect`.

    Raises UsageError where the profile or the endpoint does not make sense.
    """
    both = (settings.access_key, settings.secret_key) if settings.access_key and settings.secret_key else None
    return connect(service, settings.endpoint_url, settings.region, settings.profile, both, hurried=hurried)


def principal(settings: Settings) -> str:
    """What IAM policies know as ${aws:userid}: the inbox prefix that these credentials may write.

    Raises Refused without credentials, Unavailable when STS cannot be reached.
    """
    try:
        return str(client("sts", settings).get_caller_identity()["UserId"])
    except FAILURES as error:
        raise failure(error, "who am I (sts:GetCallerIdentity)") from error
