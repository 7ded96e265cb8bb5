"""Calls into MiniStack's services from a query's thread.

Their stores are plain dictionaries that requests change on the event loop, so whatever changes one does so there
too: an object put from another thread could appear in the middle of a listing. Account and region are context
variables, which `asyncio.run_coroutine_threadsafe` takes along.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def on_loop(function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)`, called on the event loop that serves requests; its result or its exception."""
    from ministack import app

    loop = app._MAIN_LOOP
    if loop is None or _running() is loop:
        return function(*arguments)
    return asyncio.run_coroutine_threadsafe(_call(function, *arguments), loop).result()


async def _call(function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
