"""Everything about the picture that is selected."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from desktop_app.dataset_view.summary import size_words
from desktop_app.models.finding_words import way_out, what
from desktop_app.models.picture_row import PictureRow
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import ElidedLabel
from trainer_core.texts import T

_CAPTION_LINES = 3


class PictureDetails(QFrame):
    """Name, sizes, the whole caption, and the findings with their ways out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._facts = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._facts.setProperty("role", "dim")
        self._caption = QPlainTextEdit(self)
        self._caption.setReadOnly(True)
        self._caption.setAccessibleName(shown(T("App", "Caption")))
        self._caption.setPlaceholderText(shown(T("App", "No caption")))
        lines = self._caption.fontMetrics().lineSpacing() * _CAPTION_LINES
        self._caption.setFixedHeight(lines + 2 * look.gap_m + 2 * look.gap_s)
        self._findings = QLabel(self)
        self._findings.setWordWrap(True)
        self._findings.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(look.gap_m, look.gap_s, look.gap_m, look.gap_m)
        column.setSpacing(look.gap_s)
        for part in (self._facts, self._caption, self._findings):
            column.addWidget(part)

    def show_picture(self, row: PictureRow | None) -> None:
        """Show a picture; hide if there is none."""
        self.setVisible(row is not None)
        if row is None:
            return
        self._facts.setText(_facts(row))
        if self._caption.toPlainText() != row.caption:
            self._caption.setPlainText(row.caption)
        self._findings.setVisible(bool(row.findings))
        if row.severity is not None:
            lines = [f"{what(f, row.folder)} {way_out(f)}".strip() for f in row.findings]
            self._findings.setText("\n".join(lines))
            self._findings.setProperty("role", str(row.severity))
            self._findings.style().polish(self._findings)


def _facts(row: PictureRow) -> str:
    template = T("App", "{name}   {size} px, trained at {bucket}, {repeats} times per epoch")
    if row.size is None:
        template = T("App", "{name}   cannot be read")
    elif row.bucket is None:
        template = T("App", "{name}   {size} px, not trained")
    return shown(
        template,
        name=row.path.name,
        size=size_words(row.size),
        bucket=size_words(row.bucket),
        repeats=row.repeats,
    )
