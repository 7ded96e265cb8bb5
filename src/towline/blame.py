"""Who set a cell, when, why, and what it held before: the story of a cell, a row or a column.

A cell of a row that is there since the dataset's first table, and was never changed, was set by the commit that created
the dataset; one of a row that came later, by the commit that inserted the row, even where it left the cell null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from towline import browse, edits, history
from towline.contract import Contract
from towline.errors import NotFound, UsageError
from towline.story import Story, Touch
from towline.values import Key, Value
from towline.workbench import Workbench


def story(
    bench: Workbench, dataset: str, *, key: Key | None = None, column: str | None = None, after: int = 0
) -> list[Touch]:
    """Every touch of a cell, of a row (no `column`), of a column (no `key`) or of all, newest first; only of commits
    with a number above `after`. A row that is gone still has its story; one that never was has none.

    Raises NotFound (no such dataset), UsageError (no such column), Corrupt (a changes file or a block is not what the
    audit records tell of).
    """
    return Story.open(bench, dataset).touches(key, column, after)


def of_rows(bench: Workbench, dataset: str, rows: Iterable[Key], after: int) -> Iterator[list[Touch]]:
    """The touches of these rows, newest first, of commits with a number above `after`, as far as they are found within
    bounds: what lies in blocks is looked up for the first `towline.story.IN_BLOCKS` of them. They come in parts, of a
    few commits each, and a part that nobody asks for is not read. Errors as of `story`."""
    return Story.open(bench, dataset).rows(rows, after)


def last_of_row(bench: Workbench, dataset: str, key: Key) -> list[Touch]:
    """For each column of a row its last touch, in the contract's order. NotFound: there never was such a row."""
    told = Story.open(bench, dataset)
    touches = told.row(key)
    if not touches:
        raise no_row(told.contract, key)
    return [told.cell(touches, column)[0] for column in told.contract.names]


def last_of_column(bench: Workbench, dataset: str, column: str) -> list[Touch]:
    """For each row of the head the last touch of its cell in this column, in key order."""
    return Story.open(bench, dataset).column(column)


def ask(
    bench: Workbench, dataset: str, where: Mapping[str, Value], column: str | None, *, every: bool = False
) -> list[Touch]:
    """What `towline blame` tells: of a row (`where`), a column or a cell (both) the last touch of each cell, or `every`
    one, newest first. `where` holds the values of the key's columns, or such as one row of the head alone has.

    UsageError: neither is given, there is no such column, or more than one row matches. NotFound: never such a row.
    """
    contract = bench.contract(dataset)
    if column is not None:
        contract.field(column)
    if where:
        return _of_row(bench, contract, where, column, every=every)
    if column is None:
        key = ",".join(f"{name}=…" for name in contract.key)
        raise UsageError(f"say which row (--where {key}), which column (--column {contract.names[-1]}), or both")
    return story(bench, dataset, column=column) if every else last_of_column(bench, dataset, column)


def _of_row(
    bench: Workbench, contract: Contract, where: Mapping[str, Value], column: str | None, *, every: bool
) -> list[Touch]:
    key = _key(bench, contract, where)
    if column is None and not every:
        return last_of_row(bench, contract.dataset, key)
    found = story(bench, contract.dataset, key=key, column=column)
    if not found:
        raise no_row(contract, key)
    return found if every else found[:1]


def _key(bench: Workbench, contract: Contract, where: Mapping[str, Value]) -> Key:
    """The key of the one row that is meant. A row that is gone can be named by its whole key only."""
    if where.keys() == set(contract.key):
        return tuple(where[name] for name in contract.key)
    head = history.head_at(bench, contract.dataset)
    rows = edits.rows(contract, browse.matching(head.file, contract.key, where), where)
    if len(rows) > 1:
        raise UsageError(
            f"{len(rows):,} rows have {edits.spell(where)}: name one by its key ({', '.join(contract.key)})"
        )
    return contract.key_of(rows[0])


def no_row(contract: Contract, key: Key) -> NotFound:
    return NotFound(
        f"{contract.dataset} never had a row {edits.spell(contract.key_dict(key))}; "
        f"`towline show {contract.dataset} -n 0` lists those that it has"
    )
