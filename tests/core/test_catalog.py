"""The tables of the catalog follow from the contracts, and are ones that Glue takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.core.nets import CONTRACT as NETS
from tests.core.nets import CSV, NAME
from tests.pipeline import Pipeline
from towline import audit, catalog, cost, keys
from towline.catalog import Place
from towline.cataloging import keep_in_step
from towline.contract import Contract
from towline.errors import BadProposal

PLACE = Place("team-tows", keys.Layout(), date(2026, 3, 1))
ODD = Contract.parse(
    {
        "fields": [
            {"name": "Tow No.", "type": "integer", "title": "Tow", "description": "Counted on\nthrough all cruises."},
            {"name": "Größe", "type": "number", "unit": "m^2"},
            {"name": "day", "type": "date"},
            {"name": "sent", "type": "datetime", "towline": {"timezone": "UTC"}},
            {"name": "is_day", "type": "boolean"},
            {"name": "note", "type": "string", "description": "long " * 100},
        ],
        "primaryKey": ["Tow No."],
        "towline": {"version": 1, "dataset": "odd"},
    }
)


def tables(*contracts: Contract, place: Place = PLACE) -> dict[str, Any]:
    return {table["Name"]: table for table in catalog.tables(contracts, place)}


def columns(table: Any) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}


def named(dataset: str, *fields: str) -> Contract:
    described = [{"name": name, "type": "integer"} for name in fields or ("tow",)]
    block = {"version": 1, "dataset": dataset}
    return Contract.parse({"fields": described, "primaryKey": [described[0]["name"]], "towline": block})


def test_each_dataset_has_a_table_and_one_of_its_snapshots_and_all_share_two() -> None:
    found = tables(NETS, ODD)
    assert sorted(found) == sorted(catalog.names(["nets", "odd"]))
    assert set(found) == {"nets", "nets_snapshots", "odd", "odd_snapshots", "changes", "audit"}
    where = {name: table["StorageDescriptor"]["Location"] for name, table in found.items()}
    assert where["nets"] == "s3://team-tows/data/nets/"
    assert where["nets_snapshots"] == "s3://team-tows/snapshots/nets/"
    assert columns(found["nets"]) == columns(found["nets_snapshots"])


def test_without_a_dataset_there_is_no_table() -> None:
    assert tables() == {}


def test_a_column_has_its_type_and_what_the_contract_says_of_it() -> None:
    table = tables(ODD)["odd"]
    assert columns(table) == {
        "tow no.": "bigint",
        "größe": "double",
        "day": "date",
        "sent": "timestamp",
        "is_day": "boolean",
        "note": "string",
    }
    said = {column["Name"]: column["Comment"] for column in table["StorageDescriptor"]["Columns"]}
    assert said["tow no."] == "Tow (key): Counted on through all cruises."
    assert said["größe"] == "Größe [m^2]"
    assert len(said["note"]) == 255


def test_glue_takes_every_table_as_it_is() -> None:
    shape = botocore.session.get_session().get_service_model("glue").operation_model("CreateTable").input_shape
    one_line = re.compile(r"[^\x00-\x08\x0a-\x1f]*")  # Glue's own pattern, but for surrogates
    for table in tables(NETS, ODD).values():
        report = ParamValidator().validate({"DatabaseName": "towline", "TableInput": table}, shape)
        assert not report.has_errors(), report.generate_report()
        for column in table["StorageDescriptor"]["Columns"]:
            assert one_line.fullmatch(column["Name"])
            assert one_line.fullmatch(column.get("Comment", ""))


def test_the_audit_table_has_every_field_of_a_record_and_its_partitions_say_where_records_are() -> None:
    table = tables(NETS, ODD, place=Place("team-tows", keys.Layout(audit="history/log/"), date(2026, 3, 1)))["audit"]
    partitions = [key["Name"] for key in table["PartitionKeys"]]
    assert [*columns(table)][:8] == list(audit.FIELDS[:8])
    assert {*columns(table), *partitions} == {*audit.FIELDS, "query", "date"}
    assert not set(columns(table)) & set(partitions), "Athena refuses a name that is both"
    assert columns(table)["cells_changed"] == "bigint"
    assert table["Parameters"]["projection.dataset.values"] == "nets,odd"
    assert table["Parameters"]["projection.date.range"] == "2026-03-01,NOW"
    assert table["Parameters"]["storage.location.template"] == "s3://team-tows/history/log/${dataset}/${date}/"


@pytest.mark.parametrize("name", ["changes", "audit"])
def test_a_partition_is_where_a_commit_writes(name: str) -> None:
    pipeline = Pipeline()
    dataset = pipeline.dataset(NAME)
    dataset.send(dataset.create("nets.csv", CSV, NETS, "first load"))
    (final,) = pipeline.pump()
    (record,) = (entry.key for entry in pipeline.store.list(f"audit/{NAME}/"))
    written = {"audit": record, "changes": keys.changes(NAME, final.proposal, pipeline.bench.clock())}[name]
    template = tables(NETS)[name]["Parameters"]["storage.location.template"]
    place = template.replace("${dataset}", NAME).replace("${date}", "2026-03-01")
    assert f"s3://team-tows/{written}".rsplit("/", 1)[0] + "/" == place


@pytest.mark.parametrize("name", ["audit", "changes", "manifest", "tows_snapshots", "tows_iceberg", "run_1_base"])
def test_a_dataset_that_would_take_another_tables_name_is_refused_before_and_after_it_is_sent(name: str) -> None:
    pipeline = Pipeline()
    dataset = pipeline.dataset(name)
    with pytest.raises(BadProposal, match="choose another name") as refused:
        dataset.create("tows.csv", b"tow\n1\n", named(name), "first load")
    assert refused.value.rule == "dataset.name"
    draft = pipeline.dataset("tows").create("tows.csv", b"tow\n1\n", named("tows"), "first load")
    dataset.send(replace(draft, body=draft.body.replace(b'"tows"', f'"{name}"'.encode())))
    (receipt,) = pipeline.pump()
    assert receipt.status == "rejected"
    assert [violation["rule"] for violation in receipt.violations] == ["dataset.name"]


def test_a_dataset_of_before_such_names_were_refused_has_no_table_and_takes_nobodys() -> None:
    found = tables(named("audit"), NETS)
    assert set(found) == {"nets", "nets_snapshots", "changes", "audit"}
    assert "user" in columns(found["audit"])
    assert "history of all datasets" in str(catalog.why_not(named("audit")))


def test_columns_that_differ_by_case_only_are_one_to_athena_so_that_there_is_no_table() -> None:
    twice = named("twice", "Tow", "tow")
    assert set(tables(twice)) == {"changes", "audit"}
    assert "Tow and tow" in str(catalog.why_not(twice))


class Noted:
    """A catalog that only remembers."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}

    def keep(self, tables: Sequence[catalog.Table]) -> tuple[list[str], list[str]]:
        self.seen = {table["Name"]: table for table in tables}
        return list(self.seen), []


