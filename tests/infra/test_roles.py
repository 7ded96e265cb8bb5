"""Least privilege: the roles do what docs/security.md says, cell by cell, on nothing wider than one prefix."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from tests.conftest import ROOT
from tests.infra.iam import allowed, as_list
from tests.infra.template import ACCOUNT, BUCKET, Template
from towline import keys

REAL = Template()
BUCKET_ARN = f"arn:aws:s3:::{BUCKET}"
ROLES = {
    "ValidateProposal": "ValidateRole",
    "ApplyProposals": "ApplyRole",
    "Reconcile": "ReconcileRole",
    "BulkEdit": "BulkEditRole",
    "Flatten": "FlattenRole",
    "IngestFile": "IngestRole",
    "SampleFile": "SampleRole",
    "LoadDataset": "LoadRole",
    "state machine": "BulkEditMachineRole",
    "researcher": "ResearcherRole",
    "steward": "StewardRole",
}
ME, ANOTHER = "AROAEXAMPLEEXAMPLE:alice", "AROAEXAMPLEEXAMPLE:bob"
INGEST = "20261128T214500-3f9a52c07be1"
BRONZE = "bronze/golf_rounds/course_id=erinhills/ingest_date=2026-11-28/214500--a.csv"
AT, COMMIT = datetime(2026, 3, 1, tzinfo=UTC), "01JNAAAAAAAAAAAAAAAAAAAAAA"
CALL = {"aws:userid": ME, "aws:SecureTransport": "true", "s3:if-match": '"e0"', "s3:ObjectCreationOperation": "true"}
VERBS = {
    "read": ("s3:GetObject", "s3:GetObjectVersion"),
    "write": ("s3:PutObject",),
    "delete": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
}
# A key for each row of the table, as the code builds it.
KEYS = {
    "inbox/<dataset>/<own>/…": keys.inbox("net_tows", ME, "p1.json"),
    "inbox/<dataset>/<another's>/…": keys.inbox("net_tows", ANOTHER, "p1.json"),
    "inbox/<dataset>/pipeline-<dataset>/…": keys.inbox("net_tows", "pipeline-golf_rounds", "p1.json"),
    "inbox/<dataset>/<another's>/<own>/…": keys.inbox("net_tows", ANOTHER, f"{ME}/p1.json"),
    "data/<dataset>/master.parquet": keys.master("net_tows"),
    "contracts/<dataset>.json": keys.contract("net_tows"),
    "receipts/<dataset>/…": keys.receipt("net_tows", "p1"),
    "intents/<dataset>/…": keys.intent("net_tows", COMMIT),
    "snapshots/<dataset>/…": keys.Layout().snapshot("net_tows", COMMIT),
    "audit/<dataset>/…": keys.Layout().audit_record("net_tows", "alice", "p1", AT),
    "changes/dataset=<dataset>/…": keys.changes("net_tows", "p1", AT),
    "blame/<dataset>/…": keys.block("net_tows", 1, 64),
    "archive/<dataset>/…": keys.Layout().archived(keys.Layout().snapshot("net_tows", COMMIT)),
    "quarantine/<dataset>/…": keys.quarantine("net_tows", "p1", "report.json", AT),
    "quarantine/<dataset>/<day>/<ingest>/…": keys.quarantine("golf_rounds", INGEST, "rows.parquet", AT),
    "raw/<dataset>/…": keys.raw("golf_rounds", ("erinhills",), "a.csv"),
    "retries/<dataset>/<ingest>/<own>.json": keys.retry("golf_rounds", INGEST, ME),
    "retries/<dataset>/<ingest>/<another's>.json": keys.retry("golf_rounds", INGEST, ANOTHER),
    "bronze/<dataset>/…": BRONZE,
    "manifests/<dataset>/entries/…": keys.entry("golf_rounds", "0cc175b9c0f1b6a831c399e269772661-1", INGEST),
    "manifests/<dataset>/lines/…": keys.lines("golf_rounds", 1),
    "samples/<dataset>/…": keys.sample(BRONZE),
    "silver/<dataset>/…": keys.lake(keys.SILVER, "golf_rounds", "fact", "a=1", "01JNA"),
    "gold/<dataset>/…": keys.inventory(keys.GOLD, "golf_rounds"),
    "meta/reconcile.json": keys.LAST_RUN,
    "sql/<dataset>/<run>/base/…": keys.Run("net_tows", "p1").base,
    "sql/<dataset>/<run>/next/…": f"{keys.Run('net_tows', 'p1').next}1/part-0",
    "sql/<dataset>/<run>/results/…": keys.Run("net_tows", "p1").result,
    "sql/<dataset>/<run>/run.json": keys.Run("net_tows", "p1").state,
    "sql/<dataset>/<run>/preview.json": keys.Run("net_tows", "p1").preview,
    "sql/<dataset>/<run>/token.json": keys.Run("net_tows", "p1").token,
    "sql/_edits/…": f"{keys.EDIT_RESULTS}1.txt",
    "sql/_loads/…": f"{keys.LOAD_RESULTS}1.csv",
    "sql/<dataset>/next/<own>/…": f"{keys.by_hand('net_tows', ME, 'shift')}part-0",
    "sql/<dataset>/next/<another's>/…": f"{keys.by_hand('net_tows', ANOTHER, 'shift')}part-0",
    "sql/_results/…": f"{keys.QUERY_RESULTS}1.csv",
    "iceberg/<dataset>/…": "iceberg/net_tows/01JNA/data/1.parquet",
    "published/<dataset>/…": "published/net_tows/by_cruise/1/cruise=A/part.parquet",
    "reviews/<dataset>/<proposal>/<own>.json": f"reviews/net_tows/p1/{ME}.json",
    "reviews/<dataset>/<proposal>/<another's>.json": f"reviews/net_tows/p1/{ANOTHER}.json",
}
# Queues, topics and log groups; workgroups of this template; one database of Glue's, with the one that Athena always
# looks for, and the catalog that they are in.
OURS = rf"(sqs|sns|logs):us-east-1:{ACCOUNT}:\w+|athena:us-east-1:{ACCOUNT}:workgroup/\w+WorkGroup"
OURS += rf"|serverless:us-east-1:{ACCOUNT}:(BulkEdit|BulkEditMachine|Flatten)"
OURS += rf"|states:us-east-1:{ACCOUNT}:(execution:towline-bulk_edit:\*)|lambda:us-east-1:{ACCOUNT}:\w+"
# Actions on what has no name of its own: see the comments in the template.
ANY = {"Trace", "AnswerExecutions", "DeliverLogs"}
OURS += rf"|glue:us-east-1:{ACCOUNT}:(catalog|database/towline|database/default|table/towline/.+)"
# IAM actions that are not named after an operation of the API.
NO_OPERATION = {"s3:ListBucket", "s3:ListBucketVersions", "s3:GetObjectVersion", "s3:DeleteObjectVersion"}
NO_OPERATION |= {"s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "athena:GetQueryResultsStream"}
NO_OPERATION |= {
    "lambda:InvokeFunction",
    *(f"logs:{name}LogDelivery" for name in ("Create", "Get", "Update", "Delete")),
}
NO_OPERATION |= {"logs:ListLogDeliveries", "s3:GetObjectVersionTagging"}


def table() -> list[tuple[str, str, str]]:
    """(key pattern, caller, cell) of the table in docs/security.md."""
    rows = [line for line in (ROOT / "docs" / "security.md").read_text().splitlines() if line.startswith("|")]
    header, _, *body = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [(key.strip("`"), *cell) for key, *cells in body for cell in zip(header[1:], cells, strict=True)]


def may(caller: str, action: str, resource: str, **context: str) -> bool:
    """Whether the caller's role and the bucket's policy together let it pass."""
    statements = [*REAL.statements(ROLES[caller]), *REAL.bucket_policy]
    return allowed(statements, action, resource, {**CALL, "aws:PrincipalArn": REAL.arn(ROLES[caller]), **context})


def verbs(caller: str, key: str) -> str:
    """What the caller may do with the object, in the words of the table."""
    found = []
    for verb, actions in VERBS.items():
        answers = {may(caller, action, f"{BUCKET_ARN}/{key}") for action in actions}
        if True in answers:
            found.append(verb)
        # Reading goes with reading old versions. Deleting is never wider than the one action that is meant.
        assert len(answers) == 1 or verb == "delete", (caller, verb, key)
    return ", ".join(found) or "–"  # noqa: RUF001 - the table's sign for nothing


@pytest.mark.parametrize(("key", "caller", "cell"), table())
def test_the_table_of_who_may_do_what_is_what_the_template_says(key: str, caller: str, cell: str) -> None:
    assert verbs(caller, KEYS[key]) == cell


def test_the_table_has_a_row_for_every_key() -> None:
    assert {key for key, _, _ in table()} == set(KEYS)
    assert {caller for _, caller, _ in table()} == set(ROLES)


def all_statements() -> list[tuple[str, dict[str, Any]]]:
    """(role, statement), for every role of the template."""
    return [(role, s) for role in REAL.of_type("AWS::IAM::Role") for s in REAL.statements(role)]


def test_no_statement_is_wider_than_one_prefix_of_one_bucket() -> None:
    for role, statement in all_statements():
        for resource in as_list(statement["Resource"]):
            if statement["Sid"] in ANY:
                assert resource == "*"
            elif resource.startswith("arn:aws:s3:::"):
                assert re.fullmatch(rf"{BUCKET_ARN}(/[a-z]+/.*)?", resource), (role, resource)
            else:
                assert re.fullmatch(rf"arn:aws:({OURS})", resource), (role, resource)


def test_every_action_is_spelled_out_and_exists() -> None:
    """`sam validate --lint` takes a misspelled action for a good one; it would be found missing on AWS only."""
    session = botocore.session.get_session()
    operations = {
        f"{service}:{operation}"
        for service in ("s3", "sqs", "sns", "logs", "xray", "athena", "glue")
        for operation in session.get_service_model(service).operation_names
    }
    operations |= {f"states:{name}" for name in session.get_service_model("stepfunctions").operation_names}
    for role, statement in all_statements():
        for action in as_list(statement["Action"]):
            assert action in operations | NO_OPERATION, (role, action)


def test_only_intents_what_runs_leave_and_what_can_be_made_anew_are_deleted() -> None:
    granted = [(role, s) for role, s in all_statements() if s["Effect"] == "Allow"]
    deleting = [(role, s["Action"], s["Resource"]) for role, s in granted if "s3:Delete" in str(s["Action"])]
    assert [(role, as_list(resource)) for role, _, resource in deleting] == [
        ("ReconcileRole", [f"{BUCKET_ARN}/intents/*"]),
        ("ReconcileRole", [f"{BUCKET_ARN}/silver/*", f"{BUCKET_ARN}/gold/*"]),
        ("BulkEditRole", [f"{BUCKET_ARN}/sql/*"]),
        ("IngestRole", [f"{BUCKET_ARN}/bronze/*"]),
        ("StewardRole", [f"{BUCKET_ARN}/iceberg/*", f"{BUCKET_ARN}/published/*"]),
    ]
    assert "s3:DeleteObjectVersion" not in str(deleting)


@pytest.mark.parametrize("caller", ROLES)
def test_everyone_may_list_so_that_missing_is_told_from_forbidden(caller: str) -> None:
    assert may(caller, "s3:ListBucket", BUCKET_ARN)


@pytest.mark.parametrize(
    ("caller", "sees"),
    [(c, c in ("ApplyProposals", "Reconcile", "BulkEdit", "researcher", "steward")) for c in ROLES],
)
def test_versions_are_listed_of_masters_only(caller: str, sees: bool) -> None:
    assert may(caller, "s3:ListBucketVersions", BUCKET_ARN, **{"s3:prefix": keys.master("net_tows")}) is sees
    assert not may(caller, "s3:ListBucketVersions", BUCKET_ARN, **{"s3:prefix": "inbox/"})
    assert not may(caller, "s3:ListBucketVersions", BUCKET_ARN)


@pytest.mark.parametrize(
    ("caller", "queue", "actions"),
    [
        ("ValidateProposal", "InboxQueue", {"ReceiveMessage", "DeleteMessage"}),
        ("ValidateProposal", "ApplyQueue", {"SendMessage"}),
        ("ApplyProposals", "InboxQueue", set()),
        ("ApplyProposals", "ApplyQueue", {"ReceiveMessage", "DeleteMessage"}),
        ("Reconcile", "InboxQueue", {"SendMessage"}),
        ("Reconcile", "ApplyQueue", {"SendMessage"}),
        ("Reconcile", "IngestQueue", {"SendMessage"}),
        ("Reconcile", "SampleQueue", {"SendMessage"}),
        ("Reconcile", "LoadQueue", {"SendMessage"}),
        ("IngestFile", "IngestQueue", {"ReceiveMessage", "DeleteMessage"}),
        ("IngestFile", "SampleQueue", set()),
        ("SampleFile", "SampleQueue", {"ReceiveMessage", "DeleteMessage"}),
        ("LoadDataset", "LoadQueue", {"ReceiveMessage", "DeleteMessage"}),
        ("LoadDataset", "IngestQueue", set()),
        ("researcher", "InboxQueue", set()),
        ("researcher", "IngestQueue", set()),
        ("steward", "LoadQueue", set()),
        ("researcher", "ApplyQueue", set()),
        ("steward", "InboxQueue", set()),
        ("steward", "ApplyQueue", set()),
    ],
)
def test_who_sends_to_and_takes_from_which_queue(caller: str, queue: str, actions: set[str]) -> None:
    tried = {"ReceiveMessage", "DeleteMessage", "SendMessage", "PurgeQueue"}
    assert {a for a in tried if may(caller, f"sqs:{a}", REAL.arn(queue))} == actions


QUEUES = list(REAL.of_type("AWS::SQS::Queue"))


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("caller", ["researcher", "steward"])
def test_people_see_how_many_messages_wait_and_can_do_nothing_with_them(caller: str, queue: str) -> None:
    operations = botocore.session.get_session().get_service_model("sqs").operation_names
    may_do = {operation for operation in operations if may(caller, f"sqs:{operation}", REAL.arn(queue))}
    assert may_do == {"GetQueueAttributes"}


@pytest.mark.parametrize("caller", ROLES)
def test_people_see_whether_versions_are_kept_and_nobody_changes_that(caller: str) -> None:
    assert may(caller, "s3:GetBucketVersioning", BUCKET_ARN) is (caller in ("researcher", "steward"))
    assert not may(caller, "s3:PutBucketVersioning", BUCKET_ARN)


@pytest.mark.parametrize("caller", ["ApplyProposals", "Reconcile", "BulkEdit"])
def test_an_upload_by_parts_can_be_dropped_where_one_is_made(caller: str) -> None:
    for pattern in ("data/<dataset>/master.parquet", "snapshots/<dataset>/…"):
        assert may(caller, "s3:AbortMultipartUpload", f"{BUCKET_ARN}/{KEYS[pattern]}")


def test_reconcile_finds_uploads_that_nobody_ended_and_drops_no_parts_of_what_people_send() -> None:
    assert may("Reconcile", "s3:ListBucketMultipartUploads", BUCKET_ARN)
    assert not may("ApplyProposals", "s3:ListBucketMultipartUploads", BUCKET_ARN)
    dropped = {
        pattern for pattern, key in KEYS.items() if may("Reconcile", "s3:AbortMultipartUpload", f"{BUCKET_ARN}/{key}")
    }
    copies = {"bronze/<dataset>/…", "quarantine/<dataset>/…", "quarantine/<dataset>/<day>/<ingest>/…"}
    assert dropped == {"data/<dataset>/master.parquet", "snapshots/<dataset>/…"} | copies


@pytest.mark.parametrize("caller", ROLES)
def test_only_the_functions_tell_outcomes_and_nobody_raises_alarms(caller: str) -> None:
    tells = caller in REAL.functions.keys() - {"Flatten", "SampleFile"}
    assert may(caller, "sns:Publish", REAL.arn("OutcomeTopic")) is tells
    assert not may(caller, "sns:Publish", REAL.arn("AlarmTopic"))


def test_a_researcher_with_wider_policies_still_cannot_write_what_only_commits_write() -> None:
    anything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    statements = [*REAL.statements("ResearcherRole"), anything]
    assert allowed(statements, "s3:PutObject", f"{BUCKET_ARN}/elsewhere/x", CALL), "the Allow is in force"
    for pattern, key in KEYS.items():
        if not pattern.startswith(("inbox/", "reviews/", "sql/", "iceberg/", "published/", "raw/", "retries/")):
            assert not allowed(statements, "s3:PutObject", f"{BUCKET_ARN}/{key}", CALL), key


@pytest.mark.parametrize("role", [REAL.role_of(function) for function in REAL.functions])
def test_only_lambda_takes_a_functions_role(role: str) -> None:
    (statement,) = REAL.of_type("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("role", "parameter"), [("ResearcherRole", "ResearcherPrincipals"), ("StewardRole", "StewardPrincipals")]
)
def test_a_person_takes_a_role_under_their_own_name_only(role: str, parameter: str) -> None:
    """The session's name is part of aws:userid, which is who the author is."""
    trusted = Template(**{parameter: f"arn:aws:iam::{ACCOUNT}:user/alice,arn:aws:iam::{ACCOUNT}:user/bob"})
    for template, principals in (
        (REAL, [f"arn:aws:iam::{ACCOUNT}:root"]),
        (trusted, [f"arn:aws:iam::{ACCOUNT}:user/alice", f"arn:aws:iam::{ACCOUNT}:user/bob"]),
    ):
        (statement,) = template.of_type("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
        assert as_list(statement["Principal"]["AWS"]) == principals
        trust = [{**statement, "Resource": "*"}]  # a trust policy is on its role, and names no resource
        for user, session, may_take in (("alice", "alice", True), ("alice", "bob", False)):
            context = {"aws:username": user, "sts:RoleSessionName": session}
            assert allowed(trust, "sts:AssumeRole", "*", context) is may_take
        assert not allowed(trust, "sts:AssumeRole", "*", {"sts:RoleSessionName": "alice"}), "who has no user name"


WORKGROUP = f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/"
GLUE = f"arn:aws:glue:us-east-1:{ACCOUNT}:"


@pytest.mark.parametrize("caller", ROLES)
def test_people_query_in_their_own_workgroup_and_change_none(caller: str) -> None:
    operations = botocore.session.get_session().get_service_model("athena").operation_names
    ours = {o for o in operations if may(caller, f"athena:{o}", f"{WORKGROUP}PeoplesWorkGroup")}
    queries = {"StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "BatchGetQueryExecution"}
    queries |= {"ListQueryExecutions", "GetQueryResults", "GetWorkGroup"}
    looks = {"GetQueryExecution", "ListQueryExecutions"} if caller == "BulkEdit" else set()
    assert ours == (queries if caller in ("researcher", "steward") else looks)
    assert not may(caller, "athena:StartQueryExecution", f"{WORKGROUP}primary")


@pytest.mark.parametrize("caller", ["researcher", "steward"])
def test_a_person_makes_and_drops_tables_but_not_those_of_edits_and_history(caller: str) -> None:
    for action in ("glue:CreateTable", "glue:DeleteTable"):
        assert may(caller, action, f"{GLUE}table/towline/shifted")
        for kept in ("run_01jnaa_base", "audit", "changes", "manifest", "net_tows_snapshots"):
            assert may(caller, "glue:GetTable", f"{GLUE}table/towline/{kept}")
            assert not may(caller, action, f"{GLUE}table/towline/{kept}"), kept
        assert not may(caller, action, f"{GLUE}table/finance/ledger")
    assert may(caller, "glue:GetDatabase", f"{GLUE}database/default")
    assert not may(caller, "glue:GetTables", f"{GLUE}table/default/ledger")
    assert not may(caller, "glue:UpdateTable", f"{GLUE}table/towline/net_tows")


@pytest.mark.parametrize("caller", ROLES)
def test_who_commits_keeps_the_catalog_in_step_and_drops_no_table(caller: str) -> None:
    keeps = caller in ("ApplyProposals", "Reconcile", "BulkEdit", "LoadDataset")
    assert may(caller, "glue:UpdateTable", f"{GLUE}table/towline/net_tows") is keeps
    assert not (keeps and may(caller, "glue:DeleteTable", f"{GLUE}table/towline/net_tows"))


def test_only_tables_of_runs_are_made_and_dropped_by_runs() -> None:
    made, own = f"{GLUE}table/towline/run_01jnaa_base", f"{GLUE}table/towline/net_tows"
    assert may("state machine", "glue:CreateTable", made)
    assert not may("state machine", "glue:CreateTable", own)
    assert may("BulkEdit", "glue:DeleteTable", made)
    assert not may("BulkEdit", "glue:DeleteTable", own)


def test_edits_are_queried_in_a_workgroup_of_their_own() -> None:
    for caller in ROLES:
        starts = may(caller, "athena:StartQueryExecution", f"{WORKGROUP}EditsWorkGroup")
        assert starts is (caller == "state machine"), caller
        stops = may(caller, "athena:StopQueryExecution", f"{WORKGROUP}EditsWorkGroup")
        assert stops is (caller in ("state machine", "BulkEdit", "ValidateProposal")), caller


def test_gold_is_queried_in_a_workgroup_of_its_own() -> None:
    for caller in ROLES:
        starts = may(caller, "athena:StartQueryExecution", f"{WORKGROUP}LoadsWorkGroup")
        assert starts is (caller == "LoadDataset"), caller


def test_what_is_put_aside_of_files_is_seen_by_all_and_refused_proposals_are_not() -> None:
    """A proposal that carries such a name was given it by its author."""
    for ingest in (INGEST, f"{INGEST}.2"):
        assert may("researcher", "s3:GetObject", f"{BUCKET_ARN}/{keys.quarantine('golf_rounds', ingest, 'a.csv', AT)}")
    for proposal in ("p1", COMMIT, "20261128-net_tows-volumes"):
        assert not may("researcher", "s3:GetObject", f"{BUCKET_ARN}/{keys.quarantine('x', proposal, 'a.csv', AT)}")


def test_tags_that_a_file_came_with_are_copied_and_no_others_are_read() -> None:
    for caller in ROLES:
        assert may(caller, "s3:GetObjectTagging", f"{BUCKET_ARN}/{BRONZE}") is (caller == "IngestFile")
        assert not may(caller, "s3:PutObjectTagging", f"{BUCKET_ARN}/{keys.master('net_tows')}")


def test_runs_are_started_by_the_validator_by_reconcile_and_by_the_end_of_a_query() -> None:
    machine = REAL.arn("BulkEditMachine")
    for caller in ROLES:
        assert may(caller, "states:StartExecution", machine) is (caller in ("ValidateProposal", "Reconcile")), caller
    (statement,) = REAL.statements("QueryEndedRole")
    assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", machine)
    rule = REAL.of_type("AWS::Events::Rule")["QueryEnded"]["EventPattern"]
    assert rule["detail"]["workgroupName"] == ["PeoplesWorkGroup"], "or the machine's own queries would start it"


def test_every_policy_fits_into_what_iam_takes() -> None:
    """6,144 characters without white space, and 10,240 for all inline ones of a role. A bucket's name has up to 63."""
    longest = Template(BucketName="b" * 63)

    def size(policy: dict[str, Any]) -> int:
        return len(json.dumps(policy["PolicyDocument"], separators=(",", ":")))

    for name, policy in longest.of_type("AWS::IAM::ManagedPolicy").items():
        assert size(policy) <= 6144, name
    for name, role in longest.of_type("AWS::IAM::Role").items():
        assert sum(map(size, role.get("Policies", []))) <= 10_240, name
