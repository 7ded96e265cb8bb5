"""The editor starts with the stack and ends with it, but a stack that is killed does not take the edits along."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.local_stack import SMALL, again, kill, running
from tests.needs import need
from towline.errors import LocalStackError
from towline.local import editor, lock, stack
from towline.local.datadir import DataDir
from towline.local.stack import StackInfo

SCRIPT = Path(__file__).parent / "project" / "app" / "main.py"
WITH_EDITOR = replace(SMALL, app=True, editor_script=SCRIPT)


@pytest.fixture(autouse=True)
def _streamlit() -> None:
    need(find_spec("streamlit"), "Streamlit is not installed (uv sync --group app)")
    need(Path("/proc/self/environ").exists(), "looks into /proc")


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[StackInfo]:
    with running(tmp_path, WITH_EDITOR) as info:
        yield info


def port_of(info: StackInfo) -> int:
    assert info.editor is not None
    return int(info.editor.rsplit(":", 1)[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment_of(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/environ").read_text()
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def test_the_editor_answers_when_start_returns_and_works_on_the_stack(edited: StackInfo) -> None:
    assert edited.editor is not None
    assert edited.editor.startswith(f"http://127.0.0.1:{editor.FIRST_PORT // 100}")
    assert b"<title>" in urlopen(edited.editor, timeout=5).read()
    assert stack.status(Path(edited.data_dir)) == edited
    assert edited.editor_pid is not None
    seen = environment_of(edited.editor_pid)
    assert (seen["AWS_ENDPOINT_URL"], seen["S3_BUCKET"]) == (edited.endpoint, "towline")
    assert "AWS_PROFILE" not in seen


def test_stop_ends_it_too(edited: StackInfo) -> None:
    assert stack.stop(Path(edited.data_dir))
    assert not answers(port_of(edited))
    assert editor.running(DataDir(Path(edited.data_dir))) is None


def test_a_killed_stack_leaves_it_running_and_the_next_one_keeps_it(edited: StackInfo, tmp_path: Path) -> None:
    kill(edited)
    assert answers(port_of(edited))
    revived = stack.start(tmp_path, again(edited, WITH_EDITOR))
    assert (revived.editor, revived.editor_pid) == (edited.editor, edited.editor_pid)
    assert revived.pid != edited.pid


def test_a_stack_on_another_port_gets_another_editor(edited: StackInfo, tmp_path: Path) -> None:
    kill(edited)
    revived = stack.start(tmp_path, WITH_EDITOR)
    assert revived.endpoint != edited.endpoint
    assert revived.editor_pid != edited.editor_pid
    assert revived.editor_pid is not None
    assert environment_of(revived.editor_pid)["AWS_ENDPOINT_URL"] == revived.endpoint


def test_one_that_is_gone_is_started_again_on_demand(edited: StackInfo, tmp_path: Path) -> None:
    assert edited.editor_pid is not None
    os.kill(edited.editor_pid, signal.SIGKILL)
    assert lock.wait_until_free(DataDir(tmp_path).editor_lock, 10)
    alone = stack.status(tmp_path)
    assert alone is not None
    assert alone.editor is None
    again_there = stack.start(tmp_path, WITH_EDITOR)
    assert again_there.pid == edited.pid
    assert answers(port_of(again_there))


def test_the_next_port_is_taken_where_none_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.MonkeyPatch.context() as patched, running(tmp_path / "a") as info:
            patched.setattr(editor, "FIRST_PORT", taken)
            beside = stack.start(Path(info.data_dir), WITH_EDITOR)
            assert taken < port_of(beside) <= taken + 20


def test_a_port_that_was_asked_for_and_is_taken_is_an_error_that_leaves_the_stack_usable(tmp_path: Path) -> None:
    with socket.socket() as other, running(tmp_path):
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(LocalStackError, match=rf"port {taken} .*--editor-port N"):
            stack.start(tmp_path, replace(WITH_EDITOR, editor_port=taken))
        assert stack.status(tmp_path) is not None


def test_an_editor_that_does_not_come_up_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(editor, "command", lambda *_: [sys.executable, "-c", "raise SystemExit('no page')"])
    with running(tmp_path), pytest.raises(LocalStackError, match=r"did not come up(.|\n)*no page(.|\n)*--no-app"):
        stack.start(tmp_path, WITH_EDITOR)
