"""Review policies: how a contract says them, why a change has to wait, and what a review is bound to."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.core.reviewed import contract
from towline import policy
from towline.change import RowChange
from towline.diff import Diff
from towline.errors import ContractError
from towline.rules.read_review import Conditions, ReviewPolicy

KEY = ("tow", "net")
ROW = {"tow": 1, "net": 0, "volume": 10.5, "vessel": "Meridian", "is_day": True}
OTHER = {**ROW, "net": 1}
ANA = frozenset(("ana", "AROAEXAMPLE:ana"))


def update(row: dict[str, Any] = ROW, **cells: Any) -> RowChange:
    return RowChange(row, {**row, **cells})


def reasons(when: dict[str, Any], *changes: RowChange, cells: int = 100) -> tuple[str, ...]:
    return policy.reasons(contract(policy="when", when=when).review, ANA, Diff(KEY, changes), cells)


def test_without_a_word_nothing_is_reviewed() -> None:
    assert contract().review == ReviewPolicy()
    assert policy.reasons(ReviewPolicy(), ANA, Diff(KEY, (RowChange(ROW, None),)), 5) == ()


def test_the_older_word_is_still_read() -> None:
    assert contract(required=True, approvals=2).review == ReviewPolicy("always", approvals=2)
    assert contract(required=False).review == ReviewPolicy()


def test_a_policy_is_read_whole() -> None:
    when = {"rows_deleted": 3, "cells_changed": 0.1, "columns": ["volume"], "authors": ["ana"]}
    found = contract(when=when, approvals=2, stewards=["ben", "eve"], own=True).review
    conditions = Conditions(3, 0.1, frozenset({"volume"}), frozenset({"ana"}))
    assert found == ReviewPolicy("when", conditions, 2, frozenset({"ben", "eve"}), own=True)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"policy": "sometimes"}, r"review.policy: 'sometimes' is not one of none, always, when"),
        ({"policy": "when"}, r'review: "when" names the conditions'),
        ({"policy": "always", "when": {"rows_deleted": 1}}, r'review: "when" names the conditions'),
        ({"required": True, "policy": "none"}, r'"required" is the older word'),
        ({"required": "yes"}, r"review.required: 'yes' is not a flag"),
        ({"when": {}}, r"review.when: .* holds no condition; name one of rows_deleted"),
        ({"when": {"rows": 1}}, r"review.when: 'rows' means nothing here; use authors"),
        ({"when": {"rows_deleted": -1}}, r"rows_deleted: -1 is not a count"),
        ({"when": {"rows_deleted": True}}, r"rows_deleted: True is not a count"),
        ({"when": {"cells_changed": 1.5}}, r"cells_changed: 1.5 is not a share of the table; write a number from 0"),
        ({"when": {"cells_changed": "5%"}}, r"cells_changed: '5%' is not a number"),
        ({"when": {"columns": ["depth"]}}, r"columns\[0\]: 'depth' is not a column; name one of the fields"),
        ({"when": {"columns": "volume"}}, r"columns: 'volume' is not a list"),
        ({"when": {"authors": []}}, r"authors: .* names nobody and nothing"),
        ({"when": {"authors": [7]}}, r"authors\[0\]: 7 is not text"),
        ({"policy": "always", "approvals": 0}, r"approvals: 0 is not a count; write a whole number, 1 or more"),
        ({"policy": "always", "approvals": 2, "stewards": ["ben"]}, r"2 approvals are asked for, of 1 stewards"),
        ({"policy": "always", "own": "no"}, r"own: 'no' is not a flag"),
        ({"policy": "always", "reviewers": ["ben"]}, r"'reviewers' means nothing here; use approvals, own"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_its_place_and_the_way_out(
    asked: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ContractError, match=complaint):
        contract(**asked)


def test_more_rows_deleted_than_may_be() -> None:
    gone = [RowChange(ROW, None), RowChange(OTHER, None)]
    assert reasons({"rows_deleted": 2}, *gone) == ()
    assert reasons({"rows_deleted": 1}, *gone) == ("2 rows are deleted; more than 1 are reviewed",)
    assert reasons({"rows_deleted": 0}, gone[0]) == ("1 row is deleted; more than 0 are reviewed",)


def test_a_larger_share_of_the_cells_than_may_be() -> None:
    change = update(volume=1.0, vessel="Aurora")
    assert reasons({"cells_changed": 0.02}, change) == ()
    assert reasons({"cells_changed": 0.019}, change) == ("2.00% of the cells changed; more than 1.90% are reviewed",)
    assert reasons({"cells_changed": 0.5}, change, cells=0) == (
        "100.00% of the cells changed; more than 50.00% are reviewed",
    )


def test_a_column_of_the_list() -> None:
    assert reasons({"columns": ["volume", "is_day"]}, update(vessel="Aurora")) == ()
    assert reasons({"columns": ["volume", "is_day"]}, update(volume=None)) == (
        "volume changed; changes of it are reviewed",
    )
    inserted = RowChange(None, {**ROW, "volume": None})
    assert reasons({"columns": ["volume"]}, inserted) == ()
    assert reasons({"columns": ["vessel"]}, inserted)
    assert reasons({"columns": ["vessel"]}, RowChange(ROW, None))


def test_an_author_who_is_trusted_by_name_or_by_principal() -> None:
    assert reasons({"authors": ["ana"]}, update(volume=1.0)) == ()
    assert reasons({"authors": ["AROAEXAMPLE:ana"]}, update(volume=1.0)) == ()
    assert reasons({"authors": ["ben"]}, update(volume=1.0)) == (
        "the author is not among those whose changes need no review",
    )


def test_every_condition_that_holds_is_told() -> None:
    assert len(reasons({"rows_deleted": 0, "columns": ["volume"], "authors": ["ben"]}, RowChange(ROW, None))) == 3


def effect(*changes: RowChange) -> str:
    return policy.effect(Diff(KEY, changes))


def test_an_effect_does_not_depend_on_the_order_of_rows_or_on_untouched_cells() -> None:
    one, other = update(volume=1.0), update(OTHER, vessel="Aurora")
    assert effect(one, other) == effect(other, one)
    elsewhere = {**ROW, "vessel": "Aurora"}
    assert effect(update(elsewhere, volume=1.0)) == effect(update(volume=1.0))


@pytest.mark.parametrize(
    "change",
    [
        update(volume=2.0),
        update({**ROW, "volume": 11.0}, volume=1.0),
        update(volume=None),
        update(volume=math.nan),
        update(volume=1.0, vessel="Aurora"),
        update(OTHER, volume=1.0),
        RowChange(None, {**ROW, "volume": 1.0}),
        RowChange(ROW, None),
        RowChange({**ROW, "vessel": "Aurora"}, None),
    ],
)
def test_whatever_a_reviewer_could_see_is_another_effect(change: RowChange) -> None:
    known = {effect(update(volume=1.0)), effect()}
    assert effect(change) not in known
    assert effect(change) == effect(change)
