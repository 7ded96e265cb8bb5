"""Which versions are at work here, and which formats they read."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from towline import __version__, contract, intent, proposals, receipts
from towline.health.fact import Fact

PACKAGES = {"Streamlit": "streamlit", "PyArrow": "pyarrow", "boto3": "boto3"}


def look() -> Iterator[Fact]:
    """This program's; those of the functions and the stack are told where these are asked."""
    yield _version("Towline", __version__)
    yield _version("Python", platform.python_version())
    for title, package in PACKAGES.items():
        try:
            yield _version(title, version(package))
        except PackageNotFoundError:  # the command line works without Streamlit
            yield _version(title, "not installed")
    formats = (f"towline.contract/v{contract.VERSION}", proposals.FORMAT, receipts.FORMAT, intent.FORMAT)
    says = ", ".join(name.removeprefix("towline.").replace("/v", " ") for name in formats)
    yield Fact("versions", "Formats", "fine", f"{says}, Parquet 2.6", values={"formats": list(formats)})


def _version(name: str, found: str) -> Fact:
    return Fact("versions", name, "fine", found, values={"version": found})
