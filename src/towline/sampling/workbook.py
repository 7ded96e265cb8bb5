"""Workbooks (.xlsx): the first rows of each sheet, as a workbook.

A workbook is an archive of XML, read by a library that trusts it. So it gets one that was made here: the parts that a
table needs, unpacked within bounds, free of what XML can do beside saying values, and of each sheet its first rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from towline.errors import UnreadableFile
from towline.sampling import zips
from towline.sampling.streams import Bounded

_BOOK = "xl/workbook.xml"


def look(source: Bounded, name: str) -> Sequence[str]:
    """Whether it opens, and has a sheet. Its columns are no matter of a first look: a workbook says late where they
    are."""
    entries = {entry.filename for entry in zips.directory(source)}
    if _BOOK not in entries:
        raise UnreadableFile("this is a ZIP archive, but no .xlsx workbook: name it .zip, or save it as .xlsx")
    return ()
