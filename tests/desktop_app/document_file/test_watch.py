from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from desktop_app.document import Document
from desktop_app.document_file.watch import FileWatch, Standing
from trainer_core.settings import files

OPENED = 'format = "loom/2"\n[adapter]\nnetwork_dim = 16\n'
CHANGED = 'format = "loom/2"\n[adapter]\nnetwork_dim = 32\n'


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(OPENED, encoding="utf-8")
    return path


@pytest.fixture
def watch(document: Document, run_file: Path, qtbot) -> Iterator[FileWatch]:
    """The watch of a file that was just opened."""
    made = FileWatch(document)
    document.load(run_file)
    yield made
    made.close()


def looked(watch: FileWatch, qtbot) -> Standing:
    """Look at the file now and return how it stands."""
    with qtbot.waitSignal(watch._job.finished):
        watch.check()
    return watch.standing


def test_a_change_by_another_program_is_noticed(watch: FileWatch, run_file: Path, qtbot):
    with qtbot.waitSignal(watch.found, timeout=10_000) as found:
        run_file.write_text(CHANGED, encoding="utf-8")
    assert found.args == [Standing.CHANGED]


def test_a_file_that_cannot_be_looked_for_counts_as_gone(
    watch: FileWatch, document: Document, tmp_path: Path, qtbot
):
    # Like a folder that may not be entered: the system refuses to tell whether it is there.
    unreachable = tmp_path / ("n" * 300) / "mine.toml"
    document.recover(files.loads(CHANGED, "mine.toml"), unreachable, "a stamp")
    qtbot.waitUntil(lambda: watch.standing is Standing.GONE, timeout=10_000)


def test_an_editor_that_replaces_the_file_is_noticed_every_time(
    watch: FileWatch, document: Document, run_file: Path, qtbot
):
    for rank in (32, 33, 34):
        aside = run_file.with_name("aside")
        aside.write_text(CHANGED.replace("32", str(rank)), encoding="utf-8")
        with qtbot.waitSignal(watch.found, timeout=10_000) as found:
            aside.replace(run_file)
        assert found.args == [Standing.CHANGED]
        document.reload()
        assert document.value("adapter.network_dim") == rank


def test_an_editor_that_moves_the_file_away_first_is_no_loss(
    watch: FileWatch, run_file: Path, qtbot
):
    standings: list[Standing] = []
    watch.found.connect(standings.append)
    run_file.rename(run_file.with_name("mine.toml~"))
    assert looked(watch, qtbot) is Standing.SAME  # it may come back any moment
    run_file.write_text(CHANGED, encoding="utf-8")
    qtbot.waitUntil(lambda: standings != [], timeout=10_000)
    assert standings == [Standing.CHANGED]


def test_a_file_that_stays_away_is_gone_and_its_settings_unsaved(
    watch: FileWatch, document: Document, run_file: Path, qtbot
):
    with qtbot.waitSignal(watch.found, timeout=10_000) as found:
        run_file.unlink()
    assert found.args == [Standing.GONE]
    assert document.is_dirty


def test_a_file_that_comes_back_as_it_was_is_saved_again(
    watch: FileWatch, document: Document, run_file: Path, qtbot
):
    away = run_file.with_name("away.toml")
    with qtbot.waitSignal(watch.found, timeout=10_000):
        run_file.rename(away)
    with qtbot.waitSignal(watch.found, timeout=10_000) as found:
        away.rename(run_file)
    assert found.args == [Standing.SAME]
    assert not document.is_dirty


def test_the_same_content_written_again_is_no_change(watch: FileWatch, run_file: Path, qtbot):
    run_file.write_text(OPENED, encoding="utf-8")
    with qtbot.assertNotEmitted(watch.found):
        assert looked(watch, qtbot) is Standing.SAME


def test_our_own_save_is_no_change(watch: FileWatch, document: Document, run_file: Path, qtbot):
    document.set_value("adapter.network_dim", 8)
    watch.check()  # one that began before
    document.save(run_file)
    assert looked(watch, qtbot) is Standing.SAME


def test_a_file_saved_under_another_name_is_watched_there(
    watch: FileWatch, document: Document, run_file: Path, tmp_path: Path, qtbot
):
    document.save(tmp_path / "other.toml")
    run_file.write_text(CHANGED, encoding="utf-8")
    assert looked(watch, qtbot) is Standing.SAME
    (tmp_path / "other.toml").write_text(CHANGED, encoding="utf-8")
    assert looked(watch, qtbot) is Standing.CHANGED


def test_a_document_that_is_kept_has_something_to_save(
    watch: FileWatch, document: Document, run_file: Path, qtbot
):
    run_file.write_text(CHANGED, encoding="utf-8")
    assert looked(watch, qtbot) is Standing.CHANGED
    assert not document.is_dirty
    watch.keep_document()
    assert document.is_dirty
    assert looked(watch, qtbot) is Standing.SAME


def test_a_look_that_began_before_the_answer_asks_nothing_again(
    watch: FileWatch, run_file: Path, qtbot
):
    run_file.write_text(CHANGED, encoding="utf-8")
    assert looked(watch, qtbot) is Standing.CHANGED
    with qtbot.waitSignal(watch._job.finished):
        watch.check()
        watch.keep_document()
    assert watch.standing is Standing.SAME


def test_a_kept_document_stays_unsaved_when_its_file_goes_and_comes_back(
    watch: FileWatch, document: Document, run_file: Path, qtbot
):
    run_file.write_text(CHANGED, encoding="utf-8")
    looked(watch, qtbot)
    watch.keep_document()
    away = run_file.with_name("away.toml")
    with qtbot.waitSignal(watch.found, timeout=10_000):
        run_file.rename(away)
    with qtbot.waitSignal(watch.found, timeout=10_000):
        away.rename(run_file)
    assert document.is_dirty


def test_it_looks_again_when_the_window_becomes_active(watch: FileWatch, run_file: Path, qtbot):
    looked(watch, qtbot)
    watch._watcher.removePaths([*watch._watcher.files(), *watch._watcher.directories()])
    run_file.write_text(CHANGED, encoding="utf-8")
    with qtbot.waitSignal(watch.found) as found:
        QGuiApplication.instance().applicationStateChanged.emit(
            Qt.ApplicationState.ApplicationActive
        )
    assert found.args == [Standing.CHANGED]


def test_another_document_ends_what_was_known_of_the_first(
    watch: FileWatch, document: Document, run_file: Path, qtbot
):
    run_file.write_text(CHANGED, encoding="utf-8")
    assert looked(watch, qtbot) is Standing.CHANGED
    document.new()
    assert watch.standing is Standing.SAME
    assert watch._watcher.files() == []
