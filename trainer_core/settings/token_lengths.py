"""How much of a caption the text encoders read, and the way out where that is too little."""

from __future__ import annotations

from collections.abc import Mapping

from trainer_core.catalogue.entry import Entry
from trainer_core.settings.problems import Suggestion
from trainer_core.texts import T, text

LENGTH = "captions.max_token_length"
"""The setting that decides it."""

TOKEN_LENGTHS: Mapping[str, Entry] = {
    "75": Entry(
        label=T("Settings", "75 tokens"),
        help=T("Settings", "What the text encoder reads at once. Enough for most tags."),
    ),
    "150": Entry(
        label=T("Settings", "150 tokens"),
        help=T("Settings", "Read in two parts, which the denoiser sees as one text."),
    ),
    "225": Entry(
        label=T("Settings", "225 tokens"),
        help=T("Settings", "Read in three parts. For captions of many sentences."),
    ),
}


def more_tokens(count: int) -> Suggestion:
    """Return the way out for a text of ``count`` tokens that is cut: more of it is to be read.

    Nothing is changed where no length is enough.
    """
    lengths = [int(length) for length in TOKEN_LENGTHS]
    enough = [length for length in lengths if length >= count]
    if not enough:
        template = T(
            "Problems", "At most {limit} tokens can be read. Shorten it, or put first what matters."
        )
        return Suggestion(text(template, limit=max(lengths)))
    template = T("Problems", "Use a max token length of {length}.")
    return Suggestion(text(template, length=min(enough)), {LENGTH: min(enough)})
