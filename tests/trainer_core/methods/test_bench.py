"""What holds for every method: it owns what is trained, from its first value to its file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from helpers.tiny_model import TinySD1, loaded, make_tiny_sd1
from safetensors import safe_open
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.methods import METHODS
from trainer_core.errors import NumericError, OutputError
from trainer_core.families.condition import Condition
from trainer_core.families.sd1 import SD1
from trainer_core.methods.base import Method
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.texts import Text

CPU = torch.device("cpu")
SEED = 5


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sd1(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(params=METHODS)
def settings(request: pytest.FixtureRequest) -> TrainSettings:
    """The defaults, of every method."""
    found, problems = TRAIN.parse({"model": {"training_method": request.param}})
    assert found is not None, problems
    return found


class Trained:
    """A base model, in ``dtype`` where the method allows it, and what trains on it."""

    def __init__(
        self,
        files: TinySD1,
        settings: TrainSettings,
        seed: int = SEED,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.family: SD1 = loaded(files.folder, dtype=dtype)
        self.settings = settings
        self.method = new_method(settings)
        entry = self.family.entry
        kept = [p for p in (entry.denoiser, *entry.text_encoders) if self.method.keeps_float32(p)]
        for part in kept:
            self.family.load(part, dtype=torch.float32, device=CPU)
        self.is_mixed = dtype is not torch.float32 and bool(kept)
        self.warnings: list[Text] = []
        self.method.prepare(self.family, seed=seed, warn=self.warnings.append)

    def attached(self) -> Trained:
        self.method.attach(CPU)
        return self

    def predict(self) -> Tensor:
        """Return what the denoiser says with the text encoder before it."""
        condition: Condition = self.family.encode_text(["a robot"])
        noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
        return self.family.predict(noisy, torch.tensor([500]), condition)

    def loss(self) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.is_mixed):
            return self.predict().float().square().mean()

    def parameters(self) -> list[torch.nn.Parameter]:
        return [weight for group in self.method.groups() for weight in group.parameters]

    def step(self) -> None:
        """Do one step with a rate that moves everything."""
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        self.loss().backward()
        optimizer.step()
        self.method.after_step()
        optimizer.zero_grad()

    def write(self, path: Path, *, precision: str = "float", replace: bool = False) -> None:
        metadata = {"ss_output_name": "robot"}
        self.method.write(path, precision=precision, metadata=metadata, replace=replace)


def new_method(settings: TrainSettings) -> Method:
    entry = METHODS[settings.model.training_method]
    method: Method = implementation(entry.implementation).of(settings)
    return method


@pytest.fixture
def trained(files: TinySD1, settings: TrainSettings) -> Trained:
    return Trained(files, settings).attached()


def is_same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


# ------------------------------------------------------------------ what is trained


def test_groups_hold_what_is_counted_in_32_bit(trained: Trained) -> None:
    groups = trained.method.groups()

    assert groups
    assert all(group.rate > 0 for group in groups)
    assert len({group.name for group in groups}) == len(groups)
    weights = trained.parameters()
    assert all(weight.requires_grad and weight.dtype is torch.float32 for weight in weights)
    assert len({id(weight) for weight in weights}) == len(weights)
    assert sum(trained.method.counts().values()) == sum(weight.numel() for weight in weights)


def test_counting_needs_no_memory(files: TinySD1, settings: TrainSettings) -> None:
    family, method = loaded(files.folder), new_method(settings)
    with torch.device("meta"):
        method.prepare(family, seed=None, warn=lambda _text: None)

    assert method.counts() == Trained(files, settings).method.counts()


def test_parts_that_train_are_those_with_a_count_and_a_rate(trained: Trained) -> None:
    method, entry = trained.method, trained.family.entry
    parts = (entry.denoiser, *entry.text_encoders)

    assert {part for part in parts if method.trains(part)} == set(method.counts())
    assert set(method.counts()) <= set(method.rates())


def test_gradients_reach_all_that_is_trained_and_nothing_else(trained: Trained) -> None:
    trained.step()  # what begins at 0 hides the rest from the first gradient
    trained.predict().square().mean().backward()

    own = {id(weight) for weight in trained.parameters()}
    assert all(weight.grad is not None and weight.grad.any() for weight in trained.parameters())
    entry = trained.family.entry
    for part in (entry.denoiser, *entry.text_encoders):
        others = [w for w in trained.family.module(part).parameters() if id(w) not in own]
        assert all(weight.grad is None for weight in others)


def test_a_fresh_start_changes_nothing_and_a_step_does(
    files: TinySD1, settings: TrainSettings
) -> None:
    fresh = Trained(files, settings)
    with torch.no_grad():
        alone = fresh.predict()
        fresh.attached()
        assert torch.equal(fresh.predict(), alone)
    fresh.step()

    assert not torch.equal(fresh.predict(), alone)


def test_the_start_depends_on_the_seed_alone(files: TinySD1, settings: TrainSettings) -> None:
    first = copied(Trained(files, settings).method.state())
    torch.manual_seed(99)

    assert is_same(Trained(files, settings).method.state(), first)


def test_a_base_model_in_16_bit_is_trained_in_32(files: TinySD1, settings: TrainSettings) -> None:
    trained = Trained(files, settings, dtype=torch.bfloat16).attached()
    before = copied(trained.method.state())
    exact = Trained(files, settings).attached()
    # bfloat16 has 8 bits of precision: 0.4 % at each of some tens of roundings.
    assert trained.loss().item() == pytest.approx(exact.loss().item(), rel=0.1)
    trained.step()

    assert all(weight.dtype is torch.float32 for weight in trained.parameters())
    assert all(tensor.dtype is torch.float32 for tensor in trained.method.state().values())
    assert not is_same(trained.method.state(), before)


def test_what_is_measured_after_a_step_is_numbers(trained: Trained) -> None:
    trained.step()
    measures = trained.method.after_step()

    assert all(value.numel() == 1 and value.isfinite() for value in measures.values())


# ------------------------------------------------------------------ states and files


def test_a_state_is_the_whole_of_what_was_trained(
    files: TinySD1, settings: TrainSettings, trained: Trained
) -> None:
    trained.step()
    saved = copied(trained.method.state())

    other = Trained(files, settings, seed=SEED + 1).attached()
    other.method.load_state(saved, "robot")
    assert is_same(other.method.state(), saved)
    assert torch.equal(other.predict(), trained.predict())


def test_the_file_holds_every_weight_and_what_it_is_told(trained: Trained, tmp_path: Path) -> None:
    trained.step()
    path = tmp_path / "robot.safetensors"
    trained.write(path)

    with safe_open(path, "pt") as file:
        metadata, names = file.metadata(), list(file.keys())
        assert all(file.get_tensor(name).isfinite().all() for name in names)
    assert names
    assert metadata["ss_output_name"] == "robot"


def test_a_file_that_is_there_is_replaced_only_when_told(trained: Trained, tmp_path: Path) -> None:
    path = tmp_path / "robot.safetensors"
    path.write_bytes(b"somebody's")

    with pytest.raises(OutputError):
        trained.write(path)
    assert path.read_bytes() == b"somebody's"
    trained.write(path, replace=True)
    assert path.stat().st_size > 1000


def test_weights_that_are_not_finite_are_not_written(trained: Trained, tmp_path: Path) -> None:
    with torch.no_grad():
        trained.parameters()[0].view(-1)[0] = torch.nan

    with pytest.raises(NumericError):
        trained.write(tmp_path / "robot.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_file_says_which_network_it_is(trained: Trained) -> None:
    facts = trained.method.facts()

    assert facts.module
    assert facts.dim >= 0


def test_what_is_trained_is_what_the_settings_alone_say(trained: Trained) -> None:
    rates = set(trained.method.rates())

    assert rates == {part.name for part in trained.settings.trained_parts()}
    assert set(trained.method.counts()) <= rates


def test_what_was_left_open_comes_to_values_of_settings(trained: Trained) -> None:
    used = trained.method.used()

    assert used.keys() <= TRAIN.params().keys()
    assert all(trained.settings.get(path) is None for path in used)
