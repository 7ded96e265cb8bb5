"""The SQL edits of one person, as the page looks at them."""

from __future__ import annotations

from app.past.post import Post
from towline import keys, runs
from towline.dataset import Dataset
from towline.errors import NotFound, UsageError
from towline.mine import Letter
from towline.preview import Preview
from towline.receipts import Receipt

LISTED = 20  # runs, newest first
_EDIT = ".sql.json"
Outcome = tuple[Letter, Receipt]


def receipt(dataset: Dataset, run: str) -> Receipt:
    """The receipt as it stands; `received` while nobody has looked at it. NotFound: this person sent no such run."""
    try:
        return dataset.status(run)
    except NotFound:
        dataset.bench.store.head(keys.inbox(dataset.name, dataset.principal, f"{run}{_EDIT}"))
        return Receipt(run, dataset.name, "received", dataset.principal, kind="sql")


def preview(dataset: Dataset, run: str) -> Preview | None:
    """What a run would do; None where it did not get that far."""
    try:
        return runs.look(dataset, run)
    except UsageError:
        return None


def newest(dataset: Dataset, post: Post) -> list[Outcome]:
    """The newest runs of this person, with what became of each."""
    name, principal = dataset.name, dataset.principal
    entries = [e for e in dataset.bench.store.list(keys.inbox(name, principal, "")) if e.key.endswith(_EDIT)]
    entries = sorted(entries, key=lambda entry: (entry.modified, entry.key), reverse=True)[:LISTED]
    ids = (keys.InboxKey(name, principal, entry.key.rsplit("/", 1)[1]).proposal for entry in entries)
    letters = [Letter(name, run, e.key, e.etag, e.modified) for run, e in zip(ids, entries, strict=True)]
    return post.outcomes(letters)
