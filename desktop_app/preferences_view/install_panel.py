"""How an installation goes: its step, a bar, what pip is doing, and everything it wrote."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.theme import tokens
from desktop_app.trainer_python.installation import Installation, InstallEnd, Progress
from desktop_app.translation import shown
from desktop_app.widgets.collapsible import Collapsible
from desktop_app.widgets.elided_label import ElidedLabel
from trainer_core.texts import T

_THOUSANDTHS = 1000
_OUTPUT_LINES_SHOWN = 10


class InstallPanel(QWidget):
    """Hidden until something is installed; afterwards it says how that ended."""

    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self, wordWrap=True)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(shown(T("App", "Progress of the installation")))
        self.activity = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self.activity.setProperty("role", "dim")
        self.hint = QLabel(self, wordWrap=True)
        self.hint.setProperty("role", "dim")
        self.cancel = QPushButton(shown(T("App", "Cancel")), self)
        self.cancel.setAutoDefault(False)
        self.cancel.clicked.connect(self._on_cancel)
        self.output = QPlainTextEdit(self)
        self.output.setReadOnly(True)
        self.output.setAccessibleName(shown(T("App", "Output of the installation")))
        self.output.setFixedHeight(_OUTPUT_LINES_SHOWN * self.output.fontMetrics().lineSpacing())
        self.output.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details = Collapsible(shown(T("App", "Show output")), self.output, self)
        self._lay_out()
        self.hide()

    def follow(self, installation: Installation) -> None:
        """Show an installation that has begun."""
        self.output.setPlainText("\n".join(installation.output))
        installation.wrote.connect(self.output.appendPlainText)
        installation.progressed.connect(self.show_progress)
        self._set_going(True)
        self.show_progress(installation.progress)

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is."""
        values = {"number": max(progress.step, 1), "count": progress.steps}
        title = shown(progress.title)
        self.title.setText(shown(T("App", "{title} ({number} of {count})"), title=title, **values))
        if progress.total:
            self.bar.setRange(0, _THOUSANDTHS)
            self.bar.setValue(_THOUSANDTHS * progress.done // progress.total)
        else:
            self.bar.setRange(0, 0)
        self.activity.setText(_activity(progress))

    def show_end(self, end: InstallEnd, output: list[str]) -> None:
        """Say how it ended."""
        self._set_going(False)
        if not self.output.toPlainText():
            self.output.setPlainText("\n".join(output))
        done = T("App", "Everything is installed.")
        self._set_title(shown(end.sentence or done), _role(end))
        self.hint.setText(shown(end.hint) if end.hint else "")
        self.hint.setVisible(end.hint is not None)

    def _set_going(self, is_going: bool) -> None:
        self.show()
        self.bar.setVisible(is_going)
        self.activity.setVisible(is_going)
        self.cancel.setVisible(is_going)
        self.cancel.setEnabled(is_going)
        if is_going:
            self._set_title("", "")
            self.hint.hide()

    def _set_title(self, words: str, role: str) -> None:
        self.title.setText(words)
        self.title.setProperty("role", role)
        self.title.style().polish(self.title)

    def _on_cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.cancel_wanted.emit()

    def _lay_out(self) -> None:
        look = tokens.current()
        line = QHBoxLayout()
        line.setSpacing(look.gap_m)
        line.addWidget(self.bar, 1)
        line.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(look.gap_s)
        for widget in (self.title, self.hint):
            layout.addWidget(widget)
        layout.addLayout(line)
        layout.addWidget(self.activity)
        layout.addWidget(self.details)


def _role(end: InstallEnd) -> str:
    if end.ok:
        return "success"
    return "warning" if end.is_cancelled else "error"


def _activity(progress: Progress) -> str:
    words = shown(progress.activity) if progress.activity else ""
    if progress.packages:
        template = T("App", "{activity}  ·  package {number}")
        return shown(template, activity=words, number=progress.packages)
    return words
