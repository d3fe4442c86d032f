"""Rules of learning rates, schedules and the optimizer's arguments."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.catalogue.families import PartEntry
from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.catalogue.schedules import SCHEDULES, constant
from trainer_core.errors import SettingsError
from trainer_core.settings.arguments import parse_arguments
from trainer_core.settings.document import UNSET
from trainer_core.settings.problems import Problem, Severity, Suggestion, better_value
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, text

# Up to 0.1 the reference trainer warns (optimizers_and_schedulers.md); above, the same factor.
_NEAR_ONE = (0.1, 10.0)
_COMMON_RATE = "optimizer.learning_rate"


def something_to_train(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse a run in which no part has a learning rate."""
    switches = _switches(settings)
    if switches and all(map(settings.get, switches)):
        message = text(T("Problems", "U-Net only and Text encoder only exclude each other."))
        hint = Suggestion(
            text(T("Problems", "Train both.")),
            dict.fromkeys(switches, False),
        )
        yield Problem(switches[0], Severity.ERROR, message, hint)
        return
    trained = _trained(settings, facts)
    if not any(map(settings.rate_of, trained)):
        message = text(T("Problems", "Every learning rate is 0: nothing would be trained."))
        path = f"optimizer.{trained[0].rate}"
        yield better_value(path, TRAIN.params()[path].default, message)


def common_rate(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Name a learning rate that no part uses, or that the schedule cannot start from."""
    optimizer, param = settings.optimizer, TRAIN.params()[_COMMON_RATE]
    floor = SCHEDULES[optimizer.lr_scheduler].floor
    if floor:  # the schedule's end is relative to this rate
        if optimizer.learning_rate <= floor:
            template = T("Problems", "The {schedule} schedule needs a rate above {end}.")
            message = text(template, schedule=optimizer.lr_scheduler, end=floor)
            yield better_value(param.path, param.default, message)
        return
    names = list(dict.fromkeys(map(settings.rate_setting, _trained(settings, facts))))
    is_used = param.name in names
    if is_used or not names or optimizer.learning_rate == param.default:
        return
    if len(names) == 1:
        template = T("Problems", "{name} has no effect because {other} is set.")
        message = text(template, name=param.name, other=names[0])
    else:
        template = T("Problems", "{name} has no effect because {first} and {second} are set.")
        message = text(template, name=param.name, first=names[0], second=names[1])
    reset = Suggestion(text(T("Problems", "Reset it.")), {param.path: param.default})
    parts = dict.fromkeys((f"optimizer.{name}" for name in names), UNSET)
    use_it = Suggestion(text(T("Problems", "Use it for all parts.")), parts)
    yield Problem(param.path, Severity.NOTICE, message, reset, other_ways=(use_it,))


def _trained(settings: TrainSettings, facts: Facts) -> list[PartEntry]:
    return settings.trained_parts(settings.known_family(facts))


def _switches(settings: TrainSettings) -> tuple[str, ...]:
    """Return the settings that leave out all parts if both are on; nothing if one is missing."""
    method = settings.method
    switches = (method.no_text_encoders, method.no_denoiser)
    return switches if all(switches) else ()


def rates_of_the_optimizer(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse several rates where the optimizer takes one, and name a rate that it cannot mean."""
    optimizer = settings.optimizer
    entry = OPTIMIZERS[optimizer.optimizer_type]
    rates = {}
    for part in _trained(settings, facts):
        shares = part.rate_like and settings.rate_setting(part) != part.rate
        rates[f"optimizer.{part.rate_like if shares else part.rate}"] = settings.rate_of(part)
    trained = {path: rate for path, rate in rates.items() if rate > 0}
    if entry.one_rate and len(set(trained.values())) > 1:
        template = T("Problems", "{optimizer} needs the same learning rate for all parts.")
        severity, better = Severity.ERROR, max(trained.values())
    elif entry.rate == "one" and any(not _is_near_one(rate) for rate in trained.values()):
        template = T(
            "Problems", "{optimizer} finds the learning rate itself; the rate should be 1."
        )
        severity, better = Severity.WARNING, 1.0
    else:
        return
    if entry.rate == "one":
        better = 1.0
    hint = Suggestion(
        text(T("Problems", "Use {value}."), value=better), dict.fromkeys(trained, better)
    )
    first = next(iter(trained))
    yield Problem(first, severity, text(template, optimizer=entry.label), hint)


def rates_that_are_too_high(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Name a learning rate that spoils what it trains, such as one for another optimizer."""
    optimizer = settings.optimizer
    entry = OPTIMIZERS[optimizer.optimizer_type]
    rates = {f"optimizer.{settings.rate_setting(p)}": p for p in _trained(settings, facts)}
    for path, part in rates.items():
        rate = settings.rate_of(part)
        if entry.highest_rate is None or rate <= entry.highest_rate:
            continue
        message = text(
            T(
                "Problems",
                "A rate of {rate} is far too high for {optimizer}: nothing is learned above "
                "{limit}.",
            ),
            rate=f"{rate:g}",
            optimizer=entry.label,
            limit=entry.highest_rate,
        )
        usual = TRAIN.params()[path].default
        hint = Suggestion(text(T("Problems", "Use {value}."), value=usual), {path: usual})
        yield Problem(path, Severity.WARNING, message, hint)


def _is_near_one(rate: float) -> bool:
    least, most = _NEAR_ONE
    return least < rate < most


def schedule_of_the_optimizer(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Name a schedule that moves the rate of an optimizer which moves it itself, or must not."""
    optimizer = settings.optimizer
    entry = OPTIMIZERS[optimizer.optimizer_type]
    if entry.schedule == "any" or SCHEDULES[optimizer.lr_scheduler].is_constant:
        return
    if entry.schedule == "own":
        template = T("Problems", "{optimizer} has a schedule of its own, which this one disturbs.")
        severity = Severity.WARNING
    else:
        template = T("Problems", "{optimizer} needs a learning rate that stays the same.")
        severity = Severity.ERROR
    path, better = "optimizer.lr_scheduler", constant()
    hint = Suggestion(text(T("Problems", "Use {value}."), value=better), {path: better})
    yield Problem(path, severity, text(template, optimizer=entry.label), hint)


def optimizer_arguments(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse extra arguments that are not ``name=value``."""
    try:
        parse_arguments(settings.optimizer.optimizer_args)
    except SettingsError as error:
        yield Problem.of(error, setting="optimizer.optimizer_args")


RULES: Rules = (
    something_to_train,
    common_rate,
    rates_of_the_optimizer,
    rates_that_are_too_high,
    schedule_of_the_optimizer,
    optimizer_arguments,
)
