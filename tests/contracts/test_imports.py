"""Who may import whom: the floors of pyproject.toml, no loops, and a light ground floor."""

import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import grimp
import pytest
from helpers.source_tree import PACKAGES, ROOT, sources

GROUND_FLOOR_CONTRACT = "The ground floor knows neither torch, numpy nor Qt"


def _ground_floor() -> tuple[str, ...]:
    """Return the modules that both processes share, as pyproject.toml lists them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    [modules] = [c["source_modules"] for c in contracts if c["name"] == GROUND_FLOOR_CONTRACT]
    return tuple(modules)


GROUND_FLOOR = _ground_floor()

# Imports the modules one by one, so that the first one that brings a forbidden one is named.
IMPORT_ONE_BY_ONE = """
import importlib, sys
modules, forbidden = (argument.split(",") for argument in sys.argv[1:])
for module in modules:
    importlib.import_module(module)
    heavy = [name for name in forbidden if name in sys.modules]
    if heavy:
        sys.exit(f"importing {module} loads {', '.join(heavy)}")
"""


def test_the_floors_hold():
    # The command itself: its report names the chain of imports, with lines.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    result = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def graph():
    """Every import between the project's modules, those inside functions too."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_no_module_imports_itself_through_others(graph):
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        # Reported from imported to importer.
        loop = list(reversed(error.args[1]))
        pytest.fail("\n".join(_import_lines(graph, *step) for step in pairwise(loop)))


def test_the_app_takes_only_the_ground_floor_from_the_trainer(graph):
    wrong = [
        _import_lines(graph, importer, imported)
        for importer in graph.find_descendants("desktop_app")
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported.startswith("trainer_core") and not _is_in(GROUND_FLOOR, imported)
    ]
    assert not wrong, "\n".join(wrong)


def _import_lines(graph: grimp.ImportGraph, importer: str, imported: str) -> str:
    lines = graph.get_import_details(importer=importer, imported=imported)
    numbers = ", ".join(str(line["line_number"]) for line in lines)
    path = importer.replace(".", "/")
    return f"{path}.py:{numbers} imports {imported}"


def _is_in(packages: tuple[str, ...], module: str) -> bool:
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize(
    ("packages", "forbidden"),
    [
        (GROUND_FLOOR, ("torch", "numpy", "PySide6", "diffusers", "transformers")),
        (("desktop_app",), ("torch", "diffusers", "transformers", "accelerate")),
    ],
    ids=["ground floor", "app"],
)
def test_the_light_modules_load_nothing_heavy(packages, forbidden):
    modules = [source.name for source in sources() if _is_in(packages, source.name)]
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_ONE_BY_ONE, ",".join(modules), ",".join(forbidden)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
