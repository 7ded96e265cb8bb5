"""Which bucket, where, and as whom: one frozen value, resolved once.

The environment comes first (AWS_PROFILE, AWS_ENDPOINT_URL, S3_BUCKET, S3_MASTER_KEY, S3_SNAPSHOT_PREFIX,
S3_AUDIT_PREFIX, GLUE_DATABASE); else the local stack that `towline up` described in its data directory (`stack.json`).
Lambda functions have an environment only, and theirs is checked as a whole.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from towline import keys
from towline.errors import Unavailable, UsageError

STACK_FILE = "stack.json"
DEFAULT_REGION = "us-east-1"
# MiniStack's root credentials: they open nothing but an emulator on this machine.
LOCAL_ACCESS_KEY = LOCAL_SECRET_KEY = "test"  # noqa: S105 - no secret, see above

AUTHOR_SOURCES = ("event", "path")

DATABASE = "towline"  # of Glue, unless GLUE_DATABASE names another
# The template's workgroups: that of people, that of the state machine of SQL edits, and that of loads.
WORKGROUP, EDITS_WORKGROUP, LOADS_WORKGROUP = "towline", "towline-edits", "towline-loads"


@dataclass(frozen=True)
class Settings:
    """What every entry point needs to know before it can reach a dataset.

    `endpoint_url` is None on AWS. `access_key` and `secret_key` are None where botocore finds the
    credentials itself (a profile, a role, the environment). The last nine matter to functions only;
    `reconcile_minutes` lie between two runs of Reconcile.
    """

    bucket: str
    region: str = DEFAULT_REGION
    endpoint_url: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    layout: keys.Layout = field(default_factory=keys.Layout)
    master_key: str | None = None
    glue_database: str = DATABASE
    author_source: str = "path"
    apply_queue_url: str | None = None
    validate_queue_url: str | None = None
    ingest_queue_url: str | None = None
    sample_queue_url: str | None = None
    load_queue_url: str | None = None
    topic_arn: str | None = None
    state_machine_arn: str | None = None
    reconcile_minutes: float | None = None

    @classmethod
    def resolve(cls, env: Mapping[str, str], data_dir: Path | None = None) -> Settings:
        """The environment's bucket; else the local stack of `data_dir`, TOWLINE_DATA_DIR or the default.

        Raises Unavailable, naming every variable that is missing, where there is neither.
        """
        if env.get("S3_BUCKET"):
            return cls._from_environment(env)
        if env.get("AWS_ENDPOINT_URL"):
            raise UsageError(
                f"AWS_ENDPOINT_URL is {env['AWS_ENDPOINT_URL']}, but S3_BUCKET is not set: export S3_BUCKET, or "
                "unset AWS_ENDPOINT_URL to use the local stack of `towline up`"
            )
        return cls._from_stack(env, stack_dir(env, data_dir))

    @classmethod
    def for_function(cls, env: Mapping[str, str], *, needs: tuple[str, ...] = ()) -> Settings:
        """A function's settings. `needs` names what it wants beyond S3_BUCKET and AUTHOR_SOURCE, for example
        `("APPLY_QUEUE_URL", "TOPIC_ARN")`. Raises UsageError naming everything that is missing at once."""
        missing = [name for name in ("S3_BUCKET", "AUTHOR_SOURCE", *needs) if not env.get(name)]
        if missing:
            raise UsageError(
                f"this function's environment lacks {', '.join(missing)}: set them under Globals or the function's "
                "Environment in template.yaml"
            )
        if env["AUTHOR_SOURCE"] not in AUTHOR_SOURCES:
            raise UsageError(
                f"AUTHOR_SOURCE is {env['AUTHOR_SOURCE']!r}; it must be one of {', '.join(AUTHOR_SOURCES)}"
            )
        return cls._from_environment(env)

    @classmethod
    def _from_environment(cls, env: Mapping[str, str]) -> Settings:
        return cls(
            bucket=env["S3_BUCKET"],
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or DEFAULT_REGION,
            endpoint_url=env.get("AWS_ENDPOINT_URL") or None,
            profile=env.get("AWS_PROFILE") or None,
            **_local_credentials(env),
            layout=_layout(env),
            master_key=env.get("S3_MASTER_KEY") or None,
            glue_database=env.get("GLUE_DATABASE") or DATABASE,
            author_source=env.get("AUTHOR_SOURCE") or "path",
            apply_queue_url=env.get("APPLY_QUEUE_URL") or None,
            validate_queue_url=env.get("VALIDATE_QUEUE_URL") or None,
            ingest_queue_url=env.get("INGEST_QUEUE_URL") or None,
            sample_queue_url=env.get("SAMPLE_QUEUE_URL") or None,
            load_queue_url=env.get("LOAD_QUEUE_URL") or None,
            topic_arn=env.get("TOPIC_ARN") or None,
            state_machine_arn=env.get("STATE_MACHINE_ARN") or None,
            reconcile_minutes=_number(env, "RECONCILE_MINUTES"),
        )

    @classmethod
    def _from_stack(cls, env: Mapping[str, str], directory: Path) -> Settings:
        stack = read_stack(directory)
        return cls(
            bucket=stack["bucket"],
            region=stack["region"],
            endpoint_url=stack["endpoint"],
            access_key=LOCAL_ACCESS_KEY,
            secret_key=LOCAL_SECRET_KEY,
            layout=_layout(env),
            master_key=env.get("S3_MASTER_KEY") or None,
            glue_database=env.get("GLUE_DATABASE") or DATABASE,
        )

    @property
    def local(self) -> bool:
        """Whether the endpoint is on this machine: then the author is the OS user, not an AWS principal."""
        return self.endpoint_url is not None and is_loopback(urlsplit(self.endpoint_url).hostname or "")

    @property
    def principal(self) -> str | None:
        """Whose inbox prefix to write, locally; None on AWS, where only STS knows."""
        return keys.slug(os_user()) if self.local else None

    @property
    def dataset(self) -> str | None:
        """The dataset that S3_MASTER_KEY points at, for commands that are given none."""
        name = (self.master_key or "").removeprefix(keys.DATA).removesuffix("/master.parquet")
        return name if self.master_key == keys.master(name) else None

    def exports(self) -> dict[str, str]:
        """The environment that makes other programs (and `towline` elsewhere) see the same bucket."""
        found = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_PROFILE": self.profile,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "S3_BUCKET": self.bucket,
            "S3_MASTER_KEY": self.master_key,
            "S3_SNAPSHOT_PREFIX": self.layout.snapshots,
            "S3_AUDIT_PREFIX": self.layout.audit,
            "GLUE_DATABASE": self.glue_database,
        }
        return {name: value for name, value in found.items() if value}


def default_data_dir() -> Path:
    """The platform's user data directory, for example ~/.local/share/towline."""
    from platformdirs import user_data_path  # not in the functions' layer, which has no use for it

    return user_data_path("towline", appauthor=False)


