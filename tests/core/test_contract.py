"""Reading a contract: what it says is kept and typed, and what is wrong with one is said with the place."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import ROOT
from towline.contract import Contract, Retention, ReviewPolicy
from towline.errors import ContractError, UsageError
from towline.infer import infer

NET_TOWS = ROOT / "datasets" / "net_tows" / "contract.json"


def document(*fields: dict[str, Any], key: object = "id", **block: object) -> dict[str, Any]:
    """A contract with an integer key `id` and these fields; `block` goes into its towline block."""
    return {
        "fields": [{"name": "id", "type": "integer"}, *fields],
        "primaryKey": key,
        "towline": {"version": 1, "dataset": "things", **block},
    }


def field(type: str = "number", name: str = "x", **members: object) -> dict[str, Any]:
    return {"name": name, "type": type, **members}


def test_the_first_dataset_has_the_teams_columns_types_and_key() -> None:
    contract = Contract.parse(NET_TOWS.read_bytes())
    assert contract.dataset == "net_tows"
    assert contract.key == ("tow", "net")
    assert [(name, str(type)) for name, type in zip(contract.names, contract.schema.types, strict=True)] == [
        ("vessel", "string"),
        ("cruise", "string"),
        ("tow", "int64"),
        ("net", "int64"),
        ("lat_decimal", "double"),
        ("long_decimal", "double"),
        ("min_depth", "double"),
        ("max_depth", "double"),
        ("volume_filtered", "double"),
        ("time_start_gmt", "string"),
        ("time_start_local", "string"),
        ("is_day", "bool"),
        ("net_size", "double"),
    ]
    assert contract.field("volume_filtered").unit == "m^3"
    assert all(field.title and field.description for field in contract.fields)
    assert all(field.unit for field in contract.fields if field.type == "number")


def test_only_the_key_is_not_nullable() -> None:
    schema = Contract.parse(NET_TOWS.read_bytes()).schema
    assert [field.name for field in schema if not field.nullable] == ["tow", "net"]


def test_every_type_has_its_arrow_type() -> None:
    contract = Contract.parse(
        document(
            field("string", "s"),
            field("number", "n"),
            field("boolean", "b"),
            field("date", "d"),
            field("datetime", "t"),
            field("datetime", "u", towline={"timezone": "UTC"}),
        )
    )
    assert contract.schema.types == [
        pa.int64(),
        pa.string(),
        pa.float64(),
        pa.bool_(),
        pa.date32(),
        pa.timestamp("us"),
        pa.timestamp("us", "UTC"),
    ]


def test_a_contract_survives_its_canonical_json() -> None:
    contract = Contract.parse(NET_TOWS.read_bytes())
    assert Contract.parse(contract.to_json()) == contract
    assert Contract.parse(json.loads(contract.to_json())).digest == contract.digest


def test_the_digest_does_not_depend_on_order_or_layout_and_does_on_content() -> None:
    raw = document(field())
    turned = json.dumps(dict(reversed(raw.items())), indent=7)
    assert Contract.parse(turned).digest == Contract.parse(raw).digest
    assert Contract.parse(document(field(title="X"))).digest != Contract.parse(raw).digest


def test_members_of_table_schema_that_towline_does_not_read_are_kept() -> None:
    raw = document(field(example=4, rdfType="http://schema.org/Thing"))
    raw["foreignKeys"] = [{"fields": "x", "reference": {"resource": "", "fields": "id"}}]
    kept = json.loads(Contract.parse(raw).to_json())
    assert kept == raw


def test_what_is_not_said_has_the_defaults_of_the_documentation() -> None:
    contract = Contract.parse(document())
    assert contract.merge_mode == "cell"
    assert contract.missing_values == ("",)
    assert contract.checks == ()
    assert contract.review == ReviewPolicy("none", approvals=1)
    assert contract.retention == Retention(snapshots=None)
    assert dict(contract.tolerances) == {}


def test_the_towline_block_is_read() -> None:
    contract = Contract.parse(
        document(
            field(),
            merge="fill",
            units={"x": "m"},
            review={"required": True, "approvals": 2},
            retention={"snapshots": 15},
            tolerances={"rows_deleted": 0.25},
            nonfinite="warn",
        )
    )
    assert contract.merge_mode == "fill"
    assert contract.field("x").unit == "m"
    assert contract.review == ReviewPolicy("always", approvals=2)
    assert contract.retention == Retention(snapshots=15)
    assert contract.tolerances["rows_deleted"] == 0.25
    assert (contract.field("x").nonfinite, contract.field("id").nonfinite) == ("warn", "error")


def test_keys_become_tuples_and_dicts_in_the_keys_order() -> None:
    contract = Contract.parse(document(field("string", "place"), key=["place", "id"]))
    key = contract.key_of({"id": 4, "place": "north"})
    assert key == ("north", 4)
    assert contract.key_dict(key) == {"place": "north", "id": 4}


def test_an_unknown_column_is_answered_with_the_columns_there_are() -> None:
    with pytest.raises(UsageError, match=r"no column 'y'; its columns are id"):
        Contract.parse(document()).field("y")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not valid JSON"),
        (b"\xff", "not valid UTF-8"),
        (b"[]", "is not a JSON object"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"a": 1, "a": 2}', "'a' is given twice"),
        (b'{"a": "\\ud800"}', "not valid UTF-8"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": "' + b"x" * 1_000_000 + b'"}', "at most 1,000,000 are allowed"),
        ({"a": object()}, "cannot be written as JSON"),
        ({"a": float("nan")}, "cannot be written as JSON"),
        ({}, "$: the contract has no towline; add it"),
        ({"towline": {"version": 2}}, "$.towline.version: 2 is not a version"),
        ({"towline": {"version": True}}, "$.towline.version: True is not a version"),
        ({"towline": {"version": 1, "check": []}}, "$.towline: 'check' means nothing here; use checks"),
        ({"towline": {"version": 1, "dataset": "Net Tows"}}, "$.towline.dataset: 'Net Tows' cannot name a dataset"),
        (document(key=[]), "$.primaryKey: [] is not a key"),
        (document(key=["id", "id"]), "is not a key"),
        (document(key="nr"), "$.primaryKey: 'nr' is not a column"),
        (document(merge="cel"), "$.towline.merge: 'cel' is not one of cell, row, table, fill"),
        (document(nonfinite="ok"), "$.towline.nonfinite: 'ok' is not one of error, warn, allow"),
        (document(units={"y": "m"}), "$.towline.units.y: there is no column 'y'"),
        (document(review={"required": "yes"}), "$.towline.review.required: 'yes' is not a flag"),
        (document(review={"approvals": 0}), "$.towline.review.approvals: 0 is not a count"),
        (document(retention={"days": 4}), "$.towline.retention: 'days' means nothing here; use snapshots"),
        (document(tolerances={"rows_deleted": 2}), "$.towline.tolerances.rows_deleted: 2 is not a share"),
        (document(field("integr")), "$.fields[1].type: 'integr' is not one of string, integer"),
        (document({"name": "x"}), "$.fields[1]: this field has no type"),
        (document({"type": "string"}), "$.fields[1]: this field has no name"),
        (document(field(name=" x")), "$.fields[1].name: ' x' cannot be a name"),
        (document(field(name="x\ny")), "cannot be a name"),
        (document(field(name="id")), "$.fields[1].name: 'id' is taken by another field"),
        (document(field(unit="m"), units={"x": "km"}), "$.towline.units.x: 'km' differs from the field's own unit 'm'"),
        (document(field(decimalChar=",")), "$.fields[1].decimalChar: ',' asks for another spelling"),
        (document(field("string", format="email")), "$.fields[1].format: 'email' is not checked"),
        (document(field("date", format="%d.%m")), "$.fields[1].format: '%d.%m' cannot be read: it lacks %Y"),
        (document(field("date", format="%Y-%m-%d %H")), "a date has no %H"),
        (document(field("datetime", format="%Y%m%d%H%q")), "it has %q"),
        (document(field("datetime", format="%Y%m%d%H%z")), 'say "timezone": "UTC"'),
        (document(field(towline={"multiline": True})), "applies to columns of type string; x is of type number"),
        (document(field(towline={"multi": True})), "$.fields[1].towline: 'multi' means nothing here"),
        (document(field("datetime", towline={"timezone": "CET"})), "'CET' is not one of UTC"),
        (document(field("number", "k", towline={"nonfinite": "allow"}), key="k"), "NaN names no row"),
        (document(field(constraints={"minimun": 1})), "$.fields[1].constraints: 'minimun' means nothing here"),
        (document(field(constraints={"minimum": "1"})), "$.fields[1].constraints.minimum: '1' does not fit"),
        (document(field(constraints={"minimum": {"$float": "nan"}})), "cannot be compared with"),
        (document(field(constraints={"minimum": 2, "maximum": 1})), "minimum 2.0 is above maximum 1.0"),
        (document(field("string", constraints={"minimum": 1})), "applies to columns of type integer or number"),
        (document(field("string", constraints={"minLength": 3, "maxLength": 2})), "no value fits both"),
        (document(field(constraints={"pattern": "a"})), "applies to columns of type string"),
        (document(field("string", constraints={"pattern": "(?=a)"})), "is not a pattern that RE2 can match"),
        (document(field("string", constraints={"pattern": "a)|(b"})), "is not a pattern that RE2 can match"),
        (document(field("string", constraints={"pattern": "a" * 1001})), "more than 1,000 characters"),
        (document(field(constraints={"enum": []})), "allows no value at all"),
        (document(field(constraints={"enum": [1, None]})), "$.fields[1].constraints.enum[1]: None cannot be compared"),
        (
            document(field("datetime", constraints={"minimum": "2024-01-01T00:00:00Z"})),
            "must not carry a time zone",
        ),
        (
            document(field(constraints={"minimum": 1}), severities={"x": {"constraint.maximum": "warn"}}),
            "$.towline.severities.x: 'constraint.maximum' means nothing here; use constraint.minimum",
        ),
        (document(field(), severities={"x": {"type.number": "warn"}}), "'type.number' means nothing here"),
        (
            document(field("string", constraints={"pattern": "a"}), severities={"x": {"constraint.pattern": "off"}}),
            "$.towline.severities.x.constraint.pattern: 'off' is not one of error, warn",
        ),
        (document(checks={}), "$.towline.checks: {} is not a list"),
        (document(checks=[{"name": "c"}]), "$.towline.checks[0]: this check has no 'check'"),
        (document(checks=[{"check": "sql"}]), "'sql' is not one of compare, range, offset, datetime_text"),
        (document(checks=[{"check": "range", "column": "id", "minimun": 1}]), "'minimun' means nothing here"),
        (document(checks=[{"check": "range", "column": "y", "minimum": 1}]), "'y' is not a column"),
        (document(checks=[{"check": "range", "column": "id"}]), "this check has no bounds"),
        (document(checks=[{"check": "range", "column": "id", "minimum": 2, "maximum": 1}]), "leaves nothing"),
        (
            document(field("string"), checks=[{"check": "range", "column": "x", "minimum": 1}]),
            "'x' is of type string; this check needs integer or number",
        ),
        (
            document(field("string"), checks=[{"check": "compare", "left": "id", "op": "<", "right": "x"}]),
            "$.towline.checks[0].right: 'x' cannot be compared with id: string is not int64",
        ),
        (
            document(field(), checks=[{"check": "compare", "left": "id", "op": "=>", "right": "x"}]),
            "'=>' is not one of <, <=, ==, !=, >=, >",
        ),
        (
            document(field(), checks=[{"check": "compare", "left": "id", "op": "<", "right": "x", "tolerance": -1}]),
            "-1 is negative",
        ),
        (
            document(field("string"), checks=[{"check": "datetime_text", "column": "x", "format": "%Y"}]),
            "$.towline.checks[0].format: '%Y' cannot be read: it lacks %m, %d, %H",
        ),
        (
            document(
                field("string"), checks=[{"check": "offset", "left": "x", "right": "x", "unit": "hours", "maximum": 1}]
            ),
            "'x' is text; declare how it writes its times with a datetime_text check",
        ),
        (
            document(field("datetime"), checks=[{"check": "offset", "left": "x", "right": "x", "unit": "hours"}]),
            "add minimum, maximum or multiple",
        ),
        (document(checks=[{"name": "A b", "check": "range", "column": "id", "minimum": 1}]), "cannot name a check"),
        (
            document(checks=[{"check": "range", "column": "id", "minimum": 1}] * 2),
            "$.towline.checks[1].name: 'range_id' is taken",
        ),
        ({**document(), "missingValues": [1]}, "$.missingValues[0]: 1 is not text"),
        ({**document(), "fields": []}, "$.fields: [] has no fields"),
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused_with_the_place_and_the_way_out(raw: Any, message: str) -> None:
    with pytest.raises(ContractError, match=re.escape(message)):
        Contract.parse(raw)


def test_an_inferred_contract_says_what_the_table_is() -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int8()),
            "depth": pa.array([1.5, None], pa.float32()),
            "gear": pa.array(["ring", "ring"]).dictionary_encode(),
            "nothing": pa.nulls(2),
            "at": pa.array([0, 1], pa.timestamp("ms", "Europe/Paris")),
            "day": pa.array([0, 1], pa.date32()),
            "ok": [True, None],
            "notes": ["one\ntwo", None],
            "odd": [float("nan"), 1.0],
        }
    )
    contract = infer(table, "things", ["id"])
    assert [field.type for field in contract.fields] == (
        ["integer", "number", "string", "string", "datetime", "date", "boolean", "string", "number"]
    )
    assert contract.field("at").utc
    assert contract.field("notes").multiline
    conformed, report = contract.conform(table)
    assert report.ok
    assert contract.check(conformed).ok
    assert contract.check(conformed).warnings == 1, "the NaN that is there already is a warning, not an error"


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        (pa.table({"a": [1, 1]}), ["a"], "the key a=1 occurs 2 times"),
        (pa.table({"a": [1, None]}), ["a"], "a is empty; it is part of the row's key"),
        (pa.table({"a": [1]}), ["b"], "'b' is not a column"),
        (pa.table({"a": [1], "b": [[1]]}), ["a"], "column 'b' is of type list<"),
        (pa.table({"a": pa.array([2**63], pa.uint64())}), ["a"], "the table does not fit its own types"),
    ],
)
def test_a_table_that_no_contract_fits_is_refused(table: pa.Table, key: list[str], message: str) -> None:
    with pytest.raises(ContractError, match=re.escape(message)):
        infer(table, "things", key)
