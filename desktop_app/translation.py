"""The one way from a template to the words on the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from desktop_app.words.numbers import number_text
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import TRAIN, AnySchema
from trainer_core.texts import T, Text, Value, filled, visible

SENTENCES = ("Problems", "Errors", "Events")
CONTEXTS = ("App", "Settings", *SENTENCES)

_SETTINGS_IN_PROBLEMS = ("name", "other", "first", "second")


def shown(message: Text | str, /, **values: Value) -> str:
    """Return ``message`` in the user's language with its values filled in.

    Args:
        message: A `Text` (its own values are used), or a template marked with ``T``.
        values: The named values of a template.
    """
    if isinstance(message, Text):
        return shown(message.template, **message.values)
    # A value may be a template of its own: "must be {wanted}" with "a whole number".
    words = {
        name: _translated(_lines_visible(value), SENTENCES)
        if isinstance(value, str)
        else number_text(value)  # as the fields write it: 1e-4
        if isinstance(value, float) and math.isfinite(value)
        else value
        for name, value in values.items()
    }
    try:
        return filled(_translated(message, CONTEXTS), words)
    except (ValueError, TypeError, LookupError, AttributeError):
        # A translation that asks more of the values than its text does; better English than none.
        return filled(message, words)


def _lines_visible(words: str) -> str:
    """Escape control characters, such as a file's name may hold, but for the ends of lines."""
    return "\n".join(map(visible, words.split("\n")))


def shown_problem(problem: Problem, schema: AnySchema) -> str:
    """Return a problem's sentence, with settings called by the labels that the form shows."""
    message = problem.message
    named = _labelled(message, _SETTINGS_IN_PROBLEMS, schema)
    if "wanted" in named and "other" in named:
        other, wanted = str(message.values["other"]), str(named["wanted"])
        named["wanted"] = _choice_labels(other, wanted, schema)
    if "others" in named:
        names = str(named["others"]).split(", ")
        named["others"] = ", ".join(_label_of(name, schema) for name in names)
    return shown(Text(message.template, named))


def shown_error(message: Text) -> str:
    """Return what a trainer says of a failure, with the setting in it called as in the form.

    It is the value called ``param``; other values are files, numbers and words of others.
    """
    return shown(Text(message.template, _labelled(message, ("param",), TRAIN)))


def shown_offer(message: Text) -> str:
    """Return a way out as a button says it: without the full stop of a sentence."""
    return shown(message).rstrip(".\N{IDEOGRAPHIC FULL STOP}")


def place(path: str, schema: AnySchema) -> str:
    """Return what a problem's path is called on the screen; unknown paths stay as they are."""
    param = schema.params().get(path)
    return path if param is None else shown(param.spec.label)


def choice_label(param: Param, value: object) -> str:
    """Return what the form calls one value of a parameter."""
    if value is None:
        return shown(param.spec.unset_label or T("App", "not set"))
    if isinstance(value, bool):
        return shown(T("App", "on")) if value else shown(T("App", "off"))
    choice = param.spec.choices.get(str(value))
    return str(value) if choice is None else shown(choice.label)


def _labelled(message: Text, keys: Sequence[str], schema: AnySchema) -> dict[str, Value]:
    """Return a text's values; those that name settings become labels."""
    return {
        key: _label_of(value, schema) if key in keys and isinstance(value, str) else value
        for key, value in message.values.items()
    }


def _label_of(name: str, schema: AnySchema) -> str:
    path = schema.path_of(name)
    if path is None:
        return name
    return shown(T("App", "“{label}”"), label=place(path, schema))


def _choice_labels(name: str, words: str, schema: AnySchema) -> str:
    """Return values of a setting, as files write them, in the form's words."""
    path = schema.path_of(name)
    if path is None:
        return words
    values = ({"true": True, "false": False}.get(word, word) for word in words.split(", "))
    return ", ".join(choice_label(schema.params()[path], value) for value in values)


def _translated(template: str, contexts: Sequence[str]) -> str:
    # A template that came over the wire does not say its context; contexts share no meanings.
    for context in contexts:
        found = QCoreApplication.translate(context, template)
        if found != template:
            return found
    return template
