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
    iceberg/<dataset>/<table>/{data,metadata}/...                       the Iceberg table that `publish` keeps
    published/<dataset>/by_<column>/<commit>/<column>=<value>/part.parquet      a partitioned copy
    meta/reconcile.json                                                 what the last run of Reconcile found

    raw/<dataset>/<source>/.../<file>                                   files as they land
    bronze/<dataset>/<name>=<value>/.../ingest_date=<YYYY-MM-DD>/<HHMMSS>--<file>       the same, never modified
    manifests/<dataset>/entries/<fingerprint>[.<ingest>].json           the manifest: an entry, one line, an ingest
    manifests/<dataset>/lines/<NNNNNN>.jsonl                            entries, compacted
    samples/<dataset>/...                                               the first rows of each bronze file
    quarantine/<dataset>/<YYYY-MM-DD>/<ingest>/...                      a refused file, or its refused rows, and why
    retries/<dataset>/<ingest>/<principal>.json                         that a quarantined file is to be tried again
    silver/<dataset>/<table>/<name>=<value>/.../<load>.parquet          conformed rows, a file a partition
    gold/<dataset>/<table>/<name>=<value>/.../<load>.parquet            what SQL makes of them
    {silver,gold}/<dataset>/inventory.json                              which of these files count
    silver/<dataset>/rebuild.json                                       which shall, when all is loaded anew
    {silver,gold}/<dataset>/_symlinks/<table>/files.txt                 the same for Athena
    {silver,gold}/<dataset>/_masters/<table>.json                       which of them a master was told of

Commit ids are ULIDs: they carry the millisecond at which the commit was made, so a snapshot's key follows
from the commit id alone and ids sort by time. An archived object's key follows from the one that it had before, and
the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from ulid import ULID

from towline.errors import UsageError

INBOX, RECEIPTS, DATA, CONTRACTS = "inbox/", "receipts/", "data/", "contracts/"
INTENTS, CHANGES, QUARANTINE, REVIEWS = "intents/", "changes/", "quarantine/", "reviews/"
BLAME, ARCHIVE, SQL = "blame/", "archive/", "sql/"
ICEBERG, PUBLISHED, META = "iceberg/", "published/", "meta/"
RAW, BRONZE, MANIFESTS, SAMPLES, RETRIES = "raw/", "bronze/", "manifests/", "samples/", "retries/"
SILVER, GOLD = "silver/", "gold/"
LAST_RUN = f"{META}reconcile.json"
# No dataset has such a name. The template's workgroups put results there, and its lifecycle rule lets them expire.
QUERY_RESULTS, EDIT_RESULTS, LOAD_RESULTS = f"{SQL}_results/", f"{SQL}_edits/", f"{SQL}_loads/"

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
class RawKey:
    """A raw key taken apart. `source` are the segments between the dataset and the file, as whoever sends files chose
    them; often none."""

    dataset: str
    source: tuple[str, ...]
    name: str

    @property
    def is_incomplete(self) -> bool:
        """Whether somebody is still at work on it: it is looked at when it has its own name."""
        return self.name.startswith("temp_")


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

    def is_kept(self, key: str) -> bool:
        """Whether a key lies where only Towline itself writes, or what lies there is acted on."""
        tables = (INBOX, RECEIPTS, DATA, CONTRACTS, INTENTS, CHANGES, QUARANTINE, REVIEWS, BLAME, ARCHIVE, META)
        files = (RAW, BRONZE, MANIFESTS, SAMPLES, RETRIES, SILVER, GOLD)
        is_run = key.startswith(SQL) and parse_by_hand(key) is None
        return is_run or key.startswith((*tables, *files, self.snapshots, self.audit))

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


def iceberg(dataset: str, table: str = "") -> str:
    """The prefix of a dataset's Iceberg tables; of the one with this id. One made anew has an id of its own."""
    return "/".join(filter(None, (f"{ICEBERG}{dataset}", table))) + "/"


def iceberg_data(table: str, commit: str) -> str:
    """The one data file of a commit. `table` is the table's prefix."""
    return f"{table}data/{commit}.parquet"


def partitioned(dataset: str, columns: Sequence[str], commit: str = "") -> str:
    """The prefix of the partitioned copies of a dataset by these columns; of one commit's."""
    return "/".join(filter(None, (f"{PUBLISHED}{dataset}/by_{'_'.join(columns)}", commit))) + "/"


