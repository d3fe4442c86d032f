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
    Dock(
        "model",
        T("App", "Model"),
        _LEFT,
        _SETTINGS,
        "model",
        ("model", "adapter"),
        built="first",
    ),
    Dock(
        "pictures",
        T("App", "Dataset settings"),
        _LEFT,
        _SETTINGS,
        "pictures",
        ("dataset", "buckets", "captions", "augmentation", "cache", "validation"),
    ),
    Dock("training", T("App", "Training"), _LEFT, _SETTINGS, "training", ("optimizer", "hardware")),
    Dock("sampling", T("App", "Sampling"), _LEFT, _SETTINGS, "sampling", ("sampling",)),
    Dock("output", T("App", "Output"), _LEFT, _SETTINGS, "output", ("output",)),
    Dock(
        "dataset",
        T("App", "Dataset"),
        _RIGHT,
        "desktop_app.dataset_view.view:DatasetView",
        "dataset",
        built="first",
    ),
    Dock(
        "charts",
        T("App", "Charts"),
        _RIGHT,
        "desktop_app.charts.view:ChartsView",
        "charts",
        built="seen",  # the library that draws takes a tenth of the app's start to import
    ),
    Dock(
        "samples",
        T("App", "Samples"),
        _RIGHT,
        "desktop_app.samples_view.view:SamplesView",
        "samples",
        is_aside=True,  # seen together with the charts
    ),
    Dock(
        "run",
        T("App", "Run"),
        _RIGHT,
        "desktop_app.run_view.view:RunView",
        "start",
        is_aside=True,
    ),
    Dock(
        "log",
        T("App", "Log"),
        _BOTTOM,
        "desktop_app.docks.log:LogView",
        "log",
        built="first",  # the one beside it that folds asks how high it is
    ),
    Dock(
        "problems",
        T("App", "Problems"),
        _BOTTOM,
        "desktop_app.docks.problems:ProblemsView",
        "problems",
        built="first",
        is_in_front=True,  # it leads through the first settings
        folds=True,
    ),
    Dock(
        "tools",
        T("App", "Tools"),
        _RIGHT,
        "desktop_app.tools_view.view:ToolsView",
        "tools",
        built="seen",
        is_open=False,  # training is what the window is for
    ),
)
