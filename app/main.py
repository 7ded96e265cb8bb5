"""The editor's script, of which `app.route` is all: `serve.py` imports that before the first tab comes."""

from __future__ import annotations

import sys
from pathlib import Path

# Streamlit puts this directory on the path, and `app` is the directory itself, as a package.
if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from app.route import route

if __name__ == "__main__":
    route()
