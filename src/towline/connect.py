"""From settings to a bucket that can be worked on: where the command line, the Python API and the editor begin."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from towline import keys
from towline.dataset import Dataset
from towline.errors import UsageError
from towline.settings import WORKGROUP, Settings, stack_dir
from towline.workbench import Workbench

if TYPE_CHECKING:
    from towline.aws.athena import Athena
    from towline.copies import Tables
    from towline.health.checkup import Checkup
    from towline.publish import Lake


@dataclass(frozen=True)
class Connection:
    """A bucket, and who works on it. Whatever only reads takes `bench`; on AWS asking for `principal` costs a
    request."""

    settings: Settings
    bench: Workbench

    @cached_property
    def principal(self) -> str:
        """Whose inbox prefix proposals go to: the OS user on the local stack, else the credentials' user id."""
        if self.settings.principal is not None:
            return self.settings.principal
        from towline.aws.identity import principal

        return principal(self.settings)

    @cached_property
    def engine(self) -> Athena:
        """What runs queries by SQL, in the workgroup of people."""
        from towline.aws.athena import Athena
        from towline.aws.identity import client

        output = f"s3://{self.settings.bucket}/{keys.QUERY_RESULTS}"
        return Athena(client("athena", self.settings), WORKGROUP, output, self.database)

    def tables(self) -> list[str]:
        """The names of all tables that can be asked by SQL."""
        from towline.aws.glue import Glue
        from towline.aws.identity import client

        return sorted(Glue(client("glue", self.settings), self.database).tables())

    @property
    def database(self) -> str:
        return self.settings.glue_database

    @property
    def default_dataset(self) -> str | None:
        return self.settings.dataset

    def dataset(self, name: str) -> Dataset:
        """A dataset to propose changes to. That it exists is not checked here."""
        return Dataset(self.bench, keys.check_dataset(name), self.principal)

    def datasets(self) -> list[str]:
        """The names of all datasets in the bucket."""
        found = (keys.dataset_of_contract(entry.key) for entry in self.bench.store.list(keys.CONTRACTS))
        return sorted(name for name in found if name)


def connect(settings: Settings) -> Connection:
    """A connection to the bucket of `settings`; nothing is sent yet."""
    # boto3 takes a third of a second to import: not before somebody connects.
    from towline.aws.identity import client
    from towline.aws.s3 import S3Store

    store = S3Store(client("s3", settings), settings.bucket)
    return Connection(settings, Workbench(store, settings.layout, settings.glue_database))


def here(data_dir: Path | None = None) -> Connection:
    """What the environment names, else the local stack of `data_dir` (see `Settings.resolve`)."""
    return connect(Settings.resolve(os.environ, data_dir))


def lake(connection: Connection, dataset: str) -> Lake:
    """The Iceberg table of a dataset in Glue. Nothing is sent yet. UsageError where pyiceberg is not installed."""
    from towline.aws.identity import client

    try:
        from towline.aws.iceberg import GlueLake
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("pyiceberg"):
            raise
        raise UsageError(
            "an Iceberg table takes pyiceberg, which is not installed: `uv sync --group iceberg` beside the project, "
            'elsewhere `pip install "pyiceberg[glue,pyarrow]==0.12.*"`'
        ) from error
    glue, bucket = client("glue", connection.settings), connection.settings.bucket
    return GlueLake(glue, connection.bench, bucket, connection.database, keys.check_dataset(dataset))


def describe(connection: Connection) -> None:
    """Bring the tables that Athena sees in step with the datasets and the lake."""
    from towline.aws.glue import Glue
    from towline.aws.identity import client
    from towline.cataloging import keep_in_step

    glue = Glue(client("glue", connection.settings), connection.database)
    keep_in_step(connection.bench, connection.settings.bucket, glue)


def copies(connection: Connection) -> Tables:
    """The tables of partitioned copies in Glue. Nothing is sent yet."""
    from towline.aws.glue_copies import GlueCopies
    from towline.aws.identity import client

    return GlueCopies(client("glue", connection.settings), connection.database)


def checkup(connection: Connection, data_dir: Path | None = None, *, patience: float = 2.0) -> Checkup:
    """Everything that tells how things are (`towline.health`), to be looked at again and again. `data_dir` is where the
    local stack is looked for while it does not answer; `patience` is in seconds. Nothing is asked yet."""
    from towline.aws import health as aws
    from towline.health import judge, versions
    from towline.health.checkup import Checkup, Probe
    from towline.health.datasets import Datasets
    from towline.health.pipeline import runs

    settings, bench = connection.settings, connection.bench
    found = [Probe("versions", ("Towline",), versions.look), *aws.probes(settings, bench.store)]
    found += [Probe("storage", ("You",), lambda: [judge.you(connection.principal)])]
    if settings.local:
        from towline.local import health as local

        found += local.probes(settings, stack_dir(os.environ, data_dir))
    found += [
        Probe("pipeline", ("Reconcile",), lambda: runs(bench)),
        Probe("datasets", ("Datasets",), Datasets(bench).look),
    ]
    return Checkup(found, patience=patience, clock=bench.clock)
