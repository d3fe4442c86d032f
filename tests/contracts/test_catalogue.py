"""What can be chosen is named in the catalogue only, and everything named there exists."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
from helpers.source_tree import Source, sources
from packaging.requirements import Requirement

from trainer_core import catalogue
from trainer_core.catalogue.entry import Entry, implementation
from trainer_core.catalogue.families import FAMILIES, PARTS, PartEntry
from trainer_core.settings.param import acts_if

CATALOGUE = catalogue.__name__

#: Where names may stand outside the catalogue, by mapping and the beginning of a module's name.
ALLOWED = {
    # A family builds, reads and writes its own parts: folders and files are called like them.
    ("PARTS", "trainer_core.families"),
}


def mappings() -> dict[str, Mapping[str, Entry | PartEntry]]:
    """Return every mapping of the catalogue whose keys are names, by its own name."""
    found = {}
    for info in pkgutil.iter_modules(catalogue.__path__):
        module = importlib.import_module(f"{CATALOGUE}.{info.name}")
        for name, value in vars(module).items():
            is_public = name.isupper() and not name.startswith("_")
            if is_public and isinstance(value, Mapping) and _holds_entries(value):
                found[name] = value
    return found


def _holds_entries(mapping: Mapping[object, object]) -> bool:
    return bool(mapping) and all(isinstance(v, Entry | PartEntry) for v in mapping.values())


MAPPINGS = mappings()
ENTRIES = [
    pytest.param(entry, id=f"{name}-{key}")
    for name, mapping in MAPPINGS.items()
    for key, entry in mapping.items()
    if isinstance(entry, Entry)
]


class Finding(NamedTuple):
    """Names of one mapping that a piece of code spells out."""

    line: int
    mapping: str
    names: frozenset[str]


# ------------------------------------------------------------------ the entries


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_has_a_label(entry: Entry) -> None:
    assert entry.label


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_implementation_is_there(entry: Entry) -> None:
    if entry.implementation:
        assert implementation(entry.implementation) is not None


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_requirement_can_be_read(entry: Entry) -> None:
    for words in entry.package.split():
        assert Requirement(words).specifier, f"{words}: say from which version on"


def test_every_family_that_can_be_trained_says_what_is_needed_for_it() -> None:
    for name, family in FAMILIES.items():
        if family.implementation:
            assert family.parts, name
            assert all(family.names), name


# ------------------------------------------------------------------ names outside


def texts(*nodes: ast.AST | None) -> Iterator[str]:
    """Yield the literal words of expressions and patterns, also those listed in them."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield from texts(*node.elts)
        elif isinstance(node, ast.MatchValue):
            yield from texts(node.value)
        elif isinstance(node, ast.MatchOr | ast.MatchSequence):
            yield from texts(*node.patterns)


def compared_words(node: ast.AST) -> Iterator[str]:
    """Yield the words that something is compared with: one name there is a test of it."""
    if isinstance(node, ast.Compare):
        yield from texts(node.left, *node.comparators)
    elif isinstance(node, ast.match_case):
        yield from texts(node.pattern)
    elif isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called == acts_if.__name__:
            yield from texts(*node.args[1:])
        elif called in ("startswith", "endswith", "__eq__"):
            yield from texts(*node.args)


def listed_words(node: ast.AST) -> Iterator[str]:
    """Yield the words that stand side by side: two names of one mapping are a list of it.

    One alone may mean something else: ``linear`` is a scale too.
    """
    if isinstance(node, ast.Dict):
        yield from texts(*node.keys)
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal"):
        yield from texts(node.slice)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        yield from texts(node)


def findings(tree: ast.AST) -> Iterator[Finding]:
    """Yield the places where the names of a mapping are tested or listed."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", None) or getattr(getattr(node, "pattern", None), "lineno", 0)
        compared, listed = frozenset(compared_words(node)), frozenset(listed_words(node))
        for mapping, entries in MAPPINGS.items():
            tests, lists = compared & entries.keys(), listed & entries.keys()
            if tests or len(lists) > 1:
                yield Finding(line, mapping, tests or lists)


def is_allowed(source: Source, finding: Finding) -> bool:
    return any(
        finding.mapping == mapping and source.name.startswith(module) for mapping, module in ALLOWED
    )


@pytest.mark.parametrize(
    "code",
    [
        'name == "polynomial"',
        'if family != "sd1": pass',
        'x.LoRA_type in ("Standard", "DoRA")',
        '"text_encoder" in parts',
        'match name:\n    case "euler" | "other": pass',
        'report.kind == "sdxl"',
        'LABELS = {"unet": 1, "text_encoder": 2}',
        'Kind = Literal["AdamW", "AdamW8bit"]',
        'Kind = typing.Literal["auto", "fp16"]',
        'WITH_WARMUP = ("linear", "cosine")',
        'acts_if("lr_scheduler", "polynomial")',
        'name.startswith("cosine")',
    ],
)
def test_a_test_or_a_list_of_names_is_found(code: str) -> None:
    assert list(findings(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        'scale: Literal["linear", "log"]',
        'param("cosine", choices=SCHEDULES)',
        "SCHEDULES[name].has_warmup",
        'folder.weights("unet")',
        'PLACES = {"unet": 1, "other": 2}',
        'acts_if("sample_prompts")',
        "kind in FAMILIES",
        'log.info("polynomial")',
    ],
)
def test_what_asks_an_entry_is_no_test_of_a_name(code: str) -> None:
    assert not list(findings(ast.parse(code)))


def test_names_are_tested_and_listed_in_the_catalogue_only() -> None:
    found = [
        f"{source.at(finding.line)}: {', '.join(sorted(finding.names))} of {finding.mapping}"
        for source in sources()
        if not source.name.startswith(CATALOGUE)
        for finding in findings(source.tree)
        if not is_allowed(source, finding)
    ]
    assert not found, "ask the entry, not its name:\n" + "\n".join(found)


def test_every_mapping_is_looked_at() -> None:
    assert {"FAMILIES", "PARTS", "OPTIMIZERS", "SCHEDULES", "SAMPLERS", "ADAPTERS"} <= set(MAPPINGS)
    assert MAPPINGS["PARTS"] is PARTS
