"""What `sam build` makes of the template: valid, complete, and well below Lambda's limit."""

from __future__ import annotations

import os
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.infra.template import Template
from tests.sam.tools import Sam, python312

LIMIT = 240_000_000  # bytes unpacked; Lambda allows 250 MB for a function and its layers
FUNCTIONS = Template().functions
# What Lambda's runtime brings along beside the standard library, all pure Python.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six")


@pytest.fixture(scope="session")
def packages(built: Path) -> Path:
    """What /opt/python will hold."""
    return built / "TowlineLayer" / "python"


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the packages of Lambda's runtime and no others."""
    directory = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (directory / source.name).symlink_to(source)
    return directory


def test_the_template_passes_sams_own_validation(sam: Sam) -> None:
    answer = sam.run("validate", "--lint")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_a_function_and_its_layer_are_well_below_lambdas_limit(built: Path, packages: Path) -> None:
    for function in FUNCTIONS:
        sizes = [f.stat().st_size for root in (packages, built / function) for f in root.rglob("*") if f.is_file()]
        assert 0 < sum(sizes) < LIMIT


def test_the_layer_holds_nothing_that_functions_have_no_use_for(packages: Path) -> None:
    held = {entry.name for entry in packages.iterdir()}
    assert {"towline", "pyarrow", "aws_lambda_powertools"} <= held
    assert not held & {
        "pandas",
        "numpy",
        "streamlit",
        "ministack",
        "duckdb",
        "moto",
        "boto3",
        "botocore",
        "bin",
        "include",
        "lib64",
    }
    assert not {"cli", "local"} & {entry.name for entry in (packages / "towline").iterdir()}


def test_the_layer_holds_the_pipelines_and_nothing_that_makes_files_up(packages: Path) -> None:
    assert list(packages.glob("datasets/*/pipeline.py"))
    assert not list(packages.glob("datasets/**/generate.py"))


def test_the_layer_holds_the_locked_versions(packages: Path) -> None:
    locked = {(p["name"], p.get("version")) for p in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    held = [entry.name.removesuffix(".dist-info").rsplit("-", 1) for entry in packages.glob("*.dist-info")]
    assert held
    assert {(name.replace("_", "-").lower(), version) for name, version in held} <= locked


def test_a_functions_own_package_is_its_handler_and_nothing_else(built: Path) -> None:
    assert {f: [file.name for file in (built / f).iterdir()] for f in FUNCTIONS} == {f: ["app.py"] for f in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_imports_from_the_layer_and_the_runtime_alone(
    function: str, built: Path, packages: Path, runtime: Path
) -> None:
    """On Lambda's Python, without the site-packages of this machine, and without loading numpy or pandas. So does a
    pipeline, for those functions that need one."""
    code = (
        "import sys, app; assert callable(app.handler); "
        "registry = sys.modules.get('towline.pipeline.registry'); found = registry and registry.packages(); "
        "assert found is None or all(isinstance(each, registry.Package) for each in found.values()), found; "
        "assert found is None or 'golf_rounds' in found; "
        "assert not {'numpy', 'pandas'} & set(sys.modules); "
        "assert sys.modules['towline'].__file__.startswith(sys.argv[1]); print(sys.version_info[:2])"
    )
    environment = {
        **{name: str(value) for name, value in FUNCTIONS[function]["Environment"].items()},
        "PYTHONPATH": os.pathsep.join(map(str, (built / function, packages, runtime))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "us-east-1",
    }
    python = python312() / "bin" / "python3.12"
    answer = subprocess.run([python, "-SP", "-c", code, packages], env=environment, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout.strip()) == (0, "(3, 12)"), answer.stderr
