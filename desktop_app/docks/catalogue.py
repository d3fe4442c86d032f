"""Every dock of the window, in the order of the View menu. A new dock is one file and one line."""

from __future__ import annotations

from desktop_app.docks.base import Dock
from desktop_app.docks.charts import ChartsDock
from desktop_app.docks.dataset import DatasetDock
from desktop_app.docks.log import LogDock
from desktop_app.docks.parameters import ParametersDock
from desktop_app.docks.problems import ProblemsDock
from desktop_app.docks.run import RunDock
from desktop_app.docks.samples import SamplesDock
from trainer_core.texts import T

DOCKS: tuple[Dock, ...] = (
    ParametersDock("model", T("App", "Model"), "model", ("model", "adapter")),
    ParametersDock("pictures", T("App", "Pictures"), "pictures", ("dataset",)),
    ParametersDock("training", T("App", "Training"), "training", ("optimizer", "hardware")),
    ParametersDock("output", T("App", "Output"), "output", ("output", "sampling")),
    DatasetDock(),
    ChartsDock(),
    SamplesDock(),
    RunDock(),
    LogDock(),
    ProblemsDock(),
)
