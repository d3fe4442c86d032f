"""Sample prompt files: one prompt a line in ``.txt``, or the same as TOML or JSON."""

from __future__ import annotations

import json
import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer_core.catalogue.samplers import SAMPLERS
from trainer_core.errors import SettingsError
from trainer_core.files.plain_text import find_control, find_half, lines_of
from trainer_core.files.reading import read_limited
from trainer_core.prompts.line import OPTIONS, PromptValues, clamp_steps, parse_prompt_line
from trainer_core.prompts.other_words import suspicions
from trainer_core.texts import T, Text, text

DEFAULT_STEPS, DEFAULT_SCALE = 30, 7.5  # sd-scripts' values
MAX_SEED = 2**64 - 1  # what torch.Generator takes
MAX_SCALE = 1000  # nobody draws with more than 30
MIN_SIDE_PX, MAX_SIDE_PX, SIDE_STEP_PX = 64, 4096, 8

_MAX_BYTES = 4 * 2**20
_MAX_NUMBER = 10**20  # more than any seed
_SETTING = "sampling.sample_prompts"
_NUMBER = (int, float)
# Types of values in TOML and JSON, by sd-scripts' names.
_ACTING: Mapping[str, type | tuple[type, ...]] = {
    "prompt": str,
    "negative_prompt": str,
    "width": int,
    "height": int,
    "seed": int,
    "sample_steps": int,
    "scale": _NUMBER,
    "sample_sampler": str,
}
_OF_OTHER_FAMILIES = {
    option.name: letters for letters, option in OPTIONS.items() if option.name not in _ACTING
}


@dataclass(frozen=True, slots=True)
class SamplePrompt:
    """One picture to draw. None: seed derived from the run's, training size, the run's sampler."""

    prompt: str
    negative_prompt: str = ""
    width_px: int | None = None
    height_px: int | None = None
    seed: int | None = None
    steps: int = DEFAULT_STEPS
    scale: float = DEFAULT_SCALE
    sampler: str | None = None


@dataclass(frozen=True, slots=True)
class PromptFile:
    """The prompts of a file, and what in it was not understood or has no effect."""

    prompts: tuple[SamplePrompt, ...]
    problems: tuple[Text, ...]


def load_prompts(path: Path, *, max_side_px: int = MAX_SIDE_PX) -> PromptFile:
    """Return the prompts of a ``.txt``, ``.toml`` or ``.json`` file.

    Args:
        path: The file.
        max_side_px: The largest side that is drawn; a prompt that asks for more is told of it.

    Raises:
        SettingsError: The file is missing, unreadable, of another kind, or holds no prompt.
    """
    entries, problems = read_prompts(path)
    prompts = []
    for number, values in enumerate(entries, start=1):
        _check_types(path, number, values)
        problems += _without_effect(number, values)
        prompt, found = _sample_prompt(number, values)
        prompts.append(prompt)
        problems += [*found, *_odd_sides(number, values, max_side_px)]
    return PromptFile(tuple(prompts), tuple(problems))


def prompts_of_lines(lines: Sequence[str], *, max_side_px: int = MAX_SIDE_PX) -> PromptFile:
    """Return the prompts of lines that stand in a run file; sides as for `load_prompts`."""
    prompts, problems = [], list[Text]()
    for number, line in enumerate(lines, start=1):
        values, found = parse_prompt_line(line, number=number)
        prompt, odd = _sample_prompt(number, values)
        prompts.append(prompt)
        problems += [*found, *_without_effect(number, values), *odd]
        problems += _odd_sides(number, values, max_side_px)
    return PromptFile(tuple(prompts), tuple(problems))


