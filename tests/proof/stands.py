"""Where workers stand: places in their scripts, numbered, so that a state of the world holds small integers."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from towline.errors import Contended, LostRace, Refused, TowlineError, Unavailable
from towline.receipts import Receipt

from .actors import Actor, Ended, Message, Pause
from .calls import Answer, Call
from .cases import Case
from .judge import Violation
from .shelf import Shelf, status_of

ENDED = -1  # dead or through: where a worker stands of which nothing more will come
LIVE = 2_000  # workers kept as they stand; others are got back by answering again

# What may end a worker: its proposals are delivered again.
FAULTS = (LostRace, Unavailable, Contended, Refused)


@dataclass
class _Stand:
    worker: int
    before: int  # the stand that this one was reached from, by `answer`
    answer: Answer | None
    message: Call | Ended
    following: dict[object, int] = field(default_factory=dict)  # by what can be told of an answer
    told: dict[Answer, int] = field(default_factory=dict)  # by the answer itself
    checked: set[object] = field(default_factory=set)


class Stands:
    """The stands of a case's workers. `after` runs real code only where no worker stood before."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._stands: list[_Stand] = []
        self._rounds: dict[object, int] = {}
        self._live: OrderedDict[int, Actor] = OrderedDict()
        self.replays = 0

    def begin(self) -> tuple[int, ...]:
        return tuple(self._begin(worker) for worker in range(len(self._case.workers)))

    def call(self, stand: int) -> Call:
        message = self._stands[stand].message
        assert isinstance(message, Call)
        return message

    def after(self, stand: int, answer: Answer, store: Shelf) -> int:
        """Where a worker stands once it is told `answer`; the store as it is then, for what it says in the end."""
        here = self._stands[stand]
        following = here.told.get(answer)
        if following is None:
            following = here.told[answer] = self._following(stand, answer)
        message = self._stands[following].message
        if isinstance(message, Ended):
            _check_end(message, store)
            return ENDED
        return following

    def _following(self, stand: int, answer: Answer) -> int:
        here = self._stands[stand]
        call = here.message
        assert isinstance(call, Call)
        slot = _slot(call, answer)
        following = here.following.get(slot)
        if following is None:
            following = here.following[slot] = self._run(stand, answer)
            here.checked.add(answer.seen)
        if call.is_once and answer.seen not in here.checked:
            here.checked.add(answer.seen)
            self._same(stand, answer, following)
        return following

    def _begin(self, worker: int) -> int:
        actor = self._actor(worker)
        return self._add(_Stand(worker, -1, None, _only(actor.start())), actor)

    def _run(self, stand: int, answer: Answer) -> int:
        here = self._stands[stand]
        actor = self._live.pop(stand, None) or self._replay(stand)
        message = actor.send(answer)
        if not isinstance(message, Pause):
            return self._add(_Stand(here.worker, stand, answer, message), actor)
        known = (here.worker, message.knows)
        if known not in self._rounds:
            self._rounds[known] = self._add(_Stand(here.worker, stand, answer, _only(actor.send(None))), actor)
        return self._rounds[known]

    def _same(self, stand: int, answer: Answer, following: int) -> None:
        """Answers that are taken for one (`_slot`) must lead to the same next call."""
        message = self._replay(stand).send(answer)
        expected = self._stands[following].message
        if isinstance(message, Call) and isinstance(expected, Call):
            assert message.mark == expected.mark, f"{message} after {answer}, else {expected}"
        else:
            assert type(message) is type(expected) or isinstance(message, Pause), (message, expected)

    def _add(self, stand: _Stand, actor: Actor) -> int:
        self._stands.append(stand)
        number = len(self._stands) - 1
        if isinstance(stand.message, Call):
            self._live[number] = actor
            if len(self._live) > LIVE:
                self._live.popitem(last=False)
        return number

    def _replay(self, number: int) -> Actor:
        """A worker that stands where one stood before."""
        self.replays += 1
        answers: list[Answer] = []
        stand = self._stands[number]
        while stand.answer is not None:
            answers.append(stand.answer)
            stand = self._stands[stand.before]
        actor = self._actor(stand.worker)
        message: Message = actor.start()
        for answer in reversed(answers):
            message = actor.send(answer)
            if isinstance(message, Pause):
                message = actor.send(None)
        expected = self._stands[number].message
        assert isinstance(message, Call), message
        assert isinstance(expected, Call)
        assert message.mark == expected.mark, f"a worker is not deterministic: {message}, before {expected}"
        return actor

    def _actor(self, worker: int) -> Actor:
        return Actor(worker + 1, self._case.workers[worker].script)


def _slot(call: Call, answer: Answer) -> object:
    """What answers are told apart by. Of a write that is made once, `there already` is as good as `written`."""
    if call.is_once and (answer.error is None or answer.error.__name__ == "PreconditionFailed"):
        return "there"
    if call.operation == "list" and call.key.startswith("intents/"):
        return "none of age"
    return answer.seen


def _only(message: Message) -> Call | Ended:
    assert not isinstance(message, Pause)
    return message


def _check_end(end: Ended, store: Shelf) -> None:
    """A worker may end in a fault, and what it returns must hold."""
    if end.error is not None and not isinstance(end.error, FAULTS):
        if not isinstance(end.error, TowlineError):
            raise end.error  # a fault of the program, which no promise is about
        raise Violation("no worker finds stored data that contradicts itself", f"{end.error.kind}: {end.error}")
    for receipt in end.results:
        _check_result(receipt, store)


def _check_result(receipt: Receipt, store: Shelf) -> None:
    stored = status_of(store.body(receipt.key))
    if not receipt.final or stored != receipt.status:
        raise Violation(
            "what a call returns is final", f"{receipt.proposal} was returned as {receipt.status}, and is {stored}"
        )
