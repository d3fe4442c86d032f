from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset, write_picture
from pytestqt.qtbot import QtBot

from desktop_app.dataset_view.view import DatasetView
from desktop_app.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two concepts; a wide picture, and one without a caption of its own."""
    folders = {
        "10_zxq cat": {
            "a.png": None,
            "a.txt": "zxq cat, sitting",
            "b.png": None,
            "b.txt": "zxq cat, asleep\r\nsecond line\r\n",
            "c.png": None,
        },
        "3_style": {"d.png": None, "d.txt": "a house"},
    }
    root = write_dataset(tmp_path / "pictures", folders, size=(512, 512))
    write_picture(root / "3_style" / "d.png", (900, 512))
    return root


@pytest.fixture
def view(workspace: Workspace, folder: Path, qtbot: QtBot) -> DatasetView:
    """The view of the folder once it was looked at."""
    view = DatasetView(workspace)
    assert isinstance(view, DatasetView)
    qtbot.addWidget(view)
    view.resize(900, 500)
    with qtbot.waitExposed(view):
        view.show()
    view.activateWindow()
    workspace.document.set_value("dataset.train_data_dir", folder.as_posix())
    qtbot.waitUntil(lambda: len(workspace.dataset.rows) == 4 and not workspace.dataset.is_busy)
    return view


@pytest.fixture
def cats(folder: Path) -> Path:
    return folder / "10_zxq cat"
