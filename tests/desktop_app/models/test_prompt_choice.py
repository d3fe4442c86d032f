"""Prompts are added to the settings once each, as one step of undo."""

from __future__ import annotations

from desktop_app.document import Document
from desktop_app.models.prompt_choice import PROMPTS, PromptChoice, sample_line


def test_a_sample_is_drawn_again_with_its_seed() -> None:
    assert sample_line("a red cat", 7) == "a red cat --d 7"


def test_lines_are_added_once_and_taken_back_by_undo(document: Document) -> None:
    prompts = PromptChoice(document)
    prompts.add(["a cat", "", "a dog", "a cat"])
    prompts.add(["a dog"])
    assert document.value(PROMPTS) == ["a cat", "a dog"]
    document.undo_stack.undo()
    assert document.value(PROMPTS) == []
