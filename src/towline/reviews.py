"""Reviews: what stewards say of proposals, as objects `reviews/<dataset>/<proposal>/<principal>.json`.

    {"format": "towline.review/v1", "proposal": "<id>", "decision": "approve" | "reject",
     "effect": "<digest of what was reviewed>", "note": "why"}

Who the reviewer is, the key says: IAM lets a steward write under the own id alone. What the JSON says is a remark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from towline import keys
from towline.errors import NotFound, UsageError
from towline.inbox import user_of
from towline.keys import ReviewKey
from towline.proposals import check_note
from towline.rules.read_review import ReviewPolicy
from towline.sent import read_object
from towline.store import Entry, ObjectStore, TooLarge

FORMAT = "towline.review/v1"
APPROVE, REJECT = DECISIONS = ("approve", "reject")
MAX_BYTES = 64 * 2**10
SHORT = 12  # characters of an effect that people are shown

_FIELDS = {"format", "proposal", "decision", "effect", "note"}
_REMARKS = {"principal", "created", "client"}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Word:
    """One review, and what it counts for. `etag` is that of its object, `at` when that was written; `ignored` says why
    it counts for nothing, and is empty where it counts."""

    principal: str
    decision: str = ""
    effect: str = ""
    note: str = ""
    etag: str = ""
    at: str = ""
    ignored: str = ""

    def to_json(self) -> dict[str, object]:
        return {**vars(self)}

    @property
    def user(self) -> str:
        """The readable name of the reviewer."""
        return user_of(self.principal)


def to_json(proposal: str, decision: str, effect: str, note: str, **remarks: str) -> bytes:
    """The wire form of a review. Raises BadProposal where the note says nothing."""
    content = {"format": FORMAT, "proposal": proposal, "decision": decision, "effect": effect, "note": check_note(note)}
    return json.dumps({**content, **remarks}, ensure_ascii=False).encode()


def known(review: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The reviews that a receipt knows of: principal and ETag, which tell one review from every other."""
    return frozenset((word.principal, word.etag) for word in words(review))


def read(store: ObjectStore, dataset: str, proposal: str, policy: ReviewPolicy, author: str, effect: str) -> list[Word]:
    """All that was said of a proposal of the principal `author`, judged by the policy and by the effect that it has
    now; oldest first."""
    entries = sorted(store.list(keys.reviews(dataset, proposal)), key=lambda entry: (entry.modified, entry.key))
    said = (_word(store, where, entry) for entry in entries if (where := keys.parse_review(entry.key)))
    return [_judged(word, policy, author, effect) for word in said if word is not None]


def _word(store: ObjectStore, where: ReviewKey, entry: Entry) -> Word | None:
    """A review as it was written. None: it was taken away a moment ago."""
    blank = Word(where.principal, etag=entry.etag, at=entry.modified.isoformat(timespec="seconds"))
    try:
        blob = store.get(entry.key, max_bytes=MAX_BYTES)
        return replace(_parse(blob.body, where), etag=blob.stat.etag, at=blank.at)
    except NotFound:
        return None
    except (UsageError, TooLarge) as error:
        return replace(blank, ignored=f"it cannot be read: {error}")


def _parse(body: bytes, where: ReviewKey) -> Word:
    """Read a review strictly. Raises UsageError (BadProposal), which says what is wrong with it."""
    raw = read_object(body, FORMAT, _FIELDS, _REMARKS)
    if raw.get("proposal") != where.proposal:
        raise UsageError(f"it is of proposal {raw.get('proposal')!r}, and lies where reviews of {where.proposal} do")
    if raw.get("principal", where.principal) != where.principal:
        raise UsageError(f"it says that it is by {raw['principal']!r}, and was written by {where.principal}")
    if raw.get("decision") not in DECISIONS:
        raise UsageError(f"decision is {raw.get('decision')!r}; it can be {' or '.join(DECISIONS)}")
    if not isinstance(raw.get("effect"), str) or not _DIGEST.fullmatch(raw["effect"]):
        raise UsageError(f"effect is {raw.get('effect')!r}; it is the digest of what was reviewed, 64 hex digits")
    return Word(where.principal, raw["decision"], raw["effect"], check_note(raw.get("note")))


def _judged(word: Word, policy: ReviewPolicy, author: str, effect: str) -> Word:
    why = word.ignored or barred(policy, word, author)
    if not why and word.effect != effect:
        why = (
            f"it is of the effect {word.effect[:SHORT]}, and the proposal has the effect {effect[:SHORT]} now: the "
            "table changed since"
        )
    return replace(word, ignored=why)


def barred(policy: ReviewPolicy, word: Word, author: str) -> str:
    """Why this reviewer may not speak on a proposal of `author` (principals); empty: they may. A person has another
    principal in each role, and the same name: it is the name that tells whether a proposal is one's own."""
    if policy.stewards is not None and not {word.principal, word.user} & policy.stewards:
        return f"{word.user} is not among the stewards whom the contract names"
    if word.user == user_of(author) and not policy.own:
        return f"{word.user} proposed it, and nobody reviews their own proposal here"
    return ""


def words(review: Mapping[str, Any]) -> list[Word]:
    """What a receipt tells of the reviews."""
    return [Word(**word) for word in review.get("reviews", ())]
