"""What is dropped on the window is understood, done as one step of undo, and said."""

import shutil
from pathlib import Path

from helpers.drops import drop
from helpers.lora_files import lora_tensors, write_lora_file
from helpers.pictures import write_dataset
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from desktop_app.dataset_view.view import DatasetView
from desktop_app.editors.page import SettingsPage
from desktop_app.window.main_window import MainWindow
from desktop_app.workspace import Workspace
from trainer_core.files.resources import resource_path

MODEL, PICTURES = "model.pretrained_model_name_or_path", "dataset.train_data_dir"
WEIGHTS = "adapter.network_weights"
BASE = resource_path("demo/base")


def said(window: MainWindow) -> str:
    return window.drop_banner.message if window.drop_banner.isVisible() else ""


def press(window: MainWindow, label: str) -> None:
    buttons = window.drop_banner.findChildren(QPushButton)
    next(b for b in buttons if b.text() == label and b.isVisible()).click()


def test_a_diffusers_folder_dropped_on_the_model_page_becomes_the_base_model(
    window: MainWindow, workspace: Workspace, qtbot
):
    window.docks.raise_dock("model")
    page = window.docks.widgets["model"].findChild(SettingsPage)
    drop(page.forms[0], BASE)
    qtbot.waitUntil(lambda: workspace.document.value(MODEL) == BASE.as_posix())
    assert said(window).startswith("“base” is the base model now (Stable Diffusion 1")
    press(window, "Undo")
    assert workspace.document.value(MODEL) == "unset"
    assert said(window) == ""


def test_a_model_dropped_on_the_pictures_is_no_picture(
    window: MainWindow, workspace: Workspace, qtbot
):
    window.docks.raise_dock("dataset")
    drop(window.docks.widgets["dataset"].findChild(DatasetView), BASE)
    qtbot.waitUntil(lambda: workspace.document.value(MODEL) == BASE.as_posix())
    assert workspace.document.value(PICTURES) == "unset"


def test_pictures_and_a_model_dropped_together_are_one_step_and_both_are_said(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    folder = write_dataset(tmp_path / "pictures", {".": {"a.png": None}})
    drop(window, BASE, folder)
    value = workspace.document.value
    qtbot.waitUntil(lambda: value(PICTURES) == folder.as_posix())
    assert value(MODEL) == BASE.as_posix()
    assert said(window).startswith("“base” is the base model now (Stable Diffusion 1")
    assert said(window).endswith(" The pictures of this run: “pictures”.")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (value(MODEL), value(PICTURES)) == ("unset", "unset")
    assert said(window) == ""
    workspace.document.undo_stack.redo()
    assert (value(MODEL), value(PICTURES)) == (BASE.as_posix(), folder.as_posix())


def test_pictures_that_are_asked_about_still_belong_to_the_model_dropped_with_them(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    first = write_dataset(tmp_path / "first", {".": {"a.png": None}})
    more = write_dataset(tmp_path / "more", {".": {"b.png": None}})
    workspace.document.set_value(PICTURES, first.as_posix())
    with qtbot.waitSignal(workspace.pictures.choice_wanted):
        drop(window, BASE, more)
    [menu] = (
        window.docks.widgets["dataset"]
        .findChild(DatasetView)
        .findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)
    )
    menu.actions()[0].trigger()
    menu.close()
    qtbot.waitUntil(lambda: said(window).endswith(" Added to the pictures: “more”."))
    press(window, "Undo")
    assert workspace.document.value(MODEL) == "unset"
    assert workspace.document.value(PICTURES) == first.as_posix()
    assert workspace.document.value("dataset.more_pictures") == []


def test_a_change_between_model_and_pictures_keeps_them_two_steps(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    first = write_dataset(tmp_path / "first", {".": {"a.png": None}})
    more = write_dataset(tmp_path / "more", {".": {"b.png": None}})
    workspace.document.set_value(PICTURES, first.as_posix())
    with qtbot.waitSignal(workspace.pictures.choice_wanted):
        drop(window, BASE, more)
    workspace.document.set_value("adapter.network_dim", 4)
    workspace.pictures.add((more,))
    qtbot.waitUntil(lambda: said(window) == "Added to the pictures: “more”.")
    press(window, "Undo")
    assert workspace.document.value(MODEL) == BASE.as_posix()
    assert workspace.document.value("adapter.network_dim") == 4


def test_dropped_pictures_are_said_and_can_be_given_back(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    folder = write_dataset(tmp_path / "10_cat", {".": {"a.png": None}})
    drop(window, folder)
    qtbot.waitUntil(lambda: said(window) == "The pictures of this run: “10_cat”.")
    press(window, "Undo")
    assert workspace.document.value(PICTURES) == "unset"


def test_another_step_takes_the_offer_away(window: MainWindow, workspace: Workspace, qtbot):
    drop(window, BASE)
    qtbot.waitUntil(lambda: bool(said(window)))
    workspace.document.set_value("adapter.network_dim", 4)
    assert said(window) == ""
    assert workspace.document.value(MODEL) == BASE.as_posix()


def test_a_lora_is_no_base_model_but_may_be_started_from(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    lora = write_lora_file(tmp_path / "mine.safetensors", lora_tensors())
    drop(window, lora)
    qtbot.waitUntil(lambda: "LoRA" in said(window))
    assert not workspace.document.is_dirty
    press(window, "Start from its weights")
    assert workspace.document.value(WEIGHTS) == lora.as_posix()
    assert said(window) == "“mine.safetensors” gives the starting weights now."


def test_a_vae_is_no_base_model_but_may_be_used_as_one(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    vae = BASE / "vae" / "diffusion_pytorch_model.safetensors"
    dropped = Path(shutil.copy(vae, tmp_path / "other.safetensors"))
    drop(window, dropped)
    qtbot.waitUntil(lambda: "VAE" in said(window))
    press(window, "Use it as VAE")
    assert workspace.document.value("model.vae") == dropped.as_posix()
    assert said(window) == "“other.safetensors” encodes the pictures now."


def test_a_damaged_model_is_named_and_not_taken(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no header")
    drop(window, broken)
    qtbot.waitUntil(lambda: "broken.safetensors" in said(window))
    assert not workspace.document.is_dirty


def test_of_several_models_none_is_taken(
    window: MainWindow, workspace: Workspace, tmp_path: Path, qtbot
):
    drop(window, BASE, write_lora_file(tmp_path / "mine.safetensors", lora_tensors()))
    wanted = "These are several models: base, mine.safetensors."
    qtbot.waitUntil(lambda: said(window) == wanted)
    assert not workspace.document.is_dirty
