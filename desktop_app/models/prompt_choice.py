"""Words of pictures and samples, taken over as prompts that the run draws."""

from __future__ import annotations

from collections.abc import Iterable

from desktop_app.document import Document
from desktop_app.translation import shown
from trainer_core.texts import T

PROMPTS = "sampling.prompt_list"


class PromptChoice:
    """Adds to the list of prompts in the settings, each time as one step of undo."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @property
    def is_possible(self) -> bool:
        """True if the settings have a list of prompts."""
        return PROMPTS in self._document.schema.params()

    def add(self, lines: Iterable[str]) -> None:
        """Add lines as a prompt file has them; those that are there already are not added."""
        value = self._document.value(PROMPTS)
        before = list(value) if isinstance(value, list) else []
        lines = (line.strip() for line in lines)
        new = [line for line in dict.fromkeys(lines) if line and line not in before]
        if new:
            title = shown(T("App", "addition of prompts"))
            self._document.apply({PROMPTS: [*before, *new]}, title)


def sample_line(prompt: str, seed: int) -> str:
    """Return the line of a prompt file that draws a sample again."""
    return f"{prompt} --d {seed}"
