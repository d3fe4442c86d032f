"""Checks across settings: each rule takes the settings and yields the problems it finds."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from trainer_core.errors import SettingsError
from trainer_core.settings.arguments import parse_arguments
from trainer_core.settings.document import to_raw
from trainer_core.settings.optimizer import POLYNOMIAL_END
from trainer_core.settings.output_names import check_output_name
from trainer_core.settings.param import ActsIf, Param
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TrainSettings, params, path_of
from trainer_core.texts import T, Text, text

# So many missing entries of a list are named one by one; a drive may be gone with all of them.
_NAMED_ENTRIES = 3


NOT_ANSWERING = T("Problems", "{path} is not answering.")
_LOOK_LATER = T(
    "Problems",
    "Check the network or the drive; it is looked at again when you come back to the window.",
)
_WRITTEN = ("output.output_dir", "output.logging_dir")

# Says why the path of a parameter cannot be used, None if it can or if nobody knows yet.
Look = Callable[[Param, Path], Text | None]


def check(settings: TrainSettings) -> list[Problem]:
    """Return every problem across settings, in the order of the rules; looks at no disk."""
    return [problem for rule in RULES for problem in rule(settings)]


def look_at(param: Param, value: Path) -> Text | None:
    """Look at the disk, which may take its time: say why a path cannot be used, None if it can."""
    return _place_message(value) if param.path in _WRITTEN else _path_message(param, value)


def check_places(settings: TrainSettings, look: Look = look_at) -> list[Problem]:
    """Return what is wrong with the places that the settings name.

    Args:
        settings: Their paths are absolute.
        look: How a path is looked at; by default here and now.
    """
    return [*existing_paths(settings, look), *more_pictures(settings, look)]


def required_values(settings: TrainSettings) -> Iterator[Problem]:
    """Require a base model, pictures and a place for the result."""
    wanted = {
        "model.pretrained_model_name_or_path": T("Problems", "Choose a base model."),
        "dataset.train_data_dir": T("Problems", "Choose a picture folder."),
        "output.output_dir": T("Problems", "Choose an output folder."),
    }
    for path, message in wanted.items():
        if path == "dataset.train_data_dir" and settings.dataset.more_pictures:
            continue
        if settings.get(path) is None:
            yield Problem(path, Severity.ERROR, text(message))


def existing_paths(settings: TrainSettings, look: Look = look_at) -> Iterator[Problem]:
    """Require that what is read exists and is of the right kind, and that results have a place."""
    for path, param in params().items():
        value = settings.get(path)
        if not isinstance(value, Path):
            continue
        message = look(param, value)
        if message is not None:
            choose = T("Problems", "Choose another one, or correct the path.")
            hint = _LOOK_LATER if message.template == NOT_ANSWERING else choose
            yield Problem(path, Severity.ERROR, message, Suggestion(text(hint)))


def more_pictures(settings: TrainSettings, look: Look = look_at) -> Iterator[Problem]:
    """Name the entries of the list that cannot be read, each with the list without them."""
    path = "dataset.more_pictures"
    param, entries = params()[path], settings.dataset.more_pictures
    broken = {e: message for e in entries if (message := look(param, e)) is not None}
    silent = [m for m in broken.values() if m.template == NOT_ANSWERING]
    if silent:  # the first stands for all: they need not be removed
        yield Problem(path, Severity.ERROR, silent[0], Suggestion(text(_LOOK_LATER)))
        broken = {e: message for e, message in broken.items() if message not in silent}
    if len(broken) > _NAMED_ENTRIES:
        first = next(iter(broken))
        template = T("Problems", "{count} of these cannot be read; the first is {path}.")
        message = text(template, count=len(broken), path=first)
        rest = [entry for entry in entries if entry not in broken]
        hint = Suggestion(text(T("Problems", "Remove them.")), {path: to_raw(param, tuple(rest))})
        yield Problem(path, Severity.ERROR, message, hint)
        return
    for entry, message in broken.items():
        others = tuple(other for other in entries if other != entry)
        hint = Suggestion(
            text(T("Problems", "Remove it from the list.")), {path: to_raw(param, others)}
        )
        yield Problem(path, Severity.ERROR, message, hint)


def _place_message(value: Path) -> Text | None:
    """Say why a folder cannot be written or made: the nearest one that exists decides."""
    for place in (value, *value.parents):
        try:
            mode = place.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            return _unreadable(value, error)
        if not stat.S_ISDIR(mode):
            return text(T("Problems", "{path} is a file, not a folder."), path=place)
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            return text(T("Problems", "There is no permission to write to {path}."), path=place)
        return None
    return text(T("Problems", "{path} does not exist."), path=value)


def _unreadable(value: Path, error: OSError | ValueError) -> Text:
    """Name what the system refuses: no permission, too long a name, a null character."""
    reason = getattr(error, "strerror", None) or error
    return text(T("Problems", "{path} cannot be read: {reason}"), path=value, reason=reason)


def _path_message(param: Param, value: Path) -> Text | None:
    try:
        mode = value.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return text(T("Problems", "{path} does not exist."), path=value)
    except (OSError, ValueError) as error:
        return _unreadable(value, error)
    if param.spec.path_kind == "folder" and not stat.S_ISDIR(mode):
        return text(T("Problems", "{path} is no folder."), path=value)
    if param.spec.path_kind == "file" and not stat.S_ISREG(mode):
        return text(T("Problems", "{path} is no file."), path=value)
    return None


def output_name(settings: TrainSettings) -> Iterator[Problem]:
    """Refuse output names that are no file name on Windows or Linux."""
    message = check_output_name(settings.output.output_name)
    if message is not None:
        hint = Suggestion(text(T("Problems", "Choose another name of letters, digits, - and _.")))
        yield Problem("output.output_name", Severity.ERROR, message, hint)


def caption_extension(settings: TrainSettings) -> Iterator[Problem]:
    """Refuse a caption extension that would lead to another folder."""
    extension = settings.dataset.caption_extension
    if "/" in extension or "\\" in extension:
        template = T("Problems", "The caption extension {value} is a path.")
        yield _use("dataset.caption_extension", "auto", text(template, value=extension))


def bucket_limits(settings: TrainSettings) -> Iterator[Problem]:
    """Refuse bucket limits that shut out the resolution (behaviours 1) or come to nothing."""
    pictures = settings.dataset
    step = pictures.bucket_reso_steps
    shorter, longer = sorted(pictures.resolution)
    if not pictures.enable_bucket or pictures.bucket_no_upscale or step > shorter:
        return
    if pictures.min_bucket_reso < step:
        template = T("Problems", "Smallest bucket side is below the bucket step, {side} px.")
        yield _use("dataset.min_bucket_reso", step, text(template, side=step))
    elif pictures.min_bucket_reso // step * step > shorter:
        template = T("Problems", "Smallest bucket side is above the resolution's {side} px.")
        yield _use("dataset.min_bucket_reso", shorter, text(template, side=shorter))
    if -(-pictures.max_bucket_reso // step) * step < longer:
        template = T("Problems", "Largest bucket side is below the resolution's {side} px.")
        yield _use("dataset.max_bucket_reso", longer, text(template, side=longer))


def _use(path: str, value: object, message: Text) -> Problem:
    hint = Suggestion(text(T("Problems", "Use {value}."), value=value), {path: value})
    return Problem(path, Severity.ERROR, message, hint)


def bucket_step(settings: TrainSettings) -> Iterator[Problem]:
    """Require sides that the U-Net can halve: steps of 64, or 8 without buckets (behaviours 6)."""
    pictures = settings.dataset
    step, shorter = pictures.bucket_reso_steps, min(pictures.resolution)
    if not pictures.enable_bucket:
        yield from _sides_without_buckets(pictures.resolution)
    elif step % 64:
        template = T("Problems", "The bucket step must be a multiple of 64 for this family.")
        yield _use("dataset.bucket_reso_steps", 64, text(template))
    elif step > shorter:
        template = T("Problems", "The bucket step is above the resolution's {side} px.")
        yield _use("dataset.bucket_reso_steps", 64, text(template, side=shorter))


def _sides_without_buckets(resolution: tuple[int, int]) -> Iterator[Problem]:
    if any(side % 8 for side in resolution):
        sides = [side // 8 * 8 for side in resolution]
        message = text(T("Problems", "Without buckets both sides must be multiples of 8 px."))
        hint = Suggestion(
            text(T("Problems", "Use {width} x {height}."), width=sides[0], height=sides[1]),
            {"dataset.resolution": sides},
        )
        yield Problem("dataset.resolution", Severity.ERROR, message, hint)


def something_to_train(settings: TrainSettings) -> Iterator[Problem]:
    """Refuse a run in which no part has a learning rate."""
    adapter, optimizer = settings.adapter, settings.optimizer
    if adapter.network_train_unet_only and adapter.network_train_text_encoder_only:
        message = text(T("Problems", "U-Net only and Text encoder only exclude each other."))
        hint = Suggestion(
            text(T("Problems", "Train both.")),
            {
                "adapter.network_train_unet_only": False,
                "adapter.network_train_text_encoder_only": False,
            },
        )
        yield Problem("adapter.network_train_unet_only", Severity.ERROR, message, hint)
        return
    rates = []
    if not adapter.network_train_text_encoder_only:
        rates.append(_rate(optimizer.unet_lr, optimizer.learning_rate))
    if not adapter.network_train_unet_only:
        rates.append(_rate(optimizer.text_encoder_lr, optimizer.learning_rate))
    if not any(rates):
        part = "text_encoder" if adapter.network_train_text_encoder_only else "unet"
        path = f"optimizer.{part}_lr"
        rate = params()[path].default
        message = text(T("Problems", "Every learning rate is 0: nothing would be trained."))
        yield _use(path, rate, message)


def _rate(own: float | None, common: float) -> float:
    return common if own is None else own


def common_rate(settings: TrainSettings) -> Iterator[Problem]:
    """Name a learning rate that no part uses, or that the polynomial schedule cannot start from."""
    optimizer, param = settings.optimizer, params()["optimizer.learning_rate"]
    if optimizer.lr_scheduler == "polynomial":  # its end is relative to this rate
        if optimizer.learning_rate <= POLYNOMIAL_END:
            template = T("Problems", "The polynomial schedule needs a rate above {end}.")
            yield _use(param.path, param.default, text(template, end=POLYNOMIAL_END))
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
    skipped = {
        "unet_lr": settings.adapter.network_train_text_encoder_only,
        "text_encoder_lr": settings.adapter.network_train_unet_only,
    }
    return [name for name, is_skipped in skipped.items() if not is_skipped]


def optimizer_arguments(settings: TrainSettings) -> Iterator[Problem]:
    """Refuse extra arguments that are not ``name=value``."""
    try:
        parse_arguments(settings.optimizer.optimizer_args)
    except SettingsError as error:
        hint = Suggestion(error.hint) if error.hint else None
        yield Problem("optimizer.optimizer_args", Severity.ERROR, error.message, hint)


def samples_are_drawn(settings: TrainSettings) -> Iterator[Problem]:
    """Say so when prompts are given but no picture would ever be drawn."""
    sampling = settings.sampling
    due = (
        sampling.sample_every_n_steps or sampling.sample_every_n_epochs or sampling.sample_at_first
    )
    if sampling.sample_prompts is not None and not due:
        message = text(T("Problems", "There are prompts, but nothing says when to draw them."))
        hint = Suggestion(
            text(T("Problems", "Draw them after every epoch.")),
            {"sampling.sample_every_n_epochs": 1},
        )
        yield Problem("sampling.sample_prompts", Severity.WARNING, message, hint)


def upscaling_without_buckets(settings: TrainSettings) -> Iterator[Problem]:
    """Say that small pictures are enlarged without buckets, though the default is not to."""
    pictures = settings.dataset
    if pictures.bucket_no_upscale and not pictures.enable_bucket:
        template = T("Problems", "{name} has no effect without buckets.")
        message = text(template, name="bucket_no_upscale")
        hint = text(T("Problems", "Enable buckets, or let small pictures be enlarged."))
        suggestion = Suggestion(hint, {"dataset.enable_bucket": True})
        yield Problem("dataset.bucket_no_upscale", Severity.NOTICE, message, suggestion)


def values_without_effect(settings: TrainSettings) -> Iterator[Problem]:
    """Name every value that was changed but does not act with the other settings."""
    for path, param in params().items():
        if settings.get(path) == param.default:
            continue
        missing = _missing_condition(param, settings)
        if missing is not None:
            yield _without_effect(param, missing)


def _missing_condition(param: Param, settings: TrainSettings) -> ActsIf | None:
    for condition in param.spec.when:
        other = path_of(condition.name)
        if other is not None and not condition.holds(settings.get(other)):
            return condition
    return None


def _without_effect(param: Param, condition: ActsIf) -> Problem:
    facts = {"name": param.name, "other": condition.name}
    if not condition.values:
        message = text(T("Problems", "{name} has no effect because {other} is not set."), **facts)
    elif condition.values == (None,):
        message = text(T("Problems", "{name} has no effect because {other} is set."), **facts)
    else:
        wanted = ", ".join(condition.words)
        template = T("Problems", "{name} has no effect: it acts only if {other} is {wanted}.")
        message = text(template, wanted=wanted, **facts)
    hint = Suggestion(text(T("Problems", "Reset it.")), {param.path: to_raw(param, param.default)})
    return Problem(param.path, Severity.NOTICE, message, hint)


RULES = (
    required_values,
    output_name,
    caption_extension,
    bucket_limits,
    bucket_step,
    something_to_train,
    common_rate,
    optimizer_arguments,
    samples_are_drawn,
    upscaling_without_buckets,
    values_without_effect,
)
