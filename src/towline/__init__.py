"""Towline: a shared research table as one Parquet object on versioned S3.

    import towline

    ds = towline.open("net_tows")
    df = ds.read()
    df.loc[df.tow == 4, "volume_filtered"] = 1234.5
    receipt = ds.propose(df, note="flow meter recalibrated").wait()

Names are imported when they are first used: the functions and the command line import this package too, and have no
use for pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from towline.api import Dataset, create, datasets, open, query
    from towline.dataset import Ticket
    from towline.errors import TowlineError
    from towline.lakes import lake
    from towline.receipts import Receipt

__version__ = "0.1.0"
__all__ = ["Dataset", "Receipt", "Ticket", "TowlineError", "create", "datasets", "lake", "open", "query"]

_HOME = {
    "Dataset": "towline.api",
    "Receipt": "towline.receipts",
    "Ticket": "towline.dataset",
    "TowlineError": "towline.errors",
    "create": "towline.api",
    "datasets": "towline.api",
    "lake": "towline.lakes",
    "open": "towline.api",
    "query": "towline.api",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'towline' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
