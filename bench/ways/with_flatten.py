"""Towline flattening parts that lie in its bucket, as the function of an SQL edit does it, with 512 MiB of rows."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.diskstore import DiskStore, Traffic
from bench.ways.place import KEY, Place
from towline import parts, resources
from towline.contract import Contract
from towline.flatten import flatten

TARGET = "flat.parquet"


class Way:
    def __init__(self, place: Place) -> None:
        self.place, self.root = place, place.of("flatten") / "bucket"
        self.store = DiskStore(self.root)
        self.contract = Contract.parse(resources.path("datasets/net_tows/contract.json").read_bytes())

    def prepare(self) -> None:
        shutil.rmtree(self.root)
        self.store = DiskStore(self.root)
        for how in ("disjoint", "shuffled"):
            for path in sorted(self.place.parts(how).iterdir()):
                self.store.adopt(f"{how}/{path.name}", path)

    def flatten(self, folder: Path) -> Path:
        found = parts.find(self.store, folder.name)
        flatten(self.store, found, TARGET, self.contract.fields, KEY, workdir=self.root)
        return self.store.path(TARGET)

    def traffic(self) -> tuple[Traffic, int]:
        """What moved so far, and how many requests that took."""
        return self.store.traffic, sum(self.store.requests.values())

    def tidy(self) -> None:
        """Free the room of the result, which has been looked at."""
        self.store.forget(self.store.head(TARGET))


def start(place: Place) -> Way:
    return Way(place)