def current_stack_file() -> Path:
    """Where `towline up` notes the data directory it started, so that the next command finds it."""
    from platformdirs import user_state_path

    return user_state_path("towline", appauthor=False) / "current-stack"


def chosen_data_dir(env: Mapping[str, str], data_dir: Path | None = None) -> Path:
    """The data directory to start a stack in: `data_dir`, else TOWLINE_DATA_DIR, else the default."""
    return Path(data_dir or env.get("TOWLINE_DATA_DIR") or default_data_dir()).expanduser().absolute()


def stack_dir(env: Mapping[str, str], data_dir: Path | None = None) -> Path:
    """The data directory of the stack that is meant: as `chosen_data_dir`, but where nobody chose, the
    one that `towline up` started last comes before the default."""
    if data_dir is None and not env.get("TOWLINE_DATA_DIR"):
        noted = _noted_stack()
        if noted is not None and (noted / STACK_FILE).is_file():
            return noted
    return chosen_data_dir(env, data_dir)


def read_stack(directory: Path) -> dict[str, Any]:
    """`stack.json` of a data directory. Raises Unavailable, with the way out, where there is none."""
    file = directory / STACK_FILE
    try:
        stack: dict[str, Any] = json.loads(file.read_text())
        return {**stack, **{name: str(stack[name]) for name in ("endpoint", "bucket", "region")}}
    except FileNotFoundError:
        raise Unavailable(
            f"no local stack runs in {directory}, and S3_BUCKET and AWS_ENDPOINT_URL or AWS_PROFILE are not set: "
            "start a stack with `towline up`, or export those of a real bucket"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} does not describe a stack ({error}): delete it and run `towline up` again") from None


def os_user() -> str:
    """The name of the OS user; `unknown` where the machine has none for this process."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no USER and no passwd entry, as in some containers
        return "unknown"


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine: localhost, *.localhost, 127.0.0.0/8 or ::1."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _local_credentials(env: Mapping[str, str]) -> dict[str, str]:
    """The emulator's credentials for an endpoint on this machine, unless the environment brings its own."""
    host = urlsplit(env.get("AWS_ENDPOINT_URL", "")).hostname or ""
    if not is_loopback(host) or env.get("AWS_ACCESS_KEY_ID") or env.get("AWS_PROFILE"):
        return {}
    return {"access_key": LOCAL_ACCESS_KEY, "secret_key": LOCAL_SECRET_KEY}


def _number(env: Mapping[str, str], name: str) -> float | None:
    """A variable that holds a number; None where it is not set."""
    try:
        return float(env[name]) if env.get(name) else None
    except ValueError:
        raise UsageError(f"{name} is {env[name]!r}; it must be a number, such as 10") from None


def _layout(env: Mapping[str, str]) -> keys.Layout:
    given = {"snapshots": env.get("S3_SNAPSHOT_PREFIX"), "audit": env.get("S3_AUDIT_PREFIX")}
    return keys.Layout(**{name: prefix.strip("/") + "/" for name, prefix in given.items() if prefix})


def _noted_stack() -> Path | None:
    try:
        return Path(current_stack_file().read_text().strip())
    except (OSError, ValueError):
        return None
