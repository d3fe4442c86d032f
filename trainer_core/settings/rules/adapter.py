"""Rules of the network: what starting weights decide themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import cast

from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text

STARTING_ALPHAS = "starting_alphas"
"""The fact that holds the alphas of the starting weights by part, each once and rising."""

_HALF_PRECISION = 2**-8  # how far a number may be off that a file holds in 16 bits


def alpha_of_starting_weights(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say that the starting weights keep their alpha, where another one is asked for.

    With another one they would mean something else: the effect is times alpha / rank.
    """
    adapter = settings.adapter
    has_rank = ADAPTERS[adapter.LoRA_type].has_rank
    if adapter.network_weights is None or adapter.dim_from_weights or not has_rank:
        return
    by_part = cast("Mapping[str, tuple[float, ...]]", facts.get(STARTING_ALPHAS, {}))
    parts = [part.name for part in settings.trained_parts(settings.known_family(facts))]
    theirs = sorted({alpha for part in parts for alpha in by_part.get(part, ())})
    asked = float(adapter.network_dim) if adapter.network_alpha is None else adapter.network_alpha
    if all(math.isclose(alpha, asked, rel_tol=_HALF_PRECISION) for alpha in theirs):
        return
    if len(theirs) == 1:
        template = T(
            "Problems", "The starting weights have alpha {alpha}, not {asked}; theirs is kept."
        )
        message = text(template, alpha=f"{theirs[0]:g}", asked=f"{asked:g}")
        words = text(T("Problems", "Use {value}."), value=f"{theirs[0]:g}")
        hint = Suggestion(words, {"adapter.network_alpha": theirs[0]})
    else:
        template = T(
            "Problems",
            "The starting weights have alphas {least} to {most}, not {asked}; theirs are kept.",
        )
        amounts = {"least": f"{theirs[0]:g}", "most": f"{theirs[-1]:g}", "asked": f"{asked:g}"}
        message = text(template, **amounts)
        words = text(T("Problems", "Turn on {param}."), param="dim_from_weights")
        hint = Suggestion(words, {"adapter.dim_from_weights": True})
    yield Problem("adapter.network_alpha", Severity.WARNING, message, hint)


RULES: Rules = (alpha_of_starting_weights,)
