"""Least privilege, run with the emulator's IAM switched on: every function does its work with its own role, and a
researcher can do no more than the researcher role says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from datasets.golf_rounds import generate
from tests.e2e.researcher import CONTRACT, NAME
from tests.local_stack import PROJECT, client, eventually, outputs, running
from towline import keys, prune, queries, runs, steward
from towline.aws.glue import Glue
from towline.aws.health import QUEUES, Queues
from towline.aws.s3 import S3Store
from towline.change import RowChange
from towline.connect import Connection, connect
from towline.contract import Contract
from towline.dataset import Dataset, Ticket
from towline.errors import Refused
from towline.files import write_table
from towline.health.datasets import Datasets
from towline.ingest import manifest, places, retrying, sampled
from towline.local.stack import StackInfo, stack_settings
from towline.pipeline import inventory
from towline.reconcile import last_run
from towline.reviews import APPROVE
from towline.sample import sample_table
from towline.settings import DATABASE, EDITS_WORKGROUP, WORKGROUP
from towline.store import ABSENT, Matches
from towline.verify import verify
from towline.workbench import Workbench

GOLF = "golf_rounds"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass
class Person:
    """Somebody with credentials of their own: their user id, as IAM policies know it, the bucket as they see it, and a
    client of any service."""

    userid: str
    store: S3Store
    client: Callable[[str], Any]

    @property
    def dataset(self) -> Dataset:
        return Dataset(Workbench(self.store), NAME, self.userid)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    with running(tmp_path_factory.mktemp("guarded"), replace(PROJECT, auth=True)) as info:
        yield info


def user(info: StackInfo, name: str) -> dict[str, str]:
    """The access key of an IAM user who may do everything that no policy of the bucket forbids."""
    iam = client(info, "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def in_role(info: StackInfo, name: str, role: str) -> Person:
    """A user who took on one of the template's roles."""
    sts = boto3.client("sts", endpoint_url=info.endpoint, region_name=info.region, **user(info, name))
    session = sts.assume_role(RoleArn=outputs(info)[role], RoleSessionName=name)
    found = session["Credentials"]
    clients = partial(
        boto3.client,
        endpoint_url=info.endpoint,
        region_name=info.region,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    )
    return Person(session["AssumedRoleUser"]["AssumedRoleId"], S3Store(clients("s3"), info.bucket), clients)


@pytest.fixture(scope="module")
def ana(guarded: StackInfo) -> Person:
    """A researcher, whose dataset is there with one edit in its history: the functions did that in their own roles."""
    ana = in_role(guarded, "ana", "ResearcherRoleArn")
    dataset = ana.dataset
    draft = dataset.create("sample.csv", write_table(sample_table(), "csv"), CONTRACT, "first load")
    assert dataset.send(draft).wait().status == "committed"
    commit, table = dataset.table()
    row = table.to_pylist()[3]
    edit = dataset.rows([RowChange(row, {**row, "volume_filtered": 500.5})], "why", commit)
    receipt = dataset.send(edit).wait()
    assert (receipt.status, receipt.user, receipt.number) == ("committed", "ana", 2)
    return ana


def test_the_functions_refuse_and_quarantine_in_their_own_roles(ana: Person) -> None:
    dataset = ana.dataset
    commit, table = dataset.table()
    row = table.to_pylist()[3]
    bad = dataset.rows([RowChange(row, {**row, "lat_decimal": 95.0})], "why", commit)
    assert dataset.send(bad).wait().status == "rejected"
    stale = dataset.rows([RowChange(row, {**row, "volume_filtered": 600.5})], "why", commit)
    other = dataset.rows([RowChange(row, {**row, "volume_filtered": 700.5})], "why", commit)
    assert dataset.send(stale).wait().status == "committed"
    assert dataset.send(other).wait().status == "conflicted"


def test_the_reconciler_finds_a_lost_proposal_in_its_own_role(ana: Person, guarded: StackInfo) -> None:
    answer = client(guarded, "lambda").invoke(
        FunctionName=outputs(guarded)["ReconcileFunction"], Payload=json.dumps({"since": None}).encode()
    )
    found = json.loads(answer["Payload"].read())
    assert (found["datasets"], found["problems"]) == ([NAME], [])


def test_a_researcher_reads_the_table_its_history_and_outcomes(ana: Person) -> None:
    assert ana.dataset.table()[1].num_rows == 125
    assert len(ana.dataset.log()) >= 2
    assert ana.dataset.diff("1", "2").cells == 1


