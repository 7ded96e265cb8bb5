"""Every function on every event in events/, in a container behind Lambda's interface, against an S3 on this machine.

The stack serves S3, SQS and SNS here and runs no function of ours: what happens, happened in the containers.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import pytest

from datasets.golf_rounds import generate
from tests.conftest import ROOT
from tests.local_stack import client, running
from tests.sam.tools import HOST, Event, Lambda, Sam, gateway, need_containers, no_images_left, reachable, with_endpoint
from towline import inbox, keys, master, receipts
from towline.aws.s3 import S3Store
from towline.change import RowChange
from towline.commit import commit
from towline.contract import Contract
from towline.dataset import Dataset
from towline.inbox import Arrival
from towline.ingest import manifest, sampled
from towline.ingest.entry import BRONZE
from towline.pipeline import inventory
from towline.receipts import Receipt
from towline.settings import DATABASE, LOADS_WORKGROUP
from towline.store import Stat
from towline.workbench import Workbench

EVENTS = ROOT / "events"
BUCKET, NAME, AUTHOR = "team-tows", "net_tows", "ana@example.org"
CSV = b"tow,net,volume\n1,0,10.5\n1,1,7.25\n2,0,3\n"
CONTRACT = Contract.parse(
    {
        "fields": [
            {"name": "tow", "type": "integer"},
            {"name": "net", "type": "integer"},
            {"name": "volume", "type": "number"},
        ],
        "primaryKey": ["tow", "net"],
        "towline": {"version": 1, "dataset": NAME},
    }
)


@dataclass(frozen=True)
class Site:
    """What the functions were given: a bucket with one dataset, two queues and a topic."""

    functions: Lambda
    bench: Workbench
    sqs: Any
    apply_queue: str
    validate_queue: str

    def take(self, queue: str) -> list[dict[str, Any]]:
        """The messages that wait in a queue, taken off it."""
        found = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages: list[dict[str, Any]] = found.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def receipt(self, key: str) -> Receipt | None:
        where = keys.parse_inbox(key)
        assert where is not None
        return receipts.load(self.bench.store, where.dataset, where.proposal)

    def volumes(self) -> list[float]:
        head = master.read(self.bench.store, NAME)
        assert head is not None
        return [row["volume"] for row in head.table.to_pylist()]


@pytest.fixture(scope="module")
def site(sam: Sam, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_containers()
    scratch, address = tmp_path_factory.mktemp("invoke"), gateway()
    aws = tmp_path_factory.mktemp("aws")
    with no_images_left(), running(aws) as info, reachable(info.port, address) as port:
        s3, sqs, sns, glue, athena = (client(info, name) for name in ("s3", "sqs", "sns", "glue", "athena"))
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        fifo = sqs.create_queue(QueueName="apply.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        queue = sqs.create_queue(QueueName="validate")["QueueUrl"]
        topic = sns.create_topic(Name="outcomes")["TopicArn"]
        glue.create_database(DatabaseInput={"Name": DATABASE})
        athena.create_work_group(Name=LOADS_WORKGROUP)
        parameters = {"BucketName": BUCKET, "TracingMode": "PassThrough"}
        template = with_endpoint(built / "template.yaml", f"http://{HOST}:{port}")
        known = {"APPLY_QUEUE_URL": fifo, "VALIDATE_QUEUE_URL": queue, "TOPIC_ARN": topic}
        known |= {
            f"{name}_QUEUE_URL": sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("INGEST", "SAMPLE", "LOAD")
        }
        known["STATE_MACHINE_ARN"] = "arn:aws:states:us-east-1:000000000000:stateMachine:none"  # nothing starts it here
        functions = Lambda(sam, template, address, parameters, known, scratch)
        found = Site(functions, Workbench(S3Store(s3, BUCKET)), sqs, fifo, queue)
        create(found.bench)
        yield found


def create(bench: Workbench) -> None:
    """The dataset with its first commit, made here: the events are about what comes after."""
    dataset = Dataset(bench, NAME, "ana")
    draft = dataset.create("first.csv", CSV, CONTRACT, "first load")
    dataset.send(draft)
    stat = bench.store.head(keys.inbox(NAME, "ana", f"{draft.proposal}.json"))
    accepted = inbox.receive(bench, arrival(stat))
    assert accepted is not None
    (receipt,) = commit(bench, NAME, [accepted])
    assert receipt.status == "committed", receipt


def arrival(stat: Stat) -> Arrival:
    return Arrival(stat.key, stat.version, stat.etag, stat.size)


def event(name: str) -> dict[str, Any]:
    """`events/<name>.json`."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def key_in(s3_event: Event) -> str:
    """The key that an inbox event is about."""
    body = json.loads(s3_event["Records"][0]["body"])
    return unquote_plus(body["Records"][0]["s3"]["object"]["key"])


