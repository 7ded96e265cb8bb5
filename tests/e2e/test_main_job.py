"""The main job on the local stack: S3 events, queues and the deployed functions, as a researcher meets them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.researcher import CONTRACT, Researcher
from tests.local_stack import PROJECT, again, client, eventually, kill, outputs, running
from towline import keys
from towline.aws.events import notification
from towline.contract import Contract
from towline.files import read_table
from towline.inbox import Arrival
from towline.local import stack as stacks
from towline.local.stack import StackInfo


def test_an_edit_of_the_real_table_changes_one_cell(stack: StackInfo, real_table: Path) -> None:
    body = real_table.read_bytes()
    raw = CONTRACT.to_json().replace(b'"net_tows"', b'"real_tows"')
    someone = Researcher(stack, "sample_tows")
    dataset = someone.dataset
    dataset.name = "real_tows"
    created = dataset.send(dataset.create(real_table.name, body, Contract.parse(raw), "first load")).wait()
    assert (created.status, created.errors) == ("committed", 0)
    someone.name = "real_tows"
    before = someone.head().table.to_pylist()
    where = next(i for i, row in enumerate(before) if (row["tow"], row["net"]) == (4, 1))
    receipt = someone.send(someone.edit(where, volume_filtered=1234.5)).wait()
    assert receipt.status == "committed"
    after = someone.head().table
    assert after.schema.equals(CONTRACT.schema)
    expected = [dict(row) for row in before]
    expected[where]["volume_filtered"] = 1234.5
    assert after.to_pylist() == expected
    typed, _ = read_table(body, real_table.name, CONTRACT)
    assert sorted(before, key=CONTRACT.key_of) == sorted(typed.to_pylist(), key=CONTRACT.key_of)
    assert someone.head().blob.body == someone.bench.store.get(str(receipt.snapshot_key)).body


def test_different_cells_merge_and_the_same_cell_asks(stack: StackInfo) -> None:
    ana, ben = Researcher(stack, "merging"), Researcher(stack, "merging", "ben")
    drafts = [ana.edit(3, volume_filtered=500.5), ben.edit(3, vessel="Aurora"), ben.edit(3, volume_filtered=600.5)]
    final = [ana.send(draft).wait() for draft in drafts]
    assert [receipt.status for receipt in final] == ["committed", "committed", "conflicted"]
    (conflict,) = final[2].conflicts
    (cell,) = conflict["cells"]
    assert (cell["column"], cell["ours"], cell["theirs"]) == ("volume_filtered", 600.5, 500.5)


def test_the_same_event_five_times_and_twice_at_once_is_one_commit(stack: StackInfo) -> None:
    someone = Researcher(stack, "again")
    ticket = someone.send(someone.edit(3, volume_filtered=500.5))
    assert ticket.wait().number == 2
    key = keys.inbox("again", "ana", f"{ticket.proposal}.json")
    stat = someone.bench.store.head(key)
    message = notification(Arrival(key, stat.version, stat.etag, stat.size))
    queue = outputs(stack)["InboxQueueUrl"]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda _: client(stack, "sqs").send_message(QueueUrl=queue, MessageBody=message), range(5)))
    later = someone.send(someone.edit(4, volume_filtered=700.5)).wait()
    assert later.number == 3
    assert Counter(record["proposal"] for record in someone.dataset.log())[ticket.proposal] == 1


@pytest.mark.parametrize("name", ["new volumes", "a+b", "100%25", "café", "(1)", "日本", "a&b=c?d#e"])
def test_odd_names_arrive_as_they_are(stack: StackInfo, name: str) -> None:
    someone = Researcher(stack, "names")
    receipt = someone.put(f"{name}.json", someone.edit(3, volume_filtered=500.0 + len(name)).body).wait()
    assert receipt.status == "committed", receipt.message
    assert receipt.inbox["key"] == f"inbox/names/ana/{name}.json"


@pytest.mark.parametrize(
    ("name", "body", "rule"),
    [
        ("broken.json", b'{"format": ', "json.syntax"),
        ("deep.json", b'{"a":' * 100_000, "json.depth"),
        ("empty.csv", b"", "file.unreadable"),
        ("picture.parquet", b"\x89PNG\r\n\x1a\n" + bytes(100), "file.unreadable"),
        ("large.json", b" " * (200 * 2**20), "proposal.too_large"),
    ],
)
def test_bad_input_is_refused_and_kept_whole(stack: StackInfo, name: str, body: bytes, rule: str) -> None:
    someone = Researcher(stack, "refusing")
    before = someone.head().etag
    receipt = someone.put(name, body, note="why").wait()
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", rule)
    assert someone.bench.store.get(str(receipt.quarantine)).body == body
    assert someone.head().etag == before


def test_every_proposal_of_a_burst_survives_kill_9(tmp_path: Path) -> None:
    """A hundred proposals, the stack killed in their midst and started again: each gets exactly one receipt."""
    with running(tmp_path, PROJECT) as info:
        someone = Researcher(info, "burst")
        drafts = [someone.edit(number, volume_filtered=2000.0 + number) for number in range(100)]
        sent = []
        for draft in drafts[:60]:
            sent.append(someone.send(draft))
        eventually(lambda: any(ticket.receipt().final for ticket in sent))
        kill(info)
        stacks.start(tmp_path, again(info, PROJECT))
        sent += [someone.send(draft) for draft in drafts[60:]]
        final = [ticket.wait() for ticket in sent]
        assert Counter(receipt.status for receipt in final) == {"committed": 100}
        assert len(someone.receipts()) == 101
        assert Counter(record["proposal"] for record in someone.dataset.log()).most_common(1)[0][1] == 1
        volumes = someone.head().table["volume_filtered"].to_pylist()[:100]
        assert volumes == [2000.0 + number for number in range(100)]


def test_a_commit_makes_at_most_twelve_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "requests.log"
    monkeypatch.setenv("TOWLINE_REQUEST_LOG", str(log))
    with running(tmp_path / "data", PROJECT) as info:
        someone = Researcher(info, "counted")
        someone.send(someone.edit(3, volume_filtered=500.5)).wait()
        draft = someone.edit(3, volume_filtered=600.5)
        before = len(to_bucket(log))
        ticket = someone.send(draft)
        assert ticket.wait().status == "committed"
        made = to_bucket(log)[before:]
    looks = [line for line in made if f"GET /towline/receipts/counted/{ticket.proposal}.json" in line]
    assert looks  # the waiting researcher's, who is no part of the commit
    assert len(made) - len(looks) <= 12


def to_bucket(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if " /towline/" in line or "versions" in line]
