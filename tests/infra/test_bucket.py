"""The bucket keeps everything, privately, and its policy holds even for those who may do anything."""

from __future__ import annotations

import json

import pytest

from tests.infra.iam import allowed, denied
from tests.infra.template import ACCOUNT, BUCKET, Template
from towline import keys
from towline.errors import UsageError

REAL = Template()
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
MASTER = f"{BUCKET_ARN}/data/net_tows/master.parquet"
APPLY, INGEST = f"arn:aws:iam::{ACCOUNT}:role/towline-ApplyRole-1A2B", REAL.arn("IngestRole")
ROOT_USER = f"arn:aws:iam::{ACCOUNT}:root"
OVER_TLS = {"aws:SecureTransport": "true", "aws:PrincipalArn": APPLY}
# s3:ObjectCreationOperation is true for calls that make an object and false for those that only prepare one.
CREATES, PREPARES = {"s3:ObjectCreationOperation": "true"}, {"s3:ObjectCreationOperation": "false"}
KEPT = ["data/net_tows/master.parquet", "contracts/net_tows.json", "snapshots/x", "audit/x", "changes/x", "archive/x"]
KEPT += [keys.entry("golf_rounds", "0cc175b9-1"), keys.lines("golf_rounds", 1), "bronze/golf_rounds/x.csv"]


def refused(action: str, resource: str, template: Template = REAL, **context: str) -> bool:
    return denied(template.bucket_policy, action, resource, {**OVER_TLS, **context})


