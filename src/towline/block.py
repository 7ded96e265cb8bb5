"""A block: the cells that a run of consecutive commits changed, sorted by row, so that the story of one cell is a look
into a few kilobytes and no walk through the changes files.

The rows are those of the changes files (`towline.changefile`), with the note and the kind of their proposal and its
place in its commit, sorted by key, column, number and place. A block follows from its commits alone: whoever makes it
makes the same bytes. What it covers stands in the file's own metadata (`About`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline import changefile, keys
from towline.audit import GENESIS
from towline.errors import Corrupt
from towline.history import READERS, Record
from towline.ranged import Ranged
from towline.store import Entry, ObjectStore

FORMAT = "towline.block/v1"
CELLS_MAX = 2_000_000  # cells of one block of 64 commits; what does not fit stays in its changes files
ROW_GROUP, ROW_GROUPS = 2_048, 64  # rows of a row group at least, and how many groups a block has at most
_ABOUT = b"towline.block"

Records = tuple[Record, ...]  # of one commit, in the order of its chain

_WORD = pa.dictionary(pa.int32(), pa.string())
_WORDS = {"commit", "proposal", "user", "note", "kind"}  # the same in all rows of a proposal
SCHEMA = pa.schema(
    [
        *((field.name, _WORD if field.name in _WORDS else field.type) for field in changefile.SCHEMA),
        ("note", _WORD),
        ("kind", _WORD),
        ("place", pa.int64()),
    ]
)
ORDER = [(name, "ascending") for name in ("key", "column", "number", "place")]


@dataclass(frozen=True)
class About:
    """What a block covers: the commits with the numbers `first` to `last`.

    commit       id of the last one; `parent` is what the first one's parent is
    chain        of its last audit record; `prev_chain` is what its first one is chained to
    apart        audit records whose cells are not among the rows: the first table's, and those of very large proposals
    """

    dataset: str
    first: int
    last: int
    commit: str
    parent: str | None
    prev_chain: str
    chain: str
    apart: tuple[tuple[int, Record], ...] = ()  # with their places

    def to_bytes(self) -> bytes:
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, sort_keys=True).encode()

    @staticmethod
    def from_bytes(body: bytes) -> About:
        raw = json.loads(body)
        if raw.pop("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        return About(**{**raw, "apart": tuple((place, record) for place, record in raw["apart"])})


def make(dataset: str, commits: Sequence[Records], cells: Callable[[int, Record], pa.Table]) -> bytes:
    """The block of these commits, which come oldest first. `cells` reads the rows of a record with its place."""
    every = list(placed(commits))
    inside = _held(record for _, record in every)
    first, last = commits[0][0], commits[-1][-1]
    about = About(
        dataset,
        first=int(str(first["number"])),
        last=int(str(last["number"])),
        commit=str(last["commit"]),
        parent=None if first["parent"] is None else str(first["parent"]),
        prev_chain=str(first["prev_chain"]),
        chain=str(last["chain"]),
        apart=tuple((place, record) for place, record in every if record["chain"] not in inside),
    )
    with ThreadPoolExecutor(READERS) as pool:
        rows = list(pool.map(lambda each: cells(*each), (each for each in every if each[1]["chain"] in inside)))
    return _to_bytes(about, rows)


def placed(commits: Iterable[Records]) -> Iterator[tuple[int, Record]]:
    """The records of commits with their places in them."""
    return ((place, record) for records in commits for place, record in enumerate(records))


def join(blocks: Sequence[Block]) -> bytes:
    """The block of all the commits of blocks that follow each other."""
    first, last = blocks[0].about, blocks[-1].about
    about = About(
        first.dataset,
        first=first.first,
        last=last.last,
        commit=last.commit,
        parent=first.parent,
        prev_chain=first.prev_chain,
        chain=last.chain,
        apart=tuple(each for block in blocks for each in block.about.apart),
    )
    return _to_bytes(about, [block.rows() for block in blocks])


def _held(records: Iterable[Record]) -> set[object]:
    """The chain values of the records whose cells fit, small ones first. A first table has no cells in its file."""
    held, room = set(), CELLS_MAX
    for record in sorted(records, key=lambda each: int(str(each["cells_changed"]))):
        if not is_first(record):
            room -= int(str(record["cells_changed"]))
            held |= {record["chain"]} if room >= 0 else set()
    return held


def is_first(record: Record) -> bool:
    """Whether this is the record of a dataset's first table, whose cells no changes file has."""
    return record["prev_chain"] == GENESIS


