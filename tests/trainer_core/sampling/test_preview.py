import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from helpers.tiny_family import SIZES, TinyFamily, TinySizedFamily
from helpers.tiny_model import tiny_networks
from PIL import Image
from torch import Tensor

from trainer_core.catalogue.samplers import SAMPLERS
from trainer_core.errors import DiskFull
from trainer_core.families.condition import Condition
from trainer_core.families.sd1 import SD1
from trainer_core.prompts.file import SamplePrompt
from trainer_core.sampling.pictures import Failure, Picture, PreviewDefaults
from trainer_core.sampling.preview import Preview, PreviewModel

CAT = SamplePrompt("a cat", "a dog", seed=5, steps=2)
CPU = torch.device("cpu")


def _draw(preview: Preview, folder: Path, *prompts: SamplePrompt) -> list[Picture | Failure]:
    return list(preview.draw(prompts, folder=folder, step=12))


def _picture(preview: Preview, folder: Path, prompt: SamplePrompt) -> Picture:
    (picture,) = _draw(preview, folder, prompt)
    assert isinstance(picture, Picture), str(picture)
    return picture


def _pixels(picture: Picture) -> bytes:
    with Image.open(picture.path) as image:
        return image.tobytes()


def test_a_picture_is_written_under_step_index_and_seed(preview: Preview, tmp_path: Path) -> None:
    other = dataclasses.replace(CAT, prompt="a bird", seed=6)

    drawn = _draw(preview, tmp_path / "samples", CAT, other)

    names = ["00000012_00_5.png", "00000012_01_6.png"]
    assert [picture.path.name for picture in drawn if isinstance(picture, Picture)] == names
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == names


def test_the_size_is_the_prompts_own_or_the_training_size(preview: Preview, tmp_path: Path) -> None:
    wide = dataclasses.replace(CAT, prompt="wide", width_px=100)

    sizes = []
    for picture in _draw(preview, tmp_path, CAT, wide):
        assert isinstance(picture, Picture)
        with Image.open(picture.path) as image:
            sizes.append(image.size)

    assert sizes == [(64, 64), (96, 64)]


def test_the_same_seed_draws_the_same_picture_again(preview: Preview, tmp_path: Path) -> None:
    first = _picture(preview, tmp_path / "1", CAT)
    second = _picture(preview, tmp_path / "2", CAT)
    other = _picture(preview, tmp_path / "3", dataclasses.replace(CAT, seed=6))

    assert _pixels(first) == _pixels(second)
    assert _pixels(first) != _pixels(other)


@pytest.mark.parametrize(
    "change",
    [{"prompt": "a bird"}, {"negative_prompt": "a bird"}, {"scale": 1.5}, {"steps": 3},
     {"sampler": "euler_a"}],
    ids=str,
)  # fmt: skip
def test_what_the_prompt_says_changes_the_picture(
    change: dict[str, object], preview: Preview, tmp_path: Path
) -> None:
    plain = _picture(preview, tmp_path / "1", CAT)
    changed = _picture(preview, tmp_path / "2", dataclasses.replace(CAT, **change))

    assert _pixels(plain) != _pixels(changed)


def test_without_guidance_the_negative_prompt_does_not_act(
    preview: Preview, tmp_path: Path
) -> None:
    plain = dataclasses.replace(CAT, scale=1.0)
    other = dataclasses.replace(plain, negative_prompt="a bird")

    drawn = [_picture(preview, tmp_path / name, p) for name, p in (("1", plain), ("2", other))]

    assert _pixels(drawn[0]) == _pixels(drawn[1])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws(sampler: str, preview: Preview, tmp_path: Path) -> None:
    prompt = dataclasses.replace(CAT, sampler=sampler, steps=4)

    assert _picture(preview, tmp_path, prompt).sampler == sampler


def test_a_prompt_without_seed_keeps_one_for_the_whole_run(
    preview: Preview, tmp_path: Path
) -> None:
    seedless = dataclasses.replace(CAT, seed=None)

    first, second = (
        [p.seed for p in _draw(preview, tmp_path / name, seedless, seedless) if not _failed(p)]
        for name in ("1", "2")
    )

    assert first == second
    assert len(set(first)) == 2


def test_another_run_seed_gives_other_pictures(
    model: PreviewModel, defaults: PreviewDefaults, tmp_path: Path
) -> None:
    seedless = dataclasses.replace(CAT, seed=None)
    seeds = {
        _picture(
            Preview(model, dataclasses.replace(defaults, run_seed=run_seed), device=CPU),
            tmp_path / str(run_seed),
            seedless,
        ).seed
        for run_seed in (1, 2)
    }

    assert len(seeds) == 2


