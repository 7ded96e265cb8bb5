"""Explore by hand.

python -m tests.proof                               every case that CI explores
python -m tests.proof --large                       the larger ones too (minutes, and gigabytes)
python -m tests.proof --case conflicting --faults 2 one case, with more faults in a run
python -m tests.proof --writers PZ QO R --faults 1  writers of your own, each with its batch of proposals (world.py)
python -m tests.proof --mutants                     the protocol broken on purpose, with the shortest trace of each
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from .cases import CASES, LARGE, Case, committers
from .explorer import Proof, prove
from .mutants import MUTANTS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--case", choices=[case.__name__ for case in (*CASES, *LARGE)], help="one case")
    parser.add_argument(
        "--writers", nargs="+", metavar="BATCH", help="batches of the proposals P Q O Z R, one a writer"
    )
    parser.add_argument("--faults", type=int, help="faults in one run, at most")
    parser.add_argument("--rounds", type=int, help="rounds of one call of commit, at most")
    parser.add_argument("--large", action="store_true", help="the larger cases too")
    parser.add_argument("--mutants", action="store_true", help="break the protocol on purpose")
    asked = parser.parse_args()
    if asked.mutants:
        return 0 if _mutants() else 1
    bounds = {name: value for name in ("faults", "rounds") if (value := getattr(asked, name)) is not None}
    proofs = [_shown(case.but(**bounds)) for case in _cases(asked)]
    print(f"{sum(p.states for p in proofs):,} states, {sum(p.schedules for p in proofs):,} schedules")
    return 1 if any(proof.violation for proof in proofs) else 0


def _cases(asked: argparse.Namespace) -> Iterator[Case]:
    if asked.writers:
        yield committers("writers of your own", *asked.writers)
        return
    for case in (*CASES, *LARGE) if asked.large or asked.case else CASES:
        if asked.case in (None, case.__name__):
            yield case()


def _shown(case: Case) -> Proof:
    started = time.monotonic()
    proof = prove(case)
    print(f"{proof}  ({time.monotonic() - started:.0f} s)", flush=True)
    return proof


def _mutants() -> bool:
    caught = True
    for mutant in MUTANTS:
        with mutant.at_work():
            proof = prove(mutant.case())
        print(f"{mutant.name}\n  {proof}\n", flush=True)
        caught = caught and proof.violation is not None
    return caught


if __name__ == "__main__":
    sys.exit(main())
