"""Runs that are stopped and resumed in new processes, beside the same runs that went through."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from helpers.pictures import gradient
from helpers.run_results import Result, train_one_after_another
from helpers.trainer_process import Ended, TinyProject, TrainerProcess

from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.command_file import write_command
from trainer_core.protocol.messages import StepDone, Stop

STEPS_PER_EPOCH = 7
TOTAL_STEPS = 22
SAMPLE_EVERY = 5
EPOCH_STATE = "-000001"


@dataclass(frozen=True)
class Story:
    """A run and how it is interrupted.

    ``stops`` are ways to ask, one for each process; without any, the run goes through and is then
    resumed from the state at the end of its first epoch.
    """

    changes: Mapping[str, object]
    stops: tuple[str, ...] = ()


STORIES: Mapping[str, Story] = {
    "plain": Story({}, ("stdin", "SIGINT")),
    "8bit-uncached": Story(
        {
            "optimizer.optimizer_type": "AdamW8bit",
            # By default bitsandbytes keeps tensors as small as these in 32 bit.
            "optimizer.optimizer_args": ["min_8bit_size=16"],
            "cache.cache_latents": False,
        },
        ("SIGTERM",),
    ),
    "disk-cache": Story(
        {
            "cache.cache_latents_to_disk": True,
            "output.save_every_n_epochs": 1,
            "output.save_state": True,
        }
    ),
    # 8 pictures and as many for regularisation, 5 + 3 batches of 2; twice 8 in batches of 3: 4 + 2.
    "subsets": Story(
        {
            "dataset.train_data_dir": "unset",
            "dataset.prior_loss_weight": 0.5,
            "dataset.subsets": [
                {"image_dir": "pictures/3_robot", "num_repeats": 1},
                {"image_dir": "pictures/3_robot", "class_tokens": "a robot", "is_reg": True},
                {
                    "image_dir": "pictures/3_robot",
                    "num_repeats": 2,
                    "train_batch_size": 3,
                    "flip_aug": False,
                    "caption_dropout_rate": 0.5,
                },
            ],
        },
        ("SIGTERM",),
    ),
}


@dataclass(frozen=True)
class Stopped:
    """How one process of a story ended, and a copy of what it left."""

    way: str
    ended: Ended
    left: Result


@dataclass(frozen=True)
class Told:
    """A story after it was played; ``before`` is a copy of what the last process went on from."""

    stops: list[Stopped]
    straight: Result
    before: Result
    resumed: Result


@dataclass(frozen=True)
class Teller:
    """Plays every story in ``folder``."""

    folder: Path
    project: TinyProject

    @classmethod
    def on(cls, folder: Path, model: Path) -> Teller:
        """Prepare pictures in two buckets, a prompt and settings that leave nothing out."""
        prompts = folder / "prompts.txt"
        prompts.write_text("a robot --w 64 --h 64 --s 2 --d 5\n", encoding="utf-8")
        settings = {
            "dataset.train_batch_size": 2,
            "augmentation.flip_aug": True,
            "captions.shuffle_caption": True,
            "optimizer.gradient_accumulation_steps": 2,
            "optimizer.max_train_steps": TOTAL_STEPS,
            "optimizer.unet_lr": 1e-2,
            "sampling.sample_prompts": str(prompts),
            "sampling.sample_every_n_steps": SAMPLE_EVERY,
            "output.save_precision": "float",
            "output.save_state_on_train_end": True,
        }
        pictures = write_two_buckets(folder / "pictures")
        return cls(folder, TinyProject(folder, model, pictures, settings))

    def tell(self) -> Mapping[str, Told]:
        """Play them; processes that do not need each other run side by side."""
        to_finish = [("straight", name) for name in STORIES]
        to_finish += [("stopped", name) for name, story in STORIES.items() if not story.stops]
        with ThreadPoolExecutor() as pool:
            finished = pool.submit(self._finish, [(self._run_file(*run),) for run in to_finish])
            stopping = {name: pool.submit(self._stop, name) for name in STORIES}
        assert set(finished.result()) == {0}
        before = {name: self._copied(name, "before") for name in STORIES}
        assert set(self._finish([self._resuming(name) for name in STORIES])) == {0}
        return {
            name: Told(stopping[name].result(), self._result("straight", name), before[name], left)
            for name in STORIES
            for left in [self._result("stopped", name)]
        }

    def _finish(self, runs: list[tuple[object, ...]]) -> list[int]:
        return train_one_after_another(self.folder / "codes.json", runs)

    def _stop(self, name: str) -> list[Stopped]:
        """Stop the story once for each of its ways, in the middle of an epoch."""
        stops = []
        for number, way in enumerate(STORIES[name].stops, start=1):
            flags = ["--continue"] if number > 1 else []
            with TrainerProcess("train", self._run_file("stopped", name), *flags) as process:
                process.wait_for(StepDone, lambda e, n=number: e.step > n * STEPS_PER_EPOCH)
                ask_to_stop(process, way)
                ended = process.end()
            stops.append(Stopped(way, ended, self._copied(name, f"after-{number}")))
        return stops

    def _resuming(self, name: str) -> tuple[object, ...]:
        run_file = self._run_file("stopped", name)
        if STORIES[name].stops:
            return run_file, "--continue"
        return run_file, "--resume", self._result("stopped", name).state(EPOCH_STATE)

    def _run_file(self, kind: str, name: str) -> Path:
        output = {"output.output_dir": str(self.folder / kind / name), "output.output_name": "toy"}
        return self.project.run_file({**STORIES[name].changes, **output}, f"{kind}-{name}.toml")

    def _result(self, kind: str, name: str) -> Result:
        return Result(RunFolder(self.folder / kind / name, "toy"))

    def _copied(self, name: str, when: str) -> Result:
        copy = self.folder / when / name
        shutil.copytree(self.folder / "stopped" / name, copy)
        return Result(RunFolder(copy, "toy"))


def ask_to_stop(process: TrainerProcess, way: str, control: Path | None = None) -> None:
    """Ask by ``stdin``, a signal's name, or the ``control`` folder."""
    if way == "stdin":
        process.send(Stop())
    elif way == "folder":
        assert control is not None
        write_command(control, Stop(), "stop")
    else:
        process.signal(signal.Signals[way])


def write_two_buckets(root: Path) -> Path:
    """Write 5 and 3 pictures of two sizes, shown three times each: 8 + 5 batches of 2, 7 steps."""
    folder = root / "3_robot"
    folder.mkdir(parents=True)
    for number in range(8):
        picture = gradient((64 if number < 5 else 128, 64))
        colour = (250 - 30 * number, 20 * number, 90)  # no two alike, and none like its mirror
        picture.paste(colour, (4 * number, 8, 4 * number + 20, 50))
        picture.save(folder / f"picture{number}.png")
        caption = f"robot, picture{number}, red, toy, small"
        (folder / f"picture{number}.txt").write_text(caption, encoding="utf-8")
    return root
