"""Rows of silver and gold as proposals for masters: `Pipeline.masters` says which table is for which.

What a master was told of a table is kept beside the inventory (`keys.told`): the files of its partitions as of the last
proposal that was taken, `said`, and of the one that is under way, `asked`. What is proposed follows from both: the rows
that differ between the files then and the files now, held against the master as the pipeline last saw it. So a cell
that people changed and the pipeline did not stays as they left it; one that both changed since is a conflict, as
between people. A proposal in conflict is people's to decide, whole; what of it is in nobody's way is proposed again
without the rest, on the head, where what people set is as what they set long before.

A proposal is written down before it is sent, under an id that follows from dataset, table and load: a crash in between
is healed by the next call, which sends it, and no call sends another before this one is decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pyarrow as pa

from towline import history, keys, master, proposals, receipts
from towline import table as tables
from towline.change import RowChange, same_row
from towline.contract import Contract
from towline.dataset import Dataset, Draft
from towline.diff import diff
from towline.errors import NotFound
from towline.files import write_table
from towline.objects import open_blob
from towline.parquet.footer import TAIL
from towline.parquet.tablefile import TableFile
from towline.pipeline import inventory
from towline.pipeline import told as record
from towline.pipeline.inventory import Inventory
from towline.pipeline.registry import INGEST, Package
from towline.pipeline.told import Files, Said, Told
from towline.receipts import Receipt
from towline.rows import Rows
from towline.store import ObjectStore
from towline.values import Key, Row, same
from towline.workbench import Workbench

FEW = 2_000  # changes that travel as single rows; more are a table file
MOST = 200_000  # rows of changed partitions that are compared at once
LOOKS, PAUSE = 20, 0.5  # looks at a proposal that is on its way, and seconds between two


@dataclass(frozen=True)
class Table:
    """A table that is for a master, as the inventory has it, and the dataset to propose to."""

    name: str
    layer: Inventory
    master: Dataset
    contract: Contract

    @property
    def files(self) -> Files:
        return _files(self.layer, self.name)

    @property
    def title(self) -> str:
        return f"{self.layer.dataset}.{self.name}"


@dataclass(frozen=True)
class Wanted:
    """Changes of a master's rows, and what of the table is not among them: cells and rows that stay as people left
    them, rows that the table has no more, columns that the master does not have."""

    changes: tuple[RowChange, ...]
    kept: int = 0
    gone: int = 0
    unknown: tuple[str, ...] = ()


class Unfit(Exception):
    """The table cannot be proposed to this master; the message says why."""


def propose(bench: Workbench, package: Package) -> list[str]:
    """Propose to masters what changed in the tables that are for them. A sentence for each of which there is something
    to say. May be called at any time, and as often as one likes."""
    layers = _layers(bench, package)
    said = (_propose(bench, layers, table, to) for table, to in sorted(package.pipeline.masters.items()))
    return [sentence for sentence in said if sentence]


def owes(bench: Workbench, package: Package) -> bool:
    """Whether `propose` has something to go on with: a load died before it, a proposal was decided since, or a master
    was made."""
    layers = _layers(bench, package)
    return any(_owes(bench, layers, table, to) for table, to in package.pipeline.masters.items())


def _layers(bench: Workbench, package: Package) -> list[Inventory]:
    places = (keys.SILVER, keys.GOLD) if package.pipeline.masters else ()
    return [inventory.read(bench.store, layer, package.pipeline.dataset) for layer in places]


def _owes(bench: Workbench, layers: Iterable[Inventory], name: str, to: str) -> bool:
    layer = next((each for each in layers if name in each.tables), None)
    if layer is None or not bench.has(to):
        return False
    told = record.read(bench.store, keys.told(layer.layer, layer.dataset, name))
    if told.asked is None:
        return _files(layer, name) != told.files
    receipt = receipts.load(bench.store, to, told.asked.proposal)
    return receipt is None or (receipt.final and not _is_spent(receipt, told.asked, layer))


def _is_spent(receipt: Receipt, asked: Said, layer: Inventory) -> bool:
    """Whether it was rejected and there is nothing else to say."""
    return receipt.status == "rejected" and asked.load == layer.load


def _files(layer: Inventory, name: str) -> Files:
    return {part: (file.key, file.digest) for part, file in layer.tables[name].items()}


def principal(dataset: str) -> str:
    """Under whose name a pipeline proposes."""
    return f"pipeline-{dataset}"


def _propose(bench: Workbench, layers: Iterable[Inventory], name: str, to: str) -> str:
    layer = next((each for each in layers if name in each.tables), None)
    if layer is None:
        return ""  # nothing was loaded into it yet
    if not bench.has(to):
        return (
            f"{layer.dataset}.{name} is for {to}, which is no dataset yet, and is not made by itself: make it by "
            f"`towline create {to} FILE`, and the next load proposes its rows"
        )
    table = Table(name, layer, Dataset(bench, to, principal(layer.dataset)), bench.contract(to))
    told = record.read(bench.store, keys.told(layer.layer, layer.dataset, name))
    try:
        return _go_on(table, told)
    except Unfit as error:
        return f"{table.title} cannot be proposed to {to}: {error}"


def _go_on(table: Table, told: Told) -> str:
    """Take up what is under way, and propose what is new."""
    before = told
    if told.asked is not None:
        receipt = _decided(table, told)
        if not receipt.final:
            return (
                f"{table.title}: proposal {receipt.proposal} to {table.master.name} is {receipt.status}; what is new "
                "since is proposed once it is decided"
            )
        if _is_spent(receipt, told.asked, table.layer):
            return f"{table.title}: {table.master.name} rejected proposal {receipt.proposal}: {receipt.message}"
        told = _heard(table, told, receipt)
    if table.files == told.files:
        if told != before:
            record.keep(table.master.bench.store, told)
        return ""
    base = told.said.base if told.said else _head(table)
    asked = Said(_id(table, told.said), table.layer.load, base, table.files)
    return _ask(table, replace(told, asked=asked))


def _ask(table: Table, told: Told) -> str:
    """Write down what is asked, and send it; where nothing differs from the master, it is as good as said."""
    assert told.asked is not None  # noqa: S101 - the callers'
    wanted = _wanted(table, told)
    if not wanted.changes:
        record.keep(table.master.bench.store, replace(told, said=told.asked, asked=None))
        return _beside(table, wanted, f"{table.title}: {table.master.name} has all of it")
    record.keep(table.master.bench.store, told)
    table.master.send(_draft(table, told.asked, wanted))
    return _beside(
        table, wanted, f"{table.title}: {_rows_of(wanted)} proposed to {table.master.name} as {told.asked.proposal}"
    )


def _rows_of(wanted: Wanted) -> str:
    count = len(wanted.changes)
    return f"{count:,} row{'s' * (count != 1)}"


def _beside(table: Table, wanted: Wanted, sentence: str) -> str:
    """The sentence, with what was left out."""
    left = [
        f"{wanted.kept:,} cell{'s' * (wanted.kept != 1)} that people changed before stay{'s' * (wanted.kept == 1)}"
        if wanted.kept
        else "",
        f"{wanted.gone:,} row{'s' * (wanted.gone != 1)} that the table has no more stay{'s' * (wanted.gone == 1)}"
        if wanted.gone
        else "",
        f"{table.master.name} has no column {', '.join(wanted.unknown)}" if wanted.unknown else "",
    ]
    return "; ".join(filter(None, [sentence, *left]))


def _decided(table: Table, told: Told) -> Receipt:
    """The receipt of what was asked, waited for a little; sent again where it never arrived."""
    assert told.asked is not None  # noqa: S101 - the caller's
    bench, proposal = table.master.bench, told.asked.proposal
    if receipts.load(bench.store, table.master.name, proposal) is None:
        wanted = _wanted(table, told)
        if wanted.changes:
            table.master.send(_draft(table, told.asked, wanted))
    for _ in range(LOOKS):
        receipt = receipts.load(bench.store, table.master.name, proposal)
        if receipt is not None and receipt.rests:
            return receipt
        bench.pause(PAUSE)
    return receipt or Receipt(proposal, table.master.name, "received")


def _heard(table: Table, told: Told, receipt: Receipt) -> Told:
    """What is known once a proposal is decided. In conflict none of its rows was taken, but it was heard: what people
    hold against it is theirs to decide, and stands on the head as it is now."""
    assert told.asked is not None  # noqa: S101 - the caller's
    if receipt.status == "rejected":
        return replace(told, asked=None)
    if receipt.status == "conflicted":
        return replace(told, said=replace(told.asked, base=_head(table), files=told.files), asked=None)
    return replace(told, said=replace(told.asked, base=receipt.commit or _head(table)), asked=None)


def _head(table: Table) -> str:
    """The newest commit of the master."""
    found = master.read(table.master.bench.store, table.master.name)
    if found is None or found.commit is None:
        raise Unfit("its head is not recorded as a commit yet; the next load tries again")
    return found.commit


def _wanted(table: Table, told: Told) -> Wanted:
    """What the files that are asked about would change in the master as it was last seen."""
    asked, contract = told.asked, table.contract
    assert asked is not None  # noqa: S101 - the callers'
    before = told.files
    changed = [part for part in {**before, **asked.files} if before.get(part) != asked.files.get(part)]
    store = table.master.bench.store
    then, now = (_rows(store, [of[part][0] for part in changed if part in of]) for of in (before, asked.files))
    new, unknown = _conformed(now, contract)
    old, _ = _conformed(then, contract) if then else (new.slice(0, 0), ())
    found = diff(old, new, contract.key).changes
    base = history.head_at(table.master.bench, table.master.name, asked.base).rows(contract.key)
    shared = frozenset(name for name in contract.names if now and name in now[0].column_names)
    return replace(_against(base, found, contract, shared, is_first=told.said is None), unknown=unknown)


def _against(
    base: Rows, found: Iterable[RowChange], contract: Contract, shared: frozenset[str], *, is_first: bool
) -> Wanted:
    """What the pipeline changed, as changes of the rows of `base`.

    Of a row that is new to the table and that the master has already, people set what it holds: the table's values go
    where it holds nothing. Only the first proposal of a table has its values put over others, for then the master may
    well be an older state of the same."""
    found = tuple(found)
    there: Mapping[Key, Row] = base.rows(change.key(contract.key) for change in found)
    changes, kept, gone = [], 0, 0
    for change in found:
        row = there.get(change.key(contract.key))
        if change.new is None:
            gone += row is not None
        elif row is None:
            kept += len(shared) * (change.old is not None)  # people deleted it
            changes += [change] * (change.old is None)
        else:
            old = change.old or dict.fromkeys(shared)
            moved = [name for name in shared if not same(old[name], change.new[name])]
            free = [name for name in moved if is_first or same(old[name], row[name])]
            theirs = [name for name in moved if name not in free and not same(change.new[name], row[name])]
            kept += len(theirs)
            next_row = {**row, **{name: change.new[name] for name in free}}
            changes += [] if same_row(row, next_row) else [RowChange(row, next_row)]
    return Wanted(tuple(changes), kept, gone)


def _rows(store: ObjectStore, files: Iterable[str]) -> list[pa.Table]:
    """The tables in these files. Unfit: they are too many rows to be compared."""
    found, rows = [], 0
    for key in files:
        file = _open(store, key)
        rows += file.num_rows if file else 0
        if rows > MOST:
            raise Unfit(f"more than {MOST:,} rows are in partitions that changed; propose a table file of it by hand")
        found += [file.table()] if file else []
    return found


def _open(store: ObjectStore, key: str) -> TableFile | None:
    """The file of a partition, from under its delete marker where it was swept meanwhile; None: it is gone."""
    with suppress(NotFound):
        return open_blob(store, store.get(key, tail=TAIL), foreign=True)
    for version in store.versions(key):
        if not version.is_delete_marker:
            return open_blob(store, store.get(key, version=version.version, tail=TAIL), foreign=True)
    return None


def _conformed(parts: list[pa.Table], contract: Contract) -> tuple[pa.Table, tuple[str, ...]]:
    """The rows in the master's schema, and the columns that it does not have; columns that the table lacks are null.
    Unfit: values or keys are not as the master's contract has them."""
    if not parts:
        return contract.schema.empty_table(), ()
    whole = pa.concat_tables(parts, promote_options="default")
    if missing := [name for name in contract.key if name not in whole.column_names]:
        raise Unfit(f"the table has no column {', '.join(missing)}, which the master's rows are told apart by")
    unknown = tuple(name for name in whole.column_names if name not in contract.names and name != INGEST)
    for field in contract.fields:
        if field.name not in whole.column_names:
            whole = whole.append_column(field.name, pa.nulls(whole.num_rows, field.arrow))
    found, report = proposals.conformed(whole.select(contract.names), contract)
    if found is None:
        why = next(each.message for each in report.violations if each.severity == "error")
        raise Unfit(f"{why}; the master's contract must have the table's types (docs/pipelines.md: For a master)")
    return tables.sort(found, contract.key), unknown


