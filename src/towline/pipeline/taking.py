"""Taking one bronze file: conformed in pieces, held against the contracts, spooled; or failed as a whole, with why."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from towline.ahead import begun, drawn
from towline.contract import Contract
from towline.errors import NotFound, TowlineError, UnreadableFile
from towline.pipeline import partition
from towline.pipeline.bronzefile import LARGEST, StoredFile
from towline.pipeline.definition import Conformed
from towline.pipeline.inventory import FAILED, LOADED, Loaded
from towline.pipeline.quality import Tally, complaints, judge
from towline.pipeline.registry import Package, place
from towline.pipeline.report import Refusals, Taken
from towline.pipeline.spool import AT, FILE, Spooled
from towline.pipeline.texts import REFUSED

ROW = "row"  # the column, beside the contract's, in which a piece may say where in the file its rows are
MAX_UNKNOWN, MAX_REASON = 100, 500  # columns; characters
PARTITIONS = 20_000  # of one table, that the rows of one file may be of: each is a file to write


@dataclass(frozen=True)
class Opened:
    """A file whose first piece is conformed while those of the file before are taken."""

    file: StoredFile
    pieces: Iterator[Conformed]

    @classmethod
    def of(cls, package: Package, file: StoredFile) -> Opened:
        is_bearable = file.entry.size <= LARGEST
        return cls(file, begun(package.pipeline.conform(file)) if is_bearable else iter(()))


@dataclass
class Taking:
    """One file on its way into the spool. `number` is the file's in the spool; `only`: by table, the partitions whose
    rows are wanted; None: all."""

    package: Package
    spools: Mapping[str, Spooled]
    number: int
    refusals: Refusals
    only: Mapping[str, Collection[str]] | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unknown: dict[str, None] = field(default_factory=dict)

    def take(self, opened: Opened) -> Taken:
        """Its rows are in the spool, or none of them. Unavailable: the store does not answer."""
        self.tallies = {table: Tally() for table in self.package.contracts}
        reasons = self._failures(opened.file, opened.pieces)
        for spool in self.spools.values():
            spool.refuse() if reasons else spool.accept()
        rows = {table: 0 if reasons else tally.passed for table, tally in self.tallies.items()}
        refused = sum(tally.refused for tally in self.tallies.values())
        said = tuple(_short(each) for each in reasons or self._notes())
        loaded = Loaded(FAILED if reasons else LOADED, rows, refused, said)
        total = sum(tally.rows for tally in self.tallies.values())
        return Taken(loaded, self.refusals, total, tuple(self.unknown))

    def _notes(self) -> list[str]:
        names = ", ".join(self.unknown)
        return [f"the pipeline does not know the column{'s' * (len(self.unknown) > 1)} {names}"] if names else []

    def _failures(self, file: StoredFile, pieces: Iterator[Conformed]) -> tuple[str, ...]:
        """Read it; why all of it fails, if it does."""
        if file.entry.size > LARGEST:
            return (f"it has {file.entry.size:,} bytes, and at most {LARGEST:,} are loaded: send it in parts",)
        try:
            for piece in drawn(pieces):
                self._add(piece)
        except UnreadableFile as error:
            return (str(error),)
        except NotFound:
            again = f"`towline quarantine retry {file.entry.ingest}` makes it anew of its raw file"
            return (f"{file.source.where} is gone: {again}, or of one with the same bytes that is sent again",)
        except TowlineError:
            raise
        except OSError as error:
            if error.errno is not None:  # the disk or the network, not the file
                raise
            return (_fault(file, error),)
        except Exception as error:  # the pipeline is not our code; what is wrong with it shall not stop other files
            return (_fault(file, error),)
        named = self.package.contracts.items()
        return tuple(why for name, contract in named for why in complaints(name, contract, self.tallies[name]))

    def _add(self, piece: Conformed) -> None:
        self.unknown |= dict.fromkeys(list(piece.unknown)[: MAX_UNKNOWN - len(self.unknown)])
        if piece.refused is not None and len(piece.refused):
            self._refuse(piece.refused, next(iter(piece.tables), next(iter(self.package.contracts))))
        for table, rows in piece.tables.items():
            if table not in self.package.contracts:
                raise ValueError(f"it makes rows of a table {table!r}, which has no contract")
            self._spool(table, rows)

    def _refuse(self, lines: pa.Table, table: str) -> None:
        """Rows that the pipeline itself refused; where a row is named more than once, it is one."""
        lines = _with_columns(lines, REFUSED)
        named = pc.fill_null(lines.column("table"), table)
        lines = lines.set_column(REFUSED.get_field_index("table"), "table", named)
        self.refusals.add(lines)
        counted = lines.group_by(["table"]).aggregate([("row", "count_distinct")])
        for each in counted.to_pylist():
            tally = self.tallies[each["table"]]
            tally.rows += each["row_count_distinct"]
            tally.refused += each["row_count_distinct"]

    def _spool(self, table: str, rows: pa.Table) -> None:
        contract, tally, spool = self.package.contracts[table], self.tallies[table], self.spools[table]
        first = tally.rows
        numbers = _numbers(contract, rows, first)
        conformed = _with_columns(rows, contract.schema)
        passed, refused = judge(table, contract, conformed, numbers, tally)
        self.refusals.add(refused)
        self.places[table] |= set(partition.coded(passed, contract.silver.partition)[1].values())
        if len(self.places[table]) > PARTITIONS:
            raise UnreadableFile(f"its rows are of more than {PARTITIONS:,} partitions of {table}: send it in parts")
        if len(passed):
            spool.add(self._marked(passed, first), self.only and self.only.get(table, ()))

    def _marked(self, rows: pa.Table, first: int) -> pa.Table:
        places = pa.arange(first, first + len(rows))
        numbers = pa.repeat(pa.scalar(self.number, pa.int32()), len(rows))
        return rows.append_column(FILE, numbers).append_column(AT, places)


def _numbers(contract: Contract, rows: pa.Table, first: int) -> pa.Array:
    """The numbers of the rows in the file: what the piece says, else those of the table's rows, from 1."""
    if ROW in rows.column_names and ROW not in contract.names:
        return rows.column(ROW).cast(pa.int64()).combine_chunks()
    return pa.arange(first + 1, first + 1 + len(rows))


def _with_columns(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with just these columns, in one chunk each; those that are not there are null."""
    given = set(rows.column_names)
    columns = [
        rows.column(field.name).cast(field.type) if field.name in given else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return pa.table(columns, schema=nullable).combine_chunks()


def _short(text: str) -> str:
    """A reason as the inventory has it, which every load reads."""
    return text if len(text) <= MAX_REASON else f"{text[:MAX_REASON]}…"


def _fault(file: StoredFile, error: BaseException) -> str:
    """What the pipeline stumbled over, and where in it; no values of the file."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    where = place(error) or f"{at.filename.rsplit('/', 1)[-1]}, line {at.lineno}"
    return f"the pipeline fails with {file.entry.bronze} ({type(error).__name__} in {where}): mend the pipeline"
