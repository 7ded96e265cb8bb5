"""Which contract a new dataset gets: the one that was given, else the project's own for a table of this name and
shape (`datasets/<name>/contract.json`), else one that is inferred from the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from towline import resources
from towline.contract import Contract
from towline.errors import NotFound, UsageError
from towline.infer import infer
from towline.parquet.tablefile import TableFile


@dataclass(frozen=True)
class Chosen:
    """A contract and where it comes from, in words that finish "the contract is …"."""

    contract: Contract
    source: str


def choose(table: pa.Table | TableFile, dataset: str, key: Sequence[str] = (), given: Contract | None = None) -> Chosen:
    """The contract for `table`. Raises UsageError where `given` is for something else or the key is not known,
    ContractError where none can be inferred."""
    if given is not None:
        return Chosen(_checked(given, dataset, tuple(key)), "the given one")
    ours = _of_project(dataset)
    if ours is not None and set(ours.names) == set(table.schema.names) and tuple(key) in ((), ours.key):
        return Chosen(ours, f"the project's datasets/{dataset}/contract.json")
    if not key:
        raise UsageError("name the columns that tell rows apart: --key tow,net (key=... in Python)")
    return Chosen(infer(table, dataset, key), "inferred from the table")


def _checked(given: Contract, dataset: str, key: tuple[str, ...]) -> Contract:
    if given.dataset != dataset:
        raise UsageError(
            f"the contract is for the dataset {given.dataset!r}, not {dataset!r}; change its towline.dataset"
        )
    if key and key != given.key:
        raise UsageError(
            f"the key is {', '.join(key)}, but the contract says {', '.join(given.key)}; leave the key out"
        )
    return given


def _of_project(dataset: str) -> Contract | None:
    try:
        return Contract.parse(resources.path("datasets", dataset, "contract.json").read_bytes())
    except NotFound:
        return None
