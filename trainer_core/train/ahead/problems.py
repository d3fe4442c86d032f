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
    of_kind: Counter[tuple[bool, str]] = Counter()
    for problem in found.problems:
        is_notice = problem.severity is Severity.NOTICE
        kind = is_notice, problem.message.template
        of_kind[kind] += 1
        # A folder can hold hundreds of small pictures: `check` names them all.
        if problem is first_error or of_kind[kind] > _SHOWN_OF_A_KIND:
            continue
        if is_notice:
            _log.info("%s", problem.message)
        else:
            warn(problem.message, problem.suggestion.message if problem.suggestion else None)
    if (notices := _hidden(of_kind, notices=True)) is not None:
        _log.info("%s", notices)
    if (others := _hidden(of_kind, notices=False)) is not None:
        warn(others, None)


def _hidden(of_kind: Counter[tuple[bool, str]], *, notices: bool) -> Text | None:
    """Return what is said of those that are not told one by one, None if all are."""
    counts = [count for (is_notice, _), count in of_kind.items() if is_notice is notices]
    hidden = sum(max(0, count - _SHOWN_OF_A_KIND) for count in counts)
    if not hidden:
        return None
    message = T(
        "Events",
        "There [count:is|are] {count} more [count:problem|problems] of these kinds; check "
        "lists all.",
    )
    if notices:
        message = T(
            "Events",
            "There [count:is|are] {count} more [count:notice|notices] of these kinds; check "
            "lists all.",
        )
    return text(message, count=hidden)