def about(s3_event: Event, stat: Stat) -> Event:
    """The event as S3 would send it of an object that is really there: only S3 gives out versions, and the key of a
    file that is taken in follows from when it came."""
    told = copy.deepcopy(dict(s3_event))
    body = json.loads(told["Records"][0]["body"])
    told_of = {"versionId": stat.version, "eTag": stat.etag.strip('"'), "size": stat.size}
    body["Records"][0]["s3"]["object"] |= {"key": quote_plus(stat.key, safe="/"), **told_of}
    told["Records"][0]["body"] = json.dumps(body)
    return told


def test_an_edit_goes_from_the_inbox_to_the_master(site: Site) -> None:
    arrived = event("validate_proposal.edit")
    key, dataset = key_in(arrived), Dataset(site.bench, NAME, AUTHOR)
    commit_id, table = dataset.table()
    old = table.to_pylist()[1]
    draft = dataset.rows([RowChange(old, {**old, "volume": 12.5})], "flow meter recalibrated", commit_id)
    stat = site.bench.store.put(key, draft.body)

    assert site.functions.invoke("ValidateProposal", about(arrived, stat)) == {"batchItemFailures": []}
    accepted = site.receipt(key)
    assert accepted is not None
    # The author is whom the event names, as IAM knows them.
    assert (accepted.status, accepted.user) == ("accepted", AUTHOR)
    assert accepted.principal == f"AROAEXAMPLEROLEID:{AUTHOR}"
    (message,) = site.take(site.apply_queue)
    assert message["Attributes"]["MessageGroupId"] == NAME

    waiting = event("apply_proposals.edit")
    assert set(json.loads(waiting["Records"][0]["body"])) == set(json.loads(message["Body"]))
    waiting["Records"][0]["body"] = message["Body"]
    assert site.functions.invoke("ApplyProposals", waiting) == {"batchItemFailures": []}
    committed = site.receipt(key)
    assert committed is not None
    assert committed.status == "committed", committed
    assert site.volumes() == [10.5, 12.5, 3]

    assert site.functions.invoke("ApplyProposals", waiting) == {"batchItemFailures": []}, "the same once more"
    assert site.receipt(key) == committed


def test_a_file_with_an_odd_name_is_found_under_the_name_that_it_has(site: Site) -> None:
    arrived = event("validate_proposal.odd_key")
    key = key_in(arrived)
    assert key == "inbox/net_tows/ana/new volumes (café) 100% 1+1.csv"
    stat = site.bench.store.put(key, CSV, metadata={"note": "volumes read again"})
    assert site.functions.invoke("ValidateProposal", about(arrived, stat)) == {"batchItemFailures": []}
    receipt = site.receipt(key)
    assert receipt is not None
    assert receipt.status == "accepted", receipt
    assert receipt.inbox["key"] == key
    (message,) = site.take(site.apply_queue)
    assert json.loads(message["Body"])["receipt"]["proposal"] == receipt.proposal


def test_the_event_that_s3_sends_to_try_a_queue_is_no_proposal(site: Site) -> None:
    answer = site.functions.invoke("ValidateProposal", event("validate_proposal.s3_test"))
    assert answer == {"batchItemFailures": []}
    assert site.take(site.apply_queue) == []


