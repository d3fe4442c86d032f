from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop_app.document import Document
from desktop_app.document_file.autosave import Autosave
from desktop_app.document_file.recovery import RecoveryFile, Unsaved
from desktop_app.editors.registry import editor_for
from desktop_app.editors.text import MultilineEditor
from desktop_app.preferences import AppSettings
from trainer_core.settings.param import Param, section_params
from trainer_core.settings.schema import TRAIN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recovery"


@pytest.fixture
def autosave(document: Document, folder: Path, qtbot) -> Iterator[Autosave]:
    made = Autosave(document, folder)
    yield made
    made.close()


def kept(folder: Path) -> Unsaved | None:
    """Read what is kept in the folder, whoever has it open."""
    places = [RecoveryFile(path) for path in folder.glob("*.json")]
    assert len(places) <= 1
    return places[0].read() if places else None


def kept_rank(folder: Path) -> object:
    found = kept(folder)
    return None if found is None else found.file.raw["adapter"]["network_dim"]


def test_changes_are_kept_a_few_seconds_after_they_were_made(
    autosave: Autosave, document: Document, folder: Path, qtbot
):
    document.set_value("adapter.network_dim", 24)
    assert kept(folder) is None
    qtbot.waitUntil(lambda: kept_rank(folder) == 24, timeout=10_000)


def test_a_document_that_never_had_a_name_is_kept(
    autosave: Autosave, document: Document, folder: Path, qtbot
):
    document.set_value("adapter.network_dim", "a doz")
    autosave.keep_now()
    qtbot.waitUntil(lambda: kept_rank(folder) == "a doz")
    found = kept(folder)
    assert found is not None
    assert found.path is None


def test_the_file_that_the_changes_belong_to_is_kept_with_them(
    autosave: Autosave, document: Document, folder: Path, tmp_path: Path, qtbot
):
    document.save(tmp_path / "mine.toml")
    document.set_value("adapter.network_dim", 24)
    autosave.keep_now()
    qtbot.waitUntil(lambda: kept(folder) is not None)
    found = kept(folder)
    assert found is not None
    assert (found.path, found.stamp) == (tmp_path / "mine.toml", document.stamp)


def test_later_changes_replace_earlier_ones(
    autosave: Autosave, document: Document, folder: Path, qtbot
):
    for rank in (24, 25):
        document.set_value("adapter.network_dim", rank)
        autosave.keep_now()
    qtbot.waitUntil(lambda: kept_rank(folder) == 25)


@pytest.mark.parametrize("way", ["save", "new", "undo", "close"])
def test_what_is_no_longer_unsaved_is_not_kept(
    autosave: Autosave, document: Document, folder: Path, tmp_path: Path, way: str, qtbot
):
    document.set_value("adapter.network_dim", 24)
    autosave.keep_now()
    qtbot.waitUntil(lambda: kept(folder) is not None)
    {
        "save": lambda: document.save(tmp_path / "mine.toml"),
        "new": document.new,
        "undo": document.undo_stack.undo,
        "close": autosave.close,
    }[way]()
    qtbot.waitUntil(lambda: kept(folder) is None)


def test_a_write_under_way_does_not_bring_back_what_was_saved(
    autosave: Autosave, document: Document, folder: Path, tmp_path: Path
):
    document.set_value("adapter.network_dim", 24)
    autosave.keep_now()
    document.save(tmp_path / "mine.toml")
    autosave.close()
    assert list(folder.iterdir()) == []


def test_nothing_is_written_while_nothing_is_unsaved(
    autosave: Autosave, document: Document, folder: Path
):
    autosave.keep_now()
    autosave.close()
    assert not folder.exists()


def test_a_disk_that_takes_nothing_is_reported(
    document: Document, tmp_path: Path, qtbot, no_room: Path
):
    autosave = Autosave(document, no_room)
    document.set_value("adapter.network_dim", 24)
    with qtbot.waitSignal(autosave.failed) as told:
        autosave.keep_now()
    assert str(no_room) in str(told.args[0])
    document.new()
    autosave.close()


@pytest.fixture
def no_room(tmp_path: Path) -> Path:
    """A folder that cannot be made, because a file has its name."""
    path = tmp_path / "taken"
    path.write_text("", encoding="utf-8")
    return path


def test_what_was_recovered_is_kept_anew_before_the_old_copy_goes(
    autosave: Autosave, document: Document, folder: Path, qtbot
):
    old = RecoveryFile.fresh(folder)
    document.set_value("adapter.network_dim", 24)
    old.write(Unsaved(document.as_file, None, None, autosave._unsaved().kept))
    [old_path] = folder.glob("*.json")
    autosave.take_over(old)
    qtbot.waitUntil(lambda: not old_path.exists())
    assert kept_rank(folder) == 24


@pytest.fixture
def focus(qtbot):
    """Put an editor of a parameter on the screen and the focus into it."""

    def focus(param: Param, value: object) -> None:
        editor = editor_for(param)
        qtbot.addWidget(editor)
        editor.set_raw(value)
        with qtbot.waitExposed(editor):
            editor.show()
        editor.activateWindow()
        editor.activate()
        qtbot.waitUntil(editor.fields()[0].hasFocus)

    return focus


def test_a_field_of_the_preferences_is_none_of_the_documents(
    autosave: Autosave, folder: Path, focus
):
    theme = next(param for param in section_params("app", AppSettings) if param.name == "theme")
    focus(theme, "dark")
    autosave.keep_now()
    autosave.close()
    assert not folder.exists()


def test_a_whole_number_that_a_field_shows_with_decimals_is_no_change(
    autosave: Autosave, document: Document, folder: Path, tmp_path: Path, focus
):
    path = tmp_path / "mine.toml"
    path.write_text('format = "loom/2"\n[optimizer]\nlearning_rate = 1\n', encoding="utf-8")
    document.load(path)
    focus(TRAIN.params()["optimizer.learning_rate"], document.value("optimizer.learning_rate"))
    autosave.keep_now()
    autosave.close()
    assert not folder.exists()


@pytest.fixture
def comment(document: Document, qtbot) -> MultilineEditor:
    """A field of the document's, on the screen and with the focus."""
    editor = MultilineEditor(TRAIN.params()["output.training_comment"])
    qtbot.addWidget(editor)
    with qtbot.waitExposed(editor):
        editor.show()
    editor.set_raw(document.value("output.training_comment"))
    editor.activateWindow()
    editor.activate()
    qtbot.waitUntil(editor.fields()[0].hasFocus)
    return editor


def test_what_is_still_being_typed_is_kept(
    autosave: Autosave, comment: MultilineEditor, folder: Path, qtbot
):
    qtbot.keyClicks(comment.fields()[0], "half a sent")
    qtbot.waitUntil(lambda: kept(folder) is not None, timeout=10_000)
    found = kept(folder)
    assert found is not None
    assert found.file.raw["output"]["training_comment"] == "half a sent"


def test_what_was_typed_and_taken_back_is_not_kept(
    autosave: Autosave, comment: MultilineEditor, folder: Path, qtbot
):
    field = comment.fields()[0]
    qtbot.keyClicks(field, "x")
    autosave.keep_now()
    qtbot.waitUntil(lambda: kept(folder) is not None)
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: kept(folder) is None)


def test_nothing_is_kept_after_the_end(autosave: Autosave, document: Document, folder: Path):
    document.set_value("adapter.network_dim", 24)
    autosave.close()
    document.set_value("adapter.network_dim", 25)
    autosave.keep_now()
    assert not autosave._pause.isActive()
    assert not folder.exists()