def read_prompts(path: Path) -> tuple[list[PromptValues], list[Text]]:
    """Return the values of every prompt by sd-scripts' names, with its index as ``enum``.

    Raises:
        SettingsError: As `load_prompts`; types are not checked.
    """
    readers = {".txt": _txt_entries, ".toml": _toml_entries, ".json": _json_entries}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SettingsError(
            T("Errors", "The prompt file {path} is neither .txt, .toml nor .json."),
            T("Errors", "Put one prompt on each line of a .txt file."),
            setting=_SETTING,
            path=path,
        )
    prompts: list[PromptValues] = []
    problems: list[Text] = []
    for index, entry in enumerate(reader(path, _read_text(path))):
        if isinstance(entry, str):
            values, found = parse_prompt_line(entry, number=index + 1)
            problems += found
        else:
            values = {name: value for name, value in entry.items() if value is not None}
            words = str(values.get("prompt", ""))
            problems += suspicions(words, number=index + 1, letters=OPTIONS.keys())
        prompts.append({**values, "enum": index})
    if not prompts and reader is not _json_entries:  # a list of none asks for none
        raise SettingsError(
            T("Errors", "The prompt file {path} holds no prompt."),
            T("Errors", "Write one prompt on each line, or leave the prompt file unset."),
            setting=_SETTING,
            path=path,
        )
    return prompts, problems


def side_to_draw(side_px: int, max_side_px: int = MAX_SIDE_PX) -> int:
    """Return the side that is drawn: a multiple of 8 px, at least 64, at most ``max_side_px``."""
    limited = min(side_px, max_side_px)
    return max(limited - limited % SIDE_STEP_PX, MIN_SIDE_PX)


def _read_text(path: Path) -> str:
    try:
        return read_limited(path, _MAX_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            T("Errors", "The prompt file {path} is not UTF-8 text."),
            T("Errors", "Open it in a text editor and save it with the encoding UTF-8."),
            setting=_SETTING,
            path=path,
        ) from error
    except OSError as error:
        raise SettingsError(
            T("Errors", "The prompt file {path} cannot be read: {reason}"),
            T("Errors", "Choose another file, or leave the prompt file unset."),
            setting=_SETTING,
            path=path,
            reason=error.strerror or error,
        ) from error


def _txt_entries(path: Path, content: str) -> list[PromptValues | str]:
    lines = lines_of(content)
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _toml_entries(path: Path, content: str) -> list[PromptValues | str]:
    try:
        defaults = tomllib.loads(content).get("prompt")
    except (ValueError, RecursionError) as error:  # ValueError: of a number too long, too
        message = T("Errors", "The prompt file {path} is no valid TOML: {reason}")
        raise _malformed(path, message, reason=error) from error
    if not isinstance(defaults, dict):
        raise _malformed(path, T("Errors", "The prompt file {path} has no table [prompt]."))
    subsets = defaults.pop("subset", None)
    if subsets is None:
        return [defaults] if defaults else []
    if not isinstance(subsets, list) or not all(isinstance(subset, dict) for subset in subsets):
        message = T("Errors", "In the prompt file {path}, [[prompt.subset]] is no list of tables.")
        raise _malformed(path, message)
    for subset in subsets:
        if doubled := sorted(defaults.keys() & subset.keys()):
            message = T("Errors", "The prompt file {path} sets {name} in [prompt] and in a subset.")
            raise _malformed(path, message, name=doubled[0])
    return [{**defaults, **subset} for subset in subsets]


def _json_entries(path: Path, content: str) -> list[PromptValues | str]:
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:  # likewise
        message = T("Errors", "The prompt file {path} is no valid JSON: {reason}")
        raise _malformed(path, message, reason=error) from error
    if not isinstance(entries, list) or not all(isinstance(e, dict | str) for e in entries):
        message = T("Errors", "The prompt file {path} is no list of texts and objects.")
        raise _malformed(path, message)
    return [e if isinstance(e, str) else _without_subset(e) for e in entries]


def _without_subset(entry: PromptValues) -> PromptValues:
    """Return a prompt without what is left of a TOML file that was made into it."""
    return {name: value for name, value in entry.items() if name != "subset"}


def _malformed(path: Path, message: str, **values: object) -> SettingsError:
    hint = T("Errors", "Correct it, or write one prompt on each line of a .txt file.")
    sentence = text(message, path=path, **values)
    return SettingsError.in_words(sentence, text(hint), setting=_SETTING)


