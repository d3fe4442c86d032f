"""What people get wrong, seen from the window: it opens, says so beside the field, and goes on."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.answers import Answers
from helpers.pictures import write_dataset
from helpers.starts import Starts
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from safetensors.numpy import save_file

from desktop_app.dataset_view.browser import PictureBrowser
from desktop_app.editors.problem_line import ProblemLine
from desktop_app.editors.row import Row
from desktop_app.models.problems_model import Entry
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.resources import resource_path
from trainer_core.settings.document import replaced
from trainer_core.settings.files import RunFile, save
from trainer_core.settings.problems import Severity

MODEL = "model.pretrained_model_name_or_path"
PICTURES = "dataset.train_data_dir"


@pytest.fixture
def window(
    workspace: Workspace, answers: Answers, starts: Starts, qtbot: QtBot
) -> Iterator[MainWindow]:
    window = MainWindow(workspace, ask=answers, confirm=starts, leave=lambda _: None)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.docks.late.complete()
    yield window
    workspace.document.new()  # closing asks nothing then


def write_run_file(path: Path, values: dict[str, object]) -> Path:
    save(path, RunFile(replaced({}, values)), replace=True)
    return path


def beside(window: MainWindow, path: str) -> str:
    """Return the words that stand beside a setting's field."""
    row = next(row for row in window.findChildren(Row) if row.param.path == path)
    lines = [line for line in row.findChildren(ProblemLine) if not line.isHidden()]
    labels = [label.text() for line in lines for label in line.findChildren(QLabel)]
    return "\n".join(labels)


def listed(workspace: Workspace) -> list[Entry]:
    problems = workspace.problems
    return [problems.entry(row) for row in range(problems.rowCount())]


def trains(window: MainWindow, workspace: Workspace, run_file: Path, qtbot: QtBot) -> bool:
    """Tell whether the window trains another file to its end."""
    window.files.open_path(run_file)
    qtbot.waitUntil(lambda: not workspace.dataset.is_busy and workspace.dataset.scan is not None)
    with qtbot.waitSignal(workspace.run.ended, timeout=20_000):
        window.commands["start"].trigger()
    assert workspace.run.outcome is not None
    return workspace.run.outcome.ok


# ------------------------------------------------------------------ one fault each


def missing_model(folder: Path) -> Path:
    return folder / "gone.safetensors"


