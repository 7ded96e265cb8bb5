"""The environment of the stack's process, and so of the function workers it starts.

It is built from a short list rather than inherited: MiniStack reads dozens of variables of common names
(SERVICES, PERSISTENCE, LAMBDA_EXECUTOR, ...), and a researcher's AWS_PROFILE or proxy must not reach functions
that are meant to talk to this machine alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from towline.local.datadir import DataDir
from towline.local.ports import HOST
from towline.settings import DEFAULT_REGION, LOCAL_ACCESS_KEY, LOCAL_SECRET_KEY

ACCOUNT = "000000000000"

_INHERITED = (
    *("HOME", "LOGNAME", "USER", "SHELL", "PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV"),
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ"),
)


def server_environment(data: DataDir, env: Mapping[str, str], *, auth: bool) -> dict[str, str]:
    """All variables of the stack's process but those that depend on its port and its saved state."""
    kept = {k: v for k, v in env.items() if k in _INHERITED or k.startswith("TOWLINE_")}
    return {**kept, **_ministack(data, auth=auth), **_aws(), **_powertools(), "PYTHONUNBUFFERED": "1"}


def _ministack(data: DataDir, *, auth: bool) -> dict[str, str]:
    return {
        "BIND_HOST": HOST,
        "AUTH": "true" if auth else "false",
        "MINISTACK_REGION": DEFAULT_REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data.objects),
        "PERSIST_STATE": "1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Nowhere: a Docker daemon on this machine may run other people's containers, and MiniStack reaps.
        "DOCKER_HOST": f"unix://{data.root}/no-docker",
        # Function workers unpack here; the directory is emptied at start, so killed workers leave nothing.
        "TMPDIR": str(data.tmp),
    }


def _aws() -> dict[str, str]:
    """Credentials and configuration of the functions: the emulator's, and nothing of this user's."""
    return {
        "AWS_ACCESS_KEY_ID": LOCAL_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": LOCAL_SECRET_KEY,
        "AWS_DEFAULT_REGION": DEFAULT_REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
    }


def _powertools() -> dict[str, str]:
    """Workers look like Lambda to Powertools (LAMBDA_TASK_ROOT is set), but there is no X-Ray daemon."""
    return {"POWERTOOLS_TRACE_DISABLED": "true", "AWS_XRAY_SDK_ENABLED": "false"}
