"""From the survey to the batches: the same pictures in two subsets, trained both ways."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from helpers.pictures import write_dataset
from torch import Tensor

from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.plan import Pace
from trainer_core.dataset.subsets import CaptionRules, SampleSettings, Subset
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.families.base import LatentPosterior
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline.batch import Batch
from trainer_core.pipeline.decode import load_pixels
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.filling import fill, plan_latents
from trainer_core.pipeline.latents import LatentStore
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import sources_of

RUN = SampleSettings(rules=BucketRules((128, 128)), captions=CaptionRules(caption_extension=".txt"))
BATCH_SIZE = 3


def encode(pixels_BCHW: Tensor) -> LatentPosterior:
    mean_BCHW = F.avg_pool2d(pixels_BCHW, 8)
    return LatentPosterior(mean_BCHW, torch.ones_like(mean_BCHW))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        f"{name}{end}": content
        for name in ("a", "b")
        for end, content in ((".png", None), (".txt", name), (".caption", f"1, {name}, 2, 3"))
    }
    return write_dataset(tmp_path / "pictures", {"2_x": files}, size=(128, 128))


def survey_of(folder: Path, second: BucketRules | None) -> Survey:
    """Survey a folder twice: plain, and shuffled, flipped, of less weight and maybe smaller."""
    other = Subset(
        number=1,
        folder=folder,
        own={
            "caption_extension": ".caption",
            "shuffle_caption": True,
            "keep_tokens": 1,
            "flip_aug": True,
            "is_reg": True,
            "weight": 0.25,
        }
        | ({} if second is None else {"rules": second}),
    )
    pace = Pace(train_batch_size=BATCH_SIZE)
    subsets = (Subset(folder=folder), other)
    return take_survey(SurveyRequest(subsets=subsets, run=RUN, pace=pace))


def batches_of(
    found: Survey, *, cache: Path | None, epochs: int = 1, threads: int = 2
) -> list[Batch]:
    assert found.audit is not None
    assert found.plan is not None
    sources = sources_of(found.index, found.audit, found.plan, found.request.settings)
    store = None
    if cache is not None:
        store = LatentStore(cache)
        plan = plan_latents(sources, FileHashes(cache), encoder="vae", batch_size=2)
        sources, how = plan.sources, {"threads": 1, "progress": lambda *_: None}
        shape_of = lambda bucket: (3, bucket[1] // 8, bucket[0] // 8)  # noqa: E731
        fill(store, plan.groups, encode, shape_of=shape_of, **how)
    loader = BatchLoader(
        sources=sources,
        batch_size=BATCH_SIZE,
        accumulation=1,
        seed=4,
        total_steps=100,
        threads=threads,
        store=store,
        encode=encode,
        latent_channels=3,
        pixels_per_latent=8,
        draw=Objective.plain(DDPM(torch.linspace(0.99, 0.01, 10))).draw,
        device=torch.device("cpu"),
    )
    groups = [g for epoch in range(epochs) for g in loader.groups(epoch, first_step=1)]
    return [batch for group in groups for batch in group.batches]


def sample_sizes(batch: Batch) -> set[tuple[int, int]]:
    return {facts.target for facts in batch.facts}


@pytest.mark.parametrize("is_cached", [False, True])
def test_each_subset_trains_the_picture_its_own_way(
    folder: Path, tmp_path: Path, is_cached: bool
) -> None:
    found = survey_of(folder, BucketRules((64, 64)))
    assert found.plan is not None
    cache = tmp_path / "cache" if is_cached else None
    flips = set()
    for batch in batches_of(found, cache=cache, epochs=8):
        assert batch.posterior is not None
        for row, name in enumerate(batch.names):
            facts, caption = batch.facts[row], batch.captions[row]
            is_second = name.startswith("pictures (2)/")
            letter, place = Path(name).stem, folder / "2_x" / Path(name).name
            key = (1 if is_second else 0, place)
            placement = found.plan.placements[key]  # type: ignore[index]
            pixels = load_pixels(place, placement, interpolation="auto", flip=facts.is_flipped)
            mean = encode(pixels[None]).mean_BCHW[0]
            torch.testing.assert_close(batch.posterior.mean_BCHW[row], mean)
            assert facts.target == ((64, 64) if is_second else (128, 128))
            weight = 1.0 if batch.weights_B is None else batch.weights_B[row].item()
            assert weight == (0.25 if is_second else 1.0)
            if is_second:
                assert caption.startswith("1, ")
                assert set(caption.split(", ")) == {"1", "2", "3", letter}
                flips.add(facts.is_flipped)
            else:
                assert (caption, facts.is_flipped) == (letter, False)
    assert flips == {False, True}


def test_a_batch_never_mixes_sizes(folder: Path) -> None:
    batches = batches_of(survey_of(folder, BucketRules((64, 64))), cache=None)

    assert all(len(sample_sizes(batch)) == 1 for batch in batches)
    # Four samples of each size in batches of three.
    assert sorted(map(len, batches)) == [1, 1, 3, 3]


def test_subsets_of_one_size_share_batches_and_every_sample_comes(folder: Path) -> None:
    found = survey_of(folder, None)
    batches = batches_of(found, cache=None)

    assert sorted(map(len, batches)) == [2, 3, 3]
    shown = Counter(name for batch in batches for name in batch.names)
    assert set(shown.values()) == {2}
    assert len(shown) == 4
    mixed = [batch for batch in batches if len({n.split("/")[0] for n in batch.names}) == 2]
    assert mixed
    assert found.plan is not None
    assert found.plan.batches_per_epoch == len(batches)


def test_the_number_of_threads_changes_nothing(folder: Path) -> None:
    found = survey_of(folder, BucketRules((64, 64)))
    one, other = (batches_of(found, cache=None, threads=threads) for threads in (0, 3))

    assert [batch.content for batch in one] == [batch.content for batch in other]
    assert [batch.facts for batch in one] == [batch.facts for batch in other]
