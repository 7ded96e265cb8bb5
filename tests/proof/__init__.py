"""The proof of the commit protocol by exhaustion (docs/proof.md).

    shelf.py     the store: S3's semantics, cheap to fork, with a mark that tells equal contents
    calls.py     one call to the store as a value, and its answer
    actors.py    real code of src/towline that stands still at each of its calls
    hostile.py   what a store may do to one call
    explorer.py  every interleaving, each distinct state once
    recovery.py  what happens afterwards, without faults
    judge.py     the promises
    world.py     a small dataset with a past, its proposals, and what workers do
    cases.py     who works on what
    mutants.py   the protocol, broken on purpose
    memo.py      pure functions remembered, for speed

`python -m tests.proof --help` runs it by hand.
"""
