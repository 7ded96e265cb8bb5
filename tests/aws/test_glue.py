"""Glue's catalog, over moto: kept in step, and written only where something differs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import boto3
import pytest
from moto import mock_aws

from tests.core.nets import CONTRACT
from towline import catalog, keys
from towline.aws.glue import Glue
from towline.errors import NotFound

TABLES = catalog.tables([CONTRACT], catalog.Place("team-tows", keys.Layout(), date(2026, 3, 1)))
NAMES = [table["Name"] for table in TABLES]


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Glue]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("glue", region_name="us-east-1")
        client.create_database(DatabaseInput={"Name": "towline"})
        yield Glue(client, "towline")


def test_what_is_missing_is_made_and_then_nothing_is_written(glue: Glue) -> None:
    assert glue.keep(TABLES) == (NAMES, [])
    written: list[str] = []
    glue.client.meta.events.register("before-call.glue", lambda model, **_: written.append(model.name))
    assert glue.keep(TABLES) == ([], [])
    assert written == ["GetTables"]
    assert glue.keep([]) == ([], [])


def test_only_what_differs_is_changed_and_what_people_made_stays(glue: Glue) -> None:
    glue.keep(TABLES)
    glue.client.create_table(DatabaseName="towline", TableInput={"Name": "by_hand"})
    elsewhere = {**TABLES[0], "StorageDescriptor": {**TABLES[0]["StorageDescriptor"], "Location": "s3://another/"}}
    parted = {**TABLES[1], "PartitionKeys": [{"Name": "day", "Type": "string"}]}
    for broken in (elsewhere, parted):
        glue.client.update_table(DatabaseName="towline", TableInput=broken)
    assert glue.keep(TABLES) == ([], NAMES[:2])
    assert glue.keep(TABLES) == ([], [])
    assert glue.tables()[NAMES[0]]["StorageDescriptor"]["Location"] == "s3://team-tows/data/nets/"
    assert set(glue.tables()) == {*NAMES, "by_hand"}


def test_a_catalog_that_is_not_there_is_said_to_be_so(glue: Glue) -> None:
    with pytest.raises(NotFound, match="database nowhere"):
        Glue(glue.client, "nowhere").keep(TABLES)
