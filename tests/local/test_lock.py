"""A lock says who holds it, for as long as they live."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from towline.local import lock

HOLD = "import sys, time; from pathlib import Path; from towline.local import lock; lock.hold(Path(sys.argv[1])); "
HOLD += "print('held', flush=True); time.sleep(60)"


def test_a_lock_that_nobody_holds_has_no_holder(tmp_path: Path) -> None:
    assert lock.holder(tmp_path / "lock") is None
    (tmp_path / "lock").write_text('{"pid": 1}')
    assert lock.holder(tmp_path / "lock") is None


def test_a_lock_is_held_once_and_names_its_holder(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    held = lock.hold(file)
    assert held is not None
    assert lock.hold(file) is None
    assert lock.holder(file) == {"pid": os.getpid()}
    lock.write_note(held, {"pid": 7, "port": 1})
    assert lock.holder(file) == {"pid": 7, "port": 1}
    os.close(held)
    assert lock.holder(file) is None


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, file], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert lock.holder(file) == {"pid": process.pid}
        assert not lock.wait_until_free(file, 0.05)
        process.kill()
        assert lock.wait_until_free(file, 10)
    assert lock.hold(file) is not None


def test_child_processes_do_not_hold_it_on(tmp_path: Path) -> None:
    held = lock.hold(tmp_path / "lock")
    assert held is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        os.close(held)
        assert lock.holder(tmp_path / "lock") is None
        child.kill()


def test_a_lock_without_a_note_is_held_all_the_same(tmp_path: Path) -> None:
    held = lock.hold(tmp_path / "lock")
    assert held is not None
    os.ftruncate(held, 0)
    assert lock.holder(tmp_path / "lock") == {}
    os.close(held)
