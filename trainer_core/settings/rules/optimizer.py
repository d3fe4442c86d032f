"""Rules of learning rates, schedules and the optimizer's arguments."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.catalogue.schedules import SCHEDULES
from trainer_core.errors import SettingsError
from trainer_core.settings.arguments import parse_arguments
from trainer_core.settings.problems import Problem, Severity, Suggestion, better_value
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, text


def something_to_train(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse a run in which no part has a learning rate."""
    optimizer, switches = settings.optimizer, _switches(settings)
    if switches and all(map(settings.get, switches)):
        message = text(T("Problems", "U-Net only and Text encoder only exclude each other."))
        hint = Suggestion(
            text(T("Problems", "Train both.")),
            dict.fromkeys(switches, False),
        )
        yield Problem(switches[0], Severity.ERROR, message, hint)
        return
    paths = [f"optimizer.{name}" for name in _rates_of_trained_parts(settings)]
    own_rates = [settings.get(path) for path in paths]
    if not any(optimizer.learning_rate if rate is None else rate for rate in own_rates):
        message = text(T("Problems", "Every learning rate is 0: nothing would be trained."))
        yield better_value(paths[0], TRAIN.params()[paths[0]].default, message)


def common_rate(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Name a learning rate that no part uses, or that the schedule cannot start from."""
    optimizer, param = settings.optimizer, TRAIN.params()["optimizer.learning_rate"]
    floor = SCHEDULES[optimizer.lr_scheduler].floor
    if floor:  # the schedule's end is relative to this rate
        if optimizer.learning_rate <= floor:
            template = T("Problems", "The {schedule} schedule needs a rate above {end}.")
            message = text(template, schedule=optimizer.lr_scheduler, end=floor)
            yield better_value(param.path, param.default, message)
        return
    names = _rates_of_trained_parts(settings)
    is_used = any(settings.get(f"optimizer.{name}") is None for name in names)
    if is_used or not names or optimizer.learning_rate == param.default:
        return
    if len(names) == 1:
        template = T("Problems", "{name} has no effect because {other} is set.")
        message = text(template, name=param.name, other=names[0])
    else:
        template = T("Problems", "{name} has no effect because {first} and {second} are set.")
        message = text(template, name=param.name, first=names[0], second=names[1])
    hint = text(T("Problems", "Reset it, or unset the rates of the parts."))
    suggestion = Suggestion(hint, {param.path: param.default})
    yield Problem(param.path, Severity.NOTICE, message, suggestion)


def _rates_of_trained_parts(settings: TrainSettings) -> list[str]:
    return [part.rate for part in settings.trained_parts()]


def _switches(settings: TrainSettings) -> tuple[str, ...]:
    """Return the settings that leave out all parts if both are on; nothing if one is missing."""
    method = settings.method
    switches = (method.no_text_encoders, method.no_denoiser)
    return switches if all(switches) else ()


def optimizer_arguments(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse extra arguments that are not ``name=value``."""
    try:
        parse_arguments(settings.optimizer.optimizer_args)
    except SettingsError as error:
        yield Problem.of(error, setting="optimizer.optimizer_args")


RULES: Rules = (something_to_train, common_rate, optimizer_arguments)
