"""Which pipelines there are: directories datasets/<name>/ that have a pipeline.py.

In a checkout they lie beside src/; in the functions' layer beside the package itself. A package that is broken is an
error of its own, and the others go on.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from towline import keys
from towline.contract import Contract
from towline.errors import ContractError, TowlineError, UsageError
from towline.pipeline.definition import Pipeline

INGEST = "ingest"  # the column that every silver table has beside the contract's
ENGINE = "1"  # of what is made of the same rows; another number has all files loaded anew

_MODULES = "towline_dataset_"  # what the names of pipelines' modules begin with
_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE.parent / "datasets", _PACKAGE.parents[1] / "datasets")


class BrokenPipeline(TowlineError):
    """A pipeline's directory that cannot be used. Its files wait until it can."""

    kind = "broken_pipeline"


@dataclass(frozen=True)
class Package:
    """A pipeline with what lies beside it. `contracts`: by silver table; `gold`: the text of gold/<table>.sql, by gold
    table; `digest`: of all that silver rows depend on, its code and its contracts."""

    pipeline: Pipeline
    contracts: Mapping[str, Contract]
    gold: Mapping[str, str]
    digest: str

    @property
    def dataset(self) -> str:
        return self.pipeline.dataset


def home() -> Path | None:
    """The directory of all datasets; None where this installation has none."""
    return next((place for place in _PLACES if place.is_dir()), None)


def packages(directory: Path | None = None) -> dict[str, Package | BrokenPipeline]:
    """All pipelines of a directory (default: this installation's), by dataset; broken ones as what is wrong."""
    return {path.name: _package_or_error(path) for path in _directories(directory or home())}


def package(dataset: str, directory: Path | None = None) -> Package | None:
    """The pipeline of a dataset; None: it has none. BrokenPipeline: it cannot be used."""
    place = directory or home()
    path = place / keys.check_dataset(dataset) if place else None
    return load(path) if path and (path / "pipeline.py").is_file() else None


@cache
def load(path: Path) -> Package:
    """The pipeline in a directory, which is read once. BrokenPipeline: it cannot be used."""
    module = _module(path)
    pipeline = getattr(module, "PIPELINE", None)
    if not isinstance(pipeline, Pipeline):
        _broken(path, "pipeline.py defines no PIPELINE = Pipeline(...)")
    if pipeline.dataset != path.name:
        _broken(path, f"its pipeline is of dataset {pipeline.dataset!r}; it must be named as the directory is")
    contracts = {file.stem: _contract(path, file) for file in sorted(path.glob("contracts/*.json"))}
    if not contracts:
        _broken(path, "there is no contract: contracts/<table>.json describes a silver table")
    gold = {_table(path, file): file.read_text("utf-8") for file in sorted(path.glob("gold/*.sql"))}
    if both := gold.keys() & contracts.keys():
        _broken(path, f"{min(both)} is a silver and a gold table; name one of them otherwise")
    if lost := sorted(pipeline.masters.keys() - contracts.keys() - gold.keys()):
        known = ", ".join(sorted(contracts.keys() | gold.keys()))
        _broken(path, f"masters names {lost[0]!r}, which is no table of silver or gold; there are {known}")
    return Package(pipeline, contracts, gold, _digest(path, module, contracts))


def _package_or_error(path: Path) -> Package | BrokenPipeline:
    try:
        return load(path)
    except BrokenPipeline as error:
        return error


def _directories(place: Path | None) -> Iterator[Path]:
    for path in sorted(place.iterdir() if place else ()):
        if (path / "pipeline.py").is_file():
            yield path


def _module(path: Path) -> ModuleType:
    """pipeline.py, as a package: it finds modules beside it by `from . import ...`."""
    name = f"{_MODULES}{path.name}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, path / "pipeline.py", submodule_search_locations=[str(path)])
    if spec is None or spec.loader is None:
        _broken(path, "pipeline.py cannot be loaded")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is not our code, and may fail in any way
        del sys.modules[name]
        at = f" ({where})" if (where := place(error)) else ""
        said = f"pipeline.py fails when it is loaded: {type(error).__name__}: {error}{at}"
        raise BrokenPipeline(f"{path}: {said}") from error
    return module


def place(error: BaseException) -> str:
    """Where in a pipeline's own code something was raised, such as `pipeline.py, line 12`; empty: not in it."""
    frames = traceback.walk_tb(error.__traceback__)
    own = [(frame, line) for frame, line in frames if str(frame.f_globals.get("__name__")).startswith(_MODULES)]
    return f"{Path(own[-1][0].f_code.co_filename).name}, line {own[-1][1]}" if own else ""


def _contract(path: Path, file: Path) -> Contract:
    _table(path, file)
    try:
        contract = Contract.parse(file.read_bytes())
    except ContractError as error:
        raise BrokenPipeline(f"{file}: {error}") from error
    if contract.dataset != file.stem:
        _broken(file, f"the contract is of {contract.dataset!r}; its file must be named as the table is")
    if INGEST in contract.names:
        _broken(file, f"the column {INGEST!r} is the load's own, which names each row's file; rename it")
    return contract


def _table(path: Path, file: Path) -> str:
    """A file's name as a table's; in the catalog it goes behind the dataset's."""
    try:
        keys.check_dataset(f"{path.name}_{file.stem}")
        return keys.check_dataset(file.stem)
    except UsageError as error:
        raise BrokenPipeline(f"{file} names a table, and its rules are those of datasets: {error}") from error


def _digest(path: Path, module: ModuleType, contracts: Mapping[str, Contract]) -> str:
    """Of pipeline.py, of the modules beside it that it had imported when it was loaded, and of the contracts."""
    digest = sha256(ENGINE.encode())
    names = [name for name in sorted(sys.modules) if name == module.__name__ or name.startswith(f"{module.__name__}.")]
    files = [Path(str(sys.modules[name].__file__)) for name in names]
    parts = [(file.name, file.read_bytes()) for file in files]
    for name, body in [*parts, *((table, contracts[table].to_json()) for table in sorted(contracts))]:
        digest.update(f"{name} {len(body)} ".encode() + body)
    return digest.hexdigest()


def _broken(path: Path, why: str) -> NoReturn:
    raise BrokenPipeline(f"{path}: {why}")
