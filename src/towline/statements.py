"""Statements before they are run: what can be said without a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from towline import keys, sqledit
from towline.contract import Contract
from towline.sqledit import Compiled
from towline.workbench import Workbench

# A statement is checked before there is a run: no table has this name, and none is looked for.
_NOWHERE = "run_base"


class Others(Mapping[str, Contract]):
    """The contracts of the team's datasets, each read when it is asked for."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def __getitem__(self, dataset: str) -> Contract:
        if dataset not in self._names:
            raise KeyError(dataset)
        return self._bench.recent_contract(dataset)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _names(self) -> list[str]:
        found = (keys.dataset_of_contract(entry.key) for entry in self._bench.store.list(keys.CONTRACTS))
        return [name for name in found if name]


def compiled(bench: Workbench, contract: Contract, statement: str, table: str = _NOWHERE) -> Compiled:
    """A statement on the dataset of `contract`, whose base is this table of the database. Raises SqlRefused."""
    base, database = f'"{bench.database}"."{table}"', bench.database
    return sqledit.compile(statement, contract, base=base, others=Others(bench), database=database)


def check(bench: Workbench, contract: Contract, statement: str) -> None:
    """Raises SqlRefused, with the place, for what would not be run."""
    compiled(bench, contract, statement)
