"""The editor's process: Streamlit's server, and beside it what the first tab would wait for.

    python -m app.serve run app/main.py    and Streamlit's own options

The first run of the script imports the pages, Arrow and pandas among what they need, and makes the client of S3: about
a second, once a process. Here that begins as soon as the server listens. A tab that comes in the middle of it waits for
the rest: by the lock that Python has for the module `app.route`, which is all that the script imports.
"""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module

from streamlit.runtime import Runtime
from streamlit.runtime.runtime import RuntimeState
from streamlit.web import cli

# The pages; and what Streamlit puts off until it draws an icon of a page, or of a button.
IMPORTED = ("app.route", "PIL.Image", "PIL.ImageFile", "streamlit.material_icon_names")

_log = logging.getLogger(__name__)


def main() -> None:
    threading.Thread(target=_warm_when_listening, name="warm", daemon=True).start()
    cli.main(prog_name="streamlit")


def _warm_when_listening() -> None:
    """Not before: `towline up` waits for the server, and a component of the grid is registered with it."""
    while not Runtime.exists() or Runtime.instance().state is RuntimeState.INITIAL:
        time.sleep(0.05)
    warm()


def warm() -> None:
    """Import what a run of the script does, and talk to S3 once. Whatever fails is in the log, and left to the tabs:
    they meet it too, and say it where somebody sees it."""
    try:
        for name in IMPORTED:
            import_module(name)
        import_module("app.session").connection().datasets()
    except Exception:  # a defect, or a store that does not answer, must not take the server with it
        _log.exception("the editor is not warm: its first tab takes longer")


if __name__ == "__main__":
    main()