def test_a_researcher_sees_how_things_are(ana: Person, guarded: StackInfo) -> None:
    """What the Health page asks for on AWS, with a researcher's rights and no others."""
    run = last_run(ana.store)
    assert run is not None
    assert run.problems == ()
    assert ana.client("s3").get_bucket_versioning(Bucket=guarded.bucket)["Status"] == "Enabled"
    for name in QUEUES:
        # The clients are what the role's credentials make; settings know none that end after hours.
        queues = Queues(stack_settings(guarded), ana.store)
        vars(queues)["_sqs"] = ana.client("sqs")
        assert [fact.state for fact in queues.look(name)] == ["fine", "fine"]
        with pytest.raises(Refused):
            queues.redrive(name)
    assert {fact.state for fact in Datasets(ana.dataset.bench).look()} == {"fine"}


def test_a_file_becomes_gold_or_is_put_aside_in_the_roles_of_its_functions(ana: Person, guarded: StackInfo) -> None:
    course, table = generate.file(0, 3)
    ana.store.put(keys.raw(GOLF, (course.name,), "rounds.csv"), generate.to_csv(table))
    ana.store.put(keys.raw(GOLF, (course.name,), "empty.csv"), b"")
    assert eventually(lambda: inventory.read(ana.store, keys.GOLD, GOLF).tables, 60).keys()
    own = asking(ana, guarded)
    eventually(lambda: "golf_rounds_pace_summary_by_round" in own.tables())
    asked = """
        SELECT sum(fixes) AS fixes, (SELECT count_if(NOT is_location_padding AND fix_timestamp IS NOT NULL)
          FROM golf_rounds_fact_telemetry_event) AS rows
        FROM golf_rounds_pace_summary_by_round
        """
    found = queries.run(own, asked).table.to_pylist()
    assert found[0]["fixes"] == found[0]["rows"] > 0
    refused, kept = sorted(manifest.entries(ana.store, GOLF), key=lambda entry: entry.size)
    assert (kept.status, refused.status) == ("bronze", "quarantined")
    assert eventually(lambda: sampled.find(ana.store, kept.bronze, kept.etag))
    assert ana.store.get(places.report(GOLF, refused.ingest)).body
    for writing in (lambda: ana.store.put(kept.bronze, b""), lambda: retrying.ask(ana.store, refused, ana.userid)):
        with pytest.raises(Refused):
            writing()
    steward = in_role(guarded, "cleo", "StewardRoleArn")
    retrying.ask(steward.store, refused, steward.userid)
    again = eventually(lambda: manifest.find(ana.store, GOLF, f"{refused.ingest}.1"))
    assert (again.status, again.retry_of) == ("quarantined", refused.ingest)


def test_an_edit_by_sql_goes_all_the_way_in_the_roles_of_its_steps(ana: Person) -> None:
    dataset = ana.dataset
    ticket = dataset.send(dataset.sql("UPDATE master SET vessel = 'Aurora' WHERE tow = 4", "why", preview=True))
    assert ticket.wait(60).status == "previewed"
    assert runs.look(dataset, ticket.proposal).cells_changed > 0
    receipt = runs.promote(dataset, ticket.proposal).wait(60)
    assert (receipt.status, receipt.user) == ("committed", "ana")
    assert dataset.log()[0]["query"] == "UPDATE master SET vessel = 'Aurora' WHERE tow = 4"
    refused = dataset.send(dataset.sql("UPDATE master SET tow = CAST(vessel AS bigint)", "why")).wait(60)
    assert (refused.status, refused.violations[0]["rule"]) == ("rejected", "sql.query")
    stopped = dataset.send(dataset.sql("UPDATE master SET vessel = 'Borealis' WHERE tow = 4", "why", preview=True))
    assert stopped.wait(60).status == "previewed"
    assert runs.discard(dataset, stopped.proposal).wait(60).message == "discarded by its author"
    for proposal in (ticket.proposal, refused.proposal, stopped.proposal):
        run = keys.Run(NAME, proposal)
        eventually(lambda run=run: {each.key for each in ana.store.list(run.prefix)} <= {run.state, run.preview})


def test_a_researchers_own_table_is_promoted_in_the_roles_of_its_steps(ana: Person, guarded: StackInfo) -> None:
    modified = ana.store.head(keys.master(NAME)).modified
    eventually(lambda: datetime.now(UTC) - modified > timedelta(seconds=2.1))
    place = keys.by_hand(NAME, ana.userid, "renamed")
    columns = ", ".join("'Meridian' AS vessel" if name == "vessel" else name for name in CONTRACT.names)
    athena = ana.client("athena")
    query = athena.start_query_execution(
        QueryString=f"CREATE TABLE renamed WITH (external_location = 's3://{guarded.bucket}/{place}') AS "  # noqa: S608
        f"SELECT {columns} FROM {NAME}",
        WorkGroup=WORKGROUP,
        QueryExecutionContext={"Database": DATABASE},
    )["QueryExecutionId"]
    receipt = Ticket(ana.dataset.bench, NAME, query).wait(60)
    assert (receipt.status, receipt.user) == ("committed", "ana"), receipt
    eventually(lambda: not list(ana.store.list(place)))


