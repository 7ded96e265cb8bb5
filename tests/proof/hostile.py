"""What a store, and the world around it, may do to one call.

    as asked           the answer that S3 gives
    crash              the worker dies before the call. (Its death after a call is its death before the next one)
    unavailable        a read: no answer, a 500, a 503, or an answer that was lost
    500                a write (503, reset, ...) that did not happen, and nobody says so: OutcomeUnknown
    lost answer        a write that happened, and nobody says so: OutcomeUnknown
    retried            a conditional write whose answer was lost, and which the SDK made again: 412
    409                somebody interfered with a write: Contended, and it did not happen
    delayed            a write that is still under way: OutcomeUnknown now; it may happen at any time, or never
    late twin          the SDK's second try was answered, and its first is still under way

All but the first cost one of the run's faults. An event that is delivered twice is a second worker with the same
proposals, who may begin at any time, or never: no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from towline.errors import Contended, OutcomeUnknown, PreconditionFailed, Unavailable

from .calls import Answer, Call, failed
from .shelf import History, Shelf

UNAVAILABLE, UNKNOWN = failed(Unavailable), failed(OutcomeUnknown)
CONTENDED, REFUSED = failed(Contended), failed(PreconditionFailed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`store` after the call; `answer` to the worker, None: it died. `flying`: the call is still under way."""

    name: str
    store: Shelf
    answer: Answer | None
    is_fault: bool = True
    flying: bool = False


class Effects:
    """What calls do to a store. A call to one key is done once for each history of that key (and of the one that it
    copies from): it depends on nothing else, and whole stores have far more states than a key. `watch` is told of each
    write that is done: call, history before, history after."""

    def __init__(self, watch: Callable[[Call, History, History], None]) -> None:
        self._known: dict[object, tuple[Answer, History | None]] = {}
        self._watch = watch

    def of(self, call: Call, store: Shelf) -> tuple[Answer, Shelf]:
        if call.operation == "list":
            return call.run(store), store
        slot = (call, store.history(call.key).mark, store.history(call.arguments[0]).mark)
        if slot not in self._known:
            self._known[slot] = self._do(call, store.fork(), store.history(call.key))
        answer, history = self._known[slot]
        return answer, store if history is None else store.with_history(call.key, history)

    def _do(self, call: Call, store: Shelf, before: History) -> tuple[Answer, History | None]:
        answer = call.run(store)
        after = store.history(call.key)
        if call.is_write:
            self._watch(call, before, after)
        return answer, None if after is before else after

    def outcomes(self, call: Call, store: Shelf, *, faults: bool, flights: bool, twins: bool) -> Iterator[Outcome]:
        """Everything that may come of `call`. `flights`: writes may stay under way, `twins`: and have been answered."""
        answer, after = self.of(call, store)
        yield Outcome("", after, answer, is_fault=False)
        if not faults:
            return
        yield Outcome("crash", store, None)
        if not call.is_write:
            yield Outcome("unavailable", store, UNAVAILABLE)
            return
        yield Outcome("500", store, UNKNOWN)
        yield Outcome("409", store, CONTENDED)
        if flights:
            yield Outcome("delayed", store, UNKNOWN, flying=True)
        if answer.error:
            return
        yield Outcome("lost answer", after, UNKNOWN)
        if call.when is not None:
            yield Outcome("retried", after, REFUSED)
        if flights and twins:
            yield Outcome("late twin", after, answer, flying=True)
