"""The part of the start sheet that decides about a name which an earlier run has."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QFrame, QLabel, QRadioButton, QVBoxLayout, QWidget

from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.words.name_ways import NameWay, Offer, TakenName
from trainer_core.texts import T


class NameChoice(QFrame):
    """A radio button for every way on; shown only while the name is taken."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self.setProperty("banner", "warning")
        self._taken: TakenName | None = None
        self._chosen: NameWay | None = None  # by the user, not by us
        self._headline = QLabel(self, wordWrap=True)
        self._headline.setTextFormat(Qt.TextFormat.PlainText)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._on_clicked)
        self._ways = list(NameWay)
        self._buttons: dict[NameWay, QRadioButton] = {}
        self._words: dict[NameWay, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(look.gap_l, look.gap_m, look.gap_l, look.gap_m)
        column.setSpacing(look.gap_xs)
        column.addWidget(self._headline)
        for way in (NameWay.GO_ON, NameWay.RENAME, NameWay.REPLACE):
            self._add(way, column)
        self.hide()

    @property
    def way(self) -> NameWay:
        """What is chosen."""
        checked = self._group.checkedId()
        return NameWay.FREE if self._taken is None else self._ways[checked]

    @property
    def taken(self) -> TakenName | None:
        """The name that is decided about, None if it is free."""
        return self._taken

    def choose(self, way: NameWay) -> None:
        """Choose as a click does."""
        self._buttons[way].click()

    def show_taken(self, taken: TakenName | None) -> None:
        """Offer these ways; what the user chose stays chosen where it is still possible."""
        is_other = taken is None or self._taken is None or taken.folder != self._taken.folder
        if is_other:
            self._chosen = None
        self._taken = taken
        self.setVisible(taken is not None)
        if taken is None:
            return
        template = T("App", "There is a run called {name} already, in {folder}.")
        folder = str(taken.folder.output_dir)
        self._headline.setText(shown(template, name=taken.folder.name, folder=folder))
        offers = {offer.way: offer for offer in taken.offers}
        for way, button in self._buttons.items():
            self._show(offers.get(way), button, self._words[way])
        chosen = offers.get(self._chosen) if self._chosen else None
        is_kept = chosen is not None and chosen.is_possible
        wanted = self._chosen if is_kept and self._chosen else taken.safest
        self._buttons[wanted].setChecked(True)

    def _add(self, way: NameWay, column: QVBoxLayout) -> None:
        look = tokens.current()
        button = self._buttons[way] = QRadioButton(self)
        self._group.addButton(button, self._ways.index(way))
        if way is NameWay.REPLACE:
            button.setProperty("role", "destructive")
        words = self._words[way] = QLabel(self, wordWrap=True)
        words.setProperty("role", "dim")
        words.setFont(tokens.font(look.font_small))
        words.setIndent(look.icon_s + look.gap_m)
        column.addSpacing(look.gap_xs)
        column.addWidget(button)
        column.addWidget(words)

    def _show(self, offer: Offer | None, button: QRadioButton, words: QLabel) -> None:
        for widget in (button, words):
            widget.setVisible(offer is not None)
        if offer is not None:
            button.setText(offer.label)
            button.setEnabled(offer.is_possible)
            button.setAccessibleDescription(offer.words)
            words.setText(offer.words)

    def _on_clicked(self, number: int) -> None:
        self._chosen = self._ways[number]
