"""Whatever lands in the inbox ends in a clear receipt; what is refused is kept whole, and the master is untouched."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.nets import CONTRACT, CSV, NAME, Nets
from towline import keys, receipts
from towline.inbox import Arrival, receive, user_of
from towline.proposals import MAX_JSON
from towline.receipts import Receipt
from towline.reconcile import reconcile

NOTE = {"note": "why"}


def drop(nets: Nets, name: str, body: bytes, metadata: dict[str, str] | None = None) -> Receipt:
    """Put an object into ana's inbox, deliver it, and return its receipt."""
    key = keys.inbox(NAME, "ana", name)
    nets.pipeline.store.put(key, body, metadata=metadata)
    nets.pipeline.pump()
    where = keys.parse_inbox(key)
    assert where is not None
    receipt = receipts.load(nets.pipeline.store, where.dataset, where.proposal)
    assert receipt is not None
    return receipt


def proposal(nets: Nets, **fields: object) -> bytes:
    """A sound proposal with some of its fields replaced."""
    return json.dumps({**json.loads(nets.edit(1, 1, volume=12.5).body), **fields}).encode()


def change(nets: Nets, old: dict | None = None, **cells: object) -> bytes:
    """A proposal that gives net 1 of tow 1 these cells, without a look at whether they make sense."""
    row = dict(nets.row(1, 1))
    return proposal(nets, changes=[{"old": row if old is None else old, "new": {**row, **cells}}])


def without(nets: Nets, column: str) -> bytes:
    row = dict(nets.row(1, 1))
    return proposal(nets, changes=[{"old": row, "new": {k: v for k, v in row.items() if k != column}}])


def insert(nets: Nets, **cells: object) -> bytes:
    blank = dict.fromkeys(nets.row(1, 1))
    return proposal(nets, changes=[{"old": None, "new": {**blank, **cells}}])


