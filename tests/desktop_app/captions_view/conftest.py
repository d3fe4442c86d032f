from __future__ import annotations

from pathlib import Path

import pytest
from helpers.pictures import write_dataset
from pytestqt.qtbot import QtBot

from desktop_app.dataset_view.view import DatasetView
from desktop_app.workspace import Workspace


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """Pictures with a caption, with one in Windows' line ends, in Latin 1, and with none."""
    files = {
        "a.png": None,
        "a.txt": "a red cat, sitting",
        "b.png": None,
        "b.txt": "a cat\r\nred notes\r\n",
        "c.png": None,
        "c.txt": "ein Café".encode("cp1252"),
        "d.png": None,
    }
    return write_dataset(tmp_path, {"2_zxq cat": files}) / "2_zxq cat"


@pytest.fixture
def view(workspace: Workspace, cats: Path, qtbot: QtBot) -> DatasetView:
    view = DatasetView(workspace)
    qtbot.addWidget(view)
    view.show()
    workspace.document.set_value("dataset.train_data_dir", cats.parent.as_posix())
    qtbot.waitUntil(lambda: len(workspace.dataset.rows) == 4 and not workspace.dataset.is_busy)
    return view
