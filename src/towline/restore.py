"""Restoring: what an earlier commit held comes back as a change like any other, never as a rewrite of history.

A restore says "what is as in `base` shall be as in `commit`". Its changes are computed from these two tables and merged
onto the head, so what others did meanwhile is kept, and is a conflict where they changed the same cells:

    base           commit              is
    -------------  ------------------  --------------------------------------------------
    the head       any earlier commit  going back to it
    any commit     its parent          undoing that one commit; later ones stay

    keys  columns  rows in base only   rows in commit only  rows in both
    ----  -------  ------------------  -------------------  -----------------------------
    all   all      deleted             inserted             as in `commit`
    some  all      likewise, but of all rows these alone
    all   some     stay                stay away            these cells are as in `commit`
    some  some     stay                stay away            these cells of these rows
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from towline import browse, edits, keys
from towline.change import RowChange, same_row
from towline.contract import Contract
from towline.errors import BadProposal, NotFound
from towline.ranks import rank
from towline.rows import Filed, InMemory, Rows, difference
from towline.values import Key, Row, Value, encode, same, shown

FORMAT = '{"commit": "<commit id>", "keys": [{…}, …], "columns": ["…", …]}'


@dataclass(frozen=True)
class Restore:
    """What is to be as it was in `commit` (an id): the rows with these keys, these columns; empty is all of them."""

    commit: str
    keys: tuple[Key, ...] = ()
    columns: tuple[str, ...] = ()

    def to_json(self, contract: Contract) -> dict[str, object]:
        """The `restore` of a proposal."""
        rows = [{name: encode(value) for name, value in contract.key_dict(key).items()} for key in self.keys]
        content = {"commit": self.commit, "keys": rows, "columns": list(self.columns)}
        return {name: value for name, value in content.items() if value}


def from_json(raw: object, contract: Contract) -> Restore:
    """Read the `restore` of a proposal. Raises BadProposal."""
    if not isinstance(raw, dict) or not raw.keys() <= {"commit", "keys", "columns"}:
        raise BadProposal(f"a proposal of kind 'restore' says what comes back: \"restore\": {FORMAT}")
    commit = raw.get("commit")
    if not isinstance(commit, str) or not keys.is_commit(commit):
        raise BadProposal(f"restore.commit is {shown(commit)}; it must be the id of a commit", rule="restore.commit")
    return Restore(commit, tuple(_keys(raw, contract)), check_columns(_list(raw, "columns"), contract))


def _list(raw: Mapping[str, Any], name: str) -> Sequence[object]:
    """A list that, where it is there, has something in it: an empty one could be taken for all or for nothing."""
    found = raw.get(name)
    if name in raw and (not isinstance(found, list) or not found):
        raise BadProposal(f"restore.{name} is {shown(found)}; leave it out for all {name}", rule=f"restore.{name}")
    return found or []


def _keys(raw: Mapping[str, Any], contract: Contract) -> Iterator[Key]:
    for number, item in enumerate(_list(raw, "keys")):
        key, violations = contract.decode_key(item, f"restore.keys[{number}]")
        if key is None or violations:
            raise BadProposal(violations[0].message, rule="restore.keys")
        yield key


def check_columns(columns: Sequence[object], contract: Contract) -> tuple[str, ...]:
    """The columns, each once. BadProposal: one is none of the dataset's, or tells rows apart."""
    for name in columns:
        if name not in contract.names:
            known = ", ".join(contract.names)
            message = f"{contract.dataset} has no column {shown(name)}; its columns are {known}"
            raise BadProposal(message, rule="restore.columns")
        if name in contract.key:
            raise BadProposal(
                f"{name} is part of the key, which tells rows apart: restore whole rows instead", rule="restore.columns"
            )
    return tuple(dict.fromkeys(map(str, columns)))


def changes(restore: Restore, contract: Contract, base: Rows, past: Rows) -> tuple[RowChange, ...]:
    """What turns `base` into a table that holds what is chosen as `past` does. `past` has the rows of `restore.commit`.

    Raises BadProposal where `past` has other columns than the contract of today, or neither table has a row.
    """
    past = _conformed(past, restore.commit, contract)
    if restore.keys:
        found = tuple(_of_keys(restore.keys, contract, base, past))
    else:
        found = difference(base, past, contract.key).changes
    return tuple(_of_columns(found, restore.columns)) if restore.columns else found


def choose(wanted: Restore, contract: Contract, base: Rows, past: Rows, where: Mapping[str, Value]) -> Restore:
    """`wanted`, of the rows that differ and hold these values in one of the tables (no values: of all rows).

    NotFound: there is no such row. BadProposal: none of them differs.
    """
    found = changes(wanted, contract, base, past)
    if where:
        found = tuple(change for change in found if _holds(change.old, where) or _holds(change.new, where))
    if not found:
        if where and not any(_is_there(rows, where, contract) for rows in (base, past)):
            raise NotFound(f"no row of {contract.dataset} has {edits.spell(where)} in one of the two commits")
        raise BadProposal(
            f"nothing to restore: what was chosen is as it was in commit {wanted.commit}", rule="change.nothing"
        )
    return replace(wanted, keys=tuple(change.key(contract.key) for change in found) if where else ())


def _is_there(rows: Rows, where: Row, contract: Contract) -> bool:
    """Whether a row holds these values."""
    if isinstance(rows, Filed):
        return bool(browse.matching(rows.file, contract.key, where).num_rows)
    return bool(edits.matching(rows.table(), where).num_rows)


def _holds(row: Row | None, where: Mapping[str, Value]) -> bool:
    return row is not None and all(same(row[name], value) for name, value in where.items())


def _conformed(past: Rows, commit: str, contract: Contract) -> Rows:
    if past.schema.equals(contract.schema):
        return past
    conformed, report = contract.conform(past.table())
    if conformed is None:
        raise BadProposal(
            f"commit {commit} has other columns than {contract.dataset} has now: {report.violations[0].message}. "
            "Export it (`towline export --at`), bring the file to the columns of today, and propose that",
            rule="restore.columns",
        )
    return InMemory(conformed, contract.key)


def _of_keys(wanted: tuple[Key, ...], contract: Contract, base: Rows, past: Rows) -> Iterator[RowChange]:
    """The changes of single rows, in key order: no others are read."""
    plain = {_plain(key): key for key in wanted}
    before, after = base.rows(plain), past.rows(plain)
    for key in sorted(plain, key=rank):
        old, new = before.get(key), after.get(key)
        if old is None and new is None:
            named = edits.spell(contract.key_dict(plain[key]))
            raise BadProposal(f"neither of the two commits has a row {named}", rule="row.missing")
        if not same_row(old, new):
            yield RowChange(old, new)


def _plain(key: Key) -> Key:
    """A key as tables hold it: 0.0 for -0.0."""
    return tuple(value + 0.0 if isinstance(value, float) else value for value in key)


def _of_columns(found: tuple[RowChange, ...], columns: tuple[str, ...]) -> Iterator[RowChange]:
    """Of rows that both tables have, the cells of these columns."""
    for change in found:
        if change.old is None or change.new is None:
            continue
        part = RowChange(change.old, {**change.old, **{name: change.new[name] for name in columns}})
        if not same_row(part.old, part.new):
            yield part
