"""The editor of files and folders: typed, dropped or browsed for."""

from __future__ import annotations

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QToolButton, QWidget

from desktop_app.editors.base import Editor, add_menu_key
from desktop_app.theme import tokens
from desktop_app.translation import choice_label, shown
from desktop_app.widgets.drop_area import accept_copy, dropped_paths
from desktop_app.widgets.icon_button import IconButton
from trainer_core.dataset.listing import is_picture_name
from trainer_core.settings.document import UNSET
from trainer_core.settings.param import Param
from trainer_core.texts import T


class PathEditor(Editor):
    """Edits a path; an empty optional one is unset."""

    def __init__(self, param: Param, parent: QWidget | None = None) -> None:
        super().__init__(param, parent)
        self._field = QLineEdit(self)
        if param.is_optional:
            self._field.setPlaceholderText(choice_label(param, None))
        self._field.setAcceptDrops(False)  # it would take the address of a file as text
        self._field.editingFinished.connect(self.commit)
        self._field.textEdited.connect(self.edited)
        self.setAcceptDrops(True)
        self.row.setSpacing(tokens.current().gap_xs)
        self.row.addWidget(self._field)
        browse = self._browse_button()
        add_menu_key(self, browse)
        self.row.addWidget(browse)

    def raw(self) -> object:
        """Return the path as typed."""
        words = self._field.text().strip()
        return UNSET if self.param.is_optional and not words else words

    def set_raw(self, value: object) -> None:
        """Show a path, its end in sight."""
        words = "" if value == UNSET and self.param.is_optional else str(value)
        self._field.setText(words)
        self._field.setToolTip(words)
        self._field.end(False)  # the end of a long path tells more than its beginning

    def fields(self) -> tuple[QWidget, ...]:
        """Return the line."""
        return (self._field,)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take a file or folder that may be meant; what it is, is said once it was looked at."""
        paths = dropped_paths(event.mimeData())
        # What to do with a picture is for the window.
        if paths and not is_picture_name(paths[0].name):
            accept_copy(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Take the file or folder."""
        paths = dropped_paths(event.mimeData())
        if paths:
            accept_copy(event)
            self._take(str(paths[0]))

    def _browse_button(self) -> QToolButton:
        kind = self.param.spec.path_kind
        button = IconButton("folder", shown(T("App", "Browse…")), self)
        if kind == "new_file":
            button.clicked.connect(self._browse_new_file)
        elif kind == "file":
            button.clicked.connect(self._browse_file)
        elif kind == "folder":
            button.clicked.connect(self._browse_folder)
        else:
            menu = QMenu(button)
            menu.addAction(shown(T("App", "Choose a file…")), self._browse_file)
            menu.addAction(shown(T("App", "Choose a folder…")), self._browse_folder)
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _browse_file(self) -> None:
        label = shown(self.param.spec.label)
        path, _ = QFileDialog.getOpenFileName(self, label, self._field.text(), self._filter())
        self._take(path)

    def _browse_new_file(self) -> None:
        # No question about replacing: that is refused later, so there is nothing to agree to.
        label, option = shown(self.param.spec.label), QFileDialog.Option.DontConfirmOverwrite
        start, wanted = self._field.text(), self._filter()
        path, _ = QFileDialog.getSaveFileName(self, label, start, wanted, options=option)
        self._take(path)

    def _filter(self) -> str:
        patterns = self.param.spec.file_filter
        everything = shown(T("App", "All files (*)"))
        if not patterns:
            return everything
        return f"{shown(self.param.spec.label)} ({patterns});;{everything}"

    def _browse_folder(self) -> None:
        label = shown(self.param.spec.label)
        self._take(QFileDialog.getExistingDirectory(self, label, self._field.text()))

    def _take(self, path: str) -> None:
        if path:
            self.set_raw(path)
            self.commit()
