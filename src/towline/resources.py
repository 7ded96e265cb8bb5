"""Where the checkout keeps what is not Python: the template, the functions, the editor, the datasets."""

from __future__ import annotations

from pathlib import Path

from towline.errors import NotFound

_ROOT = Path(__file__).resolve().parents[2]


def project_root() -> Path:
    """The root of the checkout that this package runs from.

    Raises NotFound where the package was installed without its checkout: the template and the functions
    are deployed from there, so the local stack cannot start.
    """
    if not (_ROOT / "pyproject.toml").is_file():
        raise NotFound(
            f"{_ROOT} is not a checkout of Towline (it has no pyproject.toml): clone the repository and run "
            "`uv sync` in it, so that template.yaml, functions/ and app/ are at hand"
        )
    return _ROOT


def path(*parts: str) -> Path:
    """`path("template.yaml")`: a file or directory of the checkout.

    Raises NotFound when the checkout does not have it.
    """
    found = project_root().joinpath(*parts)
    if not found.exists():
        raise NotFound(f"{found} does not exist: the checkout is incomplete (`git status` shows what is missing)")
    return found
