"""A run that is killed without a word loses minutes: a state is kept while it trains."""

from pathlib import Path

import pytest
import torch
from helpers.run_results import Result
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject, TrainerProcess, run_trainer
from PIL import Image

from trainer_core.protocol.messages import CheckpointRemoved, CheckpointSaved, Resumed, StepDone

pytestmark = pytest.mark.slow

STEPS = 40
# A minute passes in a tenth of a second.
QUICK_MINUTES = """
from trainer_core.train.control import Control
keep_every = Control.keep_every
Control.keep_every = lambda self, seconds: keep_every(self, seconds / 600)
"""


def project_in(folder: Path, model: TinySD1) -> TinyProject:
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    Image.new("RGB", (64, 64), (120, 30, 60)).save(pictures / "a.png")
    values = {
        "buckets.resolution": [64, 64],
        "optimizer.max_train_steps": STEPS,
        "output.save_precision": "float",
        "output.save_state_every_n_minutes": 1,
    }
    return TinyProject(folder, model.folder, pictures, values)


def states_in(output: Path) -> list[str]:
    return sorted(path.name for path in output.glob("*-state"))


def test_a_killed_run_goes_on_from_the_state_that_was_kept(
    tmp_path: Path, tiny_model: TinySD1
) -> None:
    straight = project_in(tmp_path / "straight", tiny_model)
    ended = run_trainer("train", straight.run_file(), before=QUICK_MINUTES)
    assert ended.code == 0
    kept = [event for event in ended.of(CheckpointSaved) if event.kind == "state"]
    assert len(kept) >= 2
    assert len(ended.of(CheckpointRemoved)) == len(kept)
    assert states_in(straight.output) == [], "none is left once the run has come to its end"

    killed = project_in(tmp_path / "killed", tiny_model)
    with TrainerProcess("train", killed.run_file(), before=QUICK_MINUTES) as process:
        for _ in range(2):  # the second takes the place of the first
            saved = process.wait_for(CheckpointSaved)
        process.wait_for(StepDone)
        process.popen.kill()
    (name,) = states_in(killed.output)
    assert name == f"tiny-kept{saved.step:08d}-state"

    ended = run_trainer("train", killed.run_file(), "--continue")
    assert ended.code == 0
    assert [event.from_step for event in ended.of(Resumed)] == [saved.step]
    assert states_in(killed.output) == []
    one, other = (Result.at(project.output, "tiny").weights() for project in (straight, killed))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