def test_the_catalog_knows_every_dataset_of_the_bucket_and_the_day_of_the_first_commit() -> None:
    pipeline = Pipeline()
    for name in ("tows", "hauls"):
        dataset = pipeline.dataset(name)
        dataset.send(dataset.create("t.csv", b"tow\n1\n", named(name), "first load"))
        pipeline.pump()
    noted = Noted()
    kept = keep_in_step(pipeline.bench, "team-tows", noted)
    assert set(kept.created) == set(catalog.names(["tows", "hauls"]))
    assert noted.seen["audit"]["Parameters"]["projection.date.range"] == "2026-03-01,NOW"
    assert noted.seen["changes"]["Parameters"]["projection.dataset.values"] == "hauls,tows"


def test_an_empty_bucket_has_an_empty_catalog() -> None:
    assert keep_in_step(Pipeline().bench, "team-tows", Noted()).to_json() == {
        "created": [],
        "updated": [],
        "without": [],
    }


def test_a_query_costs_five_dollars_a_terabyte_and_never_less_than_ten_megabytes() -> None:
    assert cost.usd(2**40) == 5.0
    assert cost.usd(0) == cost.usd(1) == cost.usd(10 * 2**20)
    assert cost.usd(10 * 2**20 + 1) > cost.usd(10 * 2**20)
    assert (cost.said(cost.usd(0)), cost.said(12.345)) == ("0.000048 USD", "12.35 USD")