BAD_JSON = {
    "broken JSON": (lambda nets: b'{"format": "towline.prop', "json.syntax"),
    "no JSON at all": (lambda nets: b"\xff\xfe\x00", "json.syntax"),
    "an empty file": (lambda nets: b"", "json.syntax"),
    "100,000 deep": (lambda nets: b'{"a":' * 100_000, "json.depth"),
    "a list": (lambda nets: b"[]", "proposal.format"),
    "the same name twice": (lambda nets: b'{"format": 1, "format": 2}', "json.syntax"),
    "a wrong version tag": (lambda nets: proposal(nets, format="towline.proposal/v9"), "proposal.version"),
    "an unknown field": (lambda nets: proposal(nets, patch="x"), "proposal.format"),
    "an unknown kind": (lambda nets: proposal(nets, kind="patch"), "proposal.format"),
    "an unknown mode": (lambda nets: proposal(nets, mode="theirs"), "proposal.format"),
    "another dataset": (lambda nets: proposal(nets, dataset="others"), "proposal.format"),
    "no note": (lambda nets: proposal(nets, note="  "), "note.missing"),
    "a note with NUL": (lambda nets: proposal(nets, note="a\x00b"), "note.text"),
    "a note too long": (lambda nets: proposal(nets, note="x" * 2001), "note.length"),
    "no changes": (lambda nets: proposal(nets, changes=[]), "proposal.empty"),
    "a change of nothing": (lambda nets: proposal(nets, changes=[{"old": None, "new": None}]), "proposal.format"),
    "a base that is no commit": (lambda nets: proposal(nets, base="v1"), "base.unknown"),
    "a base that never was": (lambda nets: proposal(nets, base="01KJN2V0S0AAAAAAAAAAAAAAAA"), "base.unknown"),
    "an unknown column": (lambda nets: change(nets, depth=5), "column.unknown"),
    "a missing column": (lambda nets: without(nets, "vessel"), "column.missing"),
    "text for a number": (lambda nets: change(nets, volume="12"), "type.number"),
    "a boolean for a number": (lambda nets: change(nets, volume=True), "type.number"),
    "a fraction for an integer": (lambda nets: insert(nets, tow=1.5, net=1), "type.integer"),
    "a number for text": (lambda nets: change(nets, vessel=5), "type.string"),
    "a number for a boolean": (lambda nets: change(nets, is_day=1), "type.boolean"),
    "an integer beyond 64 bits": (lambda nets: insert(nets, tow=2**63, net=1), "type.integer"),
    "NaN": (lambda nets: change(nets, volume={"$float": "nan"}), "number.finite"),
    "infinity": (lambda nets: change(nets, volume={"$float": "inf"}), "number.finite"),
    "a bare NaN": (lambda nets: change(nets, volume=float("nan")), "json.syntax"),
    "1e400": (lambda nets: change(nets, volume=123456.0).replace(b"123456.0", b"1e400"), "number.finite"),
    "overlong text": (lambda nets: change(nets, vessel="x" * 10_001), "text.length"),
    "NUL in text": (lambda nets: change(nets, vessel="a\x00b"), "text.control"),
    "CR-LF in text": (lambda nets: change(nets, vessel="a\r\nb"), "text.linebreak"),
    "a lone surrogate": (lambda nets: change(nets, vessel="\ud800"), "text.unicode"),
    "a missing key": (lambda nets: insert(nets, tow=5), "key.null"),
    "an update of a row that is not there": (
        lambda nets: change(nets, old={**nets.row(1, 1), "net": 9}, net=9, volume=3),
        "row.missing",
    ),
    "a delete of a row that is not there": (
        lambda nets: proposal(nets, changes=[{"old": {**nets.row(1, 1), "net": 9}, "new": None}]),
        "row.missing",
    ),
    "an insert of a row that is": (lambda nets: insert(nets, tow=1, net=1), "row.exists"),
    "old values that never were": (
        lambda nets: change(nets, old={**nets.row(1, 1), "volume": 77}, volume=3),
        "row.stale",
    ),
    "a change of the key": (lambda nets: change(nets, net=9), "key.changed"),
    "the same key twice": (
        lambda nets: proposal(nets, changes=json.loads(nets.edit(1, 1, volume=1.0).body)["changes"] * 2),
        "key.duplicate",
    ),
    "a change into the same": (lambda nets: change(nets), "change.nothing"),
}


@pytest.mark.parametrize("what", BAD_JSON)
def test_bad_proposals_are_refused_by_name_and_kept_whole(what: str) -> None:
    make, rule = BAD_JSON[what]
    nets = Nets()
    body, before = make(nets), nets.head()
    receipt = drop(nets, "p1.json", body)
    assert receipt.status == "rejected"
    assert [violation["rule"] for violation in receipt.violations][:1] == [rule]
    assert receipt.errors >= 1
    assert receipt.message
    assert nets.pipeline.store.get(receipt.quarantine).body == body
    report = receipt.quarantine.rsplit("/", 1)[0] + "/report.json"
    assert json.loads(nets.pipeline.store.get(report).body)["violations"] == list(receipt.violations)
    assert nets.head() == before


KEPT = ["=1+1", "🐟 Méridian", "  ", "null", "", "'quoted\"", "x" * 10_000, "a\tb"]


@pytest.mark.parametrize("text", KEPT)
def test_odd_text_is_text_and_is_kept_as_it_is(text: str) -> None:
    nets = Nets()
    assert drop(nets, "p1.json", change(nets, vessel=text)).status == "committed"
    assert nets.row(1, 1)["vessel"] == text


def test_200_mb_of_json_are_refused_by_size_before_they_are_read() -> None:
    nets = Nets()
    body = b" " * (200 * 2**20)
    receipt = drop(nets, "big.json", body)
    assert receipt.violations[0]["rule"] == "proposal.too_large"
    assert f"{MAX_JSON:,}" in receipt.message
    assert nets.pipeline.store.head(receipt.quarantine).size == len(body)


