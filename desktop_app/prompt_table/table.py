"""The view of the prompts: narrow enough for a page of settings, every cell typed in place."""

from __future__ import annotations

from PySide6.QtCore import (
    QItemSelection,
    QModelIndex,
    QPersistentModelIndex,
    QRegularExpression,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QRegularExpressionValidator,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop_app.prompt_table.model import Column, PromptTableModel, pattern_of
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.files.plain_text import lines_of
from trainer_core.texts import T

_FEWEST_ROWS, _MOST_ROWS = 3, 8
_WIDEST = {  # what the columns of numbers have room for
    Column.SIZE: "768 × 1024",
    Column.SEED: "12345",
    Column.STEPS: "1000",
    Column.SCALE: "12.5",
}
_NEGATIVE_SHARE = 0.4  # of what the numbers leave


class PromptTable(QTableView):
    """A few rows of prompts; Delete removes those chosen, Ctrl+V adds a row for each line."""

    selection_changed = Signal()

    def __init__(self, model: PromptTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setModel(model)
        self.setItemDelegate(_Cells(self))
        self.setProperty("role", "field")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setTabKeyNavigation(False)  # Tab leaves for the next setting
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self._row_height())
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(Column.PROMPT, QHeaderView.ResizeMode.Stretch)

    @property
    def has_selection(self) -> bool:
        """True if rows are chosen."""
        return self.selectionModel().hasSelection()

    def add_row(self) -> None:
        """Add an empty row and type into it."""
        self._model.append([""])
        self.updateGeometry()
        new = self._model.index(self._model.rowCount() - 1, Column.PROMPT)
        self.setCurrentIndex(new)
        self.edit(new)

    def remove_selected(self) -> None:
        """Remove the chosen rows."""
        rows = [index.row() for index in self.selectionModel().selectedRows()]
        self._model.remove(rows)
        if rows:
            next_row = min(min(rows), self._model.rowCount() - 1)
            self.setCurrentIndex(self._model.index(next_row, Column.PROMPT))
        self.updateGeometry()
        self.selection_changed.emit()

    def finish_typing(self) -> None:
        """Take over the cell that is being typed, if any."""
        if self.state() == QAbstractItemView.State.EditingState:
            self.setFocus()  # the line that is typed into hands its text over when it loses it

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Remove what is chosen, or add what is pasted."""
        if self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)  # what the line that is typed into left over
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_selected()
        elif event.matches(QKeySequence.StandardKey.Paste):
            lines = lines_of(QGuiApplication.clipboard().text())
            self._model.append([" ".join(line.split()) for line in lines if line.strip()])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.edit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def selectionChanged(  # noqa: N802 - Qt's name
        self, selected: QItemSelection, deselected: QItemSelection
    ) -> None:
        """Tell of it."""
        super().selectionChanged(selected, deselected)
        self.selection_changed.emit()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height of the rows, within limits."""
        rows = max(_FEWEST_ROWS, min(self._model.rowCount(), _MOST_ROWS))
        frame = 2 * self.frameWidth()
        height = self.horizontalHeader().sizeHint().height() + rows * self._row_height() + frame
        return QSize(super().sizeHint().width(), height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a width that lets the form become narrow."""
        return QSize(0, self.sizeHint().height())

    def updateGeometries(self) -> None:  # noqa: N802 - Qt's name
        """Give the columns of numbers what they need, and share the rest out."""
        super().updateGeometries()
        gap, metrics = tokens.current().gap_l, self.fontMetrics()
        widths = {
            column: metrics.horizontalAdvance(max(words, self._heading(column), key=len)) + gap
            for column, words in _WIDEST.items()
        }
        rest = self.viewport().width() - sum(widths.values())
        widths[Column.NEGATIVE] = max(round(rest * _NEGATIVE_SHARE), gap)
        for column, width in widths.items():
            if self.columnWidth(column) != width:
                self.setColumnWidth(column, width)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Say in an empty table what may be put into it."""
        super().paintEvent(event)
        if self._model.rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().placeholderText().color())
            gap = tokens.current().gap_m
            place = self.viewport().rect().adjusted(gap, 0, -gap, 0)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
            words = T("App", "What should be drawn while it trains? Type, paste or drop a file.")
            painter.drawText(place, flags, shown(words))
            painter.end()

    def _heading(self, column: Column) -> str:
        return str(self._model.headerData(column, Qt.Orientation.Horizontal))

    def _row_height(self) -> int:
        return self.fontMetrics().height() + 2 * tokens.current().gap_s


class _Cells(QStyledItemDelegate):
    """Draws dimly what a prompt does not say itself; lets nothing be typed that does not fit."""

    def createEditor(  # noqa: N802 - Qt's name
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        """Return a line that takes only what fits into the column."""
        line = QLineEdit(parent)
        line.setProperty("role", "cell")
        heading = index.model().headerData(index.column(), Qt.Orientation.Horizontal)
        line.setPlaceholderText(str(heading))
        pattern = QRegularExpression(f"({pattern_of(Column(index.column()))})?")
        line.setValidator(QRegularExpressionValidator(pattern, line))
        return line

    def updateEditorGeometry(  # noqa: N802 - Qt's name
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Let words be typed over the whole row: a column is narrow for them."""
        super().updateEditorGeometry(editor, option, index)
        if index.column() not in _WIDEST:
            place, row = editor.geometry(), editor.parentWidget()
            assert row is not None, "it is made inside the table"
            editor.setGeometry(0, place.y(), row.width(), place.height())

    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Dim what holds where nothing is said."""
        super().initStyleOption(option, index)
        model = index.model()
        if isinstance(model, PromptTableModel) and not model.is_said(index):
            dim = option.palette.placeholderText()
            option.palette.setBrush(QPalette.ColorRole.Text, dim)