def _draft(table: Table, asked: Said, wanted: Wanted) -> Draft:
    """The changes as a proposal: as single rows; where they are many, as a table file of the rows as they shall be."""
    note = _beside(table, wanted, f"{table.title}, load {asked.load}: {_rows_of(wanted)}")[: proposals.MAX_NOTE]
    about: dict[str, Any] = {"dataset": table.master.name, "note": note, "base": asked.base, "mode": "cell"}
    if len(wanted.changes) <= FEW:
        body = proposals.to_json(**about, changes=wanted.changes)
        if len(body) <= proposals.MAX_JSON:
            return Draft(asked.proposal, body)
    name = f"{asked.proposal}.parquet"
    rows = tables.from_rows((change.row for change in wanted.changes), table.contract.schema)
    whole = write_table(tables.sort(rows, table.contract.key), "parquet")
    file = {"name": name, "original": f"{table.name}.parquet", "rows": "some"}
    return Draft(asked.proposal, proposals.to_json(**about, kind="file", file=file), name, whole)


def _id(table: Table, said: Said | None) -> str:
    """The same for the same load of the same table, after the same proposal."""
    parts = (table.layer.dataset, table.name, table.layer.load, said.proposal if said else "")
    digest = sha256("\0".join(parts).encode()).hexdigest()[:16]
    return f"{keys.slug(table.name)[:40].strip('._-') or 'table'}-{digest}"
