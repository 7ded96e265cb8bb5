"""Every key in the bucket, built and taken apart here and nowhere else.

    data/<dataset>/master.parquet                                       the master
    contracts/<dataset>.json                                            the contract
    inbox/<dataset>/<principal>/<name>                                  proposals, and files that belong to them
    receipts/<dataset>/<proposal>.json                                  outcomes
    reviews/<dataset>/<proposal>/<principal>.json                       what stewards say of proposals
    intents/<dataset>/<commit>.json                                     what a commit is about to do
    snapshots/<dataset>/master_<YYYYMMDDTHHMMSS>_<commit>.parquet       immutable copies
    audit/<dataset>/<YYYY-MM-DD>/<user>_<YYYYMMDDTHHMMSS>_<proposal>.jsonl
    changes/dataset=<dataset>/date=<YYYY-MM-DD>/<proposal>.parquet      row and cell changes
    blame/<dataset>/<first>-<last>.parquet                              blocks: the cells of these commits, by row
    quarantine/<dataset>/<YYYY-MM-DD>/<id>/...                          refused input, whole, and report.json
    archive/<dataset>/<YYYYMMDD>/snapshot_<YYYYMMDDTHHMMSS>_<commit>.parquet            what `prune` moved away
    archive/<dataset>/<YYYYMMDD>/audit_<user>_<YYYYMMDDTHHMMSS>_<proposal>.jsonl
    sql/<dataset>/<run>/{base,next,results}/...                         the working area of one SQL edit
    sql/<dataset>/next/<principal>/<name>/...                           where a CTAS run by hand puts its parts
    sql/_results/<query>.csv                                            what queries found, for some days
    meta/reconcile.json                                                 what the last run of Reconcile found

Commit ids are ULIDs: they carry the millisecond at which the commit was made, so a snapshot's key follows
from the commit id alone and ids sort by time. An archived object's key follows from the one that it had before, and
the other way round.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from ulid import ULID

from towline.errors import UsageError

INBOX, RECEIPTS, DATA, CONTRACTS = "inbox/", "receipts/", "data/", "contracts/"
INTENTS, CHANGES, QUARANTINE, REVIEWS = "intents/", "changes/", "quarantine/", "reviews/"
BLAME, ARCHIVE, SQL = "blame/", "archive/", "sql/"
LAST_RUN = "meta/reconcile.json"
# No dataset has such a name. The template's workgroups put results there, and its lifecycle rule lets them expire.
QUERY_RESULTS, EDIT_RESULTS = f"{SQL}_results/", f"{SQL}_edits/"

# A dataset is also a table in Glue and a directory name, hence lower case, digits and underscores.
_DATASET = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PROPOSAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_COMMIT = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_SNAPSHOT = re.compile(rf"master_\d{{8}}T\d{{6}}_({_COMMIT.pattern})\.parquet$")
_BLOCK = re.compile(r"(\d{10})-(\d{10})\.parquet")
# What a researcher puts beside an SQL edit has its id, too: .sql.json the statement, the others a word on its preview.
_RUN_ENDINGS = (".sql.json", ".promote.json", ".discard.json")
_BY_HAND = "next"
_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]+")


@dataclass(frozen=True)
class InboxKey:
    """An inbox key taken apart. `name` is the last segment, as a person or a program chose it."""

    dataset: str
    principal: str
    name: str

    @property
    def proposal(self) -> str:
        """The proposal's id: the name without its ending, or, where that cannot be an id, a stable
        stand-in made of what is left of it and a digest of the whole key."""
        stem = _stem(self.name)
        if _PROPOSAL.fullmatch(stem):
            return stem
        digest = sha256(f"{self.dataset}/{self.principal}/{self.name}".encode()).hexdigest()[:12]
        return f"{slug(stem)[:60].strip('._-') or 'proposal'}-{digest}"


@dataclass(frozen=True)
class ReviewKey:
    """A review's key taken apart: whose word it is, on which proposal."""

    dataset: str
    proposal: str
    principal: str


