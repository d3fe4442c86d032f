"""What the program is: version, libraries, licence, and where it keeps its files."""

from __future__ import annotations

import contextlib
import platform
from pathlib import Path

import PySide6
from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.outside import copy_text, open_path
from desktop_app.questions import Ask, ask
from desktop_app.theme import tokens
from desktop_app.theme.icons import app_icon
from desktop_app.translation import shown
from trainer_core.texts import T
from trainer_core.version import __version__

_SIGN_PX = 48
_LICENCE = "Apache 2.0"


class About(QDialog):
    """Facts that a person may want, or is asked for with a report."""

    def __init__(self, data_dir: Path, parent: QWidget | None = None, *, ask: Ask = ask) -> None:
        super().__init__(parent)
        self._ask = ask
        self._data_dir = data_dir
        self.setWindowTitle(shown(T("App", "About LoRA Loom")))
        self.facts = {
            shown(T("App", "Version")): __version__,
            "Python": platform.python_version(),
            "Qt": shown(
                T("App", "{qt} (PySide {pyside})"), qt=qVersion(), pyside=PySide6.__version__
            ),
            shown(T("App", "System")): platform.platform(),
            shown(T("App", "Licence")): _LICENCE,
            shown(T("App", "Files of the app")): str(data_dir),
        }
        look = tokens.current()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[look.gap_xl] * 4)
        layout.setSpacing(look.gap_xl)
        layout.addLayout(_heading(self))
        layout.addLayout(self._table())
        layout.addWidget(self._buttons())

    def _table(self) -> QFormLayout:
        look = tokens.current()
        table = QFormLayout()
        table.setHorizontalSpacing(look.gap_l)
        table.setVerticalSpacing(look.gap_m)
        for name, value in self.facts.items():
            label = QLabel(value, self, wordWrap=True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            heading = QLabel(name, self)
            heading.setProperty("role", "dim")
            table.addRow(heading, label)
        return table

    def _buttons(self) -> QDialogButtonBox:
        role = QDialogButtonBox.ButtonRole
        buttons = QDialogButtonBox(self)
        folder = QPushButton(shown(T("App", "Open folder")), self)
        folder.clicked.connect(self._open_folder)
        copy = QPushButton(shown(T("App", "Copy")), self)
        copy.setToolTip(shown(T("App", "Copy these facts, for a report of a problem")))
        copy.clicked.connect(self._copy)
        buttons.addButton(folder, role.ActionRole)
        buttons.addButton(copy, role.ActionRole)
        close = buttons.addButton(shown(T("App", "Close")), role.RejectRole)
        close.setDefault(True)
        close.setFocus()
        buttons.rejected.connect(self.reject)
        return buttons

    def _open_folder(self) -> None:
        with contextlib.suppress(OSError):  # what cannot be opened is said in words
            self._data_dir.mkdir(parents=True, exist_ok=True)
        open_path(self._data_dir, self, ask=self._ask)

    def _copy(self) -> None:
        lines = (f"{name}: {value}" for name, value in self.facts.items())
        copy_text("\n".join(lines))


def _heading(parent: QWidget) -> QHBoxLayout:
    look = tokens.current()
    sign, title = QLabel(parent), QLabel("LoRA Loom", parent)
    sign.setPixmap(app_icon().pixmap(QSize(_SIGN_PX, _SIGN_PX)))
    title.setFont(tokens.font(2 * look.font_large, bold=True))
    heading = QHBoxLayout()
    heading.setSpacing(look.gap_l)
    heading.addWidget(sign)
    heading.addWidget(title, 1)
    return heading
