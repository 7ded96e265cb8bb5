"""The Python API: datasets that are read as pandas DataFrames, and changed by proposing edited ones.

A DataFrame remembers the commit it was read from (`df.attrs["towline_commit"]`, which pandas carries through most
operations), so that proposing it is a three-way merge and never overwrites what others did since.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from towline import connect, frames, keys, queries
from towline.api.data import Data, as_file
from towline.api.dataset import Dataset
from towline.connect import Connection
from towline.contract import Contract
from towline.dataset import PATIENCE
from towline.errors import BadProposal
from towline.files import open_file, read_table
from towline.first_contract import choose
from towline.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

DataDir: TypeAlias = "str | PathLike[str] | None"

__all__ = ["Data", "DataDir", "Dataset", "create", "datasets", "open", "query"]


def open(name: str, *, data_dir: DataDir = None, settings: Settings | None = None) -> Dataset:
    """The dataset `name` of the bucket that `settings` name; without them of the environment's, else of the local
    stack (in `data_dir`, if given). Raises NotFound when there is no such dataset."""
    dataset = Dataset(_connection(data_dir, settings), name)
    dataset.contract()
    return dataset


def datasets(*, data_dir: DataDir = None, settings: Settings | None = None) -> list[str]:
    """The names of all datasets."""
    return _connection(data_dir, settings).datasets()


def create(
    name: str,
    data: Data,
    *,
    key: Sequence[str] = (),
    note: str,
    contract: Contract | None = None,
    timeout: float = PATIENCE,
    data_dir: DataDir = None,
    settings: Settings | None = None,
) -> Dataset:
    """Make a dataset of `data`, whose rows are told apart by the columns `key`, and wait until it is there.

    Without a `contract` one is chosen as `towline create` does. Raises BadProposal, with the receipt's message, when
    the table is refused.
    """
    connection = _connection(data_dir, settings)
    file, body = as_file(data)
    table = open_file(body) if isinstance(body, Path) else read_table(body, file)[0]
    chosen = choose(table, keys.check_dataset(name), key, contract)
    dataset = connection.dataset(name)
    receipt = dataset.send(dataset.create(file, body, chosen.contract, note)).wait(timeout)
    if receipt.status != "committed":
        raise BadProposal(f"{name} was not created: {receipt.message}")
    return Dataset(connection, name)


def query(
    sql: str,
    *,
    dataset: str | None = None,
    timeout: float = queries.PATIENCE,
    data_dir: DataDir = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """The rows that one SELECT finds in the tables of docs/catalog.md, with types as `Dataset.read` has them. `master`
    means `dataset`; without it that of S3_MASTER_KEY, or the only one. `df.attrs["towline_query"]` says what was read
    and what that costs on AWS.

    SqlRefused: it is no query of these tables; the message has the place. QueryFailed: Athena could not run it, or
    `timeout` seconds were over. Ctrl-C stops it.
    """
    found = queries.run(_connection(data_dir, settings), sql, dataset=dataset, timeout=timeout)
    return frames.of_query(found)


def _connection(data_dir: DataDir, settings: Settings | None) -> Connection:
    if settings is not None:
        return connect.connect(settings)
    return connect.here(None if data_dir is None else Path(data_dir))
