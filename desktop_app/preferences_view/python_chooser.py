"""The row that chooses the Python that trains: those found, another one, the app's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QWidget

from desktop_app.editors.choice import ChoiceField
from desktop_app.process.environment import own_python
from desktop_app.theme import tokens
from desktop_app.trainer_python.trainer_python import TrainerPython
from desktop_app.translation import shown
from desktop_app.widgets.drop_area import accept_copy, dropped_paths
from desktop_app.words.paths import from_home
from trainer_core.texts import T

ChoosePath = Callable[[QWidget, str, str], str]


def choose_file(parent: QWidget, title: str, folder: str) -> str:
    """Ask for a file; "" if none was chosen."""
    return QFileDialog.getOpenFileName(parent, title, folder)[0]


class PythonChooser(QWidget):
    """Choosing asks the Python first; the list goes back where it cannot be taken."""

    def __init__(
        self,
        python: TrainerPython,
        parent: QWidget | None = None,
        *,
        choose: ChoosePath = choose_file,
    ) -> None:
        super().__init__(parent)
        self._python = python
        self._choose = choose
        self.setAcceptDrops(True)
        self.list = ChoiceField(self)
        self.list.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.list.setMinimumContentsLength(12)
        self.list.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.list.setAccessibleName(shown(T("App", "Python that trains")))
        self.list.activated.connect(self._on_activated)
        self.other = QPushButton(shown(T("App", "Choose another…")), self)
        self.own = QPushButton(shown(T("App", "Use the app's own")), self)
        self.other.clicked.connect(self._on_other)
        self.own.clicked.connect(python.use_own)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(tokens.current().gap_m)
        layout.addWidget(self.list, 1)
        for button in (self.other, self.own):
            button.setAutoDefault(False)
            layout.addWidget(button)
        self.refresh()

    def refresh(self) -> None:
        """Show what is found and chosen now."""
        shown_path = self._python.candidate or self._python.path
        paths = list(self._python.surroundings.pythons if self._python.surroundings else ())
        if shown_path is not None and shown_path not in paths:
            paths.insert(0, shown_path)
        if paths != [self.list.itemData(row) for row in range(self.list.count())]:
            self._fill(paths)
        self.list.setCurrentIndex(-1 if shown_path is None else paths.index(shown_path))
        is_busy = self._python.installation is not None
        self.own.setVisible(not self._python.is_own and own_python() is not None)
        for widget in (self.list, self.other, self.own):
            widget.setEnabled(not is_busy)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take a Python or the folder of an environment."""
        if dropped_paths(event.mimeData()):
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Choose what was dropped."""
        paths = dropped_paths(event.mimeData())
        if paths:
            accept_copy(event)
            self._python.choose(paths[0])

    def _fill(self, paths: list[Path]) -> None:
        self.list.clear()
        for path in paths:
            words = from_home(path)
            if path == own_python():
                words = shown(T("App", "{path} (this app's own)"), path=words)
            self.list.addItem(words, path)
            self.list.setItemData(self.list.count() - 1, str(path), Qt.ItemDataRole.ToolTipRole)

    def _on_activated(self) -> None:
        path = self.list.currentData()
        if isinstance(path, Path) and path != self._python.path:
            self._python.choose(path)

    def _on_other(self) -> None:
        start = str(self._python.path.parent) if self._python.path else ""
        title = shown(T("App", "Choose the Python that trains"))
        path = self._choose(self, title, start)
        if path:
            self._python.choose(Path(path))
