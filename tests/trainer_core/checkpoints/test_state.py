"""A state brings a run back to the bit, or says what is wrong with it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, AdamW, Optimizer

from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.checkpoints.state import (
    Position,
    SavedState,
    StateFacts,
    read_state,
    restore_generators,
    restore_optimizer,
    write_state,
)
from trainer_core.errors import NumericError, OutputError, StateError
from trainer_core.files import writing as file_writing
from trainer_core.files.state_manifest import (
    MANIFEST_NAME,
    DamagedManifest,
    read_manifest,
    state_step,
)
from trainer_core.optim.build import build_optimizer
from trainer_core.optim.groups import ParameterGroup, parameter_groups

FACTS = StateFacts(
    run_id="0123456789abcdef",
    name="lantern",
    seed=2**32 - 1,
    position=Position(step=7, epoch=2, batch=3),
    pictures="fingerprint",
    settings={"model": {"clip_skip": 2}, "output": {"output_name": "燈籠"}},
    base="0" * 64,
)
TRAINED = {
    "lora_unet_a.alpha": torch.tensor(3.0),
    "lora_unet_a.lora_up.weight": torch.linspace(-1, 1, 12).reshape(4, 3).T,
}
PROGRESS: Mapping[str, Any] = {"schedule": {"steps": 7}, "scaler": None}
FILES = ["trained.safetensors", "optimizer.safetensors", "generators.safetensors", "progress.json"]
RATES = {"unet": 1e-3, "text_encoder": 5e-4}

Build = Callable[[list[ParameterGroup]], Optimizer]


@pytest.fixture(params=OPTIMIZERS)
def build(request: pytest.FixtureRequest) -> Build:
    """Build an optimizer of every kind that can be chosen."""
    name = request.param

    def optimizer_of(groups: list[ParameterGroup]) -> Optimizer:
        if OPTIMIZERS[name].one_rate:
            for group in groups:
                group["lr"] = groups[0]["lr"]
        return build_optimizer(name, groups, lr=1e-3, args={"weight_decay": 0.1})

    return optimizer_of


def weights() -> list[Parameter]:
    """Return weights of the U-Net and of the text encoder; the first is large enough for 8 bits."""
    generator = torch.Generator().manual_seed(1)
    return [Parameter(torch.randn(shape, generator=generator)) for shape in ((64, 128), (3, 5))]


def grouped(parameters: list[Parameter]) -> list[ParameterGroup]:
    first, *others = parameters
    parts = {"unet": [first], "text_encoder": others}
    return parameter_groups((part, parts[part], rate) for part, rate in RATES.items())


def advance(optimizer: Optimizer, parameters: list[Parameter], steps: range) -> None:
    """Do steps whose gradients depend on the number of the step alone."""
    for number in steps:
        generator = torch.Generator().manual_seed(number)
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


def sgd() -> Optimizer:
    return SGD(weights(), lr=0.1)


def written(folder: Path, **changes: Any) -> Path:
    """Write a state without anything special in it."""
    parts: dict[str, Any] = {"trained": TRAINED, "optimizer": sgd(), "progress": PROGRESS}
    write_state(folder, FACTS, **(parts | changes))
    return folder


def refusal(folder: Path) -> StateError:
    with pytest.raises(StateError) as caught:
        read_state(folder)
    assert folder.name in str(caught.value)
    assert caught.value.hint is not None
    return caught.value


# ------------------------------------------------------------------ what a state holds


def test_a_state_says_whose_it_is_and_where_the_run_stands(tmp_path: Path) -> None:
    state = read_state(written(tmp_path / "a-state"))

    assert state.facts == FACTS
    assert state.folder == tmp_path / "a-state"
    assert {name: state.progress[name] for name in PROGRESS} == PROGRESS


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_trained_weights_come_back_bitwise_in_their_type(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    trained = {key: value.to(dtype) for key, value in TRAINED.items()}
    found = read_state(written(tmp_path / "a-state", trained=trained)).trained

    assert found.keys() == trained.keys()
    for key, value in trained.items():
        assert found[key].dtype == dtype
        assert torch.equal(found[key], value)


def test_a_state_is_found_by_its_step(tmp_path: Path) -> None:
    assert state_step(written(tmp_path / "a-state")) == 7


def test_nothing_in_a_state_is_pickled(tmp_path: Path) -> None:
    names = sorted(path.name for path in written(tmp_path / "a-state").iterdir())

    assert names == sorted([*FILES, MANIFEST_NAME])


# ------------------------------------------------------------------ the optimizer


def test_training_goes_on_to_the_bit(tmp_path: Path, build: Build) -> None:
    straight = weights()
    optimizer = build(grouped(straight))
    advance(optimizer, straight, range(3))
    folder = written(tmp_path / "a-state", optimizer=optimizer)
    resumed = [Parameter(weight.detach().clone()) for weight in straight]
    advance(optimizer, straight, range(3, 6))

    fresh = build(grouped(resumed))
    restore_optimizer(fresh, read_state(folder))
    advance(fresh, resumed, range(3, 6))
    assert all(torch.equal(*pair) for pair in zip(resumed, straight, strict=True))


def test_every_value_of_the_optimizer_comes_back_in_its_type(tmp_path: Path, build: Build) -> None:
    parameters = weights()
    optimizer = build(grouped(parameters))
    advance(optimizer, parameters, range(3))
    state = read_state(written(tmp_path / "a-state", optimizer=optimizer))

    others = weights()
    fresh = build(grouped(others))
    restore_optimizer(fresh, state)
    for parameter, other in zip(parameters, others, strict=True):
        before, after = optimizer.state[parameter], fresh.state[other]
        assert before.keys() == after.keys()
        assert before
        for name, value in before.items():
            assert type(after[name]) is type(value)
            if isinstance(value, Tensor):
                assert after[name].dtype == value.dtype
                assert torch.equal(after[name], value)
            else:
                assert after[name] == value


def test_a_value_of_another_type_than_the_weights_is_not_cast(tmp_path: Path) -> None:
    parameter = Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = AdamW([parameter])
    average = torch.tensor([0.1, 0.2, 0.3, 0.4])  # float32; bfloat16 would round it
    optimizer.state[parameter] = {"step": torch.tensor(3.0), "exp_avg": average}
    state = read_state(written(tmp_path / "a-state", optimizer=optimizer))

    fresh = AdamW([parameter])
    restore_optimizer(fresh, state)
    assert fresh.state[parameter]["exp_avg"].dtype == torch.float32
    assert torch.equal(fresh.state[parameter]["exp_avg"], average)


def test_the_rates_of_all_groups_come_back(tmp_path: Path) -> None:
    optimizer = AdamW(grouped(weights()))
    for group, rate in zip(optimizer.param_groups, (0.25, 0.125), strict=True):
        group["lr"] = rate
    state = read_state(written(tmp_path / "a-state", optimizer=optimizer))

    fresh = AdamW(grouped(weights()))
    restore_optimizer(fresh, state)
    assert [group["lr"] for group in fresh.param_groups] == [0.25, 0.125]


def test_an_optimizer_that_did_no_step_has_nothing_to_restore(tmp_path: Path) -> None:
    state = read_state(written(tmp_path / "a-state", optimizer=AdamW(weights())))

    fresh = AdamW(weights())
    restore_optimizer(fresh, state)
    assert not fresh.state


def test_a_state_of_another_optimizer_is_refused(tmp_path: Path) -> None:
    state = read_state(written(tmp_path / "a-state", optimizer=AdamW(weights())))

    with pytest.raises(StateError, match=r"saved with AdamW x 2, this run uses SGD x 2"):
        restore_optimizer(sgd(), state)


def test_a_state_of_other_weights_is_refused(tmp_path: Path) -> None:
    state = read_state(written(tmp_path / "a-state", optimizer=AdamW(weights())))

    with pytest.raises(StateError, match=r"saved with AdamW x 2, this run uses AdamW x 1"):
        restore_optimizer(AdamW(weights()[:1]), state)


# ------------------------------------------------------------------ generators


def test_the_process_s_generators_go_on_where_they_stood(tmp_path: Path) -> None:
    random.gauss(0, 1)  # leaves a second number for the next call
    torch.randn(3)
    folder = written(tmp_path / "a-state")
    expected = [random.gauss(0, 1), random.random(), torch.rand(2).tolist()]

    random.seed(1)
    torch.manual_seed(1)
    restore_generators(read_state(folder))
    assert [random.gauss(0, 1), random.random(), torch.rand(2).tolist()] == expected


# ------------------------------------------------------------------ damage


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "There is no state folder" in str(refusal(tmp_path / "gone-state"))


def test_a_folder_without_a_manifest_is_no_complete_state(tmp_path: Path) -> None:
    folder = written(tmp_path / "a-state")
    (folder / MANIFEST_NAME).unlink()

    assert "has no manifest" in str(refusal(folder))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"format": "loom-state/1"}',
     b'{"format": "loom-state/2", "files": []}', b'{"format": []}',
     b'{"format": "loom-state/2", "files": {}}',
     b'{"format": "loom-state/2", "files": {"trained.safetensors": 3}}'],
)  # fmt: skip
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path / "a-state")
    (folder / MANIFEST_NAME).write_bytes(content)

    assert "is damaged" in str(refusal(folder))


def flipped(content: bytes, bit: int) -> bytes:
    """Return the bytes with one bit the other way."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def is_refused_or_the_same(folder: Path, expected: SavedState) -> bool:
    try:
        found = read_state(folder)
    except StateError:
        return True
    tensors = [(found.trained, expected.trained), (found.optimizer, expected.optimizer)]
    return (found.facts, found.progress) == (expected.facts, expected.progress) and all(
        one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
        for one, other in [*tensors, (found.generators, expected.generators)]
    )


