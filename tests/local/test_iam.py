"""Policy variables and the keys of conditional writes, as IAM and S3 document them."""

from __future__ import annotations

import json

import pytest

from towline.local.iam import fill_in, resource_name, write_keys

KEYS = {"aws:userid": "AROAEXAMPLE:ana", "aws:username": "ana"}


def test_variables_become_the_callers_values_wherever_they_stand() -> None:
    policy = {"StringEquals": {"sts:RoleSessionName": ["${aws:username}", "x"]}}
    assert fill_in(policy, KEYS) == {"StringEquals": {"sts:RoleSessionName": ["ana", "x"]}}
    assert fill_in(["arn:aws:s3:::b/inbox/*/${aws:userid}/*"], KEYS) == ["arn:aws:s3:::b/inbox/*/AROAEXAMPLE:ana/*"]


def test_a_variable_that_the_caller_does_not_have_matches_nothing() -> None:
    assert fill_in("inbox/${aws:username}/*", {}) == "inbox/${aws:username}/*"


@pytest.mark.parametrize(
    ("action", "query", "headers", "keys"),
    [
        ("s3:GetObject", {}, {"If-Match": "e"}, {}),
        ("s3:PutObject", {}, {}, {"s3:objectcreationoperation": "true"}),
        ("s3:PutObject", {}, {"If-Match": "e"}, {"s3:if-match": "e", "s3:objectcreationoperation": "true"}),
        ("s3:PutObject", {}, {"if-none-match": "*"}, {"s3:if-none-match": "*", "s3:objectcreationoperation": "true"}),
        ("s3:PutObject", {"uploads": ""}, {}, {"s3:objectcreationoperation": "false"}),
        ("s3:PutObject", {"partNumber": "1"}, {}, {"s3:objectcreationoperation": "false"}),
    ],
)
def test_policies_are_told_whether_a_write_is_conditional(action, query, headers, keys) -> None:
    assert write_keys(action, query, headers) == keys


@pytest.mark.parametrize(
    ("service", "operation", "asked", "name"),
    [
        ("athena", "GetQueryExecution", {"QueryExecutionId": "q1"}, "workgroup/towline"),
        ("athena", "GetQueryResults", {"QueryExecutionId": "q1", "MaxResults": 1}, "workgroup/towline"),
        ("athena", "GetQueryExecution", {"QueryExecutionId": "another"}, None),
        ("athena", "StartQueryExecution", {"WorkGroup": "towline"}, None),
        ("glue", "GetDatabase", {"Name": "towline"}, "database/towline"),
        ("glue", "GetTables", {"DatabaseName": "towline"}, None),
        ("glue", "DeleteTable", {"DatabaseName": "towline", "Name": "audit"}, "table/towline/audit"),
        ("glue", "CreateTable", {"DatabaseName": "towline", "TableInput": {"Name": "x"}}, "table/towline/x"),
        ("glue", "GetPartitions", {"DatabaseName": "towline", "TableName": "x"}, "table/towline/x"),
        ("sqs", "SendMessage", {"Name": "x"}, None),
    ],
)
def test_queries_are_allowed_by_their_workgroup_and_tables_by_their_name(service, operation, asked, name) -> None:
    found = resource_name(service, f"Service.{operation}", json.dumps(asked).encode(), {"q1": "towline"}.get)
    assert found == name
