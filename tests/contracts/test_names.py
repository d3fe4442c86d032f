"""What functions, arguments and attributes are never called, and how tensors say their shape."""

import ast
import re
from collections.abc import Iterator

from helpers.source_tree import Function, Source, sources

OWN = ("trainer_core", "desktop_app", "installers")
# Each tells the reader that there is something, and not what it is.
RIDDLES = {
    "do": "a verb without an object: say what is done",
    "it": "name the object",
    "mine": "name the object, and whose it is if there are two",
    "one": "a number; name the object",
    "sees_like": "say what is compared",
    "stuff": "name the object",
    "theirs": "name the object, and whose it is if there are two",
    "there": "a place; name what is at it",
    "thing": "name the object",
    "things": "name the objects",
    "those": "name the objects",
    "told": "who was told what? name the object, or what follows from it",
    "use": "a verb without an object: say what is used, or instead of what",
    "what": "name the answer, not the question",
}

TORCH_ROOMS = (
    "adapters",
    "checkpoints",
    "families",
    "methods",
    "objectives",
    "optim",
    "pipeline",
    "runtime",
    "sampling",
    "train",
)
SUFFIX = re.compile(r"_[A-Z][A-Z0-9]*$")
# In words, or by the letters of the suffixes; a layer's input is called ``x`` by everybody.
SHAPE = re.compile(r"\b(shape|shaped|flat|B|BL|BLC|CHW|BCHW)\b|``x``")


def test_no_name_is_a_riddle():
    found = [
        f"{source.at(line)}: {name}: {RIDDLES[name.strip('_').lower()]}"
        for source in sources(*OWN)
        for name, line in named(source)
        if name.strip("_").lower() in RIDDLES
    ]
    assert not found, "\n".join(found)


def named(source: Source) -> Iterator[tuple[str, int]]:
    """Yield the names of classes, functions, arguments and attributes, with their lines."""
    for node in ast.walk(source.tree):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from fields(node)


def fields(node: ast.ClassDef) -> Iterator[tuple[str, int]]:
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, statement.lineno
        elif isinstance(statement, ast.Assign):
            names = (target for target in statement.targets if isinstance(target, ast.Name))
            yield from ((target.id, statement.lineno) for target in names)


def test_public_functions_say_the_shapes_of_their_tensors():
    silent = [
        f"{source.at(function.lineno)}: {function.name}: {', '.join(tensors)}"
        for room in TORCH_ROOMS
        for source in sources(f"trainer_core/{room}")
        for function in public_functions(source.tree)
        if (tensors := tensors_without_suffix(function))
        and not SHAPE.search(ast.get_docstring(function) or "")
    ]
    assert not silent, "neither a suffix nor a word on the shape:\n" + "\n".join(silent)


def public_functions(node: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """Yield functions and methods without a leading underscore; those inside functions are not."""
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from public_functions(child)
        elif isinstance(child, ast.FunctionDef) and not child.name.startswith("_"):
            yield child


def tensors_without_suffix(function: ast.FunctionDef) -> list[str]:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return [
        argument.arg
        for argument in arguments
        if argument.annotation is not None
        and ast.unparse(argument.annotation).split(" |")[0] == "Tensor"
        and not SUFFIX.search(argument.arg)
    ]
