"""One measurement, in the fresh process that this module is run in:

    python -m bench.ways.child MODULE:START TASK PLACE RUN SMALL WARMING

prints it as JSON (`Measured`). The same task is done on the small table of another place first, as run WARMING of that:
some tools import half of what they need when they are first asked, and that is not what is measured. Then the clock
starts; opening the table belongs to the task. The peak is the process's own (VmHWM), with all that it imported.
Afterwards, and beside the measured time, the table is asked whether it holds what was written.
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.ways import EDITS
from bench.ways.place import Place


@dataclass(frozen=True)
class Measured:
    """One run of one task. Bytes; `seconds` are the client's, `copying` the store's own. A file system counts no
    requests."""

    seconds: float
    peak: int
    down: int
    up: int
    copied: int = 0
    copying: float = 0.0
    requests: int | None = None


def main() -> None:
    way, task, root, run, small, warming = sys.argv[1:]
    module, name = way.split(":")
    start = getattr(import_module(module), name)
    if task == "prepare":
        start(Place(Path(root))).prepare()
        return
    warm = start(Place(Path(small)))
    getattr(warm, task.split("-")[0])(*inputs(warm.place, task, int(warming)))
    print(json.dumps(asdict(measure(start(Place(Path(root))), task, int(run)))))


def measure(way: Any, task: str, run: int) -> Measured:
    given = inputs(way.place, task, run)
    before, began = _moved(), time.perf_counter()
    answer = getattr(way, task.split("-")[0])(*given)
    seconds, after, peak = time.perf_counter() - began, _moved(), _peak()
    measured = Measured(seconds, peak, after[0] - before[0], after[1] - before[1])
    if traffic := getattr(way, "traffic", None):
        moved, requests = traffic()
        client = seconds - moved.copying
        measured = Measured(client, peak, moved.down, moved.up, moved.copied, moved.copying, requests)
    check(way, task, given, answer)
    if tidy := getattr(way, "tidy", None):
        tidy()
    return measured


def inputs(place: Place, task: str, run: int) -> tuple[Any, ...]:
    if task in EDITS:
        return (place.edits(task, run),)
    if task.startswith("flatten-"):
        return (place.parts(task.removeprefix("flatten-")),)
    return ()


def check(way: Any, task: str, given: tuple[Any, ...], answer: Any) -> None:
    """AssertionError where the task was not done."""
    if task in EDITS:
        for edit in (given[0][0], given[0][-1]):
            found, expected = way.found(edit), [] if task == "delete" else [edit.volume]
            assert found == expected, f"{edit}: expected {expected}, found {found}"
    if task.startswith("flatten-"):
        _check_flat(given[0], answer)
    if task == "page":
        assert answer == 100, f"{answer} rows"
    if task == "diff":
        assert answer == 1, f"{answer} rows differ"
    if task == "blame":
        assert answer >= 1, "a cell without a story"


def _check_flat(parts: Path, result: Path) -> None:
    """As many rows as the parts have, in the order of the key."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = sum(pq.read_metadata(path).num_rows for path in parts.iterdir())
    keys = pq.read_table(result, columns=["tow", "net"])
    order = pc.add(pc.multiply(keys["tow"], 16), keys["net"])
    assert keys.num_rows == rows, f"{keys.num_rows} of {rows} rows"
    assert pc.all(pc.less(order[:-1], order[1:])).as_py(), "not in order"


def _moved() -> tuple[int, int]:
    """Bytes that this process read from files, and wrote to them, so far."""
    text = Path("/proc/self/io").read_text()
    return tuple(int(number) for number in re.findall(r"[rw]char: (\d+)", text))  # type: ignore[return-value]


def _peak() -> int:
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


if __name__ == "__main__":
    main()
