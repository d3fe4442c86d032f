"""Settings of captions that count steps or epochs, against the length of the run."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import CaptionRules
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.texts import T, text

_SHARE = 0.5  # of the run, which every length has


def timing_problems(rules: CaptionRules, plan: Plan) -> Iterator[Problem]:
    """Yield what will not have come about when the run ends."""
    steps, every = rules.token_warmup_step, rules.caption_dropout_every_n_epochs
    if steps is not None and steps > plan.total_steps:
        template = T(
            "Problems",
            "The tag warm-up of {steps} [steps:step|steps] is longer than the run of {total} "
            "[total:step|steps].",
        )
        message = text(template, steps=round(steps), total=plan.total_steps)
        path = "captions.token_warmup_step"
        hint = text(T("Problems", "Use a share of the run: {share}."), share=_SHARE)
        yield Problem(path, Severity.WARNING, message, Suggestion(hint, {path: _SHARE}))
    if every is not None and every > plan.epochs:
        template = T(
            "Problems",
            "Captions would first be dropped in epoch {every}; the run has {epochs} "
            "[epochs:epoch|epochs].",
        )
        message = text(template, every=every, epochs=plan.epochs)
        path = "captions.caption_dropout_every_n_epochs"
        hint = text(T("Problems", "Reset it."))
        yield Problem(path, Severity.WARNING, message, Suggestion(hint, {path: "unset"}))
