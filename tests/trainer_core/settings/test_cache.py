"""What the settings of caches come to."""

from __future__ import annotations

import os

import pytest

from trainer_core.settings.cache import CacheSettings


@pytest.mark.parametrize(
    ("asked", "processor", "started"), [(0, 8, 0), (2, 8, 2), (64, 8, 8), (2, 1, 1), (2, None, 1)]
)
def test_no_more_threads_read_pictures_than_the_processor_has(
    monkeypatch: pytest.MonkeyPatch, asked: int, processor: int | None, started: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processor)
    assert CacheSettings(max_data_loader_n_workers=asked).loader_threads == started


@pytest.mark.parametrize(
    ("memory", "disk", "is_kept"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_what_is_cached_is_kept_on_the_disk_where_it_is_asked_for(
    memory: bool, disk: bool, is_kept: bool
) -> None:
    settings = CacheSettings(
        cache_latents=memory,
        cache_latents_to_disk=disk,
        cache_text_encoder_outputs=memory,
        cache_text_encoder_outputs_to_disk=disk,
    )
    assert (settings.keeps_latents, settings.keeps_texts) == (is_kept, is_kept)
