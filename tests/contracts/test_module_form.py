"""How every module begins, what it is called, and what it never holds."""

import ast
import re
import tokenize

import pytest
from helpers.source_tree import Source, sources

OWN = ("trainer_core", "desktop_app", "installers")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
# The modules whose business is the terminal.
REPORTERS = {"trainer_core.__main__", "desktop_app.__main__"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")


def test_every_module_opens_with_a_docstring():
    bare = [source.at(1) for source in sources(*OWN) if not ast.get_docstring(source.tree)]
    assert not bare, "no docstring: " + ", ".join(bare)


def test_every_package_file_is_one_sentence():
    wrong = []
    for source in filter(lambda s: s.is_init, sources(*OWN)):
        sentence = ast.get_docstring(source.tree) or ""
        if len(source.tree.body) != 1 or "\n" in sentence or not sentence.endswith("."):
            wrong.append(source.at(1))
    assert not wrong, "not one docstring sentence alone: " + ", ".join(wrong)


def test_modules_are_named_for_what_they_are():
    vague = [
        source.at(1)
        for source in sources(*OWN)
        if VAGUE_NAMES & set(source.name.split(".")) or source.name != source.name.lower()
    ]
    assert not vague, "\n".join(vague)


def test_nothing_prints_except_the_command_line():
    printing = [
        source.at(node.lineno)
        for source in sources()
        if source.name not in REPORTERS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert not printing, "print in " + ", ".join(printing)


@pytest.mark.parametrize("folder", ["trainer_core", "desktop_app", "installers", "tests"])
def test_nothing_is_marked_unfinished(folder):
    marked = [where for source in sources(folder) for where in _unfinished(source)]
    assert not marked, "\n".join(marked)


def _unfinished(source: Source) -> list[str]:
    with source.path.open("rb") as file:
        comments = [t for t in tokenize.tokenize(file.readline) if t.type == tokenize.COMMENT]
    return [
        f"{source.at(comment.start[0])}: {comment.string}"
        for comment in comments
        if UNFINISHED.search(comment.string)
    ]
