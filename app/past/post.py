"""Reads what a person sent, and remembers outcomes: those that are final never change."""

from __future__ import annotations

from collections.abc import Iterable

from towline import mine
from towline.mine import Letter
from towline.receipts import Receipt
from towline.shelf import Shelf
from towline.workbench import Workbench

KEPT = 20_000  # outcomes


class Post:
    """One for a bucket, shared by all tabs."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._final: Shelf[Receipt] = Shelf(KEPT)

    def letters(self, principal: str, datasets: Iterable[str]) -> list[Letter]:
        """All that somebody sent to these datasets, newest first."""
        return mine.letters(self.bench, principal, datasets)

    def outcomes(self, letters: Iterable[Letter]) -> list[tuple[Letter, Receipt]]:
        """What became of each, in their order; a part of a proposal that was never sent is left out."""
        wanted = list(letters)
        known = {letter: receipt for letter in wanted if (receipt := self._final.peek(letter)) is not None}
        for letter, receipt in mine.outcomes(self.bench, [letter for letter in wanted if letter not in known]):
            known[letter] = self._final.put(letter, receipt) if receipt.final else receipt
        return [(letter, known[letter]) for letter in wanted if letter in known]