@dataclass(frozen=True)
class Run:
    """The working area of one SQL edit. Its id is the proposal's, so it is never used twice."""

    dataset: str
    id: str

    @property
    def prefix(self) -> str:
        return f"{SQL}{self.dataset}/{self.id}/"

    @property
    def base(self) -> str:
        """The pinned copy of the master, alone in its prefix so that Athena can read it."""
        return f"{self.prefix}base/master.parquet"

    @property
    def next(self) -> str:
        """The prefix that the CTAS writes its parts to."""
        return f"{self.prefix}next/"

    @property
    def result(self) -> str:
        """The parts as one canonical object."""
        return f"{self.prefix}results/result.parquet"

    @property
    def state(self) -> str:
        """What is known of the run: base, statement, where it stands."""
        return f"{self.prefix}run.json"

    @property
    def preview(self) -> str:
        return f"{self.prefix}preview.json"

    @property
    def token(self) -> str:
        """The task token of the execution that waits."""
        return f"{self.prefix}token.json"

    @property
    def proposal(self) -> str:
        """The proposal of a CTAS that was run by hand, which is in no inbox."""
        return f"{self.prefix}proposal.sql.json"


@dataclass(frozen=True)
class Layout:
    """Where a team keeps what can be moved (S3_SNAPSHOT_PREFIX, S3_AUDIT_PREFIX)."""

    snapshots: str = "snapshots/"
    audit: str = "audit/"

    def snapshot(self, dataset: str, commit: str) -> str:
        stamp = commit_time(commit).strftime("%Y%m%dT%H%M%S")
        return f"{self.snapshots}{dataset}/master_{stamp}_{commit}.parquet"

    def audit_record(self, dataset: str, user: str, proposal: str, at: datetime) -> str:
        return f"{self.audit}{dataset}/{at:%Y-%m-%d}/{slug(user)}_{at:%Y%m%dT%H%M%S}_{proposal}.jsonl"

    def archived(self, key: str) -> str | None:
        """Where `prune` moves the snapshot or audit record that has this key; None: it is neither."""
        if found := re.fullmatch(rf"{re.escape(self.snapshots)}([^/]+)/master_(\d{{8}})(T\d{{6}}_[^/]+)", key):
            dataset, day, rest = found.groups()
            return f"{archive(dataset)}{day}/snapshot_{day}{rest}"
        if found := re.fullmatch(rf"{re.escape(self.audit)}([^/]+)/(\d{{4}})-(\d\d)-(\d\d)/([^/]+)", key):
            dataset, *day, name = found.groups()
            return f"{archive(dataset)}{''.join(day)}/audit_{name}"
        return None

    def home(self, key: str) -> str:
        """The key that an archived object had before; any other key is at home where it is."""
        found = re.fullmatch(rf"{ARCHIVE}([^/]+)/(\d{{4}})(\d\d)(\d\d)/(snapshot|audit)_([^/]+)", key)
        if found is None:
            return key
        dataset, year, month, day, kind, name = found.groups()
        if kind == "snapshot":
            return f"{self.snapshots}{dataset}/master_{name}"
        return f"{self.audit}{dataset}/{year}-{month}-{day}/{name}"


def master(dataset: str) -> str:
    return f"{DATA}{dataset}/master.parquet"


def contract(dataset: str) -> str:
    return f"{CONTRACTS}{dataset}.json"


def inbox(dataset: str, principal: str, name: str) -> str:
    return f"{INBOX}{dataset}/{principal}/{name}"


def receipt(dataset: str, proposal: str) -> str:
    return f"{RECEIPTS}{dataset}/{proposal}.json"


def reviews(dataset: str, proposal: str) -> str:
    """The prefix of all reviews of one proposal."""
    return f"{REVIEWS}{dataset}/{proposal}/"


def review(dataset: str, proposal: str, principal: str) -> str:
    return f"{reviews(dataset, proposal)}{principal}.json"


def intent(dataset: str, commit: str) -> str:
    return f"{INTENTS}{dataset}/{commit}.json"


def changes(dataset: str, proposal: str, at: datetime) -> str:
    return f"{CHANGES}dataset={dataset}/date={at:%Y-%m-%d}/{proposal}.parquet"


def block(dataset: str, first: int, last: int) -> str:
    """The block of the commits with these numbers."""
    return f"{BLAME}{dataset}/{first:010d}-{last:010d}.parquet"