def administrator(guarded: StackInfo, name: str) -> Workbench:
    """The bucket as somebody sees it who may do everything that its own policy does not forbid."""
    s3 = boto3.client("s3", endpoint_url=guarded.endpoint, region_name=guarded.region, **user(guarded, name))
    return Workbench(S3Store(s3, guarded.bucket))


def test_a_researcher_verifies_the_history_and_may_not_archive_it(ana: Person, guarded: StackInfo) -> None:
    bench = ana.dataset.bench
    assert verify(bench, NAME).ok
    planned = prune.plan(bench, NAME, 1)
    assert planned.moves
    for other in (bench, administrator(guarded, "archivist")):
        with pytest.raises(Refused, match="BreakGlassPrincipal"):
            prune.run(other, planned)
        assert ana.store.head(planned.moves[0].key)
        assert verify(bench, NAME).ok


def test_who_may_break_the_glass_archives_and_work_goes_on(ana: Person, guarded: StackInfo) -> None:
    """The functions and the researcher find what was archived with their own roles."""
    dataset = ana.dataset
    first = str(dataset.log()[-1]["commit"])
    row = dataset.table(first)[1].to_pylist()[7]
    prune.run(connect(stack_settings(guarded)).bench, prune.plan(dataset.bench, NAME, 1))
    assert dataset.table(first)[1].to_pylist()[7] == row
    edit = dataset.rows([RowChange(row, {**row, "volume_filtered": 800.5})], "on an archived base", first)
    assert dataset.send(edit).wait().status == "committed"
    verdict = verify(dataset.bench, NAME)
    assert verdict.ok, verdict.says


def asking(person: Person, guarded: StackInfo) -> Connection:
    """How somebody asks by SQL: with their own credentials for Athena, Glue and the bucket."""
    connection = connect(stack_settings(guarded))
    engine, glue = connection.engine, Glue(person.client("glue"), connection.database)
    own = Connection(connection.settings, person.dataset.bench)
    vars(own)["engine"] = replace(engine, client=person.client("athena"))
    vars(own)["tables"] = lambda: sorted(glue.tables())
    return own


def test_a_researcher_asks_by_sql_and_sees_only_what_was_asked_in_the_same_workgroup(
    ana: Person, guarded: StackInfo
) -> None:
    own = asking(ana, guarded)
    found = queries.run(own, """SELECT count(*) AS n FROM audit WHERE "user" = 'ana' AND kind = 'edit'""")
    assert found.table["n"][0].as_py() >= 1
    assert queries.run(own, "SELECT count(*) AS n FROM master", dataset=NAME).table.to_pylist() == [{"n": 125}]
    for workgroup in (EDITS_WORKGROUP, "primary"):
        with pytest.raises(Refused):
            replace(own.engine, workgroup=workgroup).start("SELECT 1", "x")
    root = replace(connect(stack_settings(guarded)).engine, workgroup=EDITS_WORKGROUP)
    with pytest.raises(Refused):
        own.engine.execution(root.start("SELECT 1", "of the machine's"))


def test_a_researcher_makes_tables_and_cannot_take_the_place_of_those_of_history(ana: Person) -> None:
    glue = ana.client("glue")
    glue.create_table(DatabaseName="towline", TableInput={"Name": "mine"})
    glue.delete_table(DatabaseName="towline", Name="mine")
    for table in ("audit", "changes", f"{NAME}_snapshots"):
        with pytest.raises(ClientError, match="AccessDenied"):
            glue.delete_table(DatabaseName="towline", Name=table)
    with pytest.raises(ClientError, match="AccessDenied"):
        glue.create_table(DatabaseName="towline", TableInput={"Name": "run_1_base"})


def test_a_researcher_keeps_results_and_parts_under_their_own_name(ana: Person) -> None:
    ana.store.put(f"{keys.by_hand(NAME, ana.userid, 'shift')}part-0", b"x")
    assert ana.store.get(f"{keys.by_hand(NAME, ana.userid, 'shift')}part-0").body == b"x"
    for name in ("shift", f"next/{ana.userid}"):
        with pytest.raises(Refused):
            ana.store.put(f"{keys.by_hand(NAME, 'AROAANOTHER:ben', name)}part-0", b"x")


