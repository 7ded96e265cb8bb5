"""What one tab knows of the SQL of one dataset. Nothing here knows the screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.sql.reading import Reading
from towline.preview import Preview

RECENT = 10  # statements that are offered again


@dataclass
class Board:
    """What is written and what came of it.

    text     what is written; `stamp` grows where it is set from here and not in the browser
    note     why, for an edit
    recent   statements that were run in this tab, newest first
    refused  why the statement is not run, for the statement that it is about
    notice   what a button came to: kind and text; shown once
    reading  the query that was run last
    run      the edit that is open; `shown` its preview as it was shown, `said` the word that was sent on it
    """

    text: str = ""
    stamp: int = 1
    note: str = ""
    recent: list[str] = field(default_factory=list)
    refused: str = ""
    notice: tuple[str, str] = ("", "")
    reading: Reading | None = None
    run: str = ""
    shown: Preview | None = None
    said: str = ""

    def write(self, text: str) -> None:
        """What somebody wrote in the browser. What was refused is refused no longer: it is another statement."""
        if text != self.text:
            self.text, self.refused = text, ""

    def load(self, text: str) -> None:
        """Put another text in."""
        self.write(text)
        self.stamp += 1

    def remember(self) -> None:
        """The statement is run: offer it again."""
        text = self.text.strip()
        self.recent = [text, *(each for each in self.recent if each != text)][:RECENT]

    def open(self, run: str) -> None:
        """Look at an edit; nothing is known of it yet."""
        if run != self.run:
            self.run, self.shown, self.said = run, None, ""

    def take_notice(self) -> tuple[str, str]:
        found, self.notice = self.notice, ("", "")
        return found
