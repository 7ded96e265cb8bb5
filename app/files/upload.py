"""Files put in by the browser: into raw/<dataset>/<source>/, from where they go their way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import markup
from app.files.html import size
from app.session import connection, kept
from towline.errors import TowlineError, UsageError
from towline.ingest import sending

MOST = 100 * 2**20  # bytes of a file; larger ones go by `towline ingest`
TOGETHER = 50  # files at once


def draw(dataset: str) -> None:
    """The form, folded away; and what became of the files that were put in last."""
    with (
        st.popover("Put files in", icon=":material/upload:"),
        st.form(f"upload-{dataset}", clear_on_submit=True, border=False),
    ):
        files = st.file_uploader("Files", accept_multiple_files=True, key=f"upload-files-{dataset}")
        help = "Where they come from: a part of their key below raw/, maybe of several segments"
        source = st.text_input("Source", placeholder="loggers/north", help=help, key=f"upload-source-{dataset}")
        if st.form_submit_button("Put in", type="primary") and files:
            kept()["files-anew"] = True
            kept()["uploaded"] = (dataset, _put(dataset, source, files))
            st.rerun()


def told(dataset: str) -> None:
    """What the last upload came to, once."""
    of, lines = kept().get("uploaded", ("", []))
    if of == dataset:
        del kept()["uploaded"]
        for kind, text in lines:
            st.html(markup.message(kind, text))


def _put(dataset: str, source: str, files: Sequence[UploadedFile]) -> list[tuple[str, str]]:
    """Put each; a line for each that could not be, and one for all others."""
    put: list[str] = []
    wrong: list[tuple[str, str]] = []
    for number, file in enumerate(files):
        try:
            _check(number, file)
            (key,) = sending.targets(dataset, source.strip(), [PurePath(file.name)])
            put.append(connection().bench.store.put(key, file.getvalue()).key)
        except TowlineError as error:
            wrong.append(("stop", f"{file.name} was not put in: {error}"))
    if not put:
        return wrong
    where = put[0].rsplit("/", 1)[0]
    return [
        ("done", f"{markup.count(len(put), 'file')} put into {where}/. What comes of them is listed below."),
        *wrong,
    ]


def _check(number: int, file: UploadedFile) -> None:
    if number >= TOGETHER:
        raise UsageError(f"{TOGETHER} files at once are taken here; put the rest in again")
    if file.size > MOST:
        raise UsageError(f"it has {size(file.size)}, and {size(MOST)} are taken here; use `towline ingest` for it")
