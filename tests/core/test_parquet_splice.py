"""A spliced file equals the whole table with the changes applied, whatever is changed and however often."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.splicing import KEYS, Edits, check, check_readers, save, written
from towline import table as tables
from towline.change import RowChange
from towline.parquet import regroup


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What happened to row groups."""
    happened: Counter[str] = Counter()
    batches = regroup.batches

    def noted(rows: Sequence[int], changes: Mapping[int, Sequence[RowChange]], usual: int) -> list[regroup.Batch]:
        found = batches(rows, changes, usual)
        happened["joined"] += sum(len(batch.groups) > 1 for batch in found)
        happened["divided"] += sum(batch.is_whole and regroup.cut(batch.rows, usual) < batch.rows for batch in found)
        happened["emptied"] += sum(batch.is_whole and not batch.rows for batch in found)
        happened["in columns"] += sum(bool(batch.changes) and not batch.is_whole for batch in found)
        return found

    monkeypatch.setattr(regroup, "batches", noted)
    return happened


def saves(edits: Edits, count: int, seen: Counter[str], path: Path) -> None:
    """Splice one file again and again, beside the oracle."""
    table = edits.first()
    body = written(table, edits.key)
    for number in range(1, count + 1):
        changes = edits.save(table)
        table = tables.apply(table, edits.key, changes)
        spliced, body = save(body, edits.key, changes, number)
        assert spliced.rows == table.num_rows
        check(body, edits.key, table, number)
        seen[spliced.mode] += 1
    check_readers(body, edits.key, table, path)
    seen.update(edits.done)


def test_ten_thousand_random_edits_equal_a_rewrite(seen: Counter[str], tmp_path: Path) -> None:
    """The dice are hypothesis's: what fails is found again, and shrinks to few saves."""

    @settings(max_examples=60)
    @given(st.sampled_from(sorted(KEYS)), st.randoms(use_true_random=True), st.integers(8, 14))
    def run(kind: str, dice: random.Random, count: int) -> None:
        saves(Edits(kind, dice), count, seen, tmp_path / "table.parquet")

    run()
    assert seen["insert"] + seen["update"] + seen["delete"] >= 10_000
    for what in ("append", "ordered", "joined", "divided", "emptied", "in columns", "moved", "before", "behind"):
        assert seen[what] >= 20, (what, seen)
