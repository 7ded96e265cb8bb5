"""The lake's tables in the catalog follow from contracts, from gold's files and from the manifest's entries."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.core.lake_engine import BUCKET, LakeEngine
from tests.core.test_catalog import Noted, columns, named
from tests.core.thermometers import DATASET, THERMOMETERS, bench, csv, land
from tests.pipeline import Pipeline
from towline import catalog, keys
from towline.cataloging import keep_in_step
from towline.errors import NotFound
from towline.ingest.entry import Entry
from towline.pipeline.gold import refresh
from towline.pipeline.load import load
from towline.pipeline.registry import BrokenPipeline, Package
from towline.store import folders
from towline.workbench import Workbench


def packages(dataset: str) -> Package | None:
    return THERMOMETERS if dataset == DATASET else None


def lake() -> Workbench:
    at = bench()
    land(at, 1, csv("a 1 0 1.5"))
    load(at, THERMOMETERS)
    refresh(at, THERMOMETERS, LakeEngine(at.store, THERMOMETERS), BUCKET)
    return at


def kept(at: Workbench, package: Package = THERMOMETERS) -> tuple[dict[str, Any], tuple[str, ...]]:
    noted = Noted()
    without = keep_in_step(at, BUCKET, noted, lambda dataset: packages(dataset) and package).without
    return noted.seen, without


def test_silver_gold_and_the_manifest_are_tables() -> None:
    found, without = kept(lake())
    assert ({*found}, without) == ({"thermometers_readings", "thermometers_warmest_by_day", "manifest"}, ())
    silver, gold = found["thermometers_readings"], found["thermometers_warmest_by_day"]
    assert columns(silver) == {
        "sensor": "string",
        "time": "timestamp",
        "day": "date",
        "temperature": "double",
        "ingest": "string",
    }
    assert columns(gold) == {"day": "date", "temperature": "double", "readings": "bigint"}
    assert gold["Description"] == "the warmest reading of each day"
    for layer, table, described in ((keys.SILVER, "readings", silver), (keys.GOLD, "warmest_by_day", gold)):
        storage = described["StorageDescriptor"]
        assert storage["InputFormat"].endswith(".SymlinkTextInputFormat")
        assert storage["Location"] + "files.txt" == f"s3://{BUCKET}/{keys.symlink(layer, DATASET, table)}"


def test_the_manifest_has_every_field_of_an_entry_and_its_partitions_are_where_lines_lie() -> None:
    manifest = kept(lake())[0]["manifest"]
    assert {*columns(manifest), "dataset"} == {each.name for each in fields(Entry)}
    assert columns(manifest)["reasons"] == "array<string>"
    template = manifest["Parameters"]["storage.location.template"]
    assert template.replace("${dataset}", DATASET) == f"s3://{BUCKET}/{keys.lines(DATASET)}"
    assert manifest["Parameters"]["projection.dataset.values"] == DATASET


def test_what_a_header_says_of_columns_is_their_comment() -> None:
    said = {"warmest_by_day": "-- day: The day.\n" + THERMOMETERS.gold["warmest_by_day"]}
    gold = kept(lake(), replace(THERMOMETERS, gold=said))[0]["thermometers_warmest_by_day"]
    comments = {column["Name"]: column.get("Comment") for column in gold["StorageDescriptor"]["Columns"]}
    assert comments == {"day": "The day.", "temperature": None, "readings": None}


def test_glue_takes_every_table_as_it_is() -> None:
    shape = botocore.session.get_session().get_service_model("glue").operation_model("CreateTable").input_shape
    for table in kept(lake())[0].values():
        report = ParamValidator().validate({"DatabaseName": "towline", "TableInput": table}, shape)
        assert not report.has_errors(), report.generate_report()


def test_a_table_whose_name_a_dataset_has_gives_way() -> None:
    pipeline = Pipeline()
    dataset = pipeline.dataset("thermometers_readings")
    dataset.send(dataset.create("t.csv", b"tow\n1\n", named("thermometers_readings"), "first load"))
    pipeline.pump()
    land(pipeline.bench, 1, csv("a 1 0 1.5"))
    load(pipeline.bench, THERMOMETERS)
    found, without = kept(pipeline.bench)
    assert columns(found["thermometers_readings"]) == {"tow": "bigint"}
    assert without == ("thermometers has no table thermometers_readings: another one has the name",)
    assert catalog.clash("manifest")


@pytest.mark.parametrize("error", [BrokenPipeline("pipeline.py is broken"), NotFound("it is gone")])
def test_a_lake_that_cannot_be_described_keeps_no_other_table_away(error: Exception) -> None:
    def broken(dataset: str) -> Package | None:
        raise error

    noted = Noted()
    without = keep_in_step(lake(), BUCKET, noted, broken).without
    assert ([*noted.seen], without) == (["manifest"], (f"thermometers lacks tables of its lake: {error}",))


def test_each_dataset_of_a_layer_is_found() -> None:
    at = bench()
    for key in ("silver/a/inventory.json", "silver/a/t/x.parquet", "silver/a_b/inventory.json", "silver/stray", "z"):
        at.store.put(key, b"")
    assert [*folders(at.store, keys.SILVER)] == ["a", "a_b"]