FILES = {
    "an empty file": ("t.csv", b"", "file.unreadable"),
    "a PNG named .parquet": ("t.parquet", b"\x89PNG\r\n\x1a\n" + bytes(64), "file.unreadable"),
    "no zip named .xlsx": ("t.xlsx", b"tow,net\n", "file.unreadable"),
    "a PNG": ("t.png", b"\x89PNG", "proposal.format"),
    "a header only": ("t.csv", CSV.splitlines()[0] + b"\n", "table.empty"),
    "a missing column": ("t.csv", b"tow,net,volume,vessel\n1,0,10.5,Meridian\n", "column.missing"),
    "an unknown column": ("t.csv", CSV.replace(b"volume", b"volumen"), "column.unknown"),
    "a duplicate key": ("t.csv", CSV + b"1,0,1,Meridian,true\n", "key.duplicate"),
    "text for a number": ("t.csv", CSV.replace(b"7.25", b"seven"), "file.unreadable"),
    "most rows gone": ("t.csv", b"\n".join(CSV.splitlines()[:2]) + b"\n", "table.rows_deleted"),
}


@pytest.mark.parametrize("what", FILES)
def test_bad_table_files_are_refused_and_kept_whole(what: str) -> None:
    name, body, rule = FILES[what]
    nets = Nets()
    before = nets.head()
    receipt = drop(nets, name, body, NOTE)
    assert receipt.status == "rejected"
    assert rule in [violation["rule"] for violation in receipt.violations]
    assert nets.pipeline.store.get(receipt.quarantine).body == body
    assert nets.head() == before


def test_a_table_that_changes_nothing_makes_no_commit() -> None:
    nets = Nets()
    receipt = drop(nets, "t.csv", CSV, NOTE)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "change.nothing")


def test_a_dataset_is_created_without_a_review_whatever_its_contract_asks_for() -> None:
    nets = Nets()
    raw = json.loads(CONTRACT.to_json())
    raw["towline"] |= {"dataset": "others", "review": {"required": True}}
    dataset = nets.pipeline.dataset("others")
    draft = dataset.create("t.csv", CSV, type(CONTRACT).parse(raw), "first load")
    (receipt,) = nets.pipeline.send(dataset, draft)
    assert (receipt.status, receipt.review) == ("committed", {})


