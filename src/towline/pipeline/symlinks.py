"""What Athena reads a layer's tables by: a text file a table, with the URL of each file that counts, one a line.

The inventory is the truth, and is written first; these follow it. One that was read says whole loads only, for it is
replaced as a whole. Who is late leaves the newer one alone.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-athena-query.html
"""

from __future__ import annotations

from towline import keys
from towline.errors import Contended, LostRace, NotFound, PreconditionFailed
from towline.pipeline.inventory import Inventory
from towline.store import ABSENT, Matches, ObjectStore, Stat

NUMBER = "number"  # of the inventory that it is of, in the object's metadata
TRIES = 5


def write(store: ObjectStore, bucket: str, inventory: Inventory) -> bool:
    """Bring the symlinks of a layer's tables up to the inventory; False: there are a newer one's. One request a table
    where nothing is to be done. LostRace: others wrote at the same time, again and again."""
    return all(_write(store, bucket, inventory, table) for table in sorted(inventory.tables))


def are_of(store: ObjectStore, inventory: Inventory) -> bool:
    """Whether all symlinks of a layer are those of this inventory."""
    return all(_number(_head(store, inventory, table)) == inventory.number for table in inventory.tables)


def text(bucket: str, inventory: Inventory, table: str) -> str:
    """The URLs of a table's files in the order of their partitions, each with a line's end."""
    files = sorted(inventory.tables.get(table, {}).items())
    return "".join(f"s3://{bucket}/{file.key}\n" for _, file in files)


def _write(store: ObjectStore, bucket: str, inventory: Inventory, table: str) -> bool:
    for _ in range(TRIES):
        there = _head(store, inventory, table)
        if (number := _number(there)) >= inventory.number and there is not None:
            return number == inventory.number
        try:
            store.put(
                keys.symlink(inventory.layer, inventory.dataset, table),
                text(bucket, inventory, table).encode(),
                when=Matches(there.etag) if there else ABSENT,
                metadata={NUMBER: str(inventory.number)},
                content_type="text/plain",
            )
        except (PreconditionFailed, Contended, NotFound):
            continue
        return True
    raise LostRace(f"{TRIES} times another run wrote the symlinks of {inventory.dataset}'s {table}: try again")


def _head(store: ObjectStore, inventory: Inventory, table: str) -> Stat | None:
    try:
        return store.head(keys.symlink(inventory.layer, inventory.dataset, table))
    except NotFound:
        return None


def _number(stat: Stat | None) -> int:
    """The number of the inventory; -1 where there is no symlink, or somebody else wrote it."""
    told = stat.metadata.get(NUMBER, "") if stat else ""
    return int(told) if told.isascii() and told.isdigit() else -1
