"""What one person proposed is found in the bucket, with what became of it, and can be read back."""

from __future__ import annotations

import json

import pytest

from tests.core.nets import CSV, NAME, Nets
from towline import mine
from towline.dataset import Draft
from towline.errors import BadProposal, NotFound
from towline.inbox import PART_OF
from towline.mine import Letter
from towline.receipts import Receipt


def sent(nets: Nets, person: str = "ana") -> list[tuple[Letter, Receipt]]:
    bench = nets.pipeline.bench
    return mine.outcomes(bench, mine.letters(bench, person, [NAME]))


def put(nets: Nets, name: str, body: bytes, **metadata: str) -> None:
    nets.pipeline.store.put(f"inbox/{NAME}/ana/{name}", body, metadata=metadata)


def test_all_of_ones_own_proposals_are_there_newest_first() -> None:
    nets = Nets()
    (one,) = nets.send(nets.edit(1, 0, volume=3.0, note="one"))
    (two,) = nets.send(nets.edit(1, 0, volume=4.0, note="two"))
    nets.by("bo").send(nets.edit(1, 0, volume=5.0))
    found = sent(nets)
    assert [(letter.proposal, receipt.status, receipt.note) for letter, receipt in found][:2] == [
        (two.proposal, "committed", "two"),
        (one.proposal, "committed", "one"),
    ]
    assert found[-1][1].kind == "create"
    assert len(sent(nets, "bo")) == 1
    assert all(letter.is_answered_by(receipt) for letter, receipt in found)


def test_a_name_that_begins_like_mine_is_not_mine() -> None:
    nets = Nets()
    nets.by("anabel").send(nets.edit(1, 0, volume=5.0))
    assert [receipt.user for _, receipt in sent(nets)] == ["ana"]


def test_a_word_on_an_edit_by_sql_is_no_proposal_of_its_own() -> None:
    nets = Nets()
    run = nets.dataset.send(nets.dataset.sql("DELETE FROM nets", "why", preview=True)).proposal
    put(nets, f"{run}.promote.json", b"{}")
    put(nets, f"{run}.discard.json", b"{}")
    bench = nets.pipeline.bench
    assert [letter.proposal for letter in mine.letters(bench, "ana", [NAME])].count(run) == 1


def test_what_nobody_has_looked_at_yet_is_received_with_its_note() -> None:
    nets = Nets()
    nets.dataset.send(nets.edit(1, 0, volume=3.0, note="waiting"))
    letter, receipt = sent(nets)[0]
    assert (receipt.status, receipt.note, receipt.final) == ("received", "waiting", False)
    assert letter.is_answered_by(receipt)


def test_the_note_of_a_file_that_could_not_be_read_is_still_shown() -> None:
    nets = Nets()
    nets.send(nets.dataset.file("sizes.csv", b"tow,net\nx,1\n", "sizes of all nets", nets.commit))
    _, receipt = sent(nets)[0]
    assert (receipt.status, receipt.note) == ("rejected", "sizes of all nets")


def test_a_table_file_beside_its_json_is_one_proposal_and_one_alone_is_another() -> None:
    nets = Nets()
    nets.send(nets.dataset.file("all.csv", CSV.replace(b"10.5", b"11"), "with a file", nets.commit))
    put(nets, "alone.csv", CSV.replace(b"10.5", b"12"), note="by hand")
    nets.pipeline.pump()
    assert [(receipt.kind, receipt.note) for _, receipt in sent(nets)] == [
        ("file", "by hand"),
        ("file", "with a file"),
        ("create", "first load"),
    ]


def test_a_table_file_whose_proposal_was_never_sent_is_none() -> None:
    nets = Nets()
    put(nets, "01ABC.csv", CSV, **{PART_OF: "01ABC.json"})
    assert len(sent(nets)) == 1


def test_an_object_that_took_a_used_id_is_told_from_the_one_that_has_the_receipt() -> None:
    nets = Nets()
    (first,) = nets.by("bo").send(nets.edit(1, 0, volume=3.0))
    nets.send(Draft(first.proposal, nets.edit(1, 1, volume=4.0).body))
    letter, receipt = sent(nets)[0]
    assert receipt.status == "committed"
    assert not letter.is_answered_by(receipt)


def test_a_proposal_is_read_back_as_it_was_sent() -> None:
    nets = Nets()
    draft = nets.edit(1, 0, volume=-3.0)
    nets.send(draft)
    body = mine.body(nets.pipeline.bench, sent(nets)[0][0])
    assert body.raw == json.loads(draft.body)
    assert body.file == b""
    nets.send(nets.dataset.file("mine.csv", b"tow,net\nx,1\n", "sizes", nets.commit))
    body = mine.body(nets.pipeline.bench, sent(nets)[0][0])
    assert (body.file, body.file_name) == (b"tow,net\nx,1\n", "mine.csv")
    put(nets, "alone.csv", CSV, note="by hand", rows="some")
    body = mine.body(nets.pipeline.bench, sent(nets)[0][0])
    assert (body.file, body.file_name, body.raw["rows"]) == (CSV, "alone.csv", "some")


@pytest.mark.parametrize("body", [b"{not json", b"[1]", b"[" * 100_000, b"\xff"])
def test_what_is_no_proposal_is_listed_and_said_to_be_none(body: bytes) -> None:
    nets = Nets()
    nets.send(Draft("broken", body))
    letter, receipt = sent(nets)[0]
    assert receipt.status == "rejected"
    with pytest.raises(BadProposal, match="nothing can be taken from it"):
        mine.body(nets.pipeline.bench, letter)


def test_a_letter_that_was_taken_out_is_not_found() -> None:
    nets = Nets()
    nets.send(nets.edit(1, 0, volume=-3.0))
    letter, _ = sent(nets)[0]
    nets.pipeline.store.delete(letter.key)
    with pytest.raises(NotFound):
        mine.body(nets.pipeline.bench, letter)