def test_random_generators_are_where_they_were(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    def draw_from_all(*_: object) -> tuple[float, float, float]:
        return random.random(), float(np.random.random()), float(torch.rand(()))

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    expected = draw_from_all()
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    family.unet.conv_in.register_forward_pre_hook(lambda *_: draw_from_all() and None)

    _picture(preview, tmp_path, CAT)

    assert draw_from_all() == expected


def test_modules_stay_in_their_mode(preview: Preview, family: TinyFamily, tmp_path: Path) -> None:
    family.unet.train()
    family.unet.conv_in.eval()
    family.vae.eval()
    family.text_encoder.train()
    modules = [*family.unet.modules(), *family.vae.modules(), *family.text_encoder.modules()]
    before = [module.training for module in modules]

    _picture(preview, tmp_path, CAT)

    assert [module.training for module in modules] == before


def test_dropout_does_not_act(preview: Preview, family: TinyFamily, tmp_path: Path) -> None:
    family.text_encoder.eval()
    in_evaluation = _picture(preview, tmp_path / "1", CAT)
    family.text_encoder.train()
    in_training = _picture(preview, tmp_path / "2", CAT)

    assert _pixels(in_evaluation) == _pixels(in_training)


def test_gradients_stay_as_they_are(preview: Preview, family: TinyFamily, tmp_path: Path) -> None:
    weights = [*family.unet.parameters(), *family.text_encoder.parameters()]
    weights[0].grad = torch.full_like(weights[0], 3.0)

    _picture(preview, tmp_path, CAT)

    assert weights[0].grad.unique().tolist() == [3.0]
    assert all(weight.grad is None and weight.requires_grad for weight in weights[1:])


def test_nothing_is_recorded_for_a_backward_pass(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    is_recording = []
    for module in (family.unet.conv_in, family.text_encoder.dropout, family.vae.post_quant_conv):
        module.register_forward_hook(lambda *_: is_recording.append(torch.is_grad_enabled()))

    _picture(preview, tmp_path, dataclasses.replace(CAT, steps=1))

    assert is_recording == [False] * 3


def test_a_change_of_the_weights_is_seen(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    before = _picture(preview, tmp_path / "1", CAT)
    with torch.no_grad():
        family.unet.conv_out.weight.mul_(2)
    after = _picture(preview, tmp_path / "2", CAT)

    assert _pixels(before) != _pixels(after)


def test_a_lower_precision_draws_nearly_the_same(
    model: PreviewModel, defaults: PreviewDefaults, tmp_path: Path
) -> None:
    exact = Preview(model, defaults, device=CPU)
    coarse = Preview(
        model, defaults, device=CPU, autocast=lambda: torch.autocast("cpu", torch.bfloat16)
    )

    pixels = [
        np.frombuffer(_pixels(_picture(preview, tmp_path / name, CAT)), np.uint8).astype(float)
        for name, preview in (("exact", exact), ("coarse", coarse))
    ]

    assert 0 < np.abs(pixels[0] - pixels[1]).mean() < 4


def test_latents_stay_in_float32_while_the_denoiser_is_in_16_bit(
    model: PreviewModel, family: TinyFamily, defaults: PreviewDefaults, tmp_path: Path
) -> None:
    family.unet.to(torch.bfloat16)
    seen: list[tuple[torch.dtype, torch.dtype]] = []
    steps: list[torch.dtype] = []
    family.unet.register_forward_hook(
        lambda _m, args, out: seen.append((args[0].dtype, out[0].dtype))
    )
    plain = family.decode_latents

    def decode(latents_BCHW: Tensor) -> Tensor:
        steps.append(latents_BCHW.dtype)
        return plain(latents_BCHW)

    family.decode_latents = decode  # type: ignore[method-assign]
    conditions = family.text_encoder.encode

    def halves(texts: Sequence[str]) -> Condition:
        made = conditions(texts).tensors
        return Condition({name: tensor.bfloat16() for name, tensor in made.items()})

    low = Preview(dataclasses.replace(model, conditions=halves), defaults, device=CPU)
    _picture(low, tmp_path, CAT)

    assert set(seen) == {(torch.bfloat16, torch.bfloat16)}
    assert steps == [torch.float32]


def test_the_decoder_comes_with_the_first_picture_and_goes_after_the_last(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    before: list[list[str]] = []
    drawing = preview.draw([CAT, CAT], folder=tmp_path, step=0, is_stopping=lambda: False)
    before.append(list(family.lent))
    next(drawing)
    before.append(list(family.lent))
    assert len(list(drawing)) == 1

    assert before == [[], ["asked"]]
    assert family.lent[-1] == "given back"


def test_the_picture_is_the_one_that_diffusers_draws(tmp_path: Path) -> None:
    networks = tiny_networks()
    modules = networks.modules
    family = SD1(tmp_path, networks)
    model = PreviewModel(
        family=family, modules=list(modules.values()), conditions=family.encode_text
    )
    pipeline = StableDiffusionPipeline(
        **modules,
        tokenizer=networks.tokenizers["text_encoder"].library,
        scheduler=DDIMScheduler.from_config(family.scheduler_config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)

    preview = Preview(model, PreviewDefaults("ddim", 64, 64, run_seed=7), device=CPU)
    ours = _picture(preview, tmp_path, CAT)
    theirs = pipeline(
        CAT.prompt,
        negative_prompt=CAT.negative_prompt,
        width=64,
        height=64,
        num_inference_steps=CAT.steps,
        guidance_scale=CAT.scale,
        generator=torch.Generator().manual_seed(5),
    ).images[0]

    assert _pixels(ours) == theirs.tobytes()


def test_a_family_that_is_told_of_sizes_is_told_the_pictures(
    model: PreviewModel,
    family: TinyFamily,
    defaults: PreviewDefaults,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sized = TinySizedFamily(family.unet, family.vae, family.text_encoder, family.sampler_config)
    given: list[list[float]] = []
    plain = sized.pipeline_inputs

    def inputs(*conditions: Condition) -> Mapping[str, Tensor]:
        given.extend(condition[SIZES][0].tolist() for condition in conditions)
        return plain(*conditions)

    monkeypatch.setattr(sized, "pipeline_inputs", inputs)
    preview = Preview(dataclasses.replace(model, family=sized), defaults, device=CPU)
    _picture(preview, tmp_path, dataclasses.replace(CAT, width_px=128))

    # Width and height of the picture, and the same again: in units of 64.
    assert given == [[2.0, 1.0, 2.0, 1.0]] * 2


def test_a_prompt_that_fails_does_not_stop_the_others(
    preview: Preview, model: PreviewModel, tmp_path: Path
) -> None:
    def encode(texts: Sequence[str]) -> Condition:
        if "a bad one" in texts:
            raise RuntimeError("out of luck")
        return model.conditions(texts)

    fragile = Preview(
        dataclasses.replace(model, conditions=encode),
        PreviewDefaults("ddim", 64, 64, run_seed=7),
        device=CPU,
    )

    failed, drawn = _draw(fragile, tmp_path, dataclasses.replace(CAT, prompt="a bad one"), CAT)

    assert isinstance(drawn, Picture)
    assert isinstance(failed, Failure)
    assert failed.prompt_index == 0
    assert str(failed.message) == "Sample picture 1 could not be drawn: out of luck"


def test_modules_and_generators_are_given_back_after_a_failure(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    family.unet.train()
    state = torch.get_rng_state()

    assert _failed(_draw(preview, tmp_path, dataclasses.replace(CAT, sampler="no such"))[0])

    assert family.unet.training
    assert torch.equal(torch.get_rng_state(), state)


def test_a_picture_that_is_not_a_number_is_a_failure(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    with torch.no_grad():
        family.unet.conv_out.bias.fill_(float("nan"))

    (failed,) = _draw(preview, tmp_path, CAT)

    assert isinstance(failed, Failure)
    assert "no numbers" in str(failed.message)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_picture_is_replaced_only_when_told(preview: Preview, tmp_path: Path) -> None:
    picture = _picture(preview, tmp_path, CAT)
    picture.path.write_bytes(b"mine")

    (refused,) = preview.draw([CAT], folder=tmp_path, step=12)
    kept = picture.path.read_bytes()
    (allowed,) = preview.draw([CAT], folder=tmp_path, step=12, replace=True)

    assert isinstance(refused, Failure)
    assert kept == b"mine"
    assert isinstance(allowed, Picture)


def test_stopping_ends_the_drawing_between_steps(
    preview: Preview, family: TinyFamily, tmp_path: Path
) -> None:
    calls = []
    family.unet.register_forward_hook(lambda *_: calls.append("step"))
    patient = dataclasses.replace(CAT, steps=50)

    drawn = list(
        preview.draw(
            [CAT, patient, CAT],
            folder=tmp_path,
            step=0,
            is_stopping=lambda: len(calls) >= 5,
        )
    )

    assert [picture.prompt_index for picture in drawn] == [0]
    assert len(calls) == 5
    assert len(list(tmp_path.iterdir())) == 1


def _failed(outcome: Picture | Failure) -> bool:
    return isinstance(outcome, Failure)


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_full_disk_ends_the_drawing_only_if_somebody_decided_so(
    preview: Preview, tmp_path: Path, is_decided: bool
) -> None:
    def full(write: Callable[[], None], picture: Picture) -> None:
        error = DiskFull("no space")
        error.is_decided = is_decided
        raise error

    drawing = preview.draw([CAT], folder=tmp_path, step=12, writing=full)
    if is_decided:
        with pytest.raises(DiskFull):
            list(drawing)
        return
    (failure,) = drawing
    assert isinstance(failure, Failure)
    assert "no space" in str(failure.message)
