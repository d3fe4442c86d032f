from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from desktop_app.samples_view.viewer import SampleViewer


@pytest.fixture
def viewer(samples, qtbot):
    viewer = SampleViewer(samples)
    qtbot.addWidget(viewer)
    viewer.resize(600, 400)
    with qtbot.waitExposed(viewer):
        viewer.show()
    return viewer


@pytest.fixture
def three_steps(draw):
    """The pictures of the first prompt after three steps, each in its colour."""
    return [draw(0, 0, "#ff0000"), draw(0, 10, "#00ff00"), draw(0, 20, "#0000ff")]


def colour(pane) -> QColor:
    image = pane._picture.grab().toImage()
    return image.pixelColor(image.rect().center())


def test_a_sample_fills_the_room(viewer, three_steps, qtbot):
    viewer.show_sample(three_steps[1])
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#00ff00"))
    assert viewer.main.steps.currentText() == "Step 10"
    assert not viewer.other.isVisible()


def test_arrow_keys_go_through_the_steps_and_stop_at_the_ends(viewer, three_steps, qtbot):
    viewer.show_sample(three_steps[1])
    for key, step in (("Left", 0), ("Left", 0), ("Right", 10), ("Right", 20), ("Right", 20)):
        qtbot.keyClick(viewer, getattr(Qt.Key, f"Key_{key}"))
        assert viewer.main.sample.step == step
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#0000ff"))


def test_the_buttons_are_off_where_there_is_no_further_step(viewer, three_steps):
    viewer.show_sample(three_steps[0])
    assert (viewer.main._earlier.isEnabled(), viewer.main._later.isEnabled()) == (False, True)
    viewer.main._later.click()
    viewer.main._later.click()
    assert (viewer.main._earlier.isEnabled(), viewer.main._later.isEnabled()) == (True, False)


def test_two_steps_stand_side_by_side(viewer, three_steps, qtbot):
    viewer.show_sample(three_steps[2])
    viewer.compare.click()
    assert viewer.other.isVisible()
    qtbot.waitUntil(lambda: colour(viewer.other) == QColor("#ff0000"))
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#0000ff"))
    assert viewer.other.x() < viewer.main.x()


def test_each_side_has_its_own_step(viewer, three_steps, qtbot):
    viewer.show_sample(three_steps[2])
    viewer.compare.click()
    viewer.other.steps.setCurrentText("Step 10")
    qtbot.waitUntil(lambda: colour(viewer.other) == QColor("#00ff00"))
    assert viewer.main.sample.step == 20


def test_one_picture_alone_cannot_be_compared(viewer, draw):
    viewer.show_sample(draw(0, 10))
    assert not viewer.compare.isEnabled()
    draw(0, 20)
    assert viewer.compare.isEnabled()


def test_a_new_picture_is_offered_and_does_not_push_away_what_is_shown(viewer, three_steps, draw):
    viewer.show_sample(three_steps[1])
    draw(0, 30)
    draw(1, 40)
    offered = [viewer.main.steps.itemText(row) for row in range(viewer.main.steps.count())]
    assert offered == ["Before training", "Step 10", "Step 20", "Step 30"]
    assert viewer.main.sample.step == 10


def test_a_picture_drawn_again_is_read_again(viewer, three_steps, draw, qtbot):
    viewer.show_sample(three_steps[1])
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#00ff00"))
    draw(0, 10, "#ffffff")
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#ffffff"))


def test_a_file_that_vanished_is_said_to_be_gone(viewer, draw, monkeypatch, qtbot):
    said = []
    monkeypatch.setattr(
        "desktop_app.samples_view.painting.missing_words", lambda path: said.append(path) or "gone"
    )
    event = draw(0, 10)
    Path(event.path).unlink()
    viewer.show_sample(event)
    qtbot.waitUntil(lambda: said != [])
    assert set(said) == {Path(event.path)}


def test_out_of_sight_it_keeps_no_pictures_and_loads_them_again(viewer, three_steps, draw, qtbot):
    viewer.show_sample(three_steps[1])
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#00ff00"))
    viewer.hide()
    draw(0, 30)
    assert viewer.loader.is_idle
    assert viewer.loader.thumbnail(Path(three_steps[1].path)) is None
    viewer.show()
    qtbot.waitUntil(lambda: colour(viewer.main) == QColor("#00ff00"))


def test_escape_leads_back(viewer, three_steps, qtbot):
    viewer.show_sample(three_steps[0])
    with qtbot.waitSignal(viewer.closed):
        qtbot.keyClick(viewer, Qt.Key.Key_Escape)


def test_a_new_run_closes_it(viewer, three_steps, samples, qtbot):
    viewer.show_sample(three_steps[0])
    with qtbot.waitSignal(viewer.closed):
        samples.clear()
