"""The one sentence on whether the chosen Python can train, and what to do if it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from desktop_app.trainer_python.facts import PythonFacts
from desktop_app.trainer_python.requirements import Fit
from desktop_app.trainer_python.trainer_python import TrainerPython
from trainer_core.texts import T, Text, text


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence, its way out, and its weight: a role of the style sheet's words."""

    role: str
    sentence: Text
    hint: Text | None = None


def verdict(python: TrainerPython) -> Verdict:
    """Judge what is known of the Python in use."""
    facts = python.facts
    if python.path is None:
        hint = text(T("App", "Choose one below, or make an environment for training."))
        return Verdict("error", text(T("App", "No Python is known that could train.")), hint)
    if facts is None or (facts.packages is None and facts.problem is None):
        return Verdict("dim", text(T("App", "Looking…")))
    if facts.problem is not None:
        return Verdict("error", facts.problem, facts.hint)
    if not python.wanted:
        # A build of the app without its metadata; the trainer itself will say what it lacks.
        return Verdict("warning", text(T("App", "It is not known which packages are needed.")))
    if python.lacks_something:
        return _lacking(python, facts)
    if not facts.is_complete:
        return Verdict("dim", text(T("App", "All packages are there; starting PyTorch…")))
    if python.misses_card and python.surroundings is not None:
        template = T("App", "This PyTorch does not use the graphics card: {reason}.")
        sentence = text(template, reason=str(python.surroundings.build.reason))
        return Verdict("warning", sentence, text(T("App", "The build for the card is faster.")))
    return Verdict("success", text(T("App", "Ready to train.")))


def may_install(facts: PythonFacts) -> bool:
    """Tell whether packages can be put into a Python."""
    return facts.is_writable and not facts.is_managed and bool(facts.version)


def _lacking(python: TrainerPython, facts: PythonFacts) -> Verdict:
    count = sum(state.fit is not Fit.OK for state in python.states)
    if not count and facts.torch_error is not None:
        return Verdict("error", facts.torch_error, _way_out(facts))
    sentence = text(T("App", "Packages that are missing or do not fit: {count}."), count=count)
    return Verdict("warning", sentence, _way_out(facts))


def _way_out(facts: PythonFacts) -> Text:
    if facts.is_managed:
        return text(
            T(
                "App",
                "This Python belongs to the system, which installs its packages itself: make an "
                "environment for training instead.",
            )
        )
    if not facts.is_writable:
        return text(
            T(
                "App",
                "You may not write into this Python's folder: make an environment for training "
                "instead.",
            )
        )
    return text(T("App", "Install puts them in place; you see first what is installed."))