def test_the_bucket_is_versioned_encrypted_and_private() -> None:
    bucket = REAL.resources["Bucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_notes_results_and_runs_expire_and_nothing_else_and_deleting_the_stack_leaves_the_bucket() -> None:
    bucket = REAL.resources["Bucket"]
    parts, notes, results, runs, copies, *files = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert parts["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Expir" not in json.dumps(parts)
    assert (notes["Prefix"], notes["NoncurrentVersionExpiration"]) == ("meta/", {"NoncurrentDays": 1})
    assert keys.LAST_RUN.startswith(notes["Prefix"]), "whose current version stays"
    assert set(notes) == {"Id", "Status", "Prefix", "NoncurrentVersionExpiration"}
    assert (results["Prefix"], results["ExpirationInDays"]) == ("sql/_", 7)
    assert (runs["Prefix"], runs["ExpirationInDays"]) == (keys.SQL, 30)
    assert (copies["Prefix"], copies["NoncurrentVersionExpiration"]) == (keys.PUBLISHED, {"NoncurrentDays": 7})
    assert "ExpirationInDays" not in copies
    days = {rule["Prefix"]: rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in files}
    assert days == {keys.SAMPLES: 1, keys.SILVER: 30, keys.GOLD: 30}, "which can be made anew of bronze/"
    assert not any("ExpirationInDays" in rule for rule in files)
    with pytest.raises(UsageError):
        keys.check_dataset("_results")  # or the working area of a dataset of that name would expire
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_what_a_run_needs_outlives_all_that_it_waits_for() -> None:
    """A week for its author's word, then two for the stewards: its result must be there for the commit."""
    rules = REAL.resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (days,) = [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == keys.SQL]
    waits = ("QuerySeconds", "PreviewSeconds", "ReviewSeconds")
    assert sum(int(REAL.parameters[name]) for name in waits) < days * 24 * 3600


@pytest.mark.parametrize("resource", [BUCKET_ARN, MASTER, f"{BUCKET_ARN}/inbox/net_tows/x/p1.json"])
@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:ListBucket"])
def test_plain_http_is_refused_to_everyone(action: str, resource: str) -> None:
    assert refused(action, resource, **{"aws:SecureTransport": "false", "s3:if-match": '"e0"'})


def test_only_the_embedded_aws_may_speak_plain_http() -> None:
    local = Template(RequireTls="false")
    assert not refused("s3:GetObject", MASTER, local, **{"aws:SecureTransport": "false"})
    assert [s["Sid"] for s in REAL.bucket_policy if s not in local.bucket_policy] == ["TlsOnly"]


def test_a_master_is_written_on_a_condition_or_not_at_all() -> None:
    """PutObject, CompleteMultipartUpload and CopyObject are all s3:PutObject to IAM, and all create an object."""
    assert refused("s3:PutObject", MASTER, **CREATES)
    assert not refused("s3:PutObject", MASTER, **CREATES, **{"s3:if-match": '"e0"'})
    assert not refused("s3:PutObject", MASTER, **CREATES, **{"s3:if-none-match": "*"})


def test_the_calls_that_prepare_a_multipart_upload_need_no_condition() -> None:
    assert not refused("s3:PutObject", MASTER, **PREPARES)


def test_the_condition_is_asked_for_below_data_only() -> None:
    assert not refused("s3:PutObject", f"{BUCKET_ARN}/receipts/net_tows/p1.json", **CREATES)
    assert not refused("s3:GetObject", MASTER)


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion"])
@pytest.mark.parametrize("key", KEPT)
def test_history_is_deleted_by_nobody_but_who_breaks_the_glass(action: str, key: str) -> None:
    resource = f"{BUCKET_ARN}/{key}"
    assert refused(action, resource)
    assert not refused(action, resource, **{"aws:PrincipalArn": ROOT_USER})
    guardian = f"arn:aws:iam::{ACCOUNT}:role/guardian"
    entrusted = Template(BreakGlassPrincipal=guardian)
    assert not refused(action, resource, entrusted, **{"aws:PrincipalArn": guardian})
    assert refused(action, resource, entrusted, **{"aws:PrincipalArn": ROOT_USER})


def test_intents_can_be_reaped_and_the_inbox_tidied() -> None:
    assert not refused("s3:DeleteObject", f"{BUCKET_ARN}/intents/net_tows/c1.json")
    assert not refused("s3:DeleteObject", f"{BUCKET_ARN}/inbox/net_tows/x/p1.json")


def test_a_second_copy_of_a_file_is_taken_back_by_who_put_it_there_and_its_version_stays() -> None:
    resource = f"{BUCKET_ARN}/bronze/golf_rounds/x.csv"
    assert not refused("s3:DeleteObject", resource, **{"aws:PrincipalArn": INGEST})
    assert refused("s3:DeleteObjectVersion", resource, **{"aws:PrincipalArn": INGEST})
    assert refused("s3:DeleteObject", f"{BUCKET_ARN}/manifests/golf_rounds/x", **{"aws:PrincipalArn": INGEST})


NOTIFIED = ["InboxQueue", "IngestQueue", "SampleQueue", "LoadQueue"]


@pytest.mark.parametrize("name", NOTIFIED)
def test_a_queue_takes_messages_from_our_bucket_in_our_account_only(name: str) -> None:
    policy = REAL.resources[f"{name}Policy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert policy["Queues"] == [name]
    ours = {"aws:SourceArn": BUCKET_ARN, "aws:SourceAccount": ACCOUNT}
    queue = REAL.arn(name)
    assert allowed([statement], "sqs:SendMessage", queue, ours)
    assert not allowed([statement], "sqs:SendMessage", queue, {**ours, "aws:SourceArn": "arn:aws:s3:::another"})
    assert not allowed([statement], "sqs:SendMessage", queue, {**ours, "aws:SourceAccount": "210987654321"})
    assert not allowed([statement], "sqs:ReceiveMessage", queue, ours)


def test_the_notifications_wait_for_the_policies_of_their_queues() -> None:
    notified = REAL.resources["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert {config["Queue"].rsplit(":", 1)[-1] for config in notified} == set(NOTIFIED)
    assert REAL.resources["Bucket"]["DependsOn"] == [f"{name}Policy" for name in NOTIFIED]