def parse_raw(key: str) -> RawKey | None:
    """Take a raw key apart; None when it is not `raw/<dataset>/.../<file>`."""
    top, *rest = key.split("/")
    if f"{top}/" != RAW or len(rest) < 2 or not rest[-1] or not _DATASET.fullmatch(rest[0]):
        return None
    return RawKey(rest[0], tuple(filter(None, rest[1:-1])), rest[-1])


def raw(dataset: str, source: Sequence[str], name: str) -> str:
    return "/".join([f"{RAW}{dataset}", *source, name])


def bronze(dataset: str, partition: Mapping[str, str], name: str, at: datetime, mark: str = "") -> str:
    """Where a raw file that was written at `at` (UTC) is kept. `mark` tells it from another file of the same name,
    partition and second."""
    values = [f"{column}={segment(value)}" for column, value in partition.items()]
    return "/".join(
        [f"{BRONZE}{dataset}", *values, f"ingest_date={at:%Y-%m-%d}", f"{at:%H%M%S}{mark}--{segment(name)}"]
    )


def segment(text: str) -> str:
    """`text` as one segment of a key: what would part segments, end lines, be a path of its own, or not be read alike
    everywhere is replaced by `-`."""
    kept = "".join("-" if char in "/\\" or not char.isprintable() else char for char in text)
    return kept if kept.strip(". ") else "unknown"


def entries(dataset: str) -> str:
    """The prefix of all entries of a manifest."""
    return f"{MANIFESTS}{dataset}/entries/"


def entry(dataset: str, fingerprint: str, ingest: str = "") -> str:
    """The entry of the first file with these bytes; of a later one, which has its ingest's id in its name."""
    return f"{entries(dataset)}{'.'.join(filter(None, (fingerprint, ingest)))}.json"


def lines(dataset: str, number: int | None = None) -> str:
    """The prefix of a manifest's compacted entries; one object of them."""
    return f"{MANIFESTS}{dataset}/lines/" + ("" if number is None else f"{number:06}.jsonl")


def sample(bronze: str, name: str | None = None) -> str:
    """Where the sample of a bronze file lies. `name`: of the sample, where it is not the file's own."""
    place, own = bronze.removeprefix(BRONZE).rsplit("/", 1)
    return f"{SAMPLES}{place}/{name or own}"


def retries(dataset: str, ingest: str) -> str:
    """The prefix of all wishes to try one file again."""
    return f"{RETRIES}{dataset}/{ingest}/"


def retry(dataset: str, ingest: str, principal: str) -> str:
    return f"{retries(dataset, ingest)}{principal}.json"


def parse_retry(key: str) -> tuple[str, str, str] | None:
    """The dataset, ingest and principal of a retry's key; None for any other key."""
    parts = key.removesuffix(".json").split("/")
    if len(parts) != 4 or not all(parts) or not _DATASET.fullmatch(parts[1]) or key != retry(*parts[1:]):
        return None
    return parts[1], parts[2], parts[3]


def partition(values: Mapping[str, str]) -> str:
    """`{"course_id": "erinhills", "event_date": "2025-07-01"}` -> `course_id=erinhills/event_date=2025-07-01`."""
    return "/".join(f"{name}={segment(value)}" for name, value in values.items())


def lake(layer: str, dataset: str, table: str, partition: str, load: str) -> str:
    """The file of one partition. `layer` is SILVER or GOLD."""
    return "/".join(filter(None, (f"{layer}{dataset}/{table}", partition, f"{load}.parquet")))


def inventory(layer: str, dataset: str) -> str:
    return f"{layer}{dataset}/inventory.json"


def rebuild(layer: str, dataset: str) -> str:
    """What is to take the inventory's place, while a layer is made anew in several loads."""
    return f"{layer}{dataset}/rebuild.json"


def symlink(layer: str, dataset: str, table: str) -> str:
    """What Athena reads to find the files that count, alone in its prefix."""
    return f"{layer}{dataset}/_symlinks/{table}/files.txt"


def told(layer: str, dataset: str, table: str) -> str:
    """What a master was told of a table, and what came of it."""
    return f"{layer}{dataset}/_masters/{table}.json"


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
