"""Rules of sample pictures."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.files.plain_text import find_control
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text


def samples_are_drawn(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say so when prompts are given but no picture would ever be drawn."""
    sampling = settings.sampling
    due = (
        sampling.sample_every_n_steps or sampling.sample_every_n_epochs or sampling.sample_at_first
    )
    if sampling.has_prompts and not due:
        message = text(T("Problems", "There are prompts, but nothing says when to draw them."))
        hint = Suggestion(
            text(T("Problems", "Draw them after every epoch.")),
            {"sampling.sample_every_n_epochs": 1},
        )
        path = "sampling.prompt_list" if sampling.prompt_list else "sampling.sample_prompts"
        yield Problem(path, Severity.WARNING, message, hint)


def listed_prompts_are_text(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse prompts that hold what no text does, as prompt files are refused."""
    for number, prompt in enumerate(settings.sampling.prompt_list, start=1):
        control = find_control(prompt.replace("\v", " "))
        if control is not None:
            template = T("Problems", "Prompt {number} holds a control character ({code}).")
            message = text(template, number=number, code=control.code)
            hint = Suggestion(text(T("Problems", "Write the prompt again.")))
            yield Problem("sampling.prompt_list", Severity.ERROR, message, hint)


RULES: Rules = (samples_are_drawn, listed_prompts_are_text)