UNAMBIGUOUS = {
    "as it is": CSV,
    "a byte order mark": b"\xef\xbb\xbf" + CSV,
    "semicolons": CSV.replace(b",", b";"),
    "semicolons and decimal commas": CSV.replace(b",", b";").replace(b".", b","),
    "Latin-1": CSV.replace(b"Meridian", "Méridian".encode("latin-1")),
    "CR-LF": CSV.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("what", UNAMBIGUOUS)
def test_csv_files_that_can_be_read_in_one_way_are_read(what: str) -> None:
    nets = Nets()
    body = UNAMBIGUOUS[what].replace(b"7.25", b"8.25").replace(b"7,25", b"8,25")
    receipt = drop(nets, "t.csv", body, NOTE)
    assert receipt.status == "committed", receipt.message
    assert nets.row(2, 1) == {"tow": 2, "net": 1, "volume": 8.25, "vessel": None, "is_day": True}
    assert nets.row(1, 0)["vessel"] in ("Meridian", "Méridian")


def test_a_table_file_needs_a_note() -> None:
    nets = Nets()
    assert drop(nets, "t.csv", CSV).violations[0]["rule"] == "note.missing"


def test_a_part_of_the_table_is_taken_when_it_says_so() -> None:
    nets = Nets()
    body = b"tow,net,volume,vessel,is_day\n1,0,11,Meridian,true\n7,0,1,,\n"
    assert drop(nets, "t.csv", body, {**NOTE, "rows": "some"}).status == "committed"
    assert (nets.row(1, 0)["volume"], nets.row(7, 0)["volume"], nets.head().table.num_rows) == (11.0, 1.0, 5)


@pytest.mark.parametrize("name", ["new volumes", "a+b", "100%25", "café", "(1)", "a.b.c", "x" * 200, "-", "日本"])
@pytest.mark.parametrize("ending", ["json", "csv"])
def test_any_object_name_will_do(name: str, ending: str) -> None:
    nets = Nets()
    body = proposal(nets) if ending == "json" else CSV.replace(b"7.25", b"8.25")
    receipt = drop(nets, f"{name}.{ending}", body, NOTE)
    assert receipt.status == "committed"
    assert receipt.inbox["key"] == f"inbox/{NAME}/ana/{name}.{ending}"
    assert keys.is_proposal(receipt.proposal)
    assert unquote(receipt.key) == receipt.key


@pytest.mark.parametrize("key", ["inbox/p.json", "inbox/nets/p.json", "inbox/No Such/ana/p.json", "inbox//ana/p.json"])
def test_an_object_outside_of_anybodys_inbox_gets_a_receipt_too(key: str) -> None:
    nets = Nets()
    nets.pipeline.store.put(key, b"{}")
    (receipt,) = nets.pipeline.pump()
    assert (receipt.dataset, receipt.status) == ("_unknown", "rejected")
    assert nets.pipeline.store.get(receipt.quarantine).body == b"{}"


def test_an_unknown_dataset_is_named() -> None:
    nets = Nets()
    nets.pipeline.store.put("inbox/others/ana/p.json", proposal(nets, dataset="others"))
    (receipt,) = nets.pipeline.pump()
    assert receipt.violations[0]["rule"] == "dataset.unknown"
    assert "'others'" in receipt.message


def test_a_dataset_is_created_once() -> None:
    nets = Nets()
    again = nets.dataset.create("nets.csv", CSV, CONTRACT, "again")
    (receipt,) = nets.send(again)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "dataset.exists")
    folder = receipt.quarantine.rsplit("/", 1)[0]
    kept = {entry.key.removeprefix(f"{folder}/") for entry in nets.pipeline.store.list(f"{folder}/")}
    assert kept == {f"{receipt.proposal}.json", f"{receipt.proposal}.csv", "report.json"}


def test_a_folder_marker_is_no_proposal() -> None:
    nets = Nets()
    assert receive(nets.pipeline.bench, Arrival(f"inbox/{NAME}/ana/", "v", "e", 0)) is None


def test_a_proposal_id_that_was_used_before_does_not_touch_the_first_receipt() -> None:
    nets = Nets()
    first = drop(nets, "p1.json", proposal(nets))
    second = drop(nets, "p1.json", change(nets, volume=99))
    assert second == first
    kept = [entry.key for entry in nets.pipeline.store.list(f"{keys.QUARANTINE}{NAME}/")]
    assert any(key.endswith("p1.json") for key in kept)
    assert nets.row(1, 1)["volume"] == 12.5


def test_the_author_is_the_events_principal_whatever_the_proposal_claims() -> None:
    nets = Nets()
    key = keys.inbox(NAME, "AROAEXAMPLE:ana@example.org", "p1.json")
    stat = nets.pipeline.store.put(key, proposal(nets, author="the director"))
    arrival = Arrival(key, stat.version, stat.etag, stat.size, "AROAEXAMPLE:ben@example.org")
    receipt = receive(nets.pipeline.bench, arrival)
    assert receipt is not None
    assert (receipt.user, receipt.principal) == ("ben@example.org", "AROAEXAMPLE:ben@example.org")
    assert user_of("AIDAEXAMPLE") == "AIDAEXAMPLE"


def test_what_was_wrong_with_a_row_before_is_not_held_against_an_edit_of_another_cell() -> None:
    nets = Nets()
    rows = nets.head().table.to_pylist()
    rows[1]["volume"] = -5.0
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    nets.pipeline.store.put(keys.master(NAME), bytes(sink.getvalue()))
    assert reconcile(nets.pipeline.bench).problems == ()  # the overwrite is recorded as a commit
    assert drop(nets, "p1.json", change(nets, vessel="Aurora")).status == "committed"
    assert drop(nets, "p2.json", change(nets, volume=-6)).status == "rejected"
