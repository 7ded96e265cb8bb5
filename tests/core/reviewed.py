"""The nets of `tests.core.nets` under a review policy: ana proposes, ben and eve are stewards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.core import nets
from tests.core.nets import CSV, NAME, Nets
from towline import keys, reviewing, reviews, steward
from towline.commit import commit
from towline.contract import Contract
from towline.inbox import Arrival
from towline.receipts import Receipt
from towline.reviews import APPROVE, REJECT
from towline.steward import Case


def contract(**policy: Any) -> Contract:
    """The nets' contract with a review policy."""
    raw = json.loads(nets.CONTRACT.to_json())
    raw["towline"]["review"] = policy
    return Contract.parse(raw)


@dataclass
class Reviewed(Nets):
    """A pipeline with the dataset in it; `always` reviewed where nothing else is said."""

    policy: Any = None

    def __post_init__(self) -> None:
        if self.head() is None:
            asked = contract(**(self.policy or {"policy": "always"}))
            (receipt,) = self.pipeline.send(self.dataset, self.dataset.create("nets.csv", CSV, asked, "first load"))
            assert receipt.status == "committed", receipt

    def by(self, person: str) -> Reviewed:
        return Reviewed(self.pipeline, person, self.policy)

    def proposed(self, draft: Any = None) -> Receipt:
        """A proposal that waits for review."""
        (receipt,) = self.send(draft or self.edit(1, 1, volume=12.5))
        assert receipt.status == "in_review", receipt
        return receipt

    def case(self, receipt: Receipt, person: str = "ben") -> Case:
        return steward.look(self.by(person).dataset, receipt.proposal)

    def say(self, receipt: Receipt, decision: str, person: str = "ben", note: str = "looked at it") -> None:
        """Write a review of what the proposal would do now; nobody is told of it yet."""
        case = self.case(receipt, person)
        steward.say(self.by(person).dataset, case, decision, note, case.effect)

    def approve(self, receipt: Receipt, person: str = "ben") -> Receipt:
        self.say(receipt, APPROVE, person)
        return self.hear(receipt)

    def reject(self, receipt: Receipt, person: str = "ben", note: str = "looked at it") -> Receipt:
        self.say(receipt, REJECT, person, note)
        return self.hear(receipt)

    def forge(self, receipt: Receipt, person: str = "ben", **fields: Any) -> Receipt:
        """Write any object as a review, and deliver it."""
        effect = str(receipt.review["effect"])
        raw = {**json.loads(reviews.to_json(receipt.proposal, APPROVE, effect, "fine")), **fields}
        return self.put(receipt, person, json.dumps(raw).encode())

    def put(self, receipt: Receipt, person: str, body: bytes) -> Receipt:
        self.pipeline.store.put(keys.review(NAME, receipt.proposal, person), body)
        return self.hear(receipt)

    def hear(self, receipt: Receipt) -> Receipt:
        """Deliver the event of every review there is, as the functions would; the proposal's receipt then."""
        bench = self.pipeline.bench
        for entry in list(self.pipeline.store.list(keys.REVIEWS)):
            found = reviewing.receive(bench, Arrival(entry.key, None, entry.etag, entry.size))
            if found is not None:
                commit(bench, NAME, [found])
        return self.now(receipt)

    def now(self, receipt: Receipt) -> Receipt:
        return self.dataset.status(receipt.proposal)
