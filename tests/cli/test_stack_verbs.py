"""up, down, demo, app, env and doctor: what they start, stop, print and find, without a stack."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Towline
from tests.needs import need
from towline import connect
from towline.cli import app
from towline.connect import Connection
from towline.errors import LocalStackError
from towline.local import stack
from towline.local.stack import StackInfo, Start
from towline.pipeline import registry
from towline.settings import Settings
from towline.store import Always


class Stacks:
    """Stands in for towline.local.stack: notes what it was asked, and starts nothing."""

    def __init__(self, data_dir: Path) -> None:
        self.info = StackInfo("http://127.0.0.1:4566", "towline", "us-east-1", str(data_dir), 7, 4566, "0", warnings=())
        self.running = False
        self.editor_fails = False
        self.asked: list[Any] = []

    def start(self, data_dir: Path, how: Start, *, detach: bool = True) -> StackInfo:
        self.asked.append(("start", data_dir, how, detach))
        self.running = True
        if how.app and self.editor_fails:
            raise LocalStackError("the editor did not come up")
        return replace(self.info, editor="http://127.0.0.1:8501" if how.app else None)

    def status(self, data_dir: Path) -> StackInfo | None:
        return self.info if self.running else None

    def stop(self, data_dir: Path) -> bool:
        self.asked.append(("stop", data_dir))
        was, self.running = self.running, False
        return was

    def hold(self, info: StackInfo) -> None:
        self.asked.append(("hold", info.data_dir))


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    found = Stacks(tmp_path)
    for name in ("start", "status", "stop", "hold"):
        monkeypatch.setattr(stack, name, getattr(found, name))
    monkeypatch.setenv("TOWLINE_DATA_DIR", str(tmp_path))
    return found


def test_up_prints_the_addresses_and_stays(bucket: Towline, stacks: Stacks, tmp_path: Path) -> None:
    result = bucket.good("up")
    assert "http://127.0.0.1:8501" in result.out
    assert "http://127.0.0.1:4566, bucket towline" in result.out
    assert str(tmp_path) in result.out
    assert stacks.asked[-1] == ("hold", str(tmp_path))
    assert [step[2].app for step in stacks.asked[:2]] == [False, True]


def test_up_says_that_a_stack_which_runs_has_the_code_that_it_had_and_which_pipelines_are_broken(
    bucket: Towline, stacks: Stacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "warning" not in bucket.good("up", "--detach", "--no-app").err
    (tmp_path / "casts").mkdir()
    (tmp_path / "casts" / "pipeline.py").write_text("PIPELINE = 1")
    monkeypatch.setattr(registry, "home", lambda: tmp_path)
    said = bucket.good("up", "--detach", "--no-app").err
    assert "ran already and is left as it is: `towline down` and `towline up` have it run changed code" in said
    assert f"warning: {tmp_path / 'casts'}: pipeline.py defines no PIPELINE" in said


def test_up_with_json_prints_the_four_things_that_programs_need(
    bucket: Towline, stacks: Stacks, tmp_path: Path
) -> None:
    answer = bucket.good("up", "--detach", "--no-app", "--port", "0", "--json").json
    assert answer == {
        "endpoint": "http://127.0.0.1:4566",
        "bucket": "towline",
        "editor": None,
        "data_dir": str(tmp_path),
    }
    ((_, _, how, detached),) = stacks.asked
    assert (how.port, how.app, how.remember, detached) == (0, False, True, True)


def test_up_takes_the_data_directory_that_it_is_told(bucket: Towline, stacks: Stacks, tmp_path: Path) -> None:
    bucket.good("up", "--detach", "--data-dir", str(tmp_path / "other"), "--editor-port", "9000")
    assert all(step[1] == tmp_path / "other" for step in stacks.asked)
    assert stacks.asked[-1][2].editor_port == 9000


@pytest.mark.parametrize("ran_before", [False, True])
def test_a_stack_stays_when_its_editor_fails_only_if_it_ran_before(
    bucket: Towline, stacks: Stacks, ran_before: bool
) -> None:
    stacks.running, stacks.editor_fails = ran_before, True
    result = bucket("up", "--detach")
    assert result.code == 12
    assert "the editor did not come up" in result.err
    assert stacks.running is ran_before


def test_warnings_of_the_stack_are_told(bucket: Towline, stacks: Stacks) -> None:
    stacks.info = replace(stacks.info, warnings=("a function is slow",))
    assert "warning: a function is slow" in bucket.good("up", "--detach").err


def test_down_says_whether_there_was_something_to_stop(bucket: Towline, stacks: Stacks, tmp_path: Path) -> None:
    stacks.running = True
    assert bucket.good("down", "--json").json == {"stopped": True, "data_dir": str(tmp_path)}
    assert "no local stack runs" in bucket.good("down").err


def test_the_demo_makes_its_table_once(bucket: Towline, stacks: Stacks) -> None:
    first = bucket.good("demo", "--detach")
    assert "towline edit net_tows" in first.out
    assert "http://127.0.0.1:8501" in first.out
    (sample,) = bucket.good("datasets", "--json").json
    assert (sample["dataset"], sample["rows"], sample["key"]) == ("net_tows", 125, ["tow", "net"])
    bucket.good(
        "edit", "net_tows", "--where", "tow=4,net=1", "--set", "volume_filtered=1234.5", "--note", "x", "--wait"
    )
    assert bucket.good("demo", "--detach", "--json").json["editor"] == "http://127.0.0.1:8501"
    assert bucket.good("datasets", "--json").json[0]["number"] == 2


def test_what_the_demo_tells_to_try_works(bucket: Towline, stacks: Stacks) -> None:
    told = bucket.good("demo", "--detach").out.replace("\\\n", " ").replace("in this shell", "")
    commands = [line.split("towline ", 1)[1] for line in told.splitlines() if line.strip().startswith("towline ")]
    assert len(commands) == 4
    import shlex

    for command in commands:
        bucket.good(*shlex.split(command))


def test_env_prints_lines_that_a_shell_reads_back(
    tmp_path: Path, bucket: Towline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3_BUCKET", "it's ours")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    printed = bucket.good("env").out
    assert all(line.startswith("export ") and "='" in line for line in printed.splitlines())
    shell = subprocess.run(
        ["sh", "-c", f'{printed}\nprintf %s "$S3_BUCKET"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout == "it's ours"
    assert bucket.good("env", "--json").json["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"


def test_env_without_anything_configured_says_what_to_do(
    bucket: Towline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S3_BUCKET", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    result = bucket("env", "--data-dir", str(tmp_path))
    assert result.code == 12
    assert "towline up" in result.err


def test_the_editor_gets_the_settings_and_no_profile_beside_their_credentials() -> None:
    local = Settings("towline", endpoint_url="http://127.0.0.1:4566", access_key="test", secret_key="test")
    env = app.environment({"AWS_PROFILE": "work", "HOME": "/home/ana"}, local)
    assert (env["S3_BUCKET"], env["AWS_ACCESS_KEY_ID"], env["HOME"]) == ("towline", "test", "/home/ana")
    assert "AWS_PROFILE" not in env
    assert app.environment({}, Settings("team", profile="work"))["AWS_PROFILE"] == "work"


def test_the_editor_runs_in_the_foreground_until_ctrl_c(tmp_path: Path) -> None:
    need(_has("streamlit"), "Streamlit is not installed (uv sync --group app)")
    port = _free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_"))}
    env |= {"S3_BUCKET": "towline", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    command = [sys.executable, "-c", "from towline.cli import run; run()", "app", "--port", str(port), "--json"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0) as process:
        try:
            assert process.stdout is not None
            assert json.loads(b"".join(process.stdout.readline() for _ in range(5)))["bucket"] == "towline"
            from towline.local import editor

            deadline = time.monotonic() + 30
            while not editor.healthy(port):
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(20)
    assert not editor.healthy(port)


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_doctor_without_a_stack_says_what_to_start(
    tmp_path: Path, bucket: Towline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S3_BUCKET", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    result = bucket("doctor", "--data-dir", str(tmp_path), "--json")
    assert result.code == 12
    checks = {check["name"]: check for check in result.json["checks"]}
    assert checks["python"]["status"] == checks["packages"]["status"] == "ok"
    assert checks["stack"]["status"] == "fail"
    assert "towline up" in checks["stack"]["fix"]
    assert all(check["fix"] for check in checks.values() if check["status"] == "fail")
    shown = bucket("doctor", "--data-dir", str(tmp_path))
    assert shown.code == 12
    assert "-> run `towline up`" in shown.out


def test_doctor_with_a_bucket_that_does_not_answer_says_so(bucket: Towline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_BUCKET", "towline")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{_free_port()}")
    result = bucket("doctor", "--json")
    assert result.code == 12
    assert {check["name"]: check["status"] for check in result.json["checks"]}["bucket"] == "fail"


def test_doctor_finds_a_store_that_ignores_conditions(bucket: Towline, monkeypatch: pytest.MonkeyPatch) -> None:
    from towline.cli.checks_bucket import _conditional
    from towline.cli.options import Call

    put = bucket.store.put
    assert _conditional(Call(False)).status == "ok"
    monkeypatch.setattr(bucket.store, "put", lambda key, body, when: put(key, body, when=Always()))
    assert _conditional(Call(False)).status == "fail"


def test_doctors_marker_is_taken_for_no_proposal(bucket: Towline) -> None:
    from towline.cli.checks_bucket import _conditional
    from towline.cli.options import Call

    _conditional(Call(False))
    assert bucket.pipeline.pump() == []
    assert [entry.key for entry in bucket.store.list("")] == ["inbox/doctor/ana/conditional-put/"]


def test_on_aws_the_principal_is_who_the_credentials_are(monkeypatch: pytest.MonkeyPatch, bucket: Towline) -> None:
    from towline.aws import identity

    monkeypatch.setattr(identity, "principal", lambda settings: "AROAEXAMPLE:ana")
    remote = Connection(Settings("team"), bucket.pipeline.bench)
    assert remote.dataset("tows").principal == "AROAEXAMPLE:ana"
    assert connect.here().principal == "ana"
