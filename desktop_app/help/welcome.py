"""The welcome of a start without a file: three doors, and the runs opened last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.commands.files import FileCommands
from desktop_app.theme import tokens
from desktop_app.theme.icons import app_icon
from desktop_app.translation import shown
from desktop_app.widgets.door import Door
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.words.paths import places
from trainer_core.texts import T, visible

_WIDTH_PX = 520
_SIGN_PX = 48
_RECENT_SHOWN = 5


class Welcome(QDialog):
    """Leads a person to the demo, to pictures or to a file, and goes once something is open."""

    def __init__(
        self,
        files: FileCommands,
        try_demo: Callable[[], bool],
        recent: Sequence[Path],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._files = files
        self._try_demo = try_demo
        self._window = window
        self.setWindowTitle(shown(T("App", "Welcome to LoRA Loom")))
        self.setMinimumWidth(_WIDTH_PX)
        self.setAcceptDrops(True)
        look = tokens.current()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[look.gap_xl] * 4)
        layout.setSpacing(look.gap_m)
        layout.addLayout(self._heading())
        layout.addSpacing(look.gap_m)
        self.doors = self._doors()
        self.links: list[QPushButton] = []
        for door in self.doors:
            layout.addWidget(door)
        layout.addSpacing(look.gap_m)
        if recent:
            layout.addLayout(self._recent(recent[:_RECENT_SHOWN]))
            layout.addSpacing(look.gap_m)
        layout.addLayout(self._footer())
        # Enter leads on: a newcomer to the demo, somebody who was here before to the last run.
        (self.links or self.doors)[0].setFocus()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take what the window takes."""
        self._window.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Do with it what the window does."""
        self._window.dropEvent(event)  # sent as an event, it would come back here
        self.accept()

    def _heading(self) -> QHBoxLayout:
        look = tokens.current()
        sign, title = QLabel(self), QLabel("LoRA Loom", self)
        sign.setPixmap(app_icon().pixmap(QSize(_SIGN_PX, _SIGN_PX)))
        title.setFont(tokens.font(2 * look.font_large, bold=True))
        line = QLabel(
            shown(T("App", "Teach a picture model your subject or style, on your own machine.")),
            self,
            wordWrap=True,
        )
        line.setProperty("role", "dim")
        words = QVBoxLayout()
        words.setSpacing(look.gap_xs)
        words.addWidget(title)
        words.addWidget(line)
        heading = QHBoxLayout()
        heading.setSpacing(look.gap_l)
        heading.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        heading.addLayout(words, 1)
        return heading

    def _doors(self) -> list[Door]:
        demo = Door(
            "start",
            shown(T("App", "Try the demo")),
            shown(T("App", "Trains a small model on 15 pictures, in a minute or two.")),
            self,
        )
        pictures = Door(
            "pictures",
            shown(T("App", "Open pictures…")),
            shown(T("App", "Choose the folder of pictures to learn from.")),
            self,
        )
        file = Door(
            "file",
            shown(T("App", "Open a run file…")),
            shown(T("App", "Go on with a run that was saved before (.toml).")),
            self,
        )
        demo.clicked.connect(partial(self._enter, self._try_demo))
        pictures.clicked.connect(partial(self._enter, self._files.open_pictures))
        file.clicked.connect(partial(self._enter, self._files.open))
        return [demo, pictures, file]

    def _recent(self, paths: Sequence[Path]) -> QGridLayout:
        look = tokens.current()
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.gap_l)
        grid.setVerticalSpacing(look.gap_s)
        grid.setColumnStretch(1, 1)
        heading = QLabel(shown(T("App", "Recent runs")), self)
        heading.setProperty("role", "dim")
        grid.addWidget(heading, 0, 0, 1, 2)
        for row, (path, place) in enumerate(zip(paths, places(paths), strict=True), start=1):
            link = QPushButton(visible(path.name).replace("&", "&&"), self)
            link.setProperty("role", "link")
            link.setCursor(Qt.CursorShape.PointingHandCursor)
            link.setToolTip(visible(path))
            self.links.append(link)
            link.clicked.connect(partial(self._enter, partial(self._files.open_recent, path)))
            folder = ElidedLabel(parent=self)
            folder.setText(place)
            folder.setProperty("role", "dim")
            grid.addWidget(link, row, 0)
            grid.addWidget(folder, row, 1)
        return grid

    def _footer(self) -> QHBoxLayout:
        hint = QLabel(shown(T("App", "Or drop a folder or a file here.")), self)
        hint.setProperty("role", "dim")
        close = QPushButton(shown(T("App", "Start empty")), self)
        close.clicked.connect(self.reject)
        footer = QHBoxLayout()
        footer.addWidget(hint, 1)
        footer.addWidget(close)
        return footer

    def _enter(self, way: Callable[[], bool]) -> None:
        if way():
            self.accept()
