"""Settings of the sample pictures drawn during training."""

from __future__ import annotations

from pathlib import Path

from trainer_core.catalogue.samplers import SAMPLERS
from trainer_core.settings.param import Section, acts_if_any, param
from trainer_core.texts import T

_IF_THERE_ARE_PROMPTS = acts_if_any("prompt_list", "sample_prompts")


class SamplingSettings(Section):
    """Which pictures are drawn while training, and when."""

    prompt_list: tuple[str, ...] = param(
        (),
        T("Settings", "Prompts"),
        T(
            "Settings",
            "A picture is drawn of each. Left empty: no negative prompt, the training size, a seed "
            "from the run's, 30 steps, scale 7.5. In run files each is a line as in a prompt file.",
        ),
        prompts=True,
    )
    sample_prompts: Path | None = param(
        None,
        T("Settings", "Prompt file"),
        T(
            "Settings",
            "Drawn after the prompts above: a .txt file with one prompt a line; --n negative, "
            "--w width, --h height, --d seed, --l scale, --s steps. Also .toml and .json.",
        ),
        path_kind="file",
        file_filter="*.txt *.toml *.json",
        old_labels=("Sample prompts",),
    )
    sample_every_n_steps: int | None = param(
        None,
        T("Settings", "Every N steps"),
        T("Settings", "Draws the sample pictures after every N optimizer steps."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=1,
        maximum=100000000,
        step=50,
        unset_label=T("Settings", "off"),
        when=(_IF_THERE_ARE_PROMPTS,),
        old_labels=("Sample every n steps",),
    )
    sample_every_n_epochs: int | None = param(
        None,
        T("Settings", "Every N epochs"),
        T("Settings", "Draws the sample pictures after every N epochs."),
        unit=T("Settings", "[value:epoch|epochs]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "off"),
        when=(_IF_THERE_ARE_PROMPTS,),
        old_labels=("Sample every n epochs",),
    )
    sample_at_first: bool = param(
        False,
        T("Settings", "Before training"),
        T("Settings", "Draws the sample pictures once before the first step, for comparison."),
        when=(_IF_THERE_ARE_PROMPTS,),
    )
    sample_max_side: int = param(
        4096,
        T("Settings", "Largest side"),
        T(
            "Settings",
            "A prompt that asks for a wider or higher picture gets this many pixels. More needs "
            "much memory: four times as much for twice the side.",
        ),
        unit="px",
        minimum=64,
        maximum=16384,
        step=64,
        when=(_IF_THERE_ARE_PROMPTS,),
    )
    sample_sampler: str = param(
        "euler_a",
        T("Settings", "Sampler"),
        T("Settings", "The sampler for prompts that name none with --ss."),
        choices=SAMPLERS,
        when=(_IF_THERE_ARE_PROMPTS,),
        old_labels=("Sample sampler",),
    )

    @property
    def has_prompts(self) -> bool:
        """True if there is something to draw."""
        return bool(self.prompt_list) or self.sample_prompts is not None
