"""Every dock of the window, in the order of the View menu. A new dock is one entry and one view."""

from __future__ import annotations

from PySide6.QtCore import Qt

from desktop_app.docks.dock import Dock
from trainer_core.texts import T

_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
_SETTINGS = "desktop_app.editors.page:SettingsPage"

DOCKS: tuple[Dock, ...] = (
    Dock("model", T("App", "Model"), "model", _LEFT, _SETTINGS, ("model", "adapter")),
    Dock("pictures", T("App", "Pictures"), "pictures", _LEFT, _SETTINGS, ("dataset",)),
    Dock("training", T("App", "Training"), "training", _LEFT, _SETTINGS, ("optimizer", "hardware")),
    Dock("output", T("App", "Output"), "output", _LEFT, _SETTINGS, ("output", "sampling")),
    Dock(
        "dataset",
        T("App", "Dataset"),
        "dataset",
        _RIGHT,
        "desktop_app.dataset_view.view:DatasetView",
    ),
    Dock(
        "charts",
        T("App", "Charts"),
        "charts",
        _RIGHT,
        "desktop_app.charts.view:ChartsView",
        is_built_late=True,  # the library that draws takes a tenth of the app's start to import
    ),
    Dock(
        "samples",
        T("App", "Samples"),
        "samples",
        _RIGHT,
        "desktop_app.samples_view.view:SamplesView",
    ),
    Dock("run", T("App", "Run"), "start", _RIGHT, "desktop_app.run_view.view:RunView"),
    Dock("log", T("App", "Log"), "log", _BOTTOM, "desktop_app.docks.log:LogView"),
    Dock(
        "problems",
        T("App", "Problems"),
        "problems",
        _BOTTOM,
        "desktop_app.docks.problems:ProblemsView",
        is_in_front=True,  # it leads through the first settings
    ),
    Dock(
        "tools",
        T("App", "Tools"),
        "tools",
        _RIGHT,
        "desktop_app.tools_view.view:ToolsView",
        is_built_late=True,
        is_open=False,  # training is what the window is for
    ),
)