def truncated_model(folder: Path) -> Path:
    whole = (resource_path("demo/base/unet") / "diffusion_pytorch_model.safetensors").read_bytes()
    (folder / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    return folder / "half.safetensors"


def lora_as_model(folder: Path) -> Path:
    tensors = {"lora_unet_mid_block.lora_down.weight": np.zeros((1, 4), np.float32)}
    save_file(tensors, folder / "lora.safetensors")
    return folder / "lora.safetensors"


def refiner_model(folder: Path) -> Path:
    names = (
        "conditioner.embedders.0.model.positional_embedding",
        "model.diffusion_model.input_blocks.0.0.weight",
    )
    save_file({name: np.zeros((4, 4), np.float32) for name in names}, folder / "xl.safetensors")
    return folder / "xl.safetensors"


class Hostile:
    """Unpickled, it would make a folder."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("it-was-run",)


def hostile_model(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "hostile.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Hostile(), protocol=2))
        archive.writestr("archive/version", "3\n")
    return folder / "hostile.ckpt"


def empty_pictures(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def texts_only(folder: Path) -> Path:
    return write_dataset(folder / "texts", {"1_robot": {"a.txt": "a robot"}})


def output_below_a_file(folder: Path) -> Path:
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    return folder / "notes.txt" / "loras"


def state_without_manifest(folder: Path) -> Path:
    (folder / "mine-state").mkdir()
    return folder / "mine-state"


def state_of_damaged_manifest(folder: Path) -> Path:
    state = state_without_manifest(folder)
    (state / "manifest.json").write_text(json.dumps({"step": "four"}), encoding="utf-8")
    return state


def missing_prompts(folder: Path) -> Path:
    return folder / "prompts.txt"


def bad_prompts(folder: Path) -> Path:
    (folder / "bad.txt").write_bytes("ein roter Würfel".encode("latin-1"))
    return folder / "bad.txt"


@pytest.mark.parametrize(
    ("fault", "path", "words"),
    [
        (missing_model, MODEL, "does not exist"),
        (truncated_model, MODEL, "cut short"),
        (lora_as_model, MODEL, "is a LoRA"),
        (refiner_model, MODEL, "refiner of Stable Diffusion XL"),
        (hostile_model, MODEL, "mkdir"),
        (empty_pictures, MODEL, "nothing"),
        (missing_model, PICTURES, "does not exist"),
        (empty_pictures, PICTURES, "no pictures"),
        (texts_only, PICTURES, "no pictures"),
        (output_below_a_file, "output.output_dir", "notes.txt"),
        (state_without_manifest, "output.resume", "no complete state"),
        (state_of_damaged_manifest, "output.resume", "no complete state"),
        (missing_prompts, "sampling.sample_prompts", "does not exist"),
        (bad_prompts, "sampling.sample_prompts", "UTF-8"),
    ],
)
def test_a_bad_path_is_told_beside_its_field(
    window: MainWindow,
    workspace: Workspace,
    ready_values: dict[str, object],
    tmp_path: Path,
    qtbot: QtBot,
    fault,
    path: str,
    words: str,
):
    values = {**ready_values, path: str(fault(tmp_path))}
    bad = write_run_file(tmp_path / "bad.toml", values)

    window.files.open_path(bad)

    qtbot.waitUntil(lambda: words in beside(window, path), timeout=5_000)
    assert str(tmp_path) in beside(window, path), "the file is named"
    assert any(e.severity is Severity.ERROR and e.path == path for e in listed(workspace))
    workspace.document.set_value("optimizer.epoch", 3)
    assert window.files.save()
    good = write_run_file(tmp_path / "good.toml", ready_values)
    assert trains(window, workspace, good, qtbot)
    assert beside(window, path) == ""


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("adapter.network_dim", "eight", "a whole number"),
        ("adapter.network_dim", [8], "a whole number"),
        ("dataset.train_batch_size", 0, "at least 1"),
        ("buckets.resolution", [512], "2 values"),
        ("optimizer.lr_scheduler", "cosinus", "must be one of"),
        ("buckets.enable_bucket", "yes", "true or false"),
        ("output.output_name", "loras/robot", "loras/robot"),
        ("output.output_name", "CON", "CON"),
    ],
)
def test_a_bad_value_is_told_beside_its_field(
    window: MainWindow,
    workspace: Workspace,
    ready_values: dict[str, object],
    tmp_path: Path,
    qtbot: QtBot,
    path: str,
    value: object,
    words: str,
):
    bad = write_run_file(tmp_path / "bad.toml", {**ready_values, path: value})

    window.files.open_path(bad)

    qtbot.waitUntil(lambda: words in beside(window, path), timeout=5_000)
    workspace.document.set_value("optimizer.epoch", 3)
    assert window.files.save()
    assert workspace.document.value(path) == value, "what was not touched stays"
    assert trains(window, workspace, write_run_file(tmp_path / "good.toml", ready_values), qtbot)


def test_an_unknown_key_is_listed_with_the_one_that_was_meant(
    window: MainWindow, workspace: Workspace, ready_values: dict[str, object], tmp_path: Path
):
    values = {**ready_values, "optimizer.lerning_rate": 1e-3}
    window.files.open_path(write_run_file(tmp_path / "bad.toml", values))

    [entry] = [entry for entry in listed(workspace) if "lerning_rate" in entry.message]
    assert entry.severity is Severity.ERROR
    assert "learning_rate" in entry.way_out


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"broken.png": b"\x89PNG\r\n\x1a\n"}, "broken.png"),
        ({"a.png": None, "a.txt": "ein roter Würfel".encode("latin-1")}, "UTF-8"),
        ({"a.png": None, "a.txt": b""}, "empty"),
    ],
)
def test_a_bad_picture_or_caption_is_told_beside_the_picture(
    window: MainWindow,
    workspace: Workspace,
    ready_values: dict[str, object],
    tmp_path: Path,
    qtbot: QtBot,
    files: dict[str, bytes | None],
    words: str,
):
    folder = write_dataset(tmp_path / "bad", {"10_zxq cat": files})
    window.files.open_path(
        write_run_file(tmp_path / "bad.toml", {**ready_values, PICTURES: str(folder)})
    )
    qtbot.waitUntil(lambda: workspace.problems.count(Severity.ERROR) == 1, timeout=5_000)
    picture = next(folder.glob("*/*.png"))
    workspace.picture_wanted.emit(picture)

    [browser] = window.findChildren(PictureBrowser)
    said = "\n".join(label.text() for label in browser.findChildren(QLabel))
    assert words in said
    assert trains(window, workspace, write_run_file(tmp_path / "good.toml", ready_values), qtbot)


def test_a_file_that_is_mended_outside_is_seen_on_coming_back(
    window: MainWindow,
    workspace: Workspace,
    ready_values: dict[str, object],
    tmp_path: Path,
    qtbot: QtBot,
):
    path = "sampling.sample_prompts"
    prompts = bad_prompts(tmp_path)
    workspace.document.apply({**ready_values, path: str(prompts)}, "made ready")
    qtbot.waitUntil(lambda: "UTF-8" in beside(window, path), timeout=5_000)
    prompts.write_text("a red cube --n blurry", encoding="utf-8")

    workspace.look_again()

    qtbot.waitUntil(lambda: "UTF-8" not in beside(window, path), timeout=5_000)
