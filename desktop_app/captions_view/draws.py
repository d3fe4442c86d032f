"""What the trainer sees of a caption: some draws of what is shuffled, dropped and chosen."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.scrolled_label import ScrolledLabel
from trainer_core.dataset.batches import caption_rng
from trainer_core.dataset.processing.captions import process_caption
from trainer_core.dataset.processing.outcomes import texts_of
from trainer_core.texts import T

_MAX_LINES = 6


class CaptionDraws(QWidget):
    """A caption as it is trained in some epochs; hidden where that is how it stands there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row: PictureRow | None = None
        self._caption = ""
        self._place = 0  # in an epoch; another one has other draws
        self._heading = QLabel(shown(T("App", "What the trainer sees")), self)
        self._heading.setProperty("role", "dim")
        self.again = IconButton("refresh", shown(T("App", "Draw again")), self)
        self.again.clicked.connect(self._draw_again)
        self.words = ScrolledLabel(_MAX_LINES, self)
        heading, column = QHBoxLayout(), QVBoxLayout(self)
        heading.addWidget(self._heading, 1)
        heading.addWidget(self.again)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.current().gap_xs)
        column.addLayout(heading)
        column.addWidget(self.words)
        self.hide()

    def show_caption(self, row: PictureRow | None, caption: str = "") -> None:
        """Show what becomes of a caption, as it would be read from its file; None: of nothing."""
        if row is None or self._row is None or row.path != self._row.path:
            self._place = 0
        self._row, self._caption = row, caption
        self._show()

    def _draw_again(self) -> None:
        self._place += 1
        self._show()

    def _show(self) -> None:
        row, caption = self._row, self._caption
        texts = (caption,) if row is None or row.is_left_out else texts_of(caption, row.rules)
        self.setVisible(texts != (caption,))
        if row is None or texts == (caption,):
            return
        self.again.setVisible(texts is None or len(texts) > 1)
        if texts is not None and len(texts) == 1:  # always the same
            self.words.say(_shown_text(texts[0]))
        else:
            self.words.say("\n".join(self._draws(row)))

    def _draws(self, row: PictureRow) -> Iterator[str]:
        """Yield a line for each moment."""
        for number, moment in enumerate(row.moments):
            rng = caption_rng(number, moment.epoch, self._place)
            drawn = process_caption(self._caption, row.rules, moment, rng)
            template = T("App", "Epoch {number}: {caption}")
            yield shown(template, number=moment.epoch, caption=_shown_text(drawn))


def _shown_text(caption: str) -> str:
    return caption if caption.strip() else shown(T("App", "(no caption)"))
