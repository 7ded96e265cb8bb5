"""Starting, stopping, killing and starting again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_stack import BUCKET, SMALL, again, client, eventually, invoke, kill, outputs, processes, running
from tests.needs import need
from towline import settings
from towline.errors import LocalStackError
from towline.local import stack
from towline.local.stack import StackInfo
from towline.settings import Settings


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    with running(tmp_path_factory.mktemp("small")) as info:
        yield info


def put(info: StackInfo, key: str, body: bytes, **more: Any) -> Any:
    return client(info, "s3").put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def get(info: StackInfo, key: str, **more: Any) -> Any:
    return client(info, "s3").get_object(Bucket=BUCKET, Key=key, **more)


def body(info: StackInfo, key: str, **more: Any) -> bytes | None:
    try:
        found: bytes = get(info, key, **more)["Body"].read()
        return found
    except ClientError:
        return None


def keys_below(info: StackInfo, prefix: str) -> list[str]:
    listed = client(info, "s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def echoes(info: StackInfo, name: str) -> bytes:
    """Put something into the inbox and wait for what the function makes of it."""
    put(info, f"inbox/{name}", name.encode())
    return eventually(lambda: body(info, f"echo/{name}"))


class TestARunningStack:
    def test_is_described_by_status_and_by_settings(self, small: StackInfo) -> None:
        assert stack.status(Path(small.data_dir)) == small
        found = Settings.resolve({}, Path(small.data_dir))
        assert (found.endpoint_url, found.bucket, found.region) == (small.endpoint, BUCKET, "us-east-1")
        assert found.local

    def test_runs_the_template_it_was_given(self, small: StackInfo) -> None:
        assert echoes(small, "über + 100%.json") == "über + 100%.json".encode()

    def test_has_called_reconcile_once_and_asked_for_everything(self, small: StackInfo) -> None:
        (key,) = keys_below(small, "reconciled/")
        assert body(small, key) == b'{"since": null}'

    def test_has_a_warm_worker_for_every_function(self, small: StackInfo) -> None:
        workers = [line for line in processes(Path(small.data_dir)) if "_worker.py" in line]
        assert any("Echo" in line for line in workers)
        assert any("Reconcile" in line for line in workers)

    def test_names_the_class_of_what_a_function_raises(self, small: StackInfo) -> None:
        answer = invoke(small, "EchoFunction", {"raise": True})
        assert answer["errorType"] == "LostRace"
        assert answer["errorMessage"] == "another commit got there first\nand again"

    def test_listens_on_loopback_only(self, small: StackInfo) -> None:
        need(which("ss"), "ss (iproute2) is not installed")
        addresses = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
        ours = [line.split()[3] for line in addresses if f"pid={small.pid}," in line]
        assert ours == [f"127.0.0.1:{small.port}"]

    def test_keeps_everything_private_to_its_user(self, small: StackInfo) -> None:
        put(small, "private", b"x")
        for path in (Path(small.data_dir), *Path(small.data_dir).rglob("*")):
            assert path.lstat().st_mode & 0o077 == 0, path

    def test_is_returned_to_a_second_start_that_does_not_want_to_hold_it(self, small: StackInfo) -> None:
        assert stack.start(Path(small.data_dir), SMALL, detach=True) == small

    def test_keeps_others_out_of_its_data_directory(self, small: StackInfo) -> None:
        with pytest.raises(LocalStackError, match=rf"{small.data_dir} is in use .*process {small.pid}.*towline down"):
            stack.start(Path(small.data_dir), SMALL, detach=False)

    def test_keeps_others_off_its_port(self, small: StackInfo, tmp_path: Path) -> None:
        with pytest.raises(LocalStackError, match=rf"port {small.port} .*--port N"):
            stack.start(tmp_path, replace(SMALL, port=small.port))
        assert stack.status(tmp_path) is None
        assert not processes(tmp_path)

    def test_goes_by_any_path_that_leads_to_it(self, small: StackInfo, tmp_path: Path) -> None:
        (tmp_path / "alias").symlink_to(small.data_dir)
        assert stack.status(tmp_path / "alias") == small

    def test_counts_for_nobody_else(self, small: StackInfo, tmp_path: Path) -> None:
        """A stale description with a port that another stack has since taken is not taken for ours."""
        replace(small, data_dir=str(tmp_path)).write()
        assert stack.status(tmp_path) is None


def test_functions_see_nothing_of_the_users_aws_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {"AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "HTTP_PROXY", "SERVICES", "LAMBDA_EXECUTOR"}
    for name in theirs:
        monkeypatch.setenv(name, "http://192.0.2.1:1")
    with running(tmp_path) as info:
        monkeypatch.undo()
        seen = invoke(info, "EchoFunction", {"environment": True})["environment"]
        assert seen["AWS_ENDPOINT_URL"] == info.endpoint
        assert theirs & seen.keys() == {"AWS_ENDPOINT_URL"}
        assert seen["POWERTOOLS_TRACE_DISABLED"] == "true"


class TestAfterAStop:
    def test_nothing_runs_and_nothing_is_described(self, tmp_path: Path) -> None:
        with running(tmp_path):
            pass
        assert stack.status(tmp_path) is None
        assert not (tmp_path / "stack.json").exists()
        assert stack.stop(tmp_path) is False

    def test_a_restart_has_the_objects_their_versions_and_the_rest(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            first = put(info, "data/t/master.parquet", b"one", Metadata={"commit": "A"})["VersionId"]
            second = put(info, "data/t/master.parquet", b"two", Metadata={"commit": "B"})["VersionId"]
            client(info, "iam").create_user(UserName="ana")
            worker = eventually(lambda: outputs(info)["EchoFunction"])
        with running(tmp_path, again(info)) as info:
            now = get(info, "data/t/master.parquet")
            assert (now["Body"].read(), now["VersionId"], now["Metadata"]) == (b"two", second, {"commit": "B"})
            assert body(info, "data/t/master.parquet", VersionId=first) == b"one"
            assert [user["UserName"] for user in client(info, "iam").list_users()["Users"]] == ["ana"]
            assert outputs(info)["EchoFunction"] == worker
            assert echoes(info, "after") == b"after"

    def test_commands_that_name_no_directory_find_the_stack_that_was_started_last(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "current_stack_file", lambda: tmp_path / "state" / "current-stack")
        monkeypatch.setattr(settings, "default_data_dir", lambda: tmp_path / "default")
        with running(tmp_path / "elsewhere", replace(SMALL, remember=True)) as info:
            assert Settings.resolve({}).endpoint_url == info.endpoint
        assert not settings.current_stack_file().exists()

    def test_a_restart_on_another_port_works_as_well(self, tmp_path: Path) -> None:
        """Queue URLs hold the port, so the saved state cannot be used: the template is deployed anew."""
        with running(tmp_path) as before:
            put(before, "data/t", b"one")
            version = put(before, "data/t", b"two")["VersionId"]
        with running(tmp_path) as info:
            assert info.port != before.port
            assert get(info, "data/t")["VersionId"] == version
            assert echoes(info, "after") == b"after"
            assert len(list_versions(info, "data/t")) == 2

    def test_a_restart_with_other_parameters_updates_the_stack(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            assert invoke(info, "EchoFunction", {"environment": True})["environment"]["GREETING"] == "hello"
        how = replace(again(info), parameters={**SMALL.parameters, "Greeting": "ahoy"})
        with running(tmp_path, how) as info:
            assert invoke(info, "EchoFunction", {"environment": True})["environment"]["GREETING"] == "ahoy"


def list_versions(info: StackInfo, key: str) -> list[str]:
    listed = client(info, "s3").list_object_versions(Bucket=BUCKET, Prefix=key)
    return [version["VersionId"] for version in listed["Versions"]]


class TestAfterKillMinusNine:
    def test_no_process_stays(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            kill(info)
            eventually(lambda: not processes(tmp_path))
            assert stack.status(tmp_path) is None

    def test_a_restart_has_everything_that_was_answered(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            versions = [put(info, "data/t", b"%d" % number)["VersionId"] for number in range(20)]
            kill(info)
            with running(tmp_path, again(info)) as info:
                assert sorted(list_versions(info, "data/t")) == sorted(versions)
                assert [body(info, "data/t", VersionId=v) for v in versions] == [b"%d" % n for n in range(20)]
                assert echoes(info, "after") == b"after"

    def test_a_restart_without_any_saved_state_adopts_the_bucket(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            version = put(info, "data/t", b"kept", Metadata={"commit": "A"})["VersionId"]
            kill(info)
            for file in (tmp_path / "state").rglob("*.json"):
                file.write_text("")  # as a power cut may leave them
            with running(tmp_path, again(info)) as info:
                found = get(info, "data/t")
                assert (found["Body"].read(), found["VersionId"]) == (b"kept", version)
                assert found["Metadata"] == {"commit": "A"}
                assert put(info, "data/t", b"next")["VersionId"] != version
                assert echoes(info, "after") == b"after"

    def test_a_restart_finds_the_wiring_of_an_update_whole(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            kill(info)
            how = replace(again(info), parameters={**SMALL.parameters, "Greeting": "ahoy"})
            with running(tmp_path, how) as info:
                kill(info)
                with running(tmp_path, how) as info:
                    seen = invoke(info, "EchoFunction", {"environment": True})["environment"]
                    assert seen["GREETING"] == "ahoy"
                    assert echoes(info, "after") == b"after"

    def test_the_leavings_of_workers_are_cleared_at_the_next_start(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            kill(info)
            left = {path.name for path in (tmp_path / "tmp").iterdir()}
            assert left
            with running(tmp_path, again(info)):
                assert not left & {path.name for path in (tmp_path / "tmp").iterdir()}


BROKEN_RESOURCE = """Resources:
  Broken:
    Type: AWS::Logs::LogStream
    DependsOn: [Bucket, Echo]
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A template that a test may break."""
    assert SMALL.template is not None
    (tmp_path / "functions").symlink_to(SMALL.template.parent / "functions")
    copy = tmp_path / "template.yaml"
    copy.write_text(SMALL.template.read_text())
    return copy


class TestAStartThatCannotBe:
    def test_says_that_the_data_directory_is_a_file(self, tmp_path: Path) -> None:
        place = tmp_path / "file"
        place.write_text("")
        with pytest.raises(LocalStackError, match=rf"{place} is a file.*--data-dir"):
            stack.start(place, SMALL)

    def test_says_that_the_data_directory_cannot_be_written(self) -> None:
        with pytest.raises(LocalStackError, match=r"/proc/towline cannot be written .*--data-dir"):
            stack.start(Path("/proc/towline"), SMALL)

    def test_says_that_the_disk_is_nearly_full(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOWLINE_MIN_FREE_MB", "1000000000")
        with pytest.raises(LocalStackError, match=r"MB left and the local stack needs 1000000400 MB.*--data-dir"):
            stack.start(tmp_path, SMALL)

    def test_gives_the_reason_of_a_template_that_is_refused(self, broken: Path) -> None:
        broken.write_text(broken.read_text().replace("AWS::SQS::Queue\n", "AWS::SQS::Cue\n"))
        with pytest.raises(LocalStackError, match="AWS::SQS::Cue"):
            stack.start(broken.parent / "data", replace(SMALL, template=broken))
        assert not processes(broken.parent)

    def test_gives_the_reason_of_a_resource_that_fails_and_starts_once_it_is_mended(self, broken: Path) -> None:
        whole, data, how = broken.read_text(), broken.parent / "data", replace(SMALL, template=broken)
        broken.write_text(whole.replace("Resources:\n", BROKEN_RESOURCE))
        with pytest.raises(LocalStackError, match=r"Broken \(AWS::Logs::LogStream\): .*LogGroupName"):
            stack.start(data, how)
        assert not processes(broken.parent)
        broken.write_text(whole)
        with running(data, how) as info:
            assert echoes(info, "mended") == b"mended"

    @pytest.mark.parametrize("keep_state", [True, False])
    def test_a_deployment_that_fails_costs_no_objects(self, broken: Path, keep_state: bool) -> None:
        """With saved state this is an update that is rolled back; without it, a creation around the bucket."""
        whole, data, how = broken.read_text(), broken.parent / "data", replace(SMALL, template=broken)
        with running(data, how) as info:
            version = put(info, "data/t", b"kept")["VersionId"]
        if not keep_state:
            (data / "state" / "current").unlink()
        broken.write_text(whole.replace("Resources:\n", BROKEN_RESOURCE))
        with pytest.raises(LocalStackError, match=r"Broken \(AWS::Logs::LogStream\): .*LogGroupName"):
            stack.start(data, again(info, how))
        broken.write_text(whole.replace("Default: hello", "Default: ahoy"))
        with running(data, again(info, how)) as info:
            assert get(info, "data/t")["VersionId"] == version
            assert invoke(info, "EchoFunction", {"environment": True})["environment"]["GREETING"] == "ahoy"
            assert echoes(info, "mended") == b"mended"

    def test_shows_the_end_of_the_log_when_the_process_dies(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stack, "_command", lambda *_: [sys.executable, "-c", "raise SystemExit('out of luck')"])
        with pytest.raises(LocalStackError, match=r"died during its start(.|\n)*out of luck"):
            stack.start(tmp_path, SMALL)

    def test_says_how_to_install_ministack(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from importlib.metadata import PackageNotFoundError

        def missing(name: str) -> str:
            raise PackageNotFoundError(name)

        monkeypatch.setattr("importlib.metadata.version", missing)
        with pytest.raises(LocalStackError, match="uv sync --group local"):
            stack.start(tmp_path, SMALL)

    def test_refuses_another_ministack(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.metadata.version", lambda name: "1.6.0")
        with pytest.raises(LocalStackError, match=r"MiniStack 1\.6\.0 is installed.*1\.5\.33 only"):
            stack.start(tmp_path, SMALL)


class TestInTheForeground:
    def test_a_signal_stops_the_stack(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
            stack.hold(info)
            assert stack.status(tmp_path) is None
            assert not processes(tmp_path)

    def test_a_stack_that_ends_by_itself_is_an_error(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            threading.Timer(0.5, os.kill, (info.pid, signal.SIGKILL)).start()
            with pytest.raises(LocalStackError, match="ended by itself"):
                stack.hold(info)

    def test_a_stack_that_is_stopped_elsewhere_is_none(self, tmp_path: Path) -> None:
        with running(tmp_path) as info:
            threading.Timer(0.5, stack.stop, (tmp_path,)).start()
            stack.hold(info)
        assert stack.status(tmp_path) is None


class TestWithAuthorisation:
    def test_functions_work_with_their_roles_and_strangers_do_not(self, tmp_path: Path) -> None:
        with running(tmp_path, replace(SMALL, auth=True)) as info:
            assert not info.warnings
            assert echoes(info, "authorised") == b"authorised"
            key = client(info, "iam")
            key.create_user(UserName="ana")
            credentials = key.create_access_key(UserName="ana")["AccessKey"]
            import boto3

            ana = boto3.client(
                "s3",
                endpoint_url=info.endpoint,
                region_name="us-east-1",
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
            )
            with pytest.raises(ClientError, match="AccessDenied"):
                ana.get_object(Bucket=BUCKET, Key="echo/authorised")