def test_no_flipped_bit_of_a_manifest_changes_what_is_taken(tmp_path: Path) -> None:
    folder = written(tmp_path / "a-state")
    path, expected = folder / MANIFEST_NAME, read_manifest(folder)
    content = path.read_bytes()

    for bit in range(8 * len(content)):
        path.write_bytes(flipped(content, bit))
        try:
            found = read_manifest(folder)
        except DamagedManifest:
            continue
        # Only the name of the seal itself may be lost: the rest is as it was.
        assert {name: found.get(name) for name in expected} == expected, bit


@pytest.mark.parametrize("name", [*FILES, MANIFEST_NAME])
def test_a_flipped_bit_is_refused_or_harmless(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "a-state")
    path, expected = folder / name, read_state(folder)
    content = path.read_bytes()

    for bit in random.Random(name).sample(range(8 * len(content)), 60):
        path.write_bytes(flipped(content, bit))
        assert is_refused_or_the_same(folder, expected), bit


def test_a_manifest_without_a_seal_is_read_as_before(tmp_path: Path) -> None:
    folder = written(tmp_path / "a-state")
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    del manifest["seal"]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest))

    assert read_state(folder).facts == FACTS


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", -1), ("step", "7"), ("batch", True), ("epoch", 1.0), ("seed", None), ("run_id", 3),
     ("settings", []), ("pictures", {}), ("files", {"../x": {"size": 1, "sha256": ""}})],
)  # fmt: skip
def test_a_manifest_of_wrong_types_or_signs_is_damaged(
    tmp_path: Path, name: str, value: object
) -> None:
    folder = written(tmp_path / "a-state")
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    del manifest["seal"]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest | {name: value}))

    assert "is damaged" in str(refusal(folder))