def test_a_review_of_what_nobody_proposed_is_kept_with_the_reason(site: Site) -> None:
    arrived = event("validate_proposal.review")
    key = key_in(arrived)
    assert keys.parse_review(key) == keys.ReviewKey(
        NAME, "01KJN2V0S0EXAMPLE0EXAMPLE9", "AROAEXAMPLESTEWARD:ben@example.org"
    )
    stat = site.bench.store.put(key, b"{}")
    assert site.functions.invoke("ValidateProposal", about(arrived, stat)) == {"batchItemFailures": []}
    assert site.take(site.apply_queue) == []
    kept = [entry.key for entry in site.bench.store.list(f"{keys.QUARANTINE}{NAME}/") if "-review-" in entry.key]
    (report,) = (key for key in kept if key.endswith("report.json"))
    assert "nobody knows a proposal" in json.loads(site.bench.store.get(report).body)["ignored"]


def test_reconcile_on_schedule_leaves_alone_what_is_still_under_way(site: Site) -> None:
    key = keys.inbox(NAME, "ana", "01KJN2V0S0EXAMPLE0EXAMPLE1.json")
    site.bench.store.put(key, b"{}")
    answer = site.functions.invoke("Reconcile", event("reconcile.schedule"))
    assert answer == {"datasets": [NAME], "unseen": [], "undecided": [], "reaped": [], "given_up": [], "problems": []}
    assert site.take(site.validate_queue) == []


def test_reconcile_of_everything_queues_what_never_got_a_receipt(site: Site) -> None:
    key = keys.inbox(NAME, "ana", "01KJN2V0S0EXAMPLE0EXAMPLE2.json")
    stat = site.bench.store.put(key, b"{}")
    answer = site.functions.invoke("Reconcile", event("reconcile.all"))
    assert key in answer["unseen"]
    assert (answer["datasets"], answer["problems"]) == ([NAME], [])
    queued = [json.loads(m["Body"])["Records"][0]["s3"]["object"] for m in site.take(site.validate_queue)]
    assert [o["versionId"] for o in queued if unquote_plus(o["key"]) == key] == [stat.version]


def test_a_run_is_pinned_and_its_parts_become_its_result(site: Site) -> None:
    pinned, flattened = event("bulk_edit.pin"), event("flatten.run")
    dataset, run = Dataset(site.bench, NAME, "ana"), keys.Run(NAME, pinned["run"])
    draft = dataset.sql("UPDATE master SET volume = 1 WHERE tow = 1", "why")
    key = keys.inbox(NAME, "ana", f"{run.id}.sql.json")
    assert inbox.receive(site.bench, arrival(site.bench.store.put(key, draft.body)))
    answer = site.functions.invoke("BulkEdit", pinned)
    assert (answer["decision"], answer["prefix"]) == ("query", f"{run.next}1/")

    assert flattened["run"] == run.id
    site.bench.store.copy(run.base, f"{flattened['prefix']}part-0")
    made = site.functions.invoke("Flatten", flattened)
    assert (made["key"], made["rows"], made["parts"]) == (run.result, 3, 1)
    assert site.bench.store.head(run.result).size == made["bytes"]


def test_a_raw_file_is_kept_sampled_and_loaded(site: Site) -> None:
    arrived, store = event("ingest_file.raw"), site.bench.store
    key = key_in(arrived)
    assert key == "raw/golf_rounds/erinhills/rounds 2026-07-01.csv"
    body = generate.to_csv(generate.file(0, 2)[1])
    told = about(arrived, store.put(key, body))
    assert site.functions.invoke("IngestFile", told) == {"batchItemFailures": []}
    (entry,) = manifest.entries(store, "golf_rounds")
    assert (entry.status, store.get(entry.bronze).body) == (BRONZE, body), entry.reasons

    told = about(event("sample_file.bronze"), store.head(entry.bronze))
    assert site.functions.invoke("SampleFile", told) == {"batchItemFailures": []}
    assert sampled.find(store, entry.bronze, store.head(entry.bronze).etag)

    told = about(event("load_dataset.entry"), store.head(manifest.key_of(entry)))
    assert site.functions.invoke("LoadDataset", told) == {"batchItemFailures": []}
    loaded = inventory.read(store, keys.SILVER, "golf_rounds").loaded[entry.ingest]
    assert loaded.rows["fact_telemetry_event"] > 0, loaded


def test_every_event_is_invoked_here() -> None:
    named = set(re.findall(r'event\("([a-z_0-9.]+)"\)', Path(__file__).read_text()))
    assert named == {file.stem for file in EVENTS.glob("*.json")}
