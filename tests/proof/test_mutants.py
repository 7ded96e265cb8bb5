"""Each rule of the protocol is needed: without it, a promise is broken, and the exploration finds how.

That the same cases hold with all rules in place is tested in test_proof.py.
"""

from __future__ import annotations

import pytest

from tests.proof.explorer import prove
from tests.proof.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_protocol_with_a_rule_left_out_breaks_a_promise(mutant: Mutant, report: list[str]) -> None:
    with mutant.at_work():
        proof = prove(mutant.case())
    print(proof)
    assert proof.violation is not None, f"{mutant.name} was not caught: {proof}"
    assert mutant.found in str(proof.violation)
    report.append(f"mutant {mutant.name!r}, caught in {len(proof.trace)} steps: {proof.violation}")