def widened(cells: pa.Table, place: int, record: Record) -> pa.Table:
    """The rows of a changes file as a block has them."""
    count = cells.num_rows
    for name in ("note", "kind"):
        word = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), [str(record[name])])
        cells = cells.append_column(name, word)
    return cells.append_column("place", pa.repeat(pa.scalar(place, pa.int64()), count)).cast(SCHEMA)


def together(rows: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables([SCHEMA.empty_table(), *rows]).unify_dictionaries()


def _to_bytes(about: About, rows: Sequence[pa.Table]) -> bytes:
    table = together(rows).sort_by(ORDER).combine_chunks()
    table = table.replace_schema_metadata({_ABOUT: about.to_bytes()})
    sink = pa.BufferOutputStream()
    size = max(ROW_GROUP, -(-table.num_rows // ROW_GROUPS))
    pq.write_table(table, sink, row_group_size=size, compression="zstd", write_statistics=["key"])
    return bytes(sink.getvalue())


@dataclass(frozen=True)
class Block:
    """A block in the store: what it covers, and its rows where they are asked for."""

    key: str
    about: About
    _file: pq.ParquetFile
    _source: Ranged

    @staticmethod
    def open(store: ObjectStore, entry: Entry) -> Block:
        """Corrupt: the object is no block."""
        source = Ranged(store, entry)
        try:
            file = pq.ParquetFile(source)
            about = About.from_bytes((file.schema_arrow.metadata or {})[_ABOUT])
            if file.schema_arrow.remove_metadata() != SCHEMA:
                raise ValueError("its columns are not a block's")
            if keys.block(about.dataset, about.first, about.last) != entry.key:
                raise ValueError(f"it says that it is of commits {about.first} to {about.last} of {about.dataset}")
        except (pa.ArrowException, ValueError, KeyError, TypeError) as error:
            raise contradiction(entry.key, f"is no block ({error})") from error
        return Block(entry.key, about, file, source)

    def rows(self, key: str | None = None, column: str | None = None) -> pa.Table:
        """The rows of one row's key (as a changes file writes it), of one column, of both, or all."""
        groups = [number for number in range(self._file.num_row_groups) if key is None or self._may_hold(number, key)]
        for start, stop in _joined(self._span(number) for number in groups):
            self._source.fetch(start, stop)
        try:
            table = self._file.read_row_groups(groups) if groups else SCHEMA.empty_table()
        except (pa.ArrowException, OSError) as error:
            raise contradiction(self.key, f"cannot be read ({error})") from error
        return only(table.replace_schema_metadata(None), key, column)

    def _may_hold(self, number: int, key: str) -> bool:
        held = self._file.metadata.row_group(number).column(SCHEMA.get_field_index("key")).statistics
        return held is None or not held.has_min_max or bool(held.min <= key <= held.max)

    def _span(self, number: int) -> tuple[int, int]:
        group = self._file.metadata.row_group(number)
        columns = [group.column(each) for each in range(group.num_columns)]
        starts = [min(filter(None, (c.dictionary_page_offset, c.data_page_offset))) for c in columns]
        return min(starts), max(at + c.total_compressed_size for at, c in zip(starts, columns, strict=True))


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, with those that touch made one."""
    found: list[tuple[int, int]] = []
    for start, stop in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def only(cells: pa.Table, key: str | None, column: str | None) -> pa.Table:
    """The rows of one key, of one column, or of both. Of a column, the cells of inserted and deleted rows come too,
    whichever they are: they tell that the row's cell began or ended, null or not."""
    masks = []
    if key is not None:
        masks.append(pc.equal(cells["key"], key))
    if column is not None:
        masks.append(pc.or_(pc.equal(cells["column"], column), pc.not_equal(cells["change"], "update")))
    return cells.filter(reduce(pc.and_, masks)) if masks else cells


def contradiction(key: str, what: str) -> Corrupt:
    """A block is derived, so there is a way out that loses nothing."""
    return Corrupt(f"{key} {what}: delete it, and the next run of Reconcile makes it again")