FORBIDDEN: dict[str, Callable[[Person], object]] = {
    "the master": lambda p: p.store.put(keys.master(NAME), b"x", when=Matches(p.store.head(keys.master(NAME)).etag)),
    "a new master": lambda p: p.store.put(keys.master("others"), b"x", when=ABSENT),
    "a snapshot": lambda p: p.store.put(p.dataset.bench.layout.snapshot(NAME, p.dataset.table()[0]), b"x"),
    "an audit record": lambda p: p.store.put(f"audit/{NAME}/2026-03-01/x.jsonl", b"x"),
    "a receipt": lambda p: p.store.put(keys.receipt(NAME, "p1"), b"x"),
    "an intent": lambda p: p.store.put(keys.intent(NAME, p.dataset.table()[0]), b"x"),
    "the note of Reconcile": lambda p: p.store.put(keys.LAST_RUN, b"x"),
    "the contract": lambda p: p.store.put(keys.contract(NAME), b"x"),
    "the archive": lambda p: p.store.put(f"archive/{NAME}/20260301/audit_x.jsonl", b"x"),
    "a changes file": lambda p: p.store.put(f"changes/dataset={NAME}/date=2026-03-01/p1.parquet", b"x"),
    "a review": lambda p: p.store.put(keys.review(NAME, "p1", p.userid), b"{}"),
    "another's inbox": lambda p: p.store.put(keys.inbox(NAME, "AROAANOTHER:ben", "p1.json"), b"x"),
    "deleting the master": lambda p: p.store.delete(keys.master(NAME)),
    "copying over the master": lambda p: p.store.copy(keys.contract(NAME), keys.master(NAME)),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_researcher_may_not_write(ana: Person, what: str) -> None:
    with pytest.raises(Refused):
        FORBIDDEN[what](ana)


def test_a_researcher_may_not_read_anothers_inbox(ana: Person, guarded: StackInfo) -> None:
    ben = in_role(guarded, "ben", "ResearcherRoleArn")
    key = keys.inbox(NAME, ben.userid, "draft.txt")
    ben.store.put(key, b"mine")
    with pytest.raises(Refused):
        ana.store.get(key)


REVIEWED = "reviewed_tows"


def test_a_steward_lets_a_proposal_go_on_and_reviews_under_their_own_id_only(ana: Person, guarded: StackInfo) -> None:
    """The functions hear the review in their own roles; whoever is no steward cannot write one."""
    ben = in_role(guarded, "steward", "StewardRoleArn")
    raw = json.loads(CONTRACT.to_json())
    raw["towline"] |= {"dataset": REVIEWED, "review": {"policy": "always"}}
    dataset, judge = (Dataset(Workbench(each.store), REVIEWED, each.userid) for each in (ana, ben))
    draft = dataset.create("sample.csv", write_table(sample_table(), "csv"), Contract.parse(raw), "first load")
    assert dataset.send(draft).wait().status == "committed"
    commit, table = dataset.table()
    row = table.to_pylist()[3]
    edit = dataset.rows([RowChange(row, {**row, "volume_filtered": 500.5})], "why", commit)
    receipt = dataset.send(edit).wait()
    assert receipt.status == "in_review"
    case = steward.look(judge, receipt.proposal)
    for key in (keys.review(REVIEWED, receipt.proposal, ana.userid), f"reviews/{REVIEWED}/steward.json"):
        with pytest.raises(Refused):
            ben.store.put(key, b"{}")
    with pytest.raises(Refused):
        ana.store.put(keys.review(REVIEWED, receipt.proposal, ana.userid), b"{}")
    word = steward.say(judge, case, APPROVE, "looked at it", case.effect)
    final = steward.outcome(judge, receipt.proposal, word)
    assert (final.status, final.review["reviews"][0]["principal"]) == ("committed", ben.userid)
    assert ana.store.get(keys.review(REVIEWED, receipt.proposal, ben.userid)).body


def test_an_unconditional_put_of_a_master_is_refused_to_everybody(guarded: StackInfo, ana: Person) -> None:
    """The bucket's own policy says so: even somebody who may do everything, as the functions may on data/."""
    store, key = administrator(guarded, "admin").store, keys.master("others")
    with pytest.raises(Refused):
        store.put(key, b"x")
    first = store.put(key, b"x", when=ABSENT)
    assert store.put(key, b"y", when=Matches(first.etag)).version != first.version


def test_no_function_was_denied_anything(guarded: StackInfo, ana: Person) -> None:
    log = (Path(guarded.data_dir) / "logs" / "stack.log").read_text()
    assert "ProposalsCommitted" in log
    assert "AccessDenied" not in log
    assert "is not authorized" not in log
