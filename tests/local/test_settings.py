"""Settings come from the environment, else from the stack that runs here; what is missing is named at once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from towline import keys, settings
from towline.errors import Unavailable, UsageError
from towline.local.info import StackInfo
from towline.settings import Settings, chosen_data_dir, is_loopback, stack_dir

FUNCTION = {"S3_BUCKET": "team", "AUTHOR_SOURCE": "event"}


@pytest.fixture(autouse=True)
def _nobody_ran_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "default_data_dir", lambda: tmp_path / "default")
    monkeypatch.setattr(settings, "current_stack_file", lambda: tmp_path / "current-stack")
    monkeypatch.setattr("getpass.getuser", lambda: "Ana Lía")


def run_in(directory: Path, port: int = 4566) -> StackInfo:
    """As if a stack ran in `directory`."""
    directory.mkdir(exist_ok=True)
    info = StackInfo(f"http://127.0.0.1:{port}", "towline", "us-east-1", str(directory), 1, port, "0.1.0")
    info.write()
    return info


class TestFromTheEnvironment:
    def test_a_bucket_on_aws(self, tmp_path: Path) -> None:
        run_in(tmp_path / "default")
        found = Settings.resolve({"S3_BUCKET": "team", "AWS_PROFILE": "lab", "AWS_REGION": "eu-central-1"})
        assert found == Settings("team", region="eu-central-1", profile="lab")
        assert not found.local
        assert found.principal is None

    def test_an_emulator_comes_with_its_credentials(self) -> None:
        found = Settings.resolve({"S3_BUCKET": "towline", "AWS_ENDPOINT_URL": "http://localhost:4566"})
        assert (found.access_key, found.secret_key) == ("test", "test")
        assert found.local
        assert found.principal == "Ana-L-a"

    def test_unless_the_environment_has_some(self) -> None:
        env = {"S3_BUCKET": "towline", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ACCESS_KEY_ID": "AKIA"}
        assert Settings.resolve(env).access_key is None

    def test_credentials_are_never_sent_to_other_machines(self) -> None:
        env = {"S3_BUCKET": "towline", "AWS_ENDPOINT_URL": "http://127.0.0.1.evil.example"}
        assert Settings.resolve(env).access_key is None

    @pytest.mark.parametrize("prefix", ["old/snaps", "old/snaps/", "/old/snaps/"])
    def test_prefixes_may_end_in_a_slash_or_not(self, prefix: str) -> None:
        found = Settings.resolve({"S3_BUCKET": "team", "S3_SNAPSHOT_PREFIX": prefix, "S3_AUDIT_PREFIX": "log"})
        assert found.layout == keys.Layout(snapshots="old/snaps/", audit="log/")

    def test_the_database_for_sql_may_have_another_name_and_is_passed_on(self) -> None:
        assert Settings.resolve({"S3_BUCKET": "team"}).glue_database == "towline"
        found = Settings.resolve({"S3_BUCKET": "team", "GLUE_DATABASE": "tows"})
        assert (found.glue_database, found.exports()["GLUE_DATABASE"]) == ("tows", "tows")

    @pytest.mark.parametrize(
        ("key", "dataset"),
        [("data/net_tows/master.parquet", "net_tows"), ("data/master.parquet", None), ("", None)],
    )
    def test_the_master_key_may_name_the_dataset(self, key: str, dataset: str | None) -> None:
        assert Settings.resolve({"S3_BUCKET": "team", "S3_MASTER_KEY": key}).dataset == dataset

    def test_an_endpoint_without_a_bucket_is_half_an_environment(self) -> None:
        with pytest.raises(UsageError, match=r"AWS_ENDPOINT_URL is http://x, but S3_BUCKET is not set"):
            Settings.resolve({"AWS_ENDPOINT_URL": "http://x"})


class TestFromTheLocalStack:
    def test_of_the_default_data_directory(self, tmp_path: Path) -> None:
        run_in(tmp_path / "default")
        found = Settings.resolve({"AWS_PROFILE": "work"})
        assert found.endpoint_url == "http://127.0.0.1:4566"
        assert found.profile is None
        assert found.access_key == "test"
        assert found.local

    def test_of_the_directory_that_is_named(self, tmp_path: Path) -> None:
        run_in(tmp_path / "default", 1)
        run_in(tmp_path / "env", 2)
        run_in(tmp_path / "option", 3)
        env = {"TOWLINE_DATA_DIR": str(tmp_path / "env")}
        assert Settings.resolve(env).endpoint_url == "http://127.0.0.1:2"
        assert Settings.resolve(env, tmp_path / "option").endpoint_url == "http://127.0.0.1:3"

    def test_that_was_started_last_where_none_is_named(self, tmp_path: Path) -> None:
        run_in(tmp_path / "default", 1)
        run_in(tmp_path / "last", 2)
        settings.current_stack_file().write_text(str(tmp_path / "last"))
        assert Settings.resolve({}).endpoint_url == "http://127.0.0.1:2"
        (tmp_path / "last" / "stack.json").unlink()
        assert Settings.resolve({}).endpoint_url == "http://127.0.0.1:1"

    def test_a_start_does_not_take_the_directory_of_the_last_one(self, tmp_path: Path) -> None:
        run_in(tmp_path / "last", 2)
        settings.current_stack_file().write_text(str(tmp_path / "last"))
        assert stack_dir({}) == tmp_path / "last"
        assert chosen_data_dir({}) == tmp_path / "default"

    def test_where_there_is_none_everything_missing_is_named_with_the_way_out(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable) as missing:
            Settings.resolve({})
        for word in (str(tmp_path / "default"), "S3_BUCKET", "AWS_ENDPOINT_URL", "AWS_PROFILE", "towline up"):
            assert word in str(missing.value)

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"endpoint": "http://127.0.0.1:1"}'])
    def test_a_description_that_is_none_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "stack.json").write_text(text)
        with pytest.raises(UsageError, match=r"stack\.json does not describe a stack.*towline up"):
            Settings.resolve({}, tmp_path)


class TestOfAFunction:
    def test_they_are_its_environment(self) -> None:
        env = {**FUNCTION, "APPLY_QUEUE_URL": "https://q", "TOPIC_ARN": "arn:t", "AWS_REGION": "eu-west-1"}
        found = Settings.for_function(env, needs=("APPLY_QUEUE_URL", "TOPIC_ARN"))
        assert found == Settings(
            "team", region="eu-west-1", author_source="event", apply_queue_url="https://q", topic_arn="arn:t"
        )

    def test_everything_missing_is_named_at_once(self) -> None:
        with pytest.raises(UsageError, match=r"lacks S3_BUCKET, AUTHOR_SOURCE, TOPIC_ARN: .*template\.yaml"):
            Settings.for_function({"APPLY_QUEUE_URL": "https://q"}, needs=("APPLY_QUEUE_URL", "TOPIC_ARN"))

    def test_an_author_source_is_one_that_is_known(self) -> None:
        with pytest.raises(UsageError, match=r"AUTHOR_SOURCE is 'payload'.* event, path"):
            Settings.for_function({**FUNCTION, "AUTHOR_SOURCE": "payload"})

    def test_an_endpoint_that_is_empty_is_none(self) -> None:
        """The template's parameter is empty on AWS."""
        assert Settings.for_function({**FUNCTION, "AWS_ENDPOINT_URL": ""}).endpoint_url is None


def test_exports_resolve_to_the_same_settings(tmp_path: Path) -> None:
    run_in(tmp_path)
    found = replace(Settings.resolve({}, tmp_path), layout=keys.Layout("s/", "a/"), master_key="data/t/master.parquet")
    assert Settings.resolve(found.exports()) == replace(found, access_key=None, secret_key=None)
    assert found.exports()["AWS_ACCESS_KEY_ID"] == "test"


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(Settings("team", secret_key="hush"))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "b.localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_these_are_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "127.0.0.1.example", "10.0.0.1", "0.0.0.1", "::2"])
def test_these_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_settings_need_neither_the_emulator_nor_an_aws_library() -> None:
    check = "import sys, towline.settings; print({'boto3', 'botocore', 'ministack', 'platformdirs'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
