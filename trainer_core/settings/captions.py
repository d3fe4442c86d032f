"""Settings of captions: where they are, and what is made of them."""

from __future__ import annotations

from trainer_core.settings.param import Section, acts_if, param
from trainer_core.settings.token_lengths import TOKEN_LENGTHS
from trainer_core.texts import T


class CaptionSettings(Section):
    """Which captions are read, and how a sample is captioned."""

    caption_extension: str = param(
        "auto",
        T("Settings", "Caption extension"),
        T(
            "Settings",
            "Ending of the caption files beside the pictures, such as .txt or .caption. "
            "auto takes the one that is there.",
        ),
    )
    shuffle_caption: bool = param(
        False,
        T("Settings", "Shuffle caption"),
        T("Settings", "Puts the comma-separated tags in a new order each time a picture is used."),
    )
    keep_tokens: int = param(
        0,
        T("Settings", "Keep tokens"),
        T(
            "Settings",
            "The first N tags stay in front when tags are shuffled. 1 for a trigger word.",
        ),
        unit=T("Settings", "[value:tag|tags]"),
        minimum=0,
        maximum=255,
        step=1,
        when=(acts_if("shuffle_caption", True),),
        old_labels=("Keep n tokens",),
    )
    max_token_length: int = param(
        75,
        T("Settings", "Max token length"),
        T(
            "Settings",
            "How much of a caption or prompt is read. A word is one token or a few, a comma is "
            "one; what comes later is cut off. 75 for tags, 150 or 225 for descriptions.",
        ),
        choices=TOKEN_LENGTHS,
    )
