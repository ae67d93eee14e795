"""Imports run one way: each package and top-level module may import those that stand before it, and no others."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import nba_assets

SOURCE = Path(nba_assets.__file__).parent
LAYERS = (
    "settings",
    "wording",
    "terminal",
    "signals",
    "processes",
    "partitions",
    "basketball",
    "tables",
    "warehouse",
    "entities",
    "raw",
    "error_lines",
    "providers",
    "publishing",
    "analytics",
    "precompute",
    "registry",
    "data_dictionary",
    "pictures",
    "export",
    "training",
    "skew",
    "demo",
    "automation",
    "orchestration",
    "report",
    "definitions",
    "doctor",
    "commands",
    "cli",
)
"""From what knows least to what knows all; a new package takes its place in here."""
KNOWS_DAGSTER = frozenset({"orchestration", "definitions"})
KNOWS_DUCKDB = frozenset({"warehouse/duckdb.py", "raw/readers.py"})
"""The back end, and the reader of JSON files."""
KNOWS_GOOGLE = frozenset(
    {
        "warehouse/bigquery.py",
        "raw/bucket.py",
        "raw/bigquery_source.py",
        "orchestration/google_cloud.py",
        "doctor/google_cloud.py",
    }
)
"""Imported only for an address that asks for them."""

MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__.py"])
def test_modules_import_what_stands_before_them(module: str) -> None:
    place = LAYERS.index(layer_of(module))
    upward = {
        name
        for name in imported(module)
        if name.split(".")[0] == "nba_assets" and LAYERS.index(name.split(".")[1]) > place
    }
    assert not upward


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Within a package as well, and for the sake of a type as well."""
    graph = {module: set(filter(None, map(module_of, imported(module)))) - {module} for module in MODULES}
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()  # raises CycleError, with the circle


def test_dagster_stands_above_the_tables() -> None:
    importing = {
        module for module in MODULES if any(name.split(".")[0].startswith("dagster") for name in imported(module))
    }
    assert importing
    assert {layer_of(module) for module in importing} <= KNOWS_DAGSTER


def test_duckdb_is_known_to_its_back_end_and_to_the_reader_of_json_alone() -> None:
    assert {
        module for module in MODULES if any(name.split(".")[0] == "duckdb" for name in imported(module))
    } == KNOWS_DUCKDB


def test_google_s_libraries_are_known_to_their_back_ends_alone() -> None:
    assert {
        module
        for module in MODULES
        if any(name.split(".")[0] in {"google", "dagster_gcp"} for name in imported(module))
    } == KNOWS_GOOGLE


def test_google_s_libraries_are_not_imported_without_an_address_of_theirs(own_home: Path) -> None:
    code = (
        "import sys\nfrom nba_assets.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "import nba_assets.definitions\n"
        "sys.exit(' '.join({'google.cloud.bigquery', 'google.cloud.storage', 'dagster_gcp'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def layer_of(module: str) -> str:
    return module.split("/", maxsplit=1)[0].removesuffix(".py")


def module_of(name: str) -> str | None:
    """The module of ours that a full name belongs to; a package by itself, which only hands names on, is none."""
    parts = name.split(".")[1:] if name.split(".", maxsplit=1)[0] == "nba_assets" else []
    paths = ("/".join(parts[:size]) + ".py" for size in range(len(parts), 0, -1))
    return next((path for path in paths if path in MODULES), None)


def imported(module: str) -> Iterator[str]:
    """Full names of what a module imports, at its top or within a function."""
    for node in ast.walk(ast.parse((SOURCE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
