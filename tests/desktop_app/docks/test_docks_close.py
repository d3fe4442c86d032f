import gc
import threading
import weakref

import pytest
import shiboken6
from helpers.pictures import write_dataset
from PySide6.QtCore import QTimer

from desktop_app.docks.catalogue import DOCKS
from desktop_app.models.runs.log_model import Level
from trainer_core.protocol.messages import SampleReady, StepDone
from trainer_core.texts import text


@pytest.fixture
def busy_workspace(workspace, tmp_path, qtbot):
    """A workspace with pictures, a measured run, samples and a log."""
    names = [f"{number:03}.png" for number in range(30)]
    folder = write_dataset(tmp_path / "pictures", {"2_cat": dict.fromkeys(names)})
    workspace.document.set_value("dataset.train_data_dir", folder.as_posix())
    qtbot.waitUntil(lambda: len(workspace.dataset.rows) == 30)
    workspace.autosave.close()  # it would begin a thread of its own meanwhile
    stir(workspace, 1)
    return workspace


def stir(workspace, step: int) -> None:
    """Change something in every model."""
    event = StepDone(step=step, epoch=1, loss=0.5, learning_rates={"unet": 1e-4})
    workspace.metrics.feed(event)
    path = str(next(iter(workspace.dataset.rows)).path)
    at = {"step": step, "epoch": 1, "seed": 7, "path": path}
    workspace.samples.feed(SampleReady(prompt_index=0, prompt="a cat", **at))
    workspace.log.add(Level.INFO, text("line"))
    workspace.dataset.findings_changed.emit()
    workspace.document.set_value("dataset.train_batch_size", step)


@pytest.mark.parametrize("dock", DOCKS, ids=lambda dock: dock.name)
def test_a_closed_dock_leaves_nothing_behind(dock, busy_workspace, qtbot):
    threads = threading.active_count()
    alive = []
    for step in range(2, 7):
        view = dock.build(busy_workspace)
        view.resize(500, 400)
        view.show()
        stir(busy_workspace, step)
        qtbot.wait(20)
        alive.append(weakref.ref(view))
        timers = view.findChildren(QTimer)
        shiboken6.delete(view)
        assert not any(shiboken6.isValid(timer) for timer in timers)
        del view, timers
        stir(busy_workspace, step + 10)  # nobody may be left who listens
    gc.collect()
    assert [view() for view in alive] == [None] * len(alive)
    qtbot.waitUntil(lambda: threading.active_count() <= threads)  # idle threads end by themselves
