"""The selected picture: its crop, its caption, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop_app.captions import Captions
from desktop_app.dataset_view.caption_editor import CaptionEditor
from desktop_app.dataset_view.summary import size_words
from desktop_app.models.pictures.left_out import LeftOut
from desktop_app.models.pictures.picture_row import PictureRow
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import ElidedLabel, LinkButton
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.pictures.framed_picture import WHOLE, FramedPicture
from desktop_app.widgets.scrolled_label import ScrolledLabel
from desktop_app.widgets.wrapped_label import WrappedLabel
from desktop_app.words.findings import finding_words, way_out
from trainer_core.dataset.buckets import Placement
from trainer_core.texts import T, visible

_FINDING_LINES = 4
_MUCH_PX = 1000
_SHARES = (3, 1)  # of more height, for the picture and for the words


class PictureDetails(QSplitter):
    """The picture with its name and the frame of its crop above, words about it below."""

    step_wanted = Signal(int)  # -1 the previous picture, 1 the next

    def __init__(
        self, captions: Captions, left_out: LeftOut, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._row: PictureRow | None = None
        self._left_out = left_out
        self.picture = FramedPicture(self)
        self.way_out = LinkButton(parent=self)
        self.way_out.clicked.connect(self._on_way_out)
        self.caption = CaptionEditor(captions, self)
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle, self)
        self._position = QLabel(self)
        self._position.setProperty("role", "dim")
        self._facts = WrappedLabel(self)
        self._facts.setProperty("role", "dim")
        self._facts.setFont(tokens.font(tokens.current().font_small))
        self._findings = ScrolledLabel(_FINDING_LINES, self)
        self.setChildrenCollapsible(False)
        self.addWidget(self._named_picture())
        self.addWidget(self._words())
        self.setSizes([_MUCH_PX, 0])  # the words get what they need, the picture the rest
        for part, share in enumerate(_SHARES):
            self.setStretchFactor(part, share)

    def show_picture(
        self,
        row: PictureRow | None,
        *,
        preview: QPixmap | None = None,
        neighbours: tuple[Path, ...] = (),
    ) -> None:
        """Show a picture; hide if there is none.

        Args:
            row: The picture.
            preview: What to show until the file is decoded.
            neighbours: Pictures that are likely to come next.
        """
        self._row = row
        self.caption.show_picture(row)
        self.setVisible(row is not None)
        if row is None:
            self.picture.show_picture(None)
            return
        kept = WHOLE if row.placement is None else QRectF(*row.placement.kept)
        self.picture.show_picture(row.path, kept, preview=preview, likely_next=neighbours)
        self.picture.setAccessibleName(visible(row.path.name))
        self._name.setText(visible(row.path.name))
        self._facts.say(_facts(row))
        _show_findings(self._findings, row)
        self._show_way_out(row)
        # Where a folder is left out whole, the kind of its captions is not known.
        self.caption.setVisible(not row.is_left_out or row.extension is not None)

    def show_position(self, number: int, count: int) -> None:
        """Say which of the listed pictures this is, counted from 1."""
        template = T("App", "{number} of {count}")
        self._position.setText(shown(template, number=number, count=count))

    def _show_way_out(self, row: PictureRow) -> None:
        self.way_out.setVisible(row.is_left_out or bool(row.findings))
        words = T("App", "Put back") if row.is_left_out else T("App", "Leave out of this run")
        self.way_out.setText(shown(words))

    def _on_way_out(self) -> None:
        if self._row is not None:
            change = self._left_out.put_back if self._row.is_left_out else self._left_out.leave_out
            change([self._row.path])

    def _named_picture(self) -> QWidget:
        # The arrows are above the picture: they stay where they are, however much is said below.
        named = QWidget(self)
        column = QVBoxLayout(named)
        column.setContentsMargins(0, 0, tokens.current().gap_m, 0)  # a splitter forgets its own
        column.setSpacing(tokens.current().gap_xs)
        column.addLayout(self._heading())
        column.addWidget(self.picture, 1)
        return named

    def _words(self) -> QWidget:
        look = tokens.current()
        words = QWidget(self)
        column = QVBoxLayout(words)
        column.setContentsMargins(0, look.gap_s, look.gap_m, look.gap_m)
        column.setSpacing(look.gap_xs)
        column.addWidget(self._facts)
        column.addWidget(self.caption, 1)
        column.addWidget(self._findings)
        column.addWidget(self.way_out, 0, Qt.AlignmentFlag.AlignLeft)
        return words

    def _heading(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(tokens.current().gap_xs)
        row.addWidget(self._name, 1)
        row.addWidget(self._position)
        for name, words, step in (
            ("previous", T("App", "Previous picture (Alt+Left)"), -1),
            ("next", T("App", "Next picture (Alt+Right)"), 1),
        ):
            button = IconButton(name, shown(words), self)
            button.clicked.connect(lambda _checked=False, step=step: self.step_wanted.emit(step))
            row.addWidget(button)
        return row


def _show_findings(label: ScrolledLabel, row: PictureRow) -> None:
    """List what is wrong with a picture and the ways out, the worst first."""
    lines = [f"{finding_words(f, row.folder)} {way_out(f)}".strip() for f in row.findings]
    label.say("\n".join(lines), "dim" if row.severity is None else str(row.severity))


def _facts(row: PictureRow) -> str:
    template = T("App", "{size} px, trained at {bucket}, {repeats}\u00a0× per epoch")
    if row.is_left_out:
        template = T("App", "Left out of this run")
    elif row.size is None:
        template = T("App", "Cannot be read")
    elif row.placement is None:
        template = T("App", "{size} px, not trained")
    elif row.is_held_out:
        template = T("App", "{size} px, held out for validation at {bucket}")
    elif _cut_percent(row.placement) > 0:
        template = T(
            "App", "{size} px, trained at {bucket} ({cut} % cut off), {repeats}\u00a0× per epoch"
        )
    words = shown(
        template,
        size=size_words(row.size),
        bucket=size_words(row.bucket),
        cut=0 if row.placement is None else _cut_percent(row.placement),
        repeats=row.repeats,
    )
    return "\n".join(filter(None, (words, _mask(row))))


def _mask(row: PictureRow) -> str:
    """Say which parts of a picture are learnt, if not all."""
    if row.mask is not None:
        return shown(T("App", "Mask: {name}"), name=visible(row.mask.name))
    return shown(T("App", "Mask: its transparency")) if row.has_alpha_mask else ""


def _cut_percent(placement: Placement) -> int:
    _, _, width, height = placement.kept
    return round(100 * (1 - width * height))
