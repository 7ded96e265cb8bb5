"""Who may import whom: the pure core, use cases over ports, AWS and the local stack, the entry points."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "towline"

CORE = {"errors", "keys", "values", "violation", "table", "change", "diff", "merge", "conflict", "contract", "checks"}
CORE |= {"audit", "changefile", "infer", "edits", "sample", "rules", "files", "restore", "diffpage", "policy"}
CORE |= {"answer", "resolution", "resolution_file", "shelf", "partitions", "sqledit", "catalog", "cost", "execution"}
CORE |= {"preview", "profile", "parquet", "rows", "unique"}
CORE |= {"ranks", "ahead", "browse", "streamed", "sampling", "sent", "rowchanges"}
USE_CASES = {"store", "memory", "receipts", "workbench", "master", "intent", "finish", "landing", "commit", "plan"}
USE_CASES |= {"proposals", "inbox", "quarantine", "external", "reconcile", "history", "dataset", "health", "mine"}
USE_CASES |= {"lineage", "trail", "ranged", "block", "blocks", "blame", "story", "archive", "prune", "verify"}
USE_CASES |= {"theirs", "dispute", "reviews", "reviewing", "steward", "queries", "cataloging", "publish", "copies"}
USE_CASES |= {"parts", "partfile", "piles", "rowgroups", "flatten", "agreed", "bulk", "statements", "runs"}
USE_CASES |= {"body", "anew", "objects", "concatenation", "ingest", "pipeline"}

# What the pure core may use beside itself and the standard library.
CORE_LIBRARIES = {"pyarrow", "ulid", "openpyxl", "sqlglot"}
# The standard library's doors to the world outside: the core has no clock, no environment, no network, no log.
OUTSIDE = {"os", "time", "logging", "socket", "subprocess", "urllib.request", "http", "shutil", "tempfile"}


@cache
def imports(path: Path) -> set[str]:
    """The dotted names that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def group(path: Path) -> str:
    """The first name below towline: a module or a package."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_groups(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("towline.")}


@pytest.mark.parametrize("path", [p for p in modules("src") if group(p) in CORE], ids=str)
def test_the_core_imports_nothing_below_it_and_nothing_of_the_world_outside(path: Path) -> None:
    towline = {name for name in imported_groups(path) if (SOURCE / name).exists() or (SOURCE / f"{name}.py").exists()}
    assert towline <= CORE
    tops = {name.split(".")[0] for name in imports(path)}
    import sys

    assert tops - sys.stdlib_module_names - {"towline"} <= CORE_LIBRARIES
    assert not imports(path) & OUTSIDE


@pytest.mark.parametrize("path", [p for p in modules("src") if group(p) in USE_CASES], ids=str)
def test_use_cases_know_ports_and_the_core_only(path: Path) -> None:
    towline = {name for name in imported_groups(path) if (SOURCE / name).exists() or (SOURCE / f"{name}.py").exists()}
    assert towline <= CORE | USE_CASES


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("boto3", ["src/towline/aws", "src/towline/local", "functions"]),
        ("botocore", ["src/towline/aws", "src/towline/local", "functions"]),
        ("ministack", ["src/towline/local"]),
        ("duckdb", ["src/towline/local"]),
        ("streamlit", ["app"]),
        ("aws_lambda_powertools", ["src/towline/aws", "functions"]),
        ("click", ["src/towline/cli"]),
        ("pyiceberg", ["src/towline/aws/iceberg"]),
    ],
)
def test_each_framework_stays_in_its_place(library: str, allowed: list[str]) -> None:
    users = {
        str(path.relative_to(ROOT))
        for path in modules("src", "functions", "app")
        if library in {name.split(".")[0] for name in imports(path)}
    }
    assert users
    assert {user for user in users if not user.startswith(tuple(allowed))} == set()


# Where Arrow is handed a Parquet file: all others go by `towline.parquet`, which tells files of others from our own.
ARROWS_DOORS = {
    "table.py": "a master that a commit wrote",
    "partfile.py": "a part, whose footer and pages were held against each other before",
    "agreed.py": "a part's schema and count of rows, of which nothing is decoded",
    "changefile.py": "what a commit wrote",
    "block.py": "what Towline wrote",
    "pipeline/parts.py": "what a load wrote, by the digest of its bytes",
    "cli/datasets.py": "a master's count of rows, of which nothing is decoded",
    "local/athena/parquet.py": "what the local engine wrote",
}


def test_files_of_others_have_no_other_door() -> None:
    """A footer that lies makes Arrow take gigabytes, lose rows or end the process (`towline.parquet.sound`)."""
    readers = ("ParquetFile(", "read_metadata(", "read_schema(", "read_table(pa", "pq.read_table(")
    found = {
        str(path.relative_to(SOURCE))
        for path in modules("src")
        if any(reader in path.read_text() for reader in readers)
    }
    assert {path for path in found if not path.startswith("parquet/")} == ARROWS_DOORS.keys()


def test_every_module_has_its_place() -> None:
    entry = {"__init__", "aws", "local", "cli", "settings", "resources", "connect", "api", "lakes", "frames"}
    entry |= {"first_contract"}
    assert {group(path) for path in modules("src")} <= CORE | USE_CASES | entry


def reachable(todo: list[Path]) -> set[Path]:
    """These modules and all of towline's that they reach by imports."""
    reached: set[Path] = set()
    while todo:
        path = todo.pop()
        if path in reached:
            continue
        reached.add(path)
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "towline":
                below = SOURCE.joinpath(*parts[1:])
                todo += [p for p in (below.with_suffix(".py"), below / "__init__.py") if p.exists() and parts[1:]]
    return reached


def test_functions_need_no_pandas() -> None:
    """What the functions can reach by imports fits Lambda's size limit only without pandas and numpy."""
    reached = reachable(modules("functions"))
    top_level = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for path in reached
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not {name for name in top_level if name and name.split(".")[0] in ("pandas", "numpy", "click", "rich")}


def test_nothing_on_the_way_of_a_commit_knows_of_published_copies() -> None:
    """Copies follow the commits, and no commit waits for one: neither a function nor a use case of theirs reaches
    pyiceberg, or what publishes."""
    ways = [*modules("functions"), *(SOURCE / f"{name}.py" for name in ("commit", "landing", "finish", "reconcile"))]
    reached = {name for path in reachable(ways) for name in imports(path)}
    assert not {name for name in reached if name.split(".")[0] == "pyiceberg" or name.startswith("towline.publish")}
