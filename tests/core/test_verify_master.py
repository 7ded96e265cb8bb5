"""Whatever somebody puts over the master, or does to its versions, is found or accounted for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.core.nets import CONTRACT, NAME, Nets
from tests.core.promises import records
from tests.core.test_prune import a_history
from tests.core.verifying import check, first, key_of, kinds, overwrite, rewrite
from towline import commit, keys
from towline import table as tables


@pytest.fixture
def nets() -> Nets:
    """Five commits of six proposals: the third commit holds two."""
    return a_history()


def test_a_master_that_was_overwritten_is_a_break_until_it_is_recorded(nets: Nets) -> None:
    table = nets.head().table.slice(1)
    version = overwrite(nets, tables.to_parquet(table, CONTRACT.key, commit="", number=0))
    found = first(nets)
    assert (found.kind, found.version, found.number) == ("version.unrecorded", version, 6)
    assert "Reconcile records it" in found.do
    assert "not recorded yet" in found.message
    commit.settled_head(nets.pipeline.bench, NAME)
    verdict = check(nets)
    assert verdict.ok
    assert [(note.kind, note.version, note.number) for note in verdict.notes] == [("version.external", version, 6)]


def test_several_foreign_versions_are_each_accounted_for(nets: Nets) -> None:
    """A table, something that is none, and an old snapshot with the metadata of then."""
    store = nets.pipeline.store
    old = store.get(records(nets)[1]["snapshot_key"])
    made = [overwrite(nets, tables.to_parquet(nets.head().table.slice(1), CONTRACT.key, commit="", number=0))]
    made += [overwrite(nets, b"no table"), overwrite(nets, old.body, **old.stat.metadata)]
    assert [finding.version for finding in check(nets).findings] == made
    commit.settled_head(nets.pipeline.bench, NAME)
    nets.send(nets.edit(1, 0, volume=77.0))
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [note.version for note in verdict.notes] == made


def test_a_version_whose_record_was_removed_is_found(nets: Nets) -> None:
    version = overwrite(nets, tables.to_parquet(nets.head().table.slice(1), CONTRACT.key, commit="", number=0))
    commit.settled_head(nets.pipeline.bench, NAME)
    nets.send(nets.edit(1, 1, volume=77.0))
    record = next(record for record in records(nets) if record["prev_version"] == version)
    nets.pipeline.store.delete(key_of(nets, record))
    assert set(kinds(check(nets))) == {"record.missing", "version.unrecorded"}


def test_a_repeat_that_a_commit_could_not_tell_from_its_ground_is_a_note(nets: Nets) -> None:
    draft, store = nets.edit(1, 0, volume=88.0), nets.pipeline.store
    head = nets.head().blob
    done = []

    def fault(operation: str, key: str, phase: str) -> None:
        if (operation, key, phase) == ("put", keys.master(NAME), "before") and not done:
            done.append(store.put(key, head.body).version if not done.append("") else None)

    store.faults = fault
    nets.send(draft)
    store.faults = None
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [(note.kind, note.version) for note in verdict.notes] == [("version.repeated", done[1])]


@pytest.mark.parametrize("field", ["number", "parent", "proposal", "prev_chain", "contract", "base", "commit"])
def test_metadata_that_were_forged_are_found(nets: Nets, field: str) -> None:
    """S3 never does that: the metadata of a version are as they were put."""
    stored = nets.pipeline.store._history[keys.master(NAME)]
    for place in (2, 4):
        old = stored[place]
        metadata = {**old.stat.metadata, field: "forged"}
        stored[place] = replace(old, stat=replace(old.stat, metadata=metadata))
        verdict = check(nets, quick=True)
        assert verdict.ok == (field == "contract" and place == 2), "the contract's digest counts at the head only"
        stored[place] = old


def test_a_forged_commit_on_top_of_the_head_is_found(nets: Nets) -> None:
    head = nets.head()
    metadata = {**head.blob.stat.metadata, "commit": nets.pipeline.bench.new_id(), "number": "6"}
    metadata |= {"base": head.version, "parent": head.commit or "", "prev_chain": records(nets)[-1]["chain"]}
    version = overwrite(nets, head.blob.body, **metadata)
    found = first(nets)
    assert (found.kind, found.version, found.number) == ("version.forged", version, 6)


@pytest.mark.parametrize("proposal", ["its own", "another"])
def test_a_forged_repetition_of_the_head_is_found_and_recorded_as_what_it_is(nets: Nets, proposal: str) -> None:
    head = nets.head()
    metadata = {**head.blob.stat.metadata, "base": head.version}
    metadata |= {} if proposal == "its own" else {"proposal": proposal}
    version = overwrite(nets, head.blob.body, **metadata)
    assert (first(nets).kind, first(nets).version) == ("version.unrecorded", version)
    nets.pipeline.bench.finished.clear()
    nets.send(nets.edit(1, 1, volume=5.5))
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [(note.kind, note.version) for note in verdict.notes] == [("version.external", version)]


def test_a_deleted_master_is_found_and_is_a_note_once_it_is_back(nets: Nets) -> None:
    head = nets.head().blob.body
    nets.pipeline.store.delete(keys.master(NAME))
    assert kinds(check(nets)) == ["master.deleted"]
    overwrite(nets, head)
    commit.settled_head(nets.pipeline.bench, NAME)
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [note.kind for note in verdict.notes] == ["master.was_deleted", "version.external"]


def test_a_master_of_before_the_dataset_is_a_note() -> None:
    nets = Nets.__new__(Nets)
    from tests.pipeline import Pipeline

    nets.pipeline, nets.person = Pipeline(), "ana"
    nets.pipeline.store.put(keys.master(NAME), b"what was there before")
    nets.__post_init__()
    nets.send(nets.edit(1, 0, volume=1.0))
    verdict = check(nets)
    assert verdict.ok, verdict.findings
    assert [note.kind for note in verdict.notes] == ["version.external"]


def test_a_contract_that_was_altered_is_found(nets: Nets) -> None:
    rewrite(nets, keys.contract(NAME), lambda content: content["fields"][2]["constraints"].update(minimum=-5))
    assert first(nets).kind == "contract.altered"


def test_versions_of_before_they_named_their_base_are_verified_by_what_they_have(nets: Nets) -> None:
    stored = nets.pipeline.store._history
    for key, place in [(keys.master(NAME), at) for at in range(5)] + [(r["snapshot_key"], 0) for r in records(nets)]:
        old = stored[key][place]
        metadata = {k: v for k, v in old.stat.metadata.items() if k not in ("base", "prev_chain")}
        stored[key][place] = replace(old, stat=replace(old.stat, metadata=metadata))
    assert check(nets).ok
    nets.pipeline.store.delete(key_of(nets, records(nets)[3]))
    assert kinds(check(nets))[0] == "record.missing"
