"""The dialog that changes many captions: what, in which of them, and what they will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from desktop_app.background import LatestJob
from desktop_app.captions import Captions
from desktop_app.captions_view.forms import CaptionForm
from desktop_app.captions_view.preview import (
    ChangesTable,
    Column,
    ReadCaption,
    changes_of,
    read_captions,
)
from desktop_app.models.pictures.caption_batch import BatchResult, CaptionChange
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.wrapped_label import WrappedLabel
from trainer_core.texts import T

_WIDTH_PX, _HEIGHT_PX = 760, 560
_PAUSE_MS = 120  # of typing


@dataclass(frozen=True, slots=True)
class Scope:
    """Some pictures that people may mean, and what these are called."""

    label: str
    rows: Sequence[PictureRow]


class CaptionsDialog(QDialog):
    """Nothing is written before the button is pressed; what is written is one step of undo."""

    def __init__(
        self,
        form: CaptionForm,
        scopes: Sequence[Scope],
        captions: Captions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.form = form
        self._scopes = scopes
        self._captions = captions
        self._read: list[ReadCaption] | None = None
        self.changes: list[CaptionChange] = []
        self.scope = QComboBox(self)
        self.scope.addItems([scope.label for scope in scopes])
        self.table = ChangesTable(self)
        self._note = WrappedLabel(self)
        self.failure = WrappedLabel(self)
        buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self.apply = buttons.addButton("", role.AcceptRole)
        buttons.addButton(shown(T("App", "Cancel")), role.RejectRole)
        self._lay_out(buttons)
        self._reading = LatestJob(self, only_reads=True)
        self._reading.finished.connect(self._on_read)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._work_out)
        self._working = LatestJob(self, only_reads=True)
        self._working.finished.connect(self._on_worked_out)
        form.changed.connect(self._on_asked)
        self.scope.currentIndexChanged.connect(self._read_captions)
        buttons.accepted.connect(self._on_apply)
        buttons.rejected.connect(self.reject)
        captions.batch.progressed.connect(self._on_progressed)
        captions.batch.finished.connect(self._on_finished)
        self.finished.connect(self._reading.close)
        self.finished.connect(self._working.close)
        self._is_writing = False
        self.failure.hide()
        form.widget.setFocus()
        self._read_captions()

    def _read_captions(self) -> None:
        self._captions.commit()  # what is typed is what people see
        self._read = None
        rows = self._scopes[self.scope.currentIndex()].rows
        self._reading.start(lambda job: read_captions(job, rows))
        self._on_worked_out([])

    def _on_read(self, found: list[ReadCaption] | None) -> None:
        self._read = found or []
        self._work_out()

    def _on_asked(self) -> None:
        self.apply.setEnabled(False)  # what is seen is not what is asked for yet
        self._pause.start()

    def _work_out(self) -> None:
        captions, edit = self._read or [], self.form.edit()
        self._working.start(lambda job: changes_of(job, captions, edit))

    def _on_worked_out(self, changes: list[CaptionChange] | None) -> None:
        self.changes = changes or []
        self.table.show(self.changes)
        count = len(self.changes)
        self.apply.setText(shown(T("App", "Change captions ({count})"), count=count))
        self.apply.setEnabled(count > 0 and not self._is_writing)
        self._note.say(self._words())

    def _words(self) -> str:
        if self._read is None:
            return shown(T("App", "Reading the captions…"))
        facts = {"count": len(self.changes), "total": len(self._read)}
        words = shown(T("App", "Changed: {count} of {total}."), **facts)
        unread = sum(caption.text is None for caption in self._read)
        if unread:
            more = shown(T("App", "Cannot be read, and stay as they are: {count}."), count=unread)
            words = shown(T("App", "{first} {second}"), first=words, second=more)
        return words

    def _on_apply(self) -> None:
        self._is_writing = True
        self.failure.say("")
        self.apply.setEnabled(False)
        self.form.widget.setEnabled(False)
        self.scope.setEnabled(False)
        self._captions.batch.make(self.changes, self.form.title)

    def _on_progressed(self, done: int, total: int) -> None:
        if self._is_writing:
            self._note.say(shown(T("App", "Written: {done} of {total}"), done=done, total=total))

    def _on_finished(self, result: BatchResult) -> None:
        if not self._is_writing:
            return
        self._is_writing = False
        if not result.errors:
            self.accept()
            return
        self.form.widget.setEnabled(True)
        self.scope.setEnabled(True)
        self._read_captions()
        self.failure.say(result.unwritten, "error")

    def _lay_out(self, buttons: QDialogButtonBox) -> None:
        look = tokens.current()
        self.setWindowTitle(self.form.headline)
        self.resize(_WIDTH_PX, _HEIGHT_PX)
        view = _table_view(self.table)
        self.scope.setAccessibleName(shown(T("App", "Which captions")))
        column = QVBoxLayout(self)
        column.setContentsMargins(*[look.gap_l] * 4)
        column.setSpacing(look.gap_m)
        column.addWidget(self.form.widget)
        column.addWidget(self.scope, 0, Qt.AlignmentFlag.AlignLeft)
        heading = QLabel(shown(T("App", "What changes")), self)
        heading.setFont(tokens.font(bold=True))
        column.addWidget(heading)
        column.addWidget(view, 1)
        column.addWidget(self._note)
        column.addWidget(self.failure)
        column.addWidget(buttons)


def _table_view(model: ChangesTable) -> QTreeView:
    view = QTreeView()
    view.setModel(model)
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    view.setAccessibleName(shown(T("App", "What changes")))
    header = view.header()
    header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(Column.PICTURE, QHeaderView.ResizeMode.Interactive)
    return view
