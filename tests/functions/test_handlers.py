"""The handlers on their events, over moto: what they answer, store and queue."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest

from tests.core import reviewed
from tests.core.nets import CSV, NAME
from tests.functions.deployed import Deployed, batch, fifo_batch
from tests.functions.functions import CONTEXT, example, load
from towline import catalog, keys, receipts, steward
from towline.change import RowChange
from towline.dataset import Dataset
from towline.reviews import APPROVE


def test_a_proposal_is_validated_queued_and_committed(deployed: Deployed) -> None:
    deployed.create()
    record = deployed.put(deployed.edit(12.5))
    assert deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}
    (message,) = deployed.queued("APPLY_QUEUE_URL")
    assert (message["receipt"]["status"], message["receipt"]["user"]) == ("accepted", "ana@example.org")
    assert deployed.apply.handler(fifo_batch(message), CONTEXT) == {"batchItemFailures": []}
    final = receipts.load(deployed.bench.store, NAME, message["receipt"]["proposal"])
    assert final is not None
    assert (final.status, final.number, final.principal) == ("committed", 2, "AROAEXAMPLE:ana@example.org")


def test_a_new_dataset_has_its_tables_by_the_time_its_receipt_says_so(deployed: Deployed) -> None:
    glue = boto3.client("glue", region_name="us-east-1")
    glue.create_database(DatabaseInput={"Name": "towline"})
    deployed.create()
    there = {table["Name"] for table in glue.get_tables(DatabaseName="towline")["TableList"]}
    assert there == {*catalog.names([NAME])}


def test_a_catalog_that_is_not_there_fails_no_commit_and_reconcile_makes_up_for_it(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.create()
    assert [entry.key for entry in deployed.bench.store.list(keys.DATA)] == [keys.master(NAME)]
    assert '"CatalogOutOfStep":[1.0]' in capsys.readouterr().out.replace(" ", "")
    glue = boto3.client("glue", region_name="us-east-1")
    glue.create_database(DatabaseInput={"Name": "towline"})
    deployed.reconcile.handler({}, CONTEXT)
    assert {table["Name"] for table in glue.get_tables(DatabaseName="towline")["TableList"]} == {*catalog.names([NAME])}


def test_a_review_queues_the_proposal_that_waits_for_it(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.create(reviewed.contract(policy="always"))
    deployed.validate.handler(batch(deployed.put(deployed.edit(12.5))), CONTEXT)
    (message,) = deployed.queued("APPLY_QUEUE_URL")
    assert deployed.apply.handler(fifo_batch(message), CONTEXT) == {"batchItemFailures": []}
    assert '"ProposalsInReview":[1.0]' in capsys.readouterr().out.replace(" ", "")
    (waits,) = steward.waiting(deployed.bench, NAME)
    ben = Dataset(deployed.bench, NAME, "AROASTEWARD:ben@example.org")
    case = steward.look(ben, waits.proposal)
    word = steward.say(ben, case, APPROVE, "looked at it", case.effect)
    record = reviewed_event(waits.proposal, ben.principal, word.etag)
    assert deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}
    (again,) = deployed.queued("APPLY_QUEUE_URL")
    assert deployed.apply.handler(fifo_batch(again), CONTEXT) == {"batchItemFailures": []}
    assert ben.status(waits.proposal).status == "committed"
    assert deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}
    assert deployed.queued("APPLY_QUEUE_URL") == []


def reviewed_event(proposal: str, principal: str, etag: str) -> dict[str, Any]:
    """The S3 event record of a review, written by whom its key names."""
    record = json.loads(example("validate_proposal.review")["Records"][0]["body"])["Records"][0]
    record["s3"]["object"] |= {"key": quote_plus(keys.review(NAME, proposal, principal), safe="/"), "eTag": etag}
    record["userIdentity"]["principalId"] = f"AWS:{principal}"
    found: dict[str, Any] = record
    return found


def test_a_refused_proposal_is_not_queued(deployed: Deployed) -> None:
    deployed.create()
    record = deployed.put(deployed.edit(-1.0))
    assert deployed.validate.handler(batch(record), CONTEXT) == {"batchItemFailures": []}
    assert deployed.queued("APPLY_QUEUE_URL") == []


def test_the_event_that_s3_sends_as_a_test_is_swallowed(deployed: Deployed) -> None:
    assert deployed.validate.handler(example("validate_proposal.s3_test"), CONTEXT) == {"batchItemFailures": []}


def test_keys_are_decoded_once(deployed: Deployed) -> None:
    deployed.create()
    name = "new volumes (café) 100% 1+1.csv"
    key = keys.inbox("net_tows", "ana", name)
    deployed.bench.store.put(key, CSV, metadata={"note": "why"})
    event = example("validate_proposal.odd_key")
    body = json.loads(event["Records"][0]["body"])
    body["Records"][0]["s3"]["object"]["versionId"] = deployed.bench.store.head(key).version
    event["Records"][0]["body"] = json.dumps(body)
    assert deployed.validate.handler(event, CONTEXT) == {"batchItemFailures": []}
    where = keys.parse_inbox(key)
    assert where is not None
    receipt = receipts.load(deployed.bench.store, "net_tows", where.proposal)
    assert receipt is not None
    assert receipt.inbox["key"] == key
    assert receipt.violations[0]["rule"] == "dataset.unknown"  # net_tows is not in this bucket


def test_one_poisoned_message_does_not_hold_up_the_others(deployed: Deployed) -> None:
    deployed.create()
    event = batch(deployed.put(deployed.edit(12.5)), deployed.put(deployed.edit(13.5)))
    event["Records"][0]["body"] = "{not json"
    assert deployed.validate.handler(event, CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(deployed.queued("APPLY_QUEUE_URL")) == 1


def test_a_fault_in_one_dataset_does_not_hold_up_another(deployed: Deployed) -> None:
    deployed.create()
    deployed.validate.handler(batch(deployed.put(deployed.edit(12.5))), CONTEXT)
    (message,) = deployed.queued("APPLY_QUEUE_URL")
    lost = copy.deepcopy(message)
    lost["receipt"] |= {"dataset": "others", "proposal": "p9"}
    deployed.bench.store.put(keys.master("others"), b"no table", metadata={"commit": "gone"})
    answer = deployed.apply.handler(fifo_batch(lost, message), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    final = receipts.load(deployed.bench.store, NAME, message["receipt"]["proposal"])
    assert final is not None
    assert final.status == "committed"


def test_proposals_of_one_batch_are_one_commit(deployed: Deployed) -> None:
    deployed.create()
    commit, table = deployed.dataset.table()
    rows = table.to_pylist()
    drafts = [deployed.dataset.rows([RowChange(r, {**r, "vessel": "Aurora"})], "why", commit) for r in rows]
    deployed.validate.handler(batch(*map(deployed.put, drafts)), CONTEXT)
    messages = deployed.queued("APPLY_QUEUE_URL")
    while len(messages) < len(drafts):
        messages += deployed.queued("APPLY_QUEUE_URL")
    assert deployed.apply.handler(fifo_batch(*messages), CONTEXT) == {"batchItemFailures": []}
    assert {record["number"] for record in deployed.dataset.log()} == {1, 2}
    assert len(deployed.dataset.log()) == 5


def test_reconcile_queues_what_nobody_looked_at(deployed: Deployed) -> None:
    deployed.create()
    record = deployed.put(deployed.edit(12.5))
    found = deployed.reconcile.handler(example("reconcile.all"), CONTEXT)
    assert found["datasets"] == [NAME]
    assert len(found["unseen"]) == 1
    (message,) = deployed.queued("VALIDATE_QUEUE_URL")
    assert message["Records"][0]["s3"]["object"]["key"] == record["s3"]["object"]["key"]
    again = deployed.validate.handler(
        {"Records": [batch(record)["Records"][0] | {"body": json.dumps(message)}]}, CONTEXT
    )
    assert again == {"batchItemFailures": []}
    (accepted,) = deployed.queued("APPLY_QUEUE_URL")
    assert accepted["receipt"]["user"] == "ana@example.org"
    assert deployed.reconcile.handler(example("reconcile.all"), CONTEXT)["undecided"] == [
        accepted["receipt"]["proposal"]
    ]


def test_reconcile_queues_files_that_no_event_came_of(deployed: Deployed) -> None:
    store = deployed.bench.store
    raw = [f"{keys.RAW}soundings/{number:02}.csv" for number in range(12)]  # more than SQS takes at once
    for key in raw:
        store.put(key, b"depth\n1\n")
    deployed.reconcile.handler(example("reconcile.all"), CONTEXT)
    queued = deployed.queued("INGEST_QUEUE_URL") + deployed.queued("INGEST_QUEUE_URL")
    assert sorted(message["Records"][0]["s3"]["object"]["key"] for message in queued) == raw
    assert deployed.queued("SAMPLE_QUEUE_URL") == deployed.queued("LOAD_QUEUE_URL") == []
    assert deployed.reconcile.handler(example("reconcile.schedule"), CONTEXT)["problems"] == []
    assert deployed.queued("INGEST_QUEUE_URL") == [], "they are still under way"


def test_the_scheduled_reconcile_leaves_alone_what_is_under_way(deployed: Deployed) -> None:
    deployed.create()
    deployed.put(deployed.edit(12.5))
    assert deployed.reconcile.handler(example("reconcile.schedule"), CONTEXT)["unseen"] == []


def test_outcomes_are_published(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = deployed.sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    arn = deployed.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns = boto3.client("sns", region_name="us-east-1")
    sns.subscribe(TopicArn=deployed.environment["TOPIC_ARN"], Protocol="sqs", Endpoint=arn)
    deployed.environment["SUBSCRIBER"] = queue
    deployed.create()
    (told,) = deployed.queued("SUBSCRIBER")
    assert json.loads(told["Message"])["status"] == "committed"
    assert told["MessageAttributes"]["dataset"]["Value"] == NAME


def test_a_master_written_past_towline_is_recorded_and_counted_for_the_alarm(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.create()
    deployed.bench.store.put(keys.master(NAME), b"no table")
    assert deployed.reconcile.handler(example("reconcile.all"), CONTEXT)["problems"] == []
    assert deployed.dataset.log()[0]["kind"] == "external"
    assert '"MastersOverwritten":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_function_without_its_settings_says_which_are_missing(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APPLY_QUEUE_URL")
    monkeypatch.delenv("S3_BUCKET")
    with pytest.raises(Exception, match=r"S3_BUCKET, APPLY_QUEUE_URL"):
        load("validate_proposal")
