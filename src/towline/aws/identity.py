"""As whom: clients with the credentials of the settings, and the principal that S3 sees behind them."""

from __future__ import annotations

from typing import Any

import boto3
from botocore import exceptions as boto

from towline.aws import FAILURES, _config, connect, failure
from towline.errors import UsageError
from towline.settings import Settings


def client(service: str, settings: Settings) -> Any:
    """A client for the endpoint, region and credentials of `settings`. Nothing is sent yet.

    Raises UsageError where the profile or the endpoint does not make sense.
    """
    if settings.access_key is None:
        return connect(service, settings.endpoint_url, settings.region, settings.profile)
    try:
        session = boto3.Session(settings.access_key, settings.secret_key, region_name=settings.region)
        return session.client(service, endpoint_url=settings.endpoint_url, config=_config(settings.endpoint_url))
    except (boto.ProfileNotFound, ValueError) as error:
        raise UsageError(f"{error}. Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL") from error


def principal(settings: Settings) -> str:
    """What IAM policies know as ${aws:userid}: the inbox prefix that these credentials may write.

    Raises Refused without credentials, Unavailable when STS cannot be reached.
    """
    try:
        return str(client("sts", settings).get_caller_identity()["UserId"])
    except FAILURES as error:
        raise failure(error, "who am I (sts:GetCallerIdentity)") from error