@pytest.mark.parametrize("format_line", ["loom-state/3", "loom-state/99", "other"])
def test_a_state_of_another_format_is_named(tmp_path: Path, format_line: str) -> None:
    folder = written(tmp_path / "a-state")
    manifest = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest | {"format": format_line}))

    assert f"has the format {format_line}; this version reads loom-state/2" in str(refusal(folder))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "a-state")
    (folder / name).unlink()

    assert name in str(refusal(folder))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: b""],
    ids=["cut short", "one bit", "empty"],
)
def test_a_damaged_file_is_named(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    folder = written(tmp_path / "a-state")
    (folder / name).write_bytes(damage((folder / name).read_bytes()))

    assert f"is damaged: {name}" in str(refusal(folder))


# ------------------------------------------------------------------ writing


def test_an_existing_state_is_not_replaced_unasked(tmp_path: Path) -> None:
    folder = written(tmp_path / "a-state")
    later = replace(FACTS, position=Position(step=9))

    with pytest.raises(OutputError, match="exists already"):
        write_state(folder, later, trained=TRAINED, optimizer=sgd(), progress=PROGRESS)
    assert read_state(folder).facts == FACTS


def test_an_existing_state_is_replaced_when_told(tmp_path: Path) -> None:
    folder = written(tmp_path / "a-state")
    later = replace(FACTS, position=Position(step=9))

    write_state(folder, later, trained=TRAINED, optimizer=sgd(), progress=PROGRESS, replace=True)
    assert read_state(folder).facts == later
    assert list(tmp_path.iterdir()) == [folder]


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    unsound = TRAINED | {"lora_unet_b.lora_up.weight": torch.tensor([[1.0, torch.nan]])}

    with pytest.raises(NumericError, match=r"lora_unet_b\.lora_up\.weight is not finite"):
        written(tmp_path / "a-state", trained=unsound)
    assert list(tmp_path.iterdir()) == []


def test_an_optimizer_that_is_not_finite_is_not_written(tmp_path: Path) -> None:
    parameters = weights()
    optimizer = AdamW(parameters)
    advance(optimizer, parameters, range(1))
    optimizer.state[parameters[1]]["exp_avg_sq"][0, 0] = torch.inf

    with pytest.raises(NumericError, match=r"1\.exp_avg_sq is not finite"):
        written(tmp_path / "a-state", optimizer=optimizer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files_written", range(5))
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_earlier_state_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files_written: int, error: BaseException
) -> None:
    folder = written(tmp_path / "a-state")
    fill = file_writing._fill
    seen: list[Path] = []

    def interrupted(part: Path, write: Callable[[BinaryIO], object]) -> None:
        if len(seen) == files_written:
            raise error
        seen.append(part)
        fill(part, write)

    monkeypatch.setattr(file_writing, "_fill", interrupted)
    for name in ("a-state", "new-state"):
        seen.clear()
        with pytest.raises((OutputError, KeyboardInterrupt)):
            write_state(
                tmp_path / name,
                FACTS,
                trained={},
                optimizer=sgd(),
                progress=PROGRESS,
                replace=True,
            )
    assert list(tmp_path.iterdir()) == [folder]
    assert read_state(folder).trained


def test_a_file_that_reads_back_otherwise_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing_disk(part: Path, write: Callable[[BinaryIO], object]) -> None:
        with part.open("wb") as file:
            write(file)
            file.seek(3)
            file.write(b"\0")

    monkeypatch.setattr(file_writing, "_fill", failing_disk)
    with pytest.raises(OutputError, match="does not read back"):
        written(tmp_path / "a-state")
    assert list(tmp_path.iterdir()) == []