def parse_block(key: str) -> tuple[int, int] | None:
    """The first and the last commit number of a block's key; None for any other key."""
    found = _BLOCK.fullmatch(key.rsplit("/", 1)[-1])
    return (int(found[1]), int(found[2])) if found else None


def by_hand(dataset: str, principal: str = "", name: str = "") -> str:
    """The prefix of all that is made by hand for a dataset; of one person's; of one CTAS."""
    return "/".join([f"{SQL}{dataset}/{_BY_HAND}", *filter(None, (principal, name))]) + "/"


def parse_by_hand(prefix: str) -> tuple[str, str] | None:
    """The dataset and the principal of the place where a CTAS by hand puts its parts; None for any other prefix. The
    principal is empty where the place names none."""
    parts = prefix.strip("/").split("/")
    if len(parts) < 3 or f"{parts[0]}/" != SQL or parts[2] != _BY_HAND or not _DATASET.fullmatch(parts[1]):
        return None
    return parts[1], parts[3] if len(parts) > 4 else ""


def run_of(key: str) -> Run | None:
    """The run whose working area an object lies in; None for any other key."""
    parts = key.split("/", 3)
    if len(parts) < 4 or f"{parts[0]}/" != SQL or not _DATASET.fullmatch(parts[1]) or parts[2] == _BY_HAND:
        return None
    return Run(parts[1], parts[2]) if is_proposal(parts[2]) else None


def quarantine(dataset: str, entry: str, name: str, at: datetime) -> str:
    return f"{QUARANTINE}{dataset}/{at:%Y-%m-%d}/{entry}/{name}"


def archive(dataset: str) -> str:
    return f"{ARCHIVE}{dataset}/"


def parse_inbox(key: str) -> InboxKey | None:
    """Take an inbox key apart; None when it is not `inbox/<dataset>/<principal>/<name>`."""
    parts = key.split("/", 3)
    if len(parts) != 4 or parts[0] != "inbox" or not all(parts[1:]) or not _DATASET.fullmatch(parts[1]):
        return None
    return InboxKey(parts[1], parts[2], parts[3])


def parse_review(key: str) -> ReviewKey | None:
    """Take a review's key apart; None when it is not `reviews/<dataset>/<proposal>/<principal>.json`."""
    parts = key.removesuffix(".json").split("/")
    if len(parts) != 4 or not _DATASET.fullmatch(parts[1]) or not _PROPOSAL.fullmatch(parts[2]):
        return None
    return ReviewKey(*parts[1:]) if parts[3] and key == review(*parts[1:]) else None


def dataset_of_contract(key: str) -> str | None:
    """`contracts/net_tows.json` -> `net_tows`; None for any other key."""
    name = key.removeprefix(CONTRACTS).removesuffix(".json")
    return name if key == contract(name) and _DATASET.fullmatch(name) else None


def check_dataset(name: str) -> str:
    """Return `name`, or raise UsageError where it cannot name a dataset."""
    if not _DATASET.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a dataset: use lower-case letters, digits and underscores, beginning with "
            "a letter, at most 63 characters (for example net_tows)"
        )
    return name


def is_proposal(proposal: str) -> bool:
    return _PROPOSAL.fullmatch(proposal) is not None


def is_commit(commit: str) -> bool:
    """Whether this can be a commit's id; the largest ULIDs carry moments that no calendar has."""
    try:
        return _COMMIT.fullmatch(commit) is not None and commit_time(commit) is not None
    except (ValueError, OverflowError):
        return False


def commit_of_snapshot(key: str) -> str | None:
    """`snapshots/net_tows/master_20260301T120000_<commit>.parquet` -> the commit; None for any other key."""
    found = _SNAPSHOT.search(key)
    return found[1] if found and is_commit(found[1]) else None


def commit_time(commit: str) -> datetime:
    """The moment (UTC, to the millisecond) that a commit id carries."""
    return ULID.from_str(commit).datetime.astimezone(UTC)


def _stem(name: str) -> str:
    """A file's name without its ending."""
    for ending in _RUN_ENDINGS:
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return name.rsplit(".", 1)[0] if "." in name[1:] else name


def slug(text: str) -> str:
    """`text` with everything that would need quoting in a key or a URL replaced by `-`."""
    return _UNSAFE.sub("-", text).strip("-") or "unknown"
