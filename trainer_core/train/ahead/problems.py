"""What is doubtful about a run is told as it starts, and not more of it than people read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from trainer_core.preflight import Preflight
from trainer_core.settings.problems import Severity
from trainer_core.texts import T, Text, text

_log = logging.getLogger(__name__)
_SHOWN_OF_A_KIND = 5


def tell_problems(found: Preflight, warn: Callable[[Text, Text | None], object]) -> None:
    """Tell everything that was found but the first error, which ends the run in its own words.

    Args:
        found: What was said of the run before a model is loaded.
        warn: Told a message and a hint. Notices go to the log.
    """
    first_error = next(iter(found.errors), None)
    of_kind: Counter[str] = Counter()
    for problem in found.problems:
        if problem.severity is Severity.NOTICE:
            _log.info("%s", problem.message)
            continue
        of_kind[problem.message.template] += 1
        # A folder can hold hundreds of small pictures: `check` names them all.
        is_shown = of_kind[problem.message.template] <= _SHOWN_OF_A_KIND
        if problem is not first_error and is_shown:
            warn(problem.message, problem.suggestion.message if problem.suggestion else None)
    hidden = sum(max(0, count - _SHOWN_OF_A_KIND) for count in of_kind.values())
    if hidden:
        message = T(
            "Events",
            "There [count:is|are] {count} more [count:problem|problems] of these kinds; check "
            "lists all.",
        )
        warn(text(message, count=hidden), None)
