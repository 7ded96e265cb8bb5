"""Every code block of the README is run, and says what the README says it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sybil import Document
from sybil.parsers.markdown import CodeBlockParser

from tests.conftest import ROOT
from tests.needs import need
from towline.local import stack

README = ROOT / "README.md"
# What differs from run to run: ids, times, addresses, who is at the keyboard, and how wide a column is for it.
VOLATILE = [
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b"), "ID"),
    (re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{12}\b"), "INGEST"),
    (re.compile(r"\b\d{6}--"), "TIME--"),
    (re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"─+"), "──"),
    (re.compile(r" +"), " "),
]


def blocks(language: str) -> list[str]:
    """The README's code blocks in a language, in order."""
    document = Document.parse(str(README), CodeBlockParser(language, lambda example: None))
    return [str(example.parsed) for example in document.examples()]


def steady(text: str, user: str) -> list[str]:
    for pattern, stand_in in VOLATILE:
        text = pattern.sub(stand_in, text)
    return [line.strip().replace(f" {user} ", " root ") for line in text.strip().splitlines()]


def test_every_block_is_of_a_kind_that_is_run() -> None:
    kinds = re.findall(r"^```(\w*)$", README.read_text(), re.MULTILINE)[::2]
    assert sorted(kinds) == ["console", "python", "sh", "sh"]


def test_the_transcript_and_the_python_example_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the transcript are run in its order, then the Python block, on one stack."""
    from towline.settings import os_user

    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}:{os.environ['PATH']}")
    monkeypatch.setenv("TOWLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.delenv("S3_BUCKET", raising=False)
    try:
        for command, exit_code, expected in transcript():
            ran = subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
            )
            assert ran.returncode == exit_code, (command, ran.stdout, ran.stderr)
            said, wanted = steady(ran.stdout + ran.stderr, os_user()), steady(expected, os_user())
            if wanted[-1:] == ["..."]:
                wanted.pop()
                said = said[: len(wanted)]
            assert sorted(said) == sorted(wanted), command  # a warning may come before or after the outcome
        (example,) = blocks("python")
        told = subprocess.run(
            [sys.executable, "-c", example], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=True
        )
        (comment,) = re.findall(r"print\(.*\)  # (.*)", example)
        assert told.stdout.strip() == comment
    finally:
        stack.stop(tmp_path / "data")


def transcript() -> Iterator[tuple[str, int, str]]:
    """The console block's commands, the exit codes they announce, and what they print."""
    (block,) = blocks("console")
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        code = re.search(r"# exit code (\d+)$", command)
        yield command, int(code[1]) if code else 0, expected


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a newcomer has: a fresh clone, nothing synced."""
    need(shutil.which("git") and (ROOT / ".git").exists(), "git, and a checkout made with it")
    target = tmp_path_factory.mktemp("clone") / "towline"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
    return target


def newcomer(home: Path) -> dict[str, str]:
    """The environment of somebody who has no uv and no virtual environment yet."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "UV_"))}
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(ROOT)))
    return mine | {"PATH": path, "TOWLINE_DATA_DIR": str(home / "data"), "CI": "false"}


def test_one_line_runs_the_demo_in_a_fresh_clone(clone: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        need(probe.connect_ex(("127.0.0.1", 4566)), "port 4566, which the demo takes, must be free")
    line = blocks("sh")[0].strip()
    with started(line, clone, newcomer(tmp_path)) as process:
        assert process.stdout is not None
        page = next(found[0] for text in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", text)))
        with urllib.request.urlopen(page, timeout=30) as answer:
            assert b"<title>" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@contextmanager
def started(line: str, cwd: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A line of shell under way, whose process group ends with the block."""
    process = subprocess.Popen(
        ["bash", "-c", line], cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            os.killpg(process.pid, signal.SIGTERM)
            time.sleep(0.2)
        stack.stop(Path(env["TOWLINE_DATA_DIR"]))


def test_one_line_runs_the_tests_in_a_fresh_clone(clone: Path, tmp_path: Path) -> None:
    """The line itself is what `.ci/run` ends with; here it finds its tests and stops short of running them."""
    line = blocks("sh")[1].strip()
    assert line.endswith("uv run pytest")
    assert "uv run pytest" in (ROOT / ".ci" / "run").read_text()
    ran = subprocess.run(
        ["bash", "-c", f"{line} --collect-only -q"], cwd=clone, env=newcomer(tmp_path), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert re.search(r"[1-9]\d* tests? collected", ran.stdout)