def _check_types(path: Path, number: int, values: PromptValues) -> None:
    if "prompt" not in values:
        message = T("Errors", "Prompt {number} of {path} has no text.")
        raise _malformed(path, message, number=number)
    for name in values.keys() & _ACTING.keys():
        value = values[name]
        if isinstance(value, str):
            _check_text(path, number, value)
        is_of_type = isinstance(value, _ACTING[name]) and not isinstance(value, bool)
        if not is_of_type or not _is_usable_number(value):
            message = T("Errors", "{name} of prompt {number} of {path} cannot be {value}.")
            raise _malformed(path, message, name=name, number=number, value=_shown(value))


def _check_text(path: Path, number: int, words: str) -> None:
    control = find_control(words.replace("\v", " "))  # what word processors end a line with
    if control is not None:
        message = T("Errors", "Prompt {number} of {path} holds a control character ({code}).")
        raise _malformed(path, message, number=number, code=control.code)
    half = find_half(words)
    if half is not None:
        message = T("Errors", "Prompt {number} of {path} holds half a character ({code}).")
        raise _malformed(path, message, number=number, code=half)


def _is_usable_number(value: object) -> bool:
    return not isinstance(value, int | float) or -_MAX_NUMBER <= value <= _MAX_NUMBER


def _shown(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not write a number of thousands of digits
        return "…"


def _without_effect(number: int, values: PromptValues) -> list[Text]:
    found = []
    for name in values.keys() - _ACTING.keys() - {"enum"}:
        message = T("Problems", "Prompt {number}: {name} is not understood.")
        if name in _OF_OTHER_FAMILIES:
            message = T("Problems", "Prompt {number}: {name} has no effect on this kind of model.")
        found.append(text(message, number=number, name=name))
    return sorted(found, key=str)


def _sample_prompt(number: int, values: PromptValues) -> tuple[SamplePrompt, list[Text]]:
    seed, seed_problems = _usable_seed(number, values.get("seed"))
    scale, scale_problems = _usable_scale(number, values.get("scale", DEFAULT_SCALE))
    sampler, sampler_problems = _usable_sampler(number, values.get("sample_sampler"))
    prompt = SamplePrompt(
        prompt=values["prompt"],
        negative_prompt=values.get("negative_prompt", ""),
        width_px=values.get("width"),
        height_px=values.get("height"),
        seed=seed,
        steps=clamp_steps(values.get("sample_steps", DEFAULT_STEPS)),
        scale=scale,
        sampler=sampler,
    )
    return prompt, [*seed_problems, *sampler_problems, *scale_problems]


def _usable_seed(number: int, seed: int | None) -> tuple[int | None, list[Text]]:
    if seed is None or 0 <= seed <= MAX_SEED:
        return seed, []
    message = T("Problems", "Prompt {number}: the seed {seed} is not between 0 and {largest}.")
    return None, [text(message, number=number, seed=str(seed), largest=str(MAX_SEED))]


def _usable_scale(number: int, scale: float) -> tuple[float, list[Text]]:
    if -MAX_SCALE <= scale <= MAX_SCALE:
        return float(scale), []
    message = T("Problems", "Prompt {number}: the scale {scale} is beyond {largest}.")
    return DEFAULT_SCALE, [text(message, number=number, scale=f"{scale:g}", largest=MAX_SCALE)]


def _usable_sampler(number: int, name: str | None) -> tuple[str | None, list[Text]]:
    known = name.removeprefix("k_") if name else None
    if known is None or known in SAMPLERS:
        return known, []
    message = T("Problems", "Prompt {number}: the sampler {name} is not one of {known}.")
    return None, [text(message, number=number, name=name, known=", ".join(SAMPLERS))]


def _odd_sides(number: int, values: PromptValues, max_side_px: int) -> Iterator[Text]:
    for side in (values[name] for name in ("width", "height") if name in values):
        drawn = side_to_draw(side, max_side_px)
        template = T("Problems", "Prompt {number}: {side} px is drawn as {drawn} px.")
        if side > max_side_px:
            template = T(
                "Problems",
                "Prompt {number}: {side} px is drawn as {drawn} px, the limit that {param} sets.",
            )
        if drawn != side:
            yield text(template, number=number, side=side, drawn=drawn, param="sample_max_side")
