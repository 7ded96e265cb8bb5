"""create: which contract a dataset gets, and what is told of its table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import CONTRACT, CSV, Towline
from towline import resources
from towline.files import write_table
from towline.sample import sample_table


@pytest.fixture
def sample(tmp_path: Path) -> str:
    path = tmp_path / "sample.csv"
    path.write_bytes(write_table(sample_table(), "csv"))
    return str(path)


def test_without_a_contract_one_is_inferred(bucket: Towline) -> None:
    file = bucket.file("tows.csv")
    result = bucket.good("create", "tows", file, "--key", "tow,net", "--note", "first", "--json")
    assert (result.json["status"], result.json["number"]) == ("committed", 1)
    assert (result.json["rows"], result.json["columns"], result.json["contract"]) == (3, 7, "inferred from the table")
    contract = json.loads(bucket.store.get("contracts/tows.json").body)
    types = {field["name"]: field["type"] for field in contract["fields"]}
    assert types["tow"] == "integer"
    assert (types["volume"], types["is_day"], types["at"]) == ("number", "boolean", "string")


def test_the_projects_own_contract_is_used_for_its_own_columns_and_key(bucket: Towline, sample: str) -> None:
    result = bucket.good("create", "net_tows", sample, "--key", "tow,net", "--note", "first")
    assert "datasets/net_tows/contract.json" in result.err
    ours = json.loads(resources.path("datasets", "net_tows", "contract.json").read_text())
    assert json.loads(bucket.store.get("contracts/net_tows.json").body)["fields"] == ours["fields"]


def test_the_projects_own_contract_gives_the_key_too(bucket: Towline, sample: str) -> None:
    bucket.good("create", "net_tows", sample, "--note", "first")
    assert json.loads(bucket.store.get("contracts/net_tows.json").body)["primaryKey"] == ["tow", "net"]


@pytest.mark.parametrize("key", ["net,tow", "tow,net,vessel"])
def test_another_key_makes_another_contract(bucket: Towline, sample: str, key: str) -> None:
    result = bucket.good("create", "net_tows", sample, "--key", key, "--note", "first")
    assert "inferred" in result.err


def test_warnings_are_told_with_their_true_number(bucket: Towline, sample: str) -> None:
    result = bucket.good("create", "net_tows", sample, "--key", "tow,net", "--note", "first")
    told = bucket.good("status", _only_proposal(bucket), "--json").json
    assert told["warnings"] > 0
    assert f"0 errors, {told['warnings']:,} warning" in result.out
    assert "125 rows, 13 columns" in result.out


def test_what_was_recognised_in_the_file_is_told(bucket: Towline) -> None:
    file = bucket.file("tows.csv", CSV.replace('"Méridian, II"', "Méridian").replace(",", ";").encode("latin-1"))
    result = bucket.good("create", "tows", file, "--key", "tow,net", "--note", "first")
    assert "read: " in result.out


def test_a_dry_run_checks_the_file_and_creates_nothing(bucket: Towline) -> None:
    file = bucket.file("tows.csv")
    result = bucket.good("create", "tows", file, "--key", "tow,net", "--note", "first", "--dry-run", "--json")
    assert result.json["counts"]["rows_inserted"] == 3
    assert not list(bucket.store.list(""))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "--key"),
        (["--key", "tow"], 2, "occur more than once"),
        (["--key", "tow,depth"], 2, "depth"),
        (["--key", "tow,vessel", "--contract"], 2, "the contract says tow, net"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused(bucket: Towline, arguments: list[str], code: int, said: str) -> None:
    given = [bucket.file("contract.json", json.dumps(CONTRACT))] if arguments[-1:] == ["--contract"] else []
    result = bucket("create", "tows", bucket.file("tows.csv"), "--note", "first", *arguments, *given)
    assert result.code == code
    assert said in result.err


def test_a_contract_for_something_else_is_refused(bucket: Towline) -> None:
    contract = bucket.file("contract.json", json.dumps(CONTRACT))
    result = bucket("create", "hauls", bucket.file("tows.csv"), "--contract", contract, "--note", "first")
    assert result.code == 2
    assert "'tows', not 'hauls'" in result.err


def test_a_table_that_breaks_its_contract_creates_nothing(bucket: Towline) -> None:
    contract = bucket.file("contract.json", json.dumps(CONTRACT))
    file = bucket.file("tows.csv", CSV.replace("1467.2", "-1"))
    result = bucket("create", "tows", file, "--contract", contract, "--note", "first", "--json")
    assert result.code == 10
    assert result.json["violations"][0]["column"] == "volume"
    assert bucket("show", "tows").code == 13


def test_a_dataset_is_created_once(towline: Towline) -> None:
    result = towline("create", "tows", towline.file("tows.csv"), "--key", "tow,net", "--note", "again", "--json")
    assert result.code == 10
    assert result.json["violations"][0]["rule"] == "dataset.exists"


def test_a_name_that_cannot_be_a_dataset_is_refused(bucket: Towline) -> None:
    assert bucket("create", "Net Tows", bucket.file("tows.csv"), "--key", "tow,net", "--note", "first").code == 2


def test_a_file_that_cannot_be_read_in_one_way_is_refused_before_it_is_sent(bucket: Towline) -> None:
    result = bucket(
        "create", "tows", bucket.file("tows.parquet", b"\x89PNG\r\n\x1a\n"), "--key", "a", "--note", "first"
    )
    assert result.code == 10
    assert "PNG" in result.err
    assert not list(bucket.store.list(""))


def _only_proposal(bucket: Towline) -> str:
    (receipt,) = [entry.key for entry in bucket.store.list("receipts/net_tows/")]
    return receipt.rsplit("/", 1)[1].removesuffix(".json")
