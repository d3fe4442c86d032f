"""The toolbar: files, undo, and the run."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton, QWidget

from desktop_app.theme import tokens
from desktop_app.theme.icons import icon
from desktop_app.translation import shown
from trainer_core.texts import T


class MainToolBar(QToolBar):
    """The window's only toolbar."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(shown(T("App", "Toolbar")), parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.toggleViewAction().setVisible(False)  # without it there would be no way to start
        size = tokens.current().icon_m
        self.setIconSize(QSize(size, size))
        for name in ("welcome", "new", "open", "save"):
            self.addAction(actions[name])
        self.addSeparator()
        for name in ("undo", "redo"):
            self.addAction(actions[name])
        self.addSeparator()
        self.start_button = self._start_button(actions["start"])
        self.stop_button = self._stop_button(actions)
        for name in ("pause", "go_on", "save_now", "sample_now"):
            self.addAction(actions[name])

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icon of Start in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "start_button"):
            self._draw_start()

    def _start_button(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setText(shown(T("App", "Start")))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setProperty("role", "primary")
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        self.addWidget(button)
        self.start_button = button
        self._draw_start()
        return button

    def _draw_start(self) -> None:
        self.start_button.setIcon(icon("start", tokens.current().on_accent))

    def _stop_button(self, actions: Mapping[str, QAction]) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(actions["stop_and_save"])
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        menu = QMenu(button)
        menu.addAction(actions["stop_and_save"])
        menu.addAction(actions["stop_now"])
        button.setMenu(menu)
        # Once it is stopping, the button offers to do so without saving: a change of mind.
        stop, now = actions["stop_and_save"], actions["stop_now"]
        now.enabledChanged.connect(lambda _: _offer(button, stop, now))
        stop.enabledChanged.connect(lambda _: _offer(button, stop, now))
        self.addWidget(button)
        return button


def _offer(button: QToolButton, stop: QAction, now: QAction) -> None:
    is_stopping = now.isEnabled() and not stop.isEnabled()
    button.setDefaultAction(now if is_stopping else stop)
