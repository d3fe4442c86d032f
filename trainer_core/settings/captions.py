"""Settings of captions: where they are, and what is made of them."""

from __future__ import annotations

from trainer_core.settings.param import Section, acts_if, acts_if_any, param
from trainer_core.settings.token_lengths import TOKEN_LENGTHS
from trainer_core.texts import T

_CHANGES_OF_TAGS = ("shuffle_caption", "caption_tag_dropout_rate", "token_warmup_step")
"""Captions are taken apart into tags where one of these is set."""


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
            "The first N tags stay in front and are never dropped. 1 for a trigger word.",
        ),
        unit=T("Settings", "[value:tag|tags]"),
        minimum=0,
        maximum=255,
        step=1,
        when=(acts_if_any(*_CHANGES_OF_TAGS),),
        old_labels=("Keep n tokens",),
    )
    keep_tokens_separator: str | None = param(
        None,
        T("Settings", "Keep separator"),
        T(
            "Settings",
            "Tags before this mark stay in front; those behind a second one stay at the end. "
            "Where a caption holds it, keep tokens is not used. Try |||.",
        ),
        unset_label=T("Settings", "none"),
        when=(acts_if_any(*_CHANGES_OF_TAGS),),
        advanced=True,
    )
    caption_separator: str = param(
        ",",
        T("Settings", "Caption separator"),
        T(
            "Settings",
            "What stands between tags. Shuffled tags are joined by a comma, whatever it is.",
        ),
        when=(acts_if_any(*_CHANGES_OF_TAGS, "secondary_separator"),),
        advanced=True,
    )
    secondary_separator: str | None = param(
        None,
        T("Settings", "Secondary separator"),
        T(
            "Settings",
            "Stands between tags that stay together when others are shuffled; then the caption "
            "separator takes its place. Try ;;;.",
        ),
        unset_label=T("Settings", "none"),
        advanced=True,
    )
    caption_prefix: str | None = param(
        None,
        T("Settings", "Caption prefix"),
        T("Settings", "Words before every caption, with a space. A comma is not added."),
        unset_label=T("Settings", "none"),
        advanced=True,
    )
    caption_suffix: str | None = param(
        None,
        T("Settings", "Caption suffix"),
        T("Settings", "Words after every caption, with a space. A comma is not added."),
        unset_label=T("Settings", "none"),
        advanced=True,
    )
    enable_wildcard: bool = param(
        False,
        T("Settings", "Wildcards"),
        T(
            "Settings",
            "Draws one of the options in braces, parted by |, each time a picture is used, and one "
            "line of a caption of several lines. Doubled braces are no options.",
        ),
        advanced=True,
    )
    caption_dropout_rate: float = param(
        0.0,
        T("Settings", "Caption dropout"),
        T(
            "Settings",
            "The chance that a picture is trained without its caption. 0.05 to 0.1 keeps the "
            "model able to draw without a prompt.",
        ),
        minimum=0.0,
        maximum=1.0,
        step=0.05,
        old_labels=("Rate of caption dropout",),
    )
    caption_dropout_every_n_epochs: int | None = param(
        None,
        T("Settings", "Dropout by epoch"),
        T("Settings", "Every Nth epoch is trained without captions."),
        unit=T("Settings", "[value:epoch|epochs]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "never"),
        advanced=True,
        old_labels=("Dropout caption every n epochs",),
    )
    caption_tag_dropout_rate: float = param(
        0.0,
        T("Settings", "Tag dropout"),
        T(
            "Settings",
            "The chance that a tag is left out each time a picture is used. Kept tags stay. "
            "0.1 is a good start.",
        ),
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )
    token_warmup_step: float | None = param(
        None,
        T("Settings", "Tag warm-up"),
        T(
            "Settings",
            "The step from which all tags are used; before it, only the first ones. Below 1 it is "
            "a share of all steps.",
        ),
        unit=T("Settings", "[value:step|steps]"),
        minimum=0.001,
        maximum=100000000,
        step=10,
        unset_label=T("Settings", "off"),
        advanced=True,
    )
    token_warmup_min: int = param(
        1,
        T("Settings", "First tags"),
        T("Settings", "How many tags are used at the start of the tag warm-up."),
        unit=T("Settings", "[value:tag|tags]"),
        minimum=1,
        maximum=255,
        step=1,
        when=(acts_if("token_warmup_step"),),
        advanced=True,
    )
    weighted_captions: bool = param(
        False,
        T("Settings", "Weighted captions"),
        T(
            "Settings",
            "Reads weights in captions and prompts: (black:1.3) cat. (word) is 1.1 times, [word] "
            "1.1 times less; a bracket that is meant as one is written \\(.",
        ),
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
