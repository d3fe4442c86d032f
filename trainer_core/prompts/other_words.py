"""What people paste into prompts that other programs understand and this one draws as words."""

from __future__ import annotations

import re
from collections.abc import Collection

from trainer_core.texts import T, Text, text

# The lines below the prompt in what A1111's web UI and its kin write into pictures.
_GENERATION_DATA = {
    re.compile(r"\bNegative prompt:", re.IGNORECASE): "--n",
    re.compile(r"\bSteps: ?\d+, \w"): "--s, --l, --d, --w, --h",
}
# Hyphens and dashes that word processors make of two hyphens.
_LONG_DASH = re.compile(r"(?<!\S)[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]-?([a-z]{1,4})(?=[ =\d]|$)")
_OF_WEB_UIS = re.compile(
    r"<(?:lora|lyco|hypernet):[^<>]*>"  # another network
    r"|\{[^{}]*\|[^{}]*\}|(?<!\w)__\w+__(?!\w)"  # words drawn by chance
)


def suspicions(line: str, *, number: int, letters: Collection[str]) -> list[Text]:
    """Return what in a prompt was probably meant as more than words.

    Args:
        line: The whole line, options included, or the text of a prompt that has none.
        number: The prompt's place in its file, for the texts.
        letters: Of the options.
    """
    found = []
    for pattern, options in _GENERATION_DATA.items():
        if data := pattern.search(line):
            template = T(
                "Problems",
                "Prompt {number}: “{part}” is drawn as words. Write its values behind the prompt, "
                "as {options}.",
            )
            found.append(text(template, number=number, part=data.group(), options=options))
    for dash in _LONG_DASH.finditer(line):
        if dash[1] in letters:
            template = T(
                "Problems",
                "Prompt {number}: {part} begins with another dash and is drawn as words. Write "
                "--{option}.",
            )
            found.append(text(template, number=number, part=dash.group(), option=dash[1]))
    for part in dict.fromkeys(_OF_WEB_UIS.findall(line)):
        template = T("Problems", "Prompt {number}: {part} is drawn as words.")
        found.append(text(template, number=number, part=part))
    return found
