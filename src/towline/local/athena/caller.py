"""Whether whoever asked for a query may read and write its objects: Athena acts with its caller's rights.

Only a stack that enforces policies (AUTH=true) asks. Whose request it was is a context variable of MiniStack's, which
the query's thread took along; it is empty for the account's own keys, which may do everything, and in `as_anyone`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from towline.local import iam
from towline.local.athena.errors import AthenaError


def check_read(bucket: str, key: str) -> None:
    """Raise AthenaError where the caller may not get an object."""
    _check("s3:GetObject", f"{bucket}/{key}", {}, f"Permission denied on S3 path: s3://{bucket}/{key}")


def check_list(bucket: str, prefix: str) -> None:
    """Raise AthenaError where the caller may not list the objects below `prefix`."""
    _check("s3:ListBucket", bucket, {"s3:prefix": prefix}, f"Permission denied on S3 path: s3://{bucket}/{prefix}")


def check_write(bucket: str, key: str) -> None:
    """Raise AthenaError where the caller may not put an object."""
    conditions = iam.write_keys("s3:PutObject", {}, {})
    denied = f"Access denied when writing output to url: s3://{bucket}/{key}"
    _check("s3:PutObject", f"{bucket}/{key}", conditions, denied)


def _check(action: str, resource: str, conditions: Mapping[str, str], message: str) -> None:
    from ministack import app
    from ministack.core import iam_evaluator, responses

    access_key = iam_evaluator._verified_key.get()
    if not (app.AUTH and access_key):
        return
    arn = f"arn:aws:s3:::{resource}"
    if iam_evaluator.enforce(access_key, action, "s3", responses.get_region(), arn, dict(conditions)) is not None:
        raise AthenaError("PERMISSION_DENIED", message)


@contextmanager
def as_anyone() -> Iterator[None]:
    """Check nothing: a state machine acts with its own role, not with that of whoever started it."""
    from ministack.core import iam_evaluator

    token = iam_evaluator._verified_key.set("")
    try:
        yield
    finally:
        iam_evaluator._verified_key.reset(token)
