"""What an edit is stays apart from how it is drawn, and one module alone knows the grid widget."""

from __future__ import annotations

import ast
from pathlib import Path

APP = Path(__file__).parents[2] / "app"


def imports(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text()))
    return {alias.name for node in tree if isinstance(node, ast.Import) for alias in node.names} | {
        node.module or "" for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
    }


def test_editing_and_markup_know_no_screen() -> None:
    pure = [*(APP / "editing").glob("*.py"), *APP.glob("*markup.py")]
    assert len(pure) > 10
    for path in pure:
        assert not {"streamlit", "pandas"} & {name.split(".")[0] for name in imports(path)}, path


def test_only_the_grid_module_knows_the_grid_component() -> None:
    assert {path.name for path in APP.rglob("*.py") if "towline_grid" in path.read_text()} == {"grid.py"}
