"""The intents as one more witness: each holds what its commit's records were going to say. Writers keep them, and only
who may read them (researchers may not) has their word."""

from __future__ import annotations

from towline import intent, keys
from towline.errors import Corrupt, Refused
from towline.verify.commits import Landed
from towline.verify.finding import Finding
from towline.verify.stored import Stored
from towline.workbench import Workbench


def check(bench: Workbench, stored: Stored, landed: Landed) -> list[Finding]:
    """Whether a commit's records, where they are a whole chain, are those that its intent foretold. It is the only one
    that still tells where a record and its receipt were rewritten before the next commit built on them."""
    if not (landed.whole and landed.finished and landed.commit in stored.intents and stored.may_read_intents):
        return []
    key = keys.intent(stored.dataset, landed.commit)
    try:
        meant = intent.load(bench.store, stored.dataset, landed.commit)
        foretold = meant.records(landed.mark.version) if meant else None
    except Refused:
        stored.may_read_intents = False
        return []
    except (ValueError, KeyError, TypeError, AttributeError, Corrupt) as error:
        return [landed.finding("intent.contradicts", f"this is no intent: {error}", key)]
    if foretold is None or foretold == [held.record for held in landed.records]:
        return []
    wrong = [held["proposal"] for held in landed.records if held.record not in foretold]
    said = f"it foretold other records than there are{f' of {wrong[0]}' if wrong else ''}"
    return [landed.finding("intent.contradicts", said, key)]
