"""Settings of what is made ready before and beside training."""

from __future__ import annotations

import os

from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T


class CacheSettings(Section):
    """What is encoded once, and how pictures are read."""

    cache_latents: bool = param(
        True,
        T("Settings", "Cache latents"),
        T(
            "Settings",
            "Encodes every picture once before training and keeps the result in system memory "
            "(not on the GPU). Much faster.",
        ),
    )
    cache_latents_to_disk: bool = param(
        False,
        T("Settings", "Cache on disk"),
        T(
            "Settings",
            "Keeps the encoded pictures on disk too, so that the next run starts at once.",
        ),
        when=(acts_if("cache_latents", True),),
        old_labels=("Cache latents to disk",),
    )
    vae_batch_size: int | None = param(
        None,
        T("Settings", "Encoding batch"),
        T("Settings", "Pictures encoded at once while the latent cache is filled."),
        unit=T("Settings", "[value:picture|pictures]"),
        minimum=1,
        maximum=512,
        step=1,
        unset_label=T("Settings", "as batch size"),
        when=(acts_if("cache_latents", True),),
        advanced=True,
        old_labels=("VAE batch size",),
    )
    cache_text_encoder_outputs: bool = param(
        False,
        T("Settings", "Cache text outputs"),
        T(
            "Settings",
            "Encodes every caption once and releases the text encoders before the denoiser is "
            "loaded. Up to 4,096 captions that stay the same are kept so in any case; turned on, "
            "there is no limit, and what would change captions is refused.",
        ),
        old_labels=("Cache text encoder outputs",),
        foreign=("sdxl_cache_text_encoder_outputs",),
    )
    cache_text_encoder_outputs_to_disk: bool = param(
        False,
        T("Settings", "Text on disk"),
        T(
            "Settings",
            "Keeps the encoded captions on disk too, so that the next run need not encode them.",
        ),
        when=(acts_if("cache_text_encoder_outputs", True),),
    )
    max_data_loader_n_workers: int = param(
        2,
        T("Settings", "Loader threads"),
        T(
            "Settings",
            "Threads that read and decode pictures ahead of training, at most as many as the "
            "processor has. 0 reads in the training thread. The result is the same for every "
            "number.",
        ),
        unit=T("Settings", "[value:thread|threads]"),
        minimum=0,
        maximum=64,
        step=1,
        advanced=True,
        old_labels=("Max num workers for DataLoader",),
    )

    @property
    def loader_threads(self) -> int:
        """How many threads read pictures: never more than the processor has (guide-facts 173)."""
        return min(self.max_data_loader_n_workers, os.cpu_count() or 1)

    @property
    def keeps_latents(self) -> bool:
        """Whether latents are kept on the disk."""
        return self.cache_latents and self.cache_latents_to_disk

    @property
    def keeps_texts(self) -> bool:
        """Whether text outputs are kept on the disk."""
        return self.cache_text_encoder_outputs and self.cache_text_encoder_outputs_to_disk
