"""The command line as a whole: its errors, its help, its speed and its documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.cli.conftest import CSV, Towline
from tests.conftest import ROOT
from towline import connect, errors
from towline.cli import VERBS, main
from towline.errors import OutcomeUnknown, Refused, TowlineError, Unavailable
from towline.memory import fail_once

DOCS = ROOT / "docs" / "cli.md"


def commands() -> dict[str, click.Command]:
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in VERBS}  # type: ignore[attr-defined]
    return {name: command for name, command in found.items() if command is not None}


def test_every_verb_has_a_module_and_every_command_module_is_a_verb() -> None:
    assert list(commands()) == list(VERBS)
    assert all(command.name == name for name, command in commands().items())
    modules = (path for path in Path(sys.modules[main.__module__].__file__ or "").parent.glob("*.py"))
    verbs = {path.stem for path in modules if re.search(r"^@click\.command\(", path.read_text(), re.MULTILINE)}
    assert verbs - {"__init__"} == set(VERBS)


def test_every_command_can_answer_in_json_and_knows_the_data_directory() -> None:
    for name, command in commands().items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--data-dir"} <= options, name


def test_every_option_says_what_it_is_for() -> None:
    for name, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (name, parameter.opts)


def test_every_command_and_every_option_is_documented() -> None:
    sections = dict(re.findall(r"^## towline (\w+)\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.MULTILINE | re.DOTALL))
    assert list(sections) == list(VERBS)
    shared = {"--json", "--data-dir"}
    for name, command in commands().items():
        given = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
        said = set(re.findall(r"`(--?[a-z][a-z-]*)", sections[name]))
        assert given - shared == said - shared, name


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    heavy = ["pyarrow", "pandas", "numpy", "boto3", "botocore", "rich", "streamlit", "ministack", "openpyxl"]
    program = (
        "import sys\n"
        "from towline.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_commands_on_data_do_not_import_pandas_streamlit_or_the_local_stack() -> None:
    program = (
        "import sys\n"
        "from importlib import import_module\n"
        "for verb in 'create datasets show export propose edit insert delete status log diff'.split():\n"
        "    import_module(f'towline.cli.{verb}')\n"
        "print([name for name in ('pandas', 'streamlit', 'boto3', 'towline.local') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["edit", "--help"], ["--version"]])
def test_help_and_version_end_with_0(bucket: Towline, arguments: list[str]) -> None:
    assert bucket.good(*arguments).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["edits"], "did you mean edit?"),
        (["frobnicate"], "no command 'frobnicate'"),
        (["edit", "tows"], "--set"),
        (["propose", "tows"], "FILE"),
        (["show", "tows", "-n", "-1"], "-n"),
        (["show", "tows", "--nope"], "--nope"),
    ],
)
def test_a_wrong_call_ends_with_2_and_one_line(bucket: Towline, arguments: list[str], said: str) -> None:
    result = bucket(*arguments)
    assert result.code == 2
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert said in result.err


def test_a_wrong_call_with_json_is_told_in_json_too(bucket: Towline) -> None:
    result = bucket("edit", "tows", "--json")
    assert (result.code, result.json["error"]) == (2, "usage")
    assert "--set" in result.json["message"]


ERRORS = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, TowlineError)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.kind)
def test_every_error_ends_with_its_code_one_line_and_its_kind(
    bucket: Towline, monkeypatch: pytest.MonkeyPatch, error: type[TowlineError]
) -> None:
    def fail(data_dir: Path | None = None) -> None:
        raise error("what, where, and the way out")

    monkeypatch.setattr(connect, "here", fail)
    result = bucket("log", "tows", "--json")
    assert result.code == error.exit_code
    assert result.json == {"error": error.kind, "message": "what, where, and the way out"}
    assert result.err == "error: what, where, and the way out\n"


def test_a_store_that_cannot_be_reached_ends_with_12(towline: Towline) -> None:
    towline.store.faults = fail_once("get", "before", Unavailable("no answer"))
    assert towline("show", "tows").code == 12


def test_a_store_that_refuses_ends_with_14(towline: Towline) -> None:
    towline.store.faults = fail_once("put", "before", Refused("403"), prefix="inbox/")
    arguments = ["--where", "tow=1,net=1", "--set", "volume=1", "--note", "why"]
    assert towline("edit", "tows", *arguments).code == 14


def test_a_proposal_whose_put_got_no_answer_is_named_so_that_it_can_be_asked_for(towline: Towline) -> None:
    towline.store.faults = fail_once("put", "after", OutcomeUnknown("no answer"), prefix="inbox/")
    arguments = ["--where", "tow=1,net=1", "--set", "volume=1", "--note", "why", "--json"]
    result = towline("edit", "tows", *arguments)
    assert result.code == 12
    proposal = result.json["proposal"]
    assert f"towline status {proposal} --dataset tows" in result.err
    assert towline.good("status", proposal, "--json").json["status"] == "received"


def test_a_file_that_may_not_be_read_ends_with_2(towline: Towline) -> None:
    result = towline("propose", "tows", str(towline.directory), "--note", "why")
    assert result.code == 2


def test_json_output_is_utf8_whatever_the_terminal_speaks(towline: Towline) -> None:
    towline.environment["PYTHONIOENCODING"] = "ascii"
    assert "Méridian, II" in towline.good("show", "tows", "--json").out


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "tows"],
        ["log", "tows"],
        ["datasets"],
        ["diff", "tows", "1"],
        ["edit", "tows", "--where", "tow=1,net=1", "--set", "volume=1", "--note", "why", "--wait"],
        ["insert", "tows", "--set", "tow=5,net=1", "--note", "why"],
        ["delete", "tows", "--where", "tow=1,net=1", "--note", "why", "--dry-run"],
        ["propose", "tows", "tows.csv", "--note", "why", "--wait"],
    ],
)
def test_with_json_stdout_holds_one_json_value_and_nothing_else(towline: Towline, arguments: list[str]) -> None:
    changed = CSV.replace("1467.2", "1468.2")
    arguments = [towline.file(word, changed) if word == "tows.csv" else word for word in arguments]
    assert towline.good(*arguments, "--json").json is not None


@pytest.mark.parametrize(("arguments", "code", "says"), [(["--version"], 0, "towline"), (["shwo"], 2, "mean show?")])
def test_the_console_script_says_all_it_has_to_say_before_it_leaves(arguments: list[str], code: int, says: str) -> None:
    command = [sys.executable, "-c", "from towline.cli import run; run()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == code
    assert says in done.stdout + done.stderr
