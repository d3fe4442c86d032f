"""The project's own source, parsed, for the rules of the house that are checked on it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("trainer_core", "desktop_app")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One module."""

    path: Path

    @property
    def name(self) -> str:
        """The dotted name to import it by."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @property
    def is_init(self) -> bool:
        return self.path.name == "__init__.py"

    def at(self, line: int) -> str:
        """Return ``path:line``, as an editor opens it."""
        return f"{self.path.relative_to(ROOT)}:{line}"

    def functions(self) -> Iterator[Function]:
        """Yield every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the modules below ``folders`` of the checkout; of the product if none is named."""
    found = (path for folder in folders or PACKAGES for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(path) for path in sorted(found))


def body_without_docstring(node: Function | ast.ClassDef | ast.Module) -> list[ast.stmt]:
    """Return the statements of ``node`` after its docstring."""
    return node.body[1:] if ast.get_docstring(node) is not None else node.body
