"""The whole view of the samples: how to get some, then the grid, or some of them seen large."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from desktop_app.samples_view.grid import SampleGrid
from desktop_app.samples_view.sample_commands import SampleCommands
from desktop_app.samples_view.size_bar import SizeBar
from desktop_app.samples_view.viewer import SampleViewer
from desktop_app.translation import shown
from desktop_app.widgets.invitation import Invitation
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import SampleReady
from trainer_core.texts import T

_PROMPTS = "sampling.prompt_list"
_PROMPT_FILE = "sampling.sample_prompts"
_EVERY = "sampling.sample_every_n_steps"
_OCCASIONS = (_EVERY, "sampling.sample_every_n_epochs", "sampling.sample_at_first")


class _Advice(NamedTuple):
    headline: str
    words: str
    button: str
    setting: str


_WRITE_PROMPTS = _Advice(
    T("App", "See what the training does"),
    T(
        "App",
        "The trainer draws your prompts again and again while it learns, always with the same "
        "seeds.",
    ),
    T("App", "Write prompts"),
    _PROMPTS,
)
_CHOOSE_WHEN = _Advice(
    T("App", "When should samples be drawn?"),
    T(
        "App",
        "The prompts are there, but no time to draw them. Sample now, in the Run menu, draws "
        "them whenever you like.",
    ),
    T("App", "Choose when"),
    _EVERY,
)
_WAIT = _Advice(
    T("App", "Samples appear here"),
    T("App", "A row for each prompt and a column for each step at which they were drawn."),
    T("App", "Change when they are drawn"),
    _EVERY,
)


class SamplesView(QWidget):
    """Shows the workspace's samples."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._model = model = workspace.samples
        self._advice = _WAIT
        self.invitation = Invitation("samples", "", self)
        self.grid = SampleGrid(model, self)
        self.commands = SampleCommands(self.grid, self.grid.selected_samples, workspace.prompts)
        self.size_bar = SizeBar(self.grid, workspace.preferences, self)
        self.viewer = SampleViewer(model, self)
        for pane in (self.viewer.main, self.viewer.other):
            SampleCommands(pane, pane.shown_samples, workspace.prompts)
        self._pages = QStackedLayout(self)
        self._listed = QWidget(self)
        column = QVBoxLayout(self._listed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.size_bar)
        column.addWidget(self.grid, 1)
        for page in (self.invitation, self._listed, self.viewer):
            self._pages.addWidget(page)
        self.invitation.button.clicked.connect(self._on_button)
        self.grid.picture_wanted.connect(self._enlarge)
        self.viewer.closed.connect(self._on_viewer_closed)
        model.modelReset.connect(self._show_page)
        model.columnsInserted.connect(self._show_page)
        workspace.document.changed.connect(self.show_advice)
        workspace.document.replaced.connect(self.show_advice)
        self.show_advice()
        self._show_page()

    def show_advice(self) -> None:
        """Say how to get samples with the settings as they are now."""
        value = self._workspace.document.typed_value
        if not value(_PROMPTS) and not value(_PROMPT_FILE):
            self._advice = _WRITE_PROMPTS
        elif not any(value(path) for path in _OCCASIONS):
            self._advice = _CHOOSE_WHEN
        else:
            self._advice = _WAIT
        self.invitation.say(shown(self._advice.headline), shown(self._advice.words))
        self.invitation.button.setText(shown(self._advice.button))

    def _on_button(self) -> None:
        self._workspace.setting_wanted.emit(self._advice.setting)

    def _show_page(self) -> None:
        if self._model.columnCount() == 0:
            self._pages.setCurrentWidget(self.invitation)
        elif self._pages.currentWidget() is not self.viewer:
            self._pages.setCurrentWidget(self._listed)

    def _enlarge(self, sample: SampleReady) -> None:
        self._pages.setCurrentWidget(self.viewer)
        self.viewer.show_sample(sample)

    def _on_viewer_closed(self) -> None:
        if self._pages.currentWidget() is self.viewer:
            self._pages.setCurrentWidget(self._listed)
            self.grid.setFocus()
        self._show_page()
