"""A run goes on from a state that an earlier version wrote, and ends as it would have then."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from helpers import format_1
from helpers.run_results import Result
from helpers.trainer_process import Ended, run_trainer
from safetensors import safe_open
from safetensors.torch import load_file
from torch.nn import functional

from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import Resumed, Warned

pytestmark = pytest.mark.slow

OLD = Path(__file__).parents[1] / "data" / "state_format_1"
# Whether this machine rounds as the one on which the old runs were made.
PROBE = "8edbcb0619d7d041"


def probe() -> str:
    """Return a hash of what a few operations of training come to on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        data = torch.randn((2, 16, 8, 8), generator=torch.Generator().manual_seed(1))
        data.requires_grad_()
        image = functional.group_norm(functional.conv2d(data, data.detach()[:, :, :3, :3]), 1)
        flat = functional.silu(image).flatten(1)
        attended = functional.scaled_dot_product_attention(*[(flat.T @ flat)[None, :32, :32]] * 3)
        functional.gelu(attended).exp().mean().backward()
        return hashlib.sha256(data.grad.numpy().tobytes()).hexdigest()[:16]
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class Continued:
    """How a run from an old state ended, and what it left."""

    ended: Ended
    result: Result
    old: Path

    @property
    def expected(self) -> Mapping[str, torch.Tensor]:
        """The weights that the old run ended in."""
        return load_file(self.old / "final.safetensors")


@pytest.fixture(scope="module", params=list(format_1.OPTIMIZERS))
def continued(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Continued:
    old, folder = OLD / request.param, tmp_path_factory.mktemp("format-1")
    run_file = format_1.prepare(folder, request.param)
    for name in (format_1.STATE, "robot.run"):
        shutil.copytree(old / name, folder / "output" / name)
    state = Path("output") / format_1.STATE
    ended = run_trainer("train", run_file.name, "--resume", state, cwd=folder)
    return Continued(ended, Result(RunFolder(folder / "output", "robot")), old)


def test_the_run_goes_on_from_the_old_state_to_its_end(continued: Continued) -> None:
    assert continued.ended.code == 0, continued.ended.log
    assert [event.from_step for event in continued.ended.of(Resumed)] == [format_1.SAVED_AT_STEP]
    steps = range(format_1.SAVED_AT_STEP + 1, format_1.TOTAL_STEPS + 1)
    assert continued.ended.steps == list(steps)


def test_the_pictures_are_recognised_as_the_same(continued: Continued) -> None:
    warnings = [str(event.message) for event in continued.ended.of(Warned)]

    assert not [each for each in warnings if "batches have changed" in each]


@pytest.mark.skipif("probe() != PROBE", reason="this machine rounds otherwise than the old one")
def test_the_weights_are_those_of_the_old_run_bit_for_bit(continued: Continued) -> None:
    found = continued.result.weights()

    assert set(found) == set(continued.expected)
    for name, tensor in continued.expected.items():
        assert torch.equal(found[name], tensor), name
    with safe_open(continued.old / "final.safetensors", "pt") as file:
        recorded = file.metadata()["sshs_model_hash"]
    assert continued.result.metadata()["sshs_model_hash"] == recorded


def test_the_weights_are_those_of_the_old_run_on_any_machine(continued: Continued) -> None:
    # A step moves a weight by about its rate, 1e-2 here: lost moments would show.
    found = continued.result.weights()

    for name, tensor in continued.expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-2, atol=1e-3)


def test_the_file_says_of_itself_what_the_old_one_said(continued: Continued) -> None:
    with safe_open(continued.old / "final.safetensors", "pt") as file:
        recorded = dict(file.metadata())
    found = continued.result.metadata()

    assert set(found) == set(recorded)
    of_the_moment = {"ss_training_started_at", "ss_training_finished_at", "modelspec.date"}
    hashes = {"sshs_model_hash", "sshs_legacy_hash"}
    # What the old code wrote left accumulation out, and gave rates of parts that were not trained.
    mended = {"ss_total_batch_size", "ss_text_encoder_lr", "ss_unet_lr"}
    for name in set(recorded) - of_the_moment - hashes - mended:
        assert found[name] == recorded[name], name


def test_the_next_state_is_of_the_new_format(continued: Continued) -> None:
    state = continued.result.state()

    manifest = json.loads((state / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["format"] == "loom-state/2"
    assert (state / "trained.safetensors").is_file()
    assert not (state / "adapter.safetensors").exists()
