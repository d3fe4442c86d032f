"""The limits of size: modules, functions, parameters and nesting."""

import ast
from collections import Counter

from helpers.source_tree import ROOT, Function, Source, body_without_docstring, sources

MODULE_LINES = 450
DECLARATION_LINES = 600
FUNCTION_LINES = 80
PARAMETERS = 9
NESTING = 3

ROOM_FILES = 15
SMALLEST = 30

#: One file for one group of settings: as many as there are groups.
UNLIMITED_ROOMS = ("trainer_core/settings", "trainer_core/settings/rules")

#: Rooms whose files are one variant each, however short that is.
VARIANTS = (
    "trainer_core/catalogue",
    "trainer_core/families",
    "trainer_core/objectives",
    "trainer_core/settings",
    "trainer_core/settings/rules",
    "trainer_core/settings/tools",
)

#: Short modules that stand alone for what they must not import, or what must not import them.
ALONE = {
    "trainer_core.version": "read by the build and by installers",
    "trainer_core.seeds": "needs no torch; the order of pictures is drawn without it",
    "trainer_core.files.resources": "runs in a bare Python",
    "trainer_core.files.presence": "asked by every room, and needs none of them",
}

OWN = ("trainer_core", "desktop_app", "installers")
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def only_declares(source: Source) -> bool:
    """Tell whether a module is a list of declarations.

    It is one if it has no loop, no branch and no function with more than one statement.
    """
    if any(isinstance(node, BLOCKS) for node in ast.walk(source.tree)):
        return False
    return all(len(body_without_docstring(function)) <= 1 for function in source.functions())


def parameter_count(function: Function) -> int:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    variadic = [arguments.vararg, arguments.kwarg]
    own = [argument for argument in named if argument.arg not in ("self", "cls")]
    return len(own) + sum(argument is not None for argument in variadic)


def nesting(node: ast.AST) -> int:
    """Return how deep blocks lie in each other below ``node``; functions inside count apart."""
    depths = [0]
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            continue
        # `elif` is an if inside the else of an if, but reads as one level.
        is_elif = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        depths.append(nesting(child) + (isinstance(child, BLOCKS) and not is_elif))
    return max(depths)


def test_modules_are_short_enough():
    too_long = []
    for source in sources(*OWN):
        count = len(source.text.splitlines())
        limit = DECLARATION_LINES if only_declares(source) else MODULE_LINES
        if count > limit:
            too_long.append(f"{source.at(count)}: {count} lines, at most {limit}")
    assert not too_long, "\n".join(too_long)


def test_rooms_are_small_enough():
    rooms = Counter(source.path.parent for source in sources("trainer_core", "desktop_app"))
    too_full = [room for room, count in rooms.items() if count > ROOM_FILES]
    unlimited = [ROOT / room for room in UNLIMITED_ROOMS]
    assert [room for room in too_full if room not in unlimited] == []


def test_modules_are_worth_a_file():
    variants = [ROOT / room for room in VARIANTS]
    small = {
        source.name
        for source in sources("trainer_core", "desktop_app")
        if source.path.name != "__init__.py"
        and source.path.parent not in variants
        and len(source.text.splitlines()) < SMALLEST
    }
    assert small == set(ALONE), "join them to what they serve, or say why they stand alone"


def test_functions_are_short_enough():
    too_long = []
    for source in sources(*OWN):
        for function in source.functions():
            count = (function.end_lineno or 0) - function.lineno + 1
            if count > FUNCTION_LINES:
                where = source.at(function.lineno)
                too_long.append(f"{where}: {function.name} has {count} lines")
    assert not too_long, "\n".join(too_long)


def test_functions_take_few_parameters():
    too_many = [
        f"{source.at(function.lineno)}: {function.name} takes {parameter_count(function)}"
        for source in sources(*OWN)
        for function in source.functions()
        if parameter_count(function) > PARAMETERS
    ]
    assert not too_many, "\n".join(too_many)


def test_blocks_are_not_nested_deeply():
    too_deep = [
        f"{source.at(function.lineno)}: {function.name} nests {nesting(function)} blocks"
        for source in sources(*OWN)
        for function in source.functions()
        if nesting(function) > NESTING
    ]
    assert not too_deep, "\n".join(too_deep)
