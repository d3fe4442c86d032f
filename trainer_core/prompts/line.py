"""One line of a sample prompt file: the prompt, then ``--`` options as in sd-scripts.

What is meant but badly written is accepted; what is not understood is reported (behaviours 43).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer_core.prompts.other_words import suspicions
from trainer_core.texts import T, Text, text

MAX_STEPS = 1000

PromptValues = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PromptOption:
    """An option: the name of its value in TOML and JSON, and how its text is read."""

    name: str
    convert: Callable[[str], Any]
    pattern: re.Pattern[str] = re.compile(r".+")


_WHOLE, _DECIMAL = re.compile(r"\d+"), re.compile(r"[\d.]+")

OPTIONS: Mapping[str, PromptOption] = {
    "w": PromptOption("width", int, _WHOLE),
    "h": PromptOption("height", int, _WHOLE),
    "d": PromptOption("seed", int, _WHOLE),
    "s": PromptOption("sample_steps", lambda digits: clamp_steps(int(digits)), _WHOLE),
    "l": PromptOption("scale", float, _DECIMAL),
    "g": PromptOption("guidance_scale", float, _DECIMAL),
    "ctr": PromptOption("cfg_trunc_ratio", float, _DECIMAL),
    "rcfg": PromptOption("renorm_cfg", float, _DECIMAL),
    "n": PromptOption("negative_prompt", str),
    "ss": PromptOption("sample_sampler", str),
    "cn": PromptOption("controlnet_image", str),
    "fs": PromptOption("flow_shift", str),
}

_OPTION_START = re.compile(r"(?:^|\s+)--")
_OPTION_FORM = re.compile(r"\s*(?P<letters>[a-z]+)(?:\s+|=|(?=\d))(?P<value>.*)", re.IGNORECASE)
_HIDDEN_OPTION = re.compile(r"\S--(?:[whdsl] ?\d|(?:n|ss) )\S*")


def clamp_steps(steps: int) -> int:
    """Return the number of steps that is drawn: 1 to 1000."""
    return min(max(steps, 1), MAX_STEPS)


def parse_prompt_line(line: str, *, number: int = 1) -> tuple[PromptValues, list[Text]]:
    """Return the values of one line by sd-scripts' names, and what in it was not understood.

    Args:
        line: A prompt, then options such as ``--w 512 --n bad hands``.
        number: The prompt's place in its file, for the texts.
    """
    prompt, *options = _OPTION_START.split(line.strip())
    values: PromptValues = {"prompt": prompt}
    problems = [
        *_suspicions(prompt, number),
        *suspicions(line, number=number, letters=OPTIONS.keys()),
    ]
    for option in options:
        name, value, rest = _parse_option(option)
        if name is None:
            message = T("Problems", "Prompt {number}: the option --{option} is not understood.")
            problems.append(text(message, number=number, option=option.strip()))
            continue
        values[name] = value
        if rest not in ("", "px"):
            message = T("Problems", "Prompt {number}: --{option} is read as {value}.")
            problems.append(text(message, number=number, option=option.strip(), value=value))
    return values, problems


def prompt_line(values: PromptValues) -> str:
    """Return the line that `parse_prompt_line` reads these values from."""
    options = [
        f"--{letters} {_text_of(values[option.name])}"
        for letters, option in OPTIONS.items()
        if option.name in values
    ]
    return " ".join([str(values.get("prompt", "")).strip(), *options]).strip()


def _text_of(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _suspicions(prompt: str, number: int) -> list[Text]:
    """Name what was taken as part of the prompt, but was perhaps meant otherwise."""
    found = []
    if hidden := _HIDDEN_OPTION.search(prompt):
        message = T("Problems", "Prompt {number}: there is no blank before -- in {part}.")
        found.append(text(message, number=number, part=hidden.group()))
    if prompt.startswith("#"):
        message = T("Problems", "Prompt {number}: only a # in the first column begins a comment.")
        found.append(text(message, number=number))
    return found


def _parse_option(option: str) -> tuple[str | None, Any, str]:
    """Return name and value of an option and the text left over; no name if not understood."""
    form = _OPTION_FORM.fullmatch(option.rstrip())
    known = OPTIONS.get(form["letters"].lower()) if form else None
    match = known.pattern.match(form["value"]) if form and known else None
    if known is None or match is None:
        return None, None, ""
    try:
        return known.name, known.convert(match.group()), match.string[match.end() :]
    except ValueError:  # such as two decimal points
        return None, None, ""
