"""What the template promises, held against the template itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.infra.iam import allowed, as_list
from tests.infra.template import BUCKET, FILE, Template
from towline import keys
from towline.settings import EDITS_WORKGROUP, LOADS_WORKGROUP, WORKGROUP, Settings

EVENTS = ROOT / "events"
HIDDEN_FOR = 6  # times the function's timeout, as Lambda asks of a queue's visibility timeout
REAL = Template()
FUNCTIONS = sorted(REAL.functions)
ALARMS = REAL.of_type("AWS::CloudWatch::Alarm")


def code_of(function: str) -> Path:
    return ROOT / REAL.functions[function]["CodeUri"]


def prefixes_that_trigger(function: str) -> list[str]:
    """The prefixes whose objects end up as events of `function`, by way of its queue."""
    queue = REAL.queue_of(function)
    notified = REAL.resources["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    ours = [config for config in notified if config["Queue"].endswith(f":{queue}")]
    return [rule["Value"] for config in ours for rule in config["Filter"]["S3Key"]["Rules"] if rule["Name"] == "prefix"]


def alarms_on(metric: str, dimension: str) -> list[dict[str, object]]:
    """The alarms that watch `metric` of the queue or function `dimension`."""
    return [
        alarm for alarm in ALARMS.values()
        if alarm["MetricName"] == metric and [d["Value"] for d in alarm["Dimensions"]] == [dimension]
    ]  # fmt: skip


def test_cloudformation_takes_the_file_as_it_is() -> None:
    """CloudFormation knows no YAML aliases, and takes 1 MB by S3, as `sam deploy` and the local stack send it."""
    tokens = yaml.scan(FILE.read_text())
    assert not [token for token in tokens if isinstance(token, (yaml.AnchorToken, yaml.AliasToken))]
    assert FILE.stat().st_size < 1_000_000


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_writes_under_a_prefix_that_triggers_it(function: str) -> None:
    statements = REAL.statements(REAL.role_of(function))
    for prefix in prefixes_that_trigger(function):
        for key in (prefix, f"{prefix}net_tows/alice/p1.json", f"{prefix}x"):
            assert not allowed(statements, "s3:PutObject", f"arn:aws:s3:::{BUCKET}/{key}", {})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_sends_to_the_queue_that_it_consumes(function: str) -> None:
    queue = REAL.queue_of(function)
    statements = REAL.statements(REAL.role_of(function))
    assert queue is None or not allowed(statements, "sqs:SendMessage", REAL.arn(queue), {})


def test_each_prefix_triggers_one_function_and_no_other_triggers_anything() -> None:
    triggers = {function: found for function in FUNCTIONS if (found := prefixes_that_trigger(function))}
    assert triggers == {
        "ValidateProposal": [keys.INBOX, keys.REVIEWS],
        "IngestFile": [keys.RAW, keys.RETRIES],
        "SampleFile": [keys.BRONZE],
        "LoadDataset": [keys.MANIFESTS],
    }


def test_entries_are_loaded_and_the_lines_that_they_are_compacted_to_are_not() -> None:
    notified = REAL.resources["Bucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    rules = {
        rule["Name"]: rule["Value"]
        for config in notified if config["Queue"].endswith(":LoadQueue")
        for rule in config["Filter"]["S3Key"]["Rules"]
    }  # fmt: skip
    wanted = {key: key.startswith(rules["prefix"]) and key.endswith(rules["suffix"]) for key in (
        keys.entry("golf_rounds", "0cc175b9c0f1b6a831c399e269772661-1"),
        keys.entry("golf_rounds", "0cc175b9c0f1b6a831c399e269772661-1", "20261128T214500-3f9a52c07be1"),
        keys.lines("golf_rounds", 1),
    )}  # fmt: skip
    assert list(wanted.values()) == [True, True, False]


def test_files_by_the_thousand_leave_room_for_proposals_and_loads_are_few_and_large() -> None:
    """An account has a thousand runs at once, a new one ten, for all functions. Two is the least that Lambda takes."""
    bounds = {
        function: (event["Properties"]["ScalingConfig"]["MaximumConcurrency"], event["Properties"]["BatchSize"])
        for function in ("IngestFile", "SampleFile", "LoadDataset")
        for event in REAL.functions[function]["Events"].values()
    }
    assert bounds == {"IngestFile": (5, 10), "SampleFile": (5, 10), "LoadDataset": (2, 1000)}
    (event,) = REAL.functions["LoadDataset"]["Events"].values()
    assert event["Properties"]["MaximumBatchingWindowInSeconds"] > 0, "Lambda wants one for batches of more than ten"


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if REAL.queue_of(f)])
def test_a_message_stays_hidden_for_six_timeouts_and_then_five_tries_end_in_a_dead_letter_queue(function: str) -> None:
    queues = REAL.of_type("AWS::SQS::Queue")
    queue = queues[str(REAL.queue_of(function))]
    assert queue["VisibilityTimeout"] >= HIDDEN_FOR * REAL.functions[function]["Timeout"]
    redrive = queue["RedrivePolicy"]
    letters = queues[redrive["deadLetterTargetArn"].rsplit(":", 1)[-1]]
    assert redrive["maxReceiveCount"] == 5
    assert letters.get("FifoQueue") == queue.get("FifoQueue"), "a FIFO queue's dead letters are a FIFO queue"
    # Dead letters keep their age: with no more time than the queue they would be gone before anybody looked.
    assert letters["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if REAL.queue_of(f)])
def test_one_failed_message_does_not_bring_back_its_whole_batch(function: str) -> None:
    (event,) = REAL.functions[function]["Events"].values()
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_every_queue_is_encrypted() -> None:
    assert all(queue["SqsManagedSseEnabled"] is True for queue in REAL.of_type("AWS::SQS::Queue").values())


def test_someone_is_told_of_failing_functions_dead_letters_and_queues_that_stand_still() -> None:
    topic = REAL.arn("AlarmTopic")
    watched = [("Errors", function) for function in FUNCTIONS]
    for function in FUNCTIONS:
        if queue := REAL.queue_of(function):
            letters = REAL.of_type("AWS::SQS::Queue")[queue]["RedrivePolicy"]["deadLetterTargetArn"].rsplit(":", 1)[-1]
            watched += [("ApproximateAgeOfOldestMessage", queue), ("ApproximateNumberOfMessagesVisible", letters)]
    assert len(watched) == 18
    for metric, dimension in watched:
        assert len(alarms_on(metric, dimension)) == 1, (metric, dimension)
    assert all(alarm["AlarmActions"] == [topic] for alarm in ALARMS.values())
    # The AWS-managed key would keep CloudWatch from publishing, and nobody would notice.
    assert "KmsMasterKeyId" not in REAL.resources["AlarmTopic"].get("Properties", {})


@pytest.mark.parametrize(
    ("name", "function"),
    [("DatasetsInTrouble", "Reconcile"), ("FilesQuarantined", "IngestFile"), ("FilesFailed", "LoadDataset")],
)
def test_the_alarms_on_what_needs_a_person_watch_the_metrics_that_the_functions_count(name: str, function: str) -> None:
    alarm = ALARMS[f"{name}Alarm"]
    environment = REAL.functions[function]["Environment"]
    assert alarm["Namespace"] == environment["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": environment["POWERTOOLS_SERVICE_NAME"]}]
    assert f'"{alarm["MetricName"]}"' in (code_of(function) / "app.py").read_text()


def test_the_alarm_address_is_optional() -> None:
    assert "AlarmSubscription" not in REAL.resources
    (told,) = Template(AlarmEmail="team@example.org").of_type("AWS::SNS::Subscription").values()
    assert (told["Endpoint"], told["TopicArn"]) == ("team@example.org", REAL.arn("AlarmTopic"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_finds_the_settings_that_it_asks_for(function: str) -> None:
    tree = ast.parse((code_of(function) / "app.py").read_text())
    (asked,) = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Runtime"]
    needs = tuple(ast.literal_eval(argument) for argument in asked.args)
    settings = Settings.for_function(REAL.functions[function]["Environment"], needs=needs)
    assert (settings.bucket, settings.author_source) == (BUCKET, "event")
    assert (settings.layout.snapshots, settings.layout.audit) == ("snapshots/", "audit/")
    assert (settings.endpoint_url, settings.glue_database) == (None, "towline")


def test_every_function_says_its_own_name_and_logs_to_its_own_group() -> None:
    names = {f: props["Environment"]["POWERTOOLS_SERVICE_NAME"] for f, props in REAL.functions.items()}
    assert names == {f: code_of(f).name for f in FUNCTIONS}
    groups = {f: props["LoggingConfig"]["LogGroup"] for f, props in REAL.functions.items()}
    declared = REAL.of_type("AWS::Logs::LogGroup")
    assert sorted([*groups.values(), "BulkEditMachineLogs"]) == sorted(declared)
    assert all(group["RetentionInDays"] == 90 for group in declared.values())
    for function, group in groups.items():
        (statement,) = [s for s in REAL.statements(REAL.role_of(function)) if s["Sid"] == "Log"]
        assert statement["Resource"] == REAL.arn(group)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_handler_and_an_event_to_try_it_with(function: str) -> None:
    tree = ast.parse((code_of(function) / "app.py").read_text())
    assert "handler" in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert list(EVENTS.glob(f"{code_of(function).name}.*.json"))


def test_every_event_belongs_to_a_function() -> None:
    directories = {code_of(function).name for function in FUNCTIONS}
    assert {event.name.split(".")[0] for event in EVENTS.glob("*.json")} <= directories


def test_every_function_runs_on_the_layer_and_the_python_that_it_is_built_for() -> None:
    layer = REAL.resources["TowlineLayer"]
    for props in REAL.functions.values():
        assert props["Layers"] == ["TowlineLayer"]
        assert [props["Runtime"]] == layer["Properties"]["CompatibleRuntimes"]
        assert props["Architectures"] == [layer["Metadata"]["BuildArchitecture"]]
        assert props["Architectures"] == layer["Properties"]["CompatibleArchitectures"]


@pytest.mark.parametrize("parameter", ["SnapshotPrefix", "AuditPrefix"])
def test_snapshots_and_audit_records_cannot_be_moved_to_where_they_would_do_harm(parameter: str) -> None:
    pattern = REAL.document["Parameters"][parameter]["AllowedPattern"]
    for good in ("snapshots/", "audit/", "towline/history/", "_snapshots/"):
        assert re.search(pattern, good), good
    taken = ("inbox/", "inbox/x/", "data/", "data/old/", "receipts/", "blame/", "meta/", "archive/", "sql/", "iceberg/")
    files = (keys.RAW, keys.BRONZE, keys.MANIFESTS, keys.SAMPLES, keys.RETRIES, keys.SILVER, keys.GOLD, "gold/old/")
    for bad in (*taken, *files, "snapshots", "/", "", "a//b/", "a/*/"):
        assert not re.search(pattern, bad), bad


def test_moved_prefixes_move_the_permissions_with_them() -> None:
    moved = Template(SnapshotPrefix="history/copies/", AuditPrefix="history/log/")
    assert moved.functions["ApplyProposals"]["Environment"]["S3_SNAPSHOT_PREFIX"] == "history/copies/"
    statements = moved.statements("ApplyRole")
    for key, may in (("history/copies/x", True), ("history/log/x", True), ("snapshots/x", False), ("audit/x", False)):
        assert allowed(statements, "s3:PutObject", f"arn:aws:s3:::{BUCKET}/{key}", {}) is may


def test_every_parameter_is_used_and_every_output_is_there() -> None:
    text = FILE.read_text()
    for parameter in REAL.document["Parameters"]:
        assert re.search(rf"!Ref {parameter}\b|\${{{parameter}}}", text), parameter
    outputs = {name: REAL.resolve(output["Value"]) for name, output in REAL.document["Outputs"].items()}
    assert all(as_list(value) != [""] for value in outputs.values())
    assert {"BucketName", "InboxQueueUrl", "ApplyQueueUrl", "OutcomeTopicArn", "ResearcherRoleArn"} <= set(outputs)


def test_the_page_on_aws_explains_every_parameter_and_every_alarm() -> None:
    page = (ROOT / "docs" / "aws.md").read_text()
    names = [*REAL.document["Parameters"], *(name.removesuffix("Alarm") for name in ALARMS)]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_alarm_on_overwritten_masters_watches_the_metric_that_every_function_counts() -> None:
    alarm = ALARMS["MastersOverwrittenAlarm"]
    assert alarm["Namespace"] == "Towline"
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "towline"}]
    assert f'"{alarm["MetricName"]}"' in (ROOT / "src/towline/aws/runtime.py").read_text()


def test_the_workgroups_are_those_that_the_code_asks_and_their_results_are_where_they_expire() -> None:
    groups = {
        group["Name"]: group["WorkGroupConfiguration"] for group in REAL.of_type("AWS::Athena::WorkGroup").values()
    }
    places = {name: group["ResultConfiguration"]["OutputLocation"] for name, group in groups.items()}
    expected = {
        WORKGROUP: keys.QUERY_RESULTS,
        EDITS_WORKGROUP: keys.EDIT_RESULTS,
        LOADS_WORKGROUP: keys.LOAD_RESULTS,
    }
    assert places == {name: f"s3://{BUCKET}/{prefix}" for name, prefix in expected.items()}
    rules = REAL.resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (expiring,) = [rule["Prefix"] for rule in rules if rule["Id"] == "forget-query-results"]
    assert all(prefix.startswith(expiring) for prefix in expected.values())
    for group in groups.values():
        assert group["EnforceWorkGroupConfiguration"] is False, "Athena would refuse a CTAS that names its place"
        assert group["BytesScannedCutoffPerQuery"] == REAL.parameters["QueryScanLimit"]
        assert group["EngineVersion"] == {"SelectedEngineVersion": "Athena engine version 3"}
    assert not [
        prefix for function in FUNCTIONS for prefix in prefixes_that_trigger(function) if prefix.startswith("sql/")
    ]


def test_another_database_moves_its_permissions_with_it() -> None:
    moved = Template(GlueDatabase="tows")
    assert moved.functions["ApplyProposals"]["Environment"]["GLUE_DATABASE"] == "tows"
    arn = "arn:aws:glue:us-east-1:123456789012:table/"
    for database, may in (("tows", True), ("towline", False)):
        for role in ("ReconcileRole", "ResearcherRole"):
            assert allowed(moved.statements(role), "glue:CreateTable", f"{arn}{database}/x", {}) is may
