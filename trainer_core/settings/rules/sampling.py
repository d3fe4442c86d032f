"""Rules of sample pictures."""

from __future__ import annotations

from collections.abc import Iterator

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


RULES: Rules = (samples_are_drawn,)
