"""A person at the start sheet: waits until Start can be pressed, chooses as agreed, presses it."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from desktop_app.run_view.start_sheet import StartSheet
from desktop_app.words.name_ways import NameWay
from desktop_app.workspace import Workspace


class Starts:
    """Stands in for `desktop_app.run_view.start_sheet.confirm`.

    Starts whatever can start; of a taken name only what was agreed, else it cancels.

    Attributes:
        agreed: The ways to choose, one for each sheet that asks about a name.
        ways: What was chosen at each start.
        refused: How many sheets were cancelled.
    """

    def __init__(self, qtbot: QtBot) -> None:
        self.agreed: list[NameWay] = []
        self.ways: list[NameWay] = []
        self.labels: list[str] = []
        self.refused = 0
        self._qtbot = qtbot

    def __call__(self, sheet: StartSheet) -> bool:
        sheet.show()
        workspace: Workspace = sheet.workspace
        self._qtbot.waitUntil(lambda: not workspace.is_looking, timeout=20_000)
        taken = sheet.names.taken
        if taken is not None:
            self.labels = [offer.label for offer in taken.offers]
        if taken is not None and self.agreed:
            sheet.names.choose(self.agreed.pop(0))
        elif taken is not None:
            sheet.cancel_button.click()
        if sheet.isVisible() and sheet.start_button.isEnabled():
            sheet.start_button.click()
        is_confirmed = sheet.result() == StartSheet.DialogCode.Accepted
        if is_confirmed:
            self.ways.append(sheet.way)
        else:
            self.refused += 1
        sheet.hide()
        sheet.parentWidget().window().activateWindow()  # as every window system does
        return is_confirmed
