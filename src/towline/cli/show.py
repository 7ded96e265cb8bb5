"""`towline show`: a dataset's table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import pyarrow as pa
from rich.text import Text

from towline import edits, history
from towline.browse import Book, Page, Place, View, equal, pages
from towline.change import row_json
from towline.cli import tables
from towline.cli.export import write
from towline.cli.options import (
    Call,
    at_option,
    called,
    dataset_argument,
    escape_option,
    force_option,
    where_option,
)
from towline.cli.output import emit_each, show, width
from towline.contract import Contract
from towline.errors import NotFound, UsageError
from towline.parquet.writer import ROW_GROUP

ROWS = 20  # that a person is shown unless they ask for more
COUNTED = 65_536  # rows of a table up to which all rows that match are counted, to say how many they are


@dataclass(frozen=True)
class Wanted:
    """Rows of a table, at most `limit` of them (None: all). Of a large table no more is read than they take."""

    book: Book
    view: View
    start: Place | None
    limit: int | None

    def pages(self) -> Iterator[Page]:
        """The pages that hold them. Rows behind `limit` may be on the last one."""
        count = 0
        for page in pages(self.book, self.view, min(self.limit or ROW_GROUP, ROW_GROUP), self.start):
            yield page
            count += len(page)
            if self.limit is not None and count >= self.limit:
                return

    def rows(self) -> Iterator[pa.Table]:
        left = self.limit
        for page in self.pages():
            yield page.rows.slice(0, left)
            left = None if left is None else left - min(left, len(page))

    def table(self) -> pa.Table:
        return pa.concat_tables(self.rows())

    def said(self, shown: int) -> str:
        """How many of how many rows they are."""
        rows, total = self.book.num_rows, self._total(shown)
        if self.start is not None and not self.view.where:
            return f"rows {self.start.number + 1:,}-{self.start.number + shown:,} of {rows:,}"
        matching = f" that match, of {rows:,}" if self.view.where else ""
        if total is None:
            return f"the first {shown:,} rows{matching}; there are more (-n 0 shows all)"
        first, hint = (f"the first {shown:,} of ", " (-n 0 shows all)") if shown < total else ("", "")
        return f"{first}{total:,} rows{matching}{hint}"

    def _total(self, shown: int) -> int | None:
        """How many they were without the limit; None: to count them would take reading a large table."""
        if self.limit is None or shown < self.limit:
            return shown
        if not self.view.where:
            return self.book.num_rows
        if self.book.num_rows > COUNTED:
            return None
        return sum(len(page) for page in replace(self, limit=None).pages())


@click.command("show")
@dataset_argument
@at_option
@where_option
@click.option("-n", "limit", type=click.IntRange(min=0), help="How many rows; 0 is all [default: 20, with --json all].")
@click.option("--sort", "sort", metavar="COLUMN", help="In the order of this column [default: of the key].")
@click.option("--descending", is_flag=True, help="The greatest values first.")
@click.option(
    "--from", "first", metavar="COLUMN=VALUE,…", help="Begin with the row of this key, or of its first columns."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the rows to a .csv, .xlsx or .parquet file instead.",
)
@force_option
@escape_option
@called
def command(
    call: Call,
    dataset: str | None,
    at: str | None,
    where: tuple[str, ...],
    limit: int | None,
    sort: str | None,
    descending: bool,
    first: str | None,
    output: Path | None,
    force: bool,
    escape_formulas: bool,
) -> None:
    """Show a dataset's table: its head's, or that of another commit."""
    bench, name = call.connection.bench, call.name(dataset)
    contract = bench.contract(name)
    view = _view(contract, where, sort, descending=descending)
    head = history.head_at(bench, name, at)
    book = Book(head.file, contract.key)
    start = _start(contract, book, view, first) if first else None
    commit = str(head.commit)
    if output is not None:
        table = Wanted(book, view, start, limit or None).table()
        write(call, table, contract, output, commit, force=force, escape=escape_formulas)
        return
    if call.as_json:
        every = Wanted(book, view, start, limit or None)
        emit_each(row_json(row) for table in every.rows() for row in table.to_pylist())
        return
    wanted = Wanted(book, view, start, ROWS if limit is None else limit or None)
    shown = wanted.table()
    show(*tables.rows(shown.to_pylist(), contract, width()))
    show(Text(f"{wanted.said(shown.num_rows)}; {name} at commit {commit}", style="dim"))


def _view(contract: Contract, where: tuple[str, ...], sort: str | None, *, descending: bool) -> View:
    if descending and sort is None:
        raise UsageError("--descending goes with --sort COLUMN")
    wanted = edits.read(contract, edits.parse(where, "--where"))
    return View(equal(wanted), contract.field(sort).name if sort else "", descending)


def _start(contract: Contract, book: Book, view: View, first: str) -> Place:
    """The place of the row that --from names."""
    if view.sort:
        raise UsageError("--from names a row in the order of the key; leave out --sort, or ask with --where")
    wanted = edits.read(contract, edits.parse([first], "--from"))
    if [*wanted] != list(contract.key[: len(wanted)]):
        raise UsageError(
            f"--from takes the key, or its first columns: {', '.join(f'{each}=…' for each in contract.key)}"
        )
    number = book.find(wanted)
    if number is None:
        raise NotFound(f"no row of {contract.dataset} has {edits.spell(wanted)}")
    return Place(number)
