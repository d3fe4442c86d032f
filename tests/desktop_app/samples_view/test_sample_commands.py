"""What can be done with samples by their menu, one or many of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop_app.document import Document
from desktop_app.models.prompt_choice import PromptChoice
from desktop_app.samples_view.grid import SampleGrid
from desktop_app.samples_view.sample_commands import SampleCommands

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def grid(samples, draw, qtbot) -> SampleGrid:
    grid = SampleGrid(samples)
    qtbot.addWidget(grid)
    grid.resize(600, 420)
    with qtbot.waitExposed(grid):
        grid.show()
    draw(0, 10)
    draw(1, 10)
    return grid


@pytest.fixture
def commands(grid, document: Document) -> SampleCommands:
    return SampleCommands(grid, grid.selected_samples, PromptChoice(document))


def centre(grid, row: int) -> QPoint:
    return grid.visualRect(grid.model().index(row, 0)).center()


def test_ctrl_a_selects_every_sample_and_they_are_copied_as_files(grid, commands):
    QTest.keyClick(grid, Qt.Key.Key_A, CONTROL)
    samples = grid.selected_samples()
    assert len(samples) == 2
    commands.copy.trigger()
    urls = QGuiApplication.clipboard().mimeData().urls()
    assert {Path(url.toLocalFile()) for url in urls} == {Path(s.path) for s in samples}
    commands.copy_prompt.trigger()
    assert QGuiApplication.clipboard().text() == "a red square\na green square"


def test_a_click_with_ctrl_selects_more_and_opens_nothing(grid, commands, qtbot):
    opened = []
    grid.picture_wanted.connect(opened.append)
    left = Qt.MouseButton.LeftButton
    QTest.mouseClick(grid.viewport(), left, pos=centre(grid, 0))
    assert len(opened) == 1
    QTest.mouseClick(grid.viewport(), left, CONTROL, centre(grid, 1))
    assert len(grid.selected_samples()) == 2
    assert len(opened) == 1


def test_prompts_are_added_to_the_list_once_with_their_seeds(document, samples, draw, grid):
    class Prompts(PromptChoice):
        added: tuple[str, ...] = ()

        def add(self, lines) -> None:
            self.added = tuple(lines)

    prompts = Prompts(document)
    commands = SampleCommands(grid, grid.selected_samples, prompts)
    grid.setCurrentIndex(grid.model().index(1, 0))
    commands.use_prompt.trigger()
    assert prompts.added == ("a green square --d 7",)
