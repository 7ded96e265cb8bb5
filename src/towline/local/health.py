"""What this machine tells of how things are: the stack's process, its functions, the editor, the disk."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from towline import __version__
from towline.aws.health import ask
from towline.aws.identity import client
from towline.errors import LocalStackError
from towline.health import judge
from towline.health.checkup import Probe
from towline.health.fact import Fact, span
from towline.local import disk, editor
from towline.local.datadir import DataDir
from towline.local.deploy import STACK
from towline.local.guard import HEALTH
from towline.settings import Settings

_SECONDS = 2.0  # for the stack to answer
_REMEMBER = 60.0  # seconds for which the size of the data directory is not counted again
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy is asked for this machine


@dataclass
class Machine:
    """The local stack that `settings` point at. `data_dir` is where it is looked for while it does not answer."""

    settings: Settings
    data_dir: Path
    _counted: tuple[float, int] = (float("-inf"), 0)  # when by the monotonic clock, and how many bytes there were

    def process(self) -> Iterator[Fact]:
        found = self._answer()
        if found is None:
            says = f"nothing answers at {self.settings.endpoint_url}"
            yield Fact("stack", "Process", "red", says, judge.START_AGAIN, "S3 does not answer")
            return
        up = datetime.now(UTC) - datetime.fromisoformat(found["started"])
        says = f"process {found['pid']} (MiniStack {found['ministack']}), up for {span(up)}"
        yield Fact("stack", "Process", "fine", says, values=found)
        do = "start the stack again: `towline down`, then `towline up`"
        yield judge.version("Stack", str(found["version"]), __version__, do)

    def functions(self) -> Iterator[Fact]:
        """Whether every function of the template is there."""
        described = ask(client("cloudformation", self.settings, hurried=True).describe_stacks, StackName=STACK)
        outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Stacks"][0].get("Outputs", ())}
        wanted = {key.removesuffix("Function"): name for key, name in outputs.items() if key.endswith("Function")}
        listed = ask(client("lambda", self.settings, hurried=True).list_functions, MaxItems=50)["Functions"]
        missing = sorted(set(wanted.values()) - {one["FunctionName"] for one in listed})
        if missing or not wanted:
            says = f"missing: {', '.join(missing) or 'all of them'}"
            do = "deploy them again: `towline down`, then `towline up`"
            yield Fact("stack", "Functions", "red", says, do, "Something is missing", values={"missing": missing})
            return
        yield Fact("stack", "Functions", "fine", ", ".join(sorted(wanted)), values={"deployed": sorted(wanted)})

    def editor(self) -> Iterator[Fact]:
        found = editor.running(self._data())
        if found is None:
            yield Fact("stack", "Editor", "fine", "`towline up` started none")
        elif editor.healthy(found.port):
            yield Fact("stack", "Editor", "fine", f"process {found.pid} at {found.url}", values={"url": found.url})
        else:
            do = "`towline down`, then `towline up`; drafts are kept"
            yield Fact("stack", "Editor", "red", f"{found.url} does not answer", do, "The editor does not answer")

    def disk(self) -> Iterator[Fact]:
        root, room = self._data().root, disk.Room.from_environment(os.environ)
        if not root.is_dir():
            raise LocalStackError(f"there is no data directory {root}: `towline up` makes it")
        found = judge.Disk(self._size(root), disk.free(root), room.to_start, room.to_write)
        yield judge.disk(str(root), found)

    def _data(self) -> DataDir:
        """The directory that the stack says is its own, else the one where it should be."""
        found = self._answer()
        return DataDir(Path(found["data_dir"]) if found else self.data_dir)

    def _answer(self) -> dict[str, Any] | None:
        """What the stack says of itself; None where none answers. LocalStackError: something else does."""
        try:
            with _direct.open(f"{self.settings.endpoint_url}{HEALTH}", timeout=_SECONDS) as answer:
                found: dict[str, Any] = json.load(answer)
        except (HTTPError, ValueError):
            found = {}
        except (OSError, HTTPException):
            return None
        if not {"pid", "data_dir", "version", "ministack", "started"} <= found.keys():
            raise LocalStackError(f"at {self.settings.endpoint_url} no stack answers that this version knows")
        return found

    def _size(self, root: Path) -> int:
        """Bytes in the data directory, counted anew once a minute: there may be many files."""
        at, known = self._counted
        if time.monotonic() - at > _REMEMBER:
            self._counted = (time.monotonic(), sum(_sizes(root)))
            return self._counted[1]
        return known


def _sizes(root: Path) -> Iterator[int]:
    """The sizes of all files below; those that go away meanwhile count nothing."""
    for folder, _, files in os.walk(root):
        for name in files:
            try:
                yield os.stat(os.path.join(folder, name), follow_symlinks=False).st_size
            except OSError:
                continue


def probes(settings: Settings, data_dir: Path) -> list[Probe]:
    """What to look at on this machine, where the endpoint of `settings` is on it."""
    machine = Machine(settings, data_dir)
    return [
        Probe("stack", ("Process",), machine.process),
        Probe("stack", ("Functions",), machine.functions),
        Probe("stack", ("Editor",), machine.editor),
        Probe("stack", ("Disk",), machine.disk),
    ]
