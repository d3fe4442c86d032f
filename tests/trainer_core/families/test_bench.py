"""What holds for every family that can be trained: it is tested by being declared."""

from __future__ import annotations

import gc
import importlib
import json
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
from helpers.tiny_model import TINY_MODELS, TinySD1
from safetensors.torch import load_file, save_file
from torch import Tensor

from trainer_core.catalogue.families import FAMILIES
from trainer_core.families.base import PLAIN, Family, FamilyOptions, LayerKind, Layout, lent
from trainer_core.families.condition import TEXT, Condition, SampleFacts
from trainer_core.families.layouts.tensor_file import TensorFile
from trainer_core.prompts.file import SamplePrompt
from trainer_core.sampling.pictures import Picture, PreviewDefaults
from trainer_core.sampling.preview import Preview, PreviewModel

CPU = torch.device("cpu")
DECLARED = [name for name, choice in FAMILIES.items() if choice.implementation]
EVERY_KIND: frozenset[LayerKind] = frozenset({"linear", "conv", "norm"})
LAYOUTS = ("folder", "safetensors", "ckpt")


@pytest.fixture(scope="module", params=DECLARED)
def name(request: pytest.FixtureRequest) -> str:
    """The family under test."""
    return str(request.param)


@pytest.fixture(scope="module")
def files(name: str, tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    """A tiny model of it in every layout."""
    return TINY_MODELS[name](tmp_path_factory.mktemp(name))


@pytest.fixture
def family(name: str, files: TinySD1) -> Family:
    """It, opened; no part is loaded."""
    return opened(name, files.folder)


def opened(name: str, path: Path, options: FamilyOptions = PLAIN) -> Family:
    module, _, attribute = FAMILIES[name].implementation.partition(":")
    family: Family = getattr(importlib.import_module(module), attribute).open(path, options)
    return family


def parts(family: Family) -> tuple[str, ...]:
    return (family.entry.denoiser, family.image_part, *family.entry.text_encoders)


def trained(family: Family) -> tuple[str, ...]:
    return (family.entry.denoiser, *family.entry.text_encoders)


def load(family: Family, *names: str) -> None:
    for part in names or parts(family):
        family.load(part, dtype=torch.float32, device=CPU)


def outputs(family: Family) -> Iterator[Tensor]:
    """Yield what every part computes, each loaded for it alone."""
    for part in family.entry.text_encoders:
        load(family, part)
    condition = Condition(
        {
            name: tensor.detach()
            for name, tensor in family.encode_text(["a cat", ""]).tensors.items()
        }
    )
    for part in family.entry.text_encoders:
        family.release(part)
    yield from condition.tensors.values()
    side = 8 * family.pixels_per_latent
    with lent(family, family.image_part, dtype=torch.float32, device=CPU):
        posterior = family.encode_images(noise(2, 3, side, side).clamp(-1, 1))
        yield from posterior
        yield family.decode_latents(posterior.mean_BCHW)
    with lent(family, family.entry.denoiser, dtype=torch.float32, device=CPU), torch.no_grad():
        sized = family.with_sizes(condition, [SampleFacts((64, 64), (64, 64), False)] * 2)
        yield family.predict(noise(2, family.latent_channels, 8, 8), torch.tensor([3, 900]), sized)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_a_tiny_model_is_there_for_the_tests(name: str) -> None:
    assert name in TINY_MODELS


# ------------------------------------------------------------- captions


def texts(
    name: str, files: TinySD1, max_token_length: int, *captions: str, is_weighted: bool = False
) -> Condition:
    options = FamilyOptions(max_token_length=max_token_length, weighted_captions=is_weighted)
    family = opened(name, files.folder, options)
    load(family, *family.entry.text_encoders)
    with torch.no_grad():
        return family.encode_text(captions)


@pytest.mark.parametrize("length", [150, 225])
def test_longer_texts_are_read_in_parts(name: str, files: TinySD1, length: int) -> None:
    first, second = "cat " * 75, "dog " * 75
    found = texts(name, files, length, first, first + second)
    [short, long] = texts(name, files, 75, first, second)[TEXT]
    assert found[TEXT].shape[1] == length + 2
    assert torch.allclose(found[TEXT][:, :76], short[:76], atol=1e-5)
    assert torch.allclose(found[TEXT][1, 76:151], long[1:76], atol=1e-5)
    others = texts(name, files, 75, first, first).tensors
    for entry, tensor in found.tensors.items():  # what else it is told is of the first part
        assert entry == TEXT or torch.allclose(tensor, others[entry], atol=1e-5)


def test_weights_in_texts_act_where_they_are_read(name: str, files: TinySD1) -> None:
    plain = texts(name, files, 75, "a cat")
    weighted = texts(name, files, 75, "a (cat:1.5)", is_weighted=True)
    factors = torch.ones(1, 77, 1)
    factors[0, 2] = 1.5
    assert torch.allclose(weighted[TEXT], plain[TEXT] * factors, atol=1e-5)
    for entry, tensor in weighted.tensors.items():  # pooled features are as they were
        assert entry == TEXT or torch.allclose(tensor, plain[entry], atol=1e-5)


# ------------------------------------------------------------- opening, loading, releasing


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_opens_without_reading_a_weight(
    layout: str, name: str, files: TinySD1, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("a weight was read")

    monkeypatch.setattr(TensorFile, "read", refuse)
    family = opened(name, getattr(files, layout))
    assert not any(family.is_loaded(part) for part in parts(family))
    assert all(list(family.targets(part, EVERY_KIND)) for part in trained(family))


def test_each_part_is_loaded_alone(family: Family) -> None:
    for part in parts(family):
        load(family, part)
        assert [other for other in parts(family) if family.is_loaded(other)] == [part]
        module = family.module(part)
        assert not module.training
        assert not any(weight.requires_grad for weight in module.parameters())
        family.release(part)
        assert not family.is_loaded(part)


def test_a_released_parts_weights_are_gone(family: Family) -> None:
    for part in parts(family):
        load(family, part)
        weights = [weakref.ref(w.untyped_storage()) for w in family.module(part).parameters()]
        tensors = [weakref.ref(tensor) for tensor in family.module(part).parameters()]
        family.release(part)
        gc.collect()
        assert all(each() is None for each in (*weights, *tensors))


def test_results_are_equal_after_release_and_load(family: Family) -> None:
    first, second = list(outputs(family)), list(outputs(family))
    assert len(first) == len(second)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_hooks_stay_when_a_part_is_released_and_loaded_again(family: Family) -> None:
    calls: list[str] = []
    for part in trained(family):
        target = next(iter(family.targets(part, EVERY_KIND)))
        target.layer.register_forward_hook(lambda *_, part=part: calls.append(part))  # type: ignore[misc]
    for _ in range(2):
        list(outputs(family))
    assert set(calls) == set(trained(family))
    assert len(calls) == 2 * len(set(calls))


def test_a_lent_part_goes_unless_it_was_there_before(family: Family) -> None:
    part = family.image_part
    with lent(family, part, dtype=torch.float32, device=CPU):
        assert family.is_loaded(part)
        with lent(family, part, dtype=torch.float32, device=CPU):
            pass
        assert family.is_loaded(part)
    assert not family.is_loaded(part)


def test_checkpointing_asked_for_before_loading_holds_after_it(family: Family) -> None:
    for part in trained(family):
        family.checkpoint_gradients(part, True)
        load(family, part)
        modules = list(family.module(part).modules())
        assert any(getattr(module, "gradient_checkpointing", False) for module in modules)


# ------------------------------------------------------------- conditions, shapes, targets


def test_captions_become_a_condition_with_the_batch_first(family: Family) -> None:
    load(family, *family.entry.text_encoders)
    condition = family.encode_text(["a cat", "a dog", ""])
    assert TEXT in condition.tensors
    assert len(condition) == 3
    assert all(len(tensor) == 3 for tensor in condition.tensors.values())
    assert condition[TEXT].dim() == 3


def test_predictions_and_pictures_have_the_shapes_asked_for(family: Family) -> None:
    *_, mean, std, picture, prediction = outputs(family)
    assert mean.shape == std.shape == (2, family.latent_channels, 8, 8)
    assert picture.shape == (2, 3, 8 * family.pixels_per_latent, 8 * family.pixels_per_latent)
    assert prediction.shape == (2, family.latent_channels, 8, 8)


def test_targets_have_names_of_their_own_and_say_what_they_are(family: Family) -> None:
    found = [t for part in trained(family) for t in family.targets(part, EVERY_KIND)]
    names = [target.name for target in found]
    assert len(set(names)) == len(names)
    assert all("." not in each for each in names)
    assert {target.part for target in found} == set(trained(family))
    assert {target.kind for target in found} == EVERY_KIND
    assert not any(target.is_standard for target in found if target.kind == "norm")


@pytest.mark.parametrize("kind", sorted(EVERY_KIND))
def test_only_layers_of_the_kinds_asked_for_are_targets(kind: Any, family: Family) -> None:
    part = family.entry.denoiser
    chosen = [target.name for target in family.targets(part, frozenset({kind}))]
    every = [target for target in family.targets(part, EVERY_KIND) if target.kind == kind]
    assert chosen == [target.name for target in every]


# ------------------------------------------------------------- samples


def test_a_sample_picture_is_drawn(family: Family, tmp_path: Path) -> None:
    load(family)
    model = PreviewModel(
        family=family,
        modules=[family.module(part) for part in parts(family)],
        conditions=family.encode_text,
    )
    defaults = PreviewDefaults("ddim", width_px=64, height_px=64, run_seed=1)
    prompt = SamplePrompt("a cat", "a dog", seed=5, steps=1)
    drawing = Preview(model, defaults, device=CPU).draw([prompt], folder=tmp_path, step=0)
    (picture,) = drawing
    assert isinstance(picture, Picture), str(picture)


# ------------------------------------------------------------- files


def in_pieces(weights: Path) -> None:
    """Split a weights file in two, with the list of its pieces."""
    tensors = load_file(weights)
    names = list(tensors)
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    places = {}
    for number, half in enumerate(halves, start=1):
        piece = weights.with_name(f"{weights.stem}-0000{number}-of-00002.safetensors")
        save_file({name: tensors[name] for name in half}, piece)
        places |= dict.fromkeys(half, piece.name)
    listed = {"metadata": {}, "weight_map": places}
    weights.with_name(f"{weights.name}.index.json").write_text(json.dumps(listed))
    weights.unlink()


def as_variant(weights: Path) -> None:
    """Give a weights file the name that a variant in 16 bit has."""
    weights.rename(weights.with_name(f"{weights.stem}.fp16.safetensors"))


@pytest.mark.parametrize("change", [in_pieces, as_variant])
def test_a_folder_reads_alike_in_pieces_and_under_a_variants_names(
    change: Callable[[Path], None], name: str, files: TinySD1, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(files.folder, tmp_path / "model"))
    for weights in sorted(folder.glob("*/*.safetensors")):
        change(weights)
    found, expected = opened(name, folder), opened(name, files.folder)
    for part in parts(found):
        load(found, part)
        load(expected, part)
        tensors = expected.module(part).state_dict()
        for key, tensor in found.module(part).state_dict().items():
            assert torch.equal(tensor, tensors[key]), key


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("source", LAYOUTS)
def test_what_is_written_reads_back_equal(
    source: str, layout: Layout, name: str, files: TinySD1, tmp_path: Path
) -> None:
    family = opened(name, getattr(files, source))
    load(family, family.entry.denoiser)  # the others are read while writing
    target = tmp_path / ("copy" if layout is Layout.DIFFUSERS else "copy.safetensors")
    family.write(target, layout, dtype=torch.float32, metadata={})

    assert [part for part in parts(family) if family.is_loaded(part)] == [family.entry.denoiser]
    copy = opened(name, target)
    for part in parts(family):
        load(family, part)
        load(copy, part)
        expected = family.module(part).state_dict()
        assert copy.module(part).state_dict().keys() == expected.keys()
        for key, tensor in copy.module(part).state_dict().items():
            assert torch.equal(tensor, expected[key]), key
    assert copy.sampler_config == family.sampler_config


def test_every_layout_encodes_pictures_alike(name: str, files: TinySD1) -> None:
    hashes = set()
    for layout in LAYOUTS:
        family = opened(name, getattr(files, layout))
        load(family, family.image_part)
        hashes.add(family.vae_hash())
    assert len(hashes) == 1


def text_hash(family: Family, dtype: torch.dtype = torch.float32) -> str:
    for part in family.entry.text_encoders:
        family.load(part, dtype=dtype, device=CPU)
    return family.text_hash()


def test_every_layout_encodes_captions_alike(name: str, files: TinySD1) -> None:
    assert len({text_hash(opened(name, getattr(files, layout))) for layout in LAYOUTS}) == 1


def test_the_text_hash_tells_weights_their_type_and_options_apart(
    name: str, files: TinySD1
) -> None:
    family = opened(name, files.folder)
    original = text_hash(family)
    assert text_hash(opened(name, files.folder)) == original
    assert text_hash(family, torch.bfloat16) != original
    assert text_hash(opened(name, files.folder, FamilyOptions(clip_skip=2))) != original
    assert text_hash(family) == original
    with torch.no_grad():
        last = family.module(family.entry.text_encoders[-1])
        next(last.parameters()).view(-1)[0] += 1e-3
    assert family.text_hash() != original
