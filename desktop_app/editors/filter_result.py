"""What stands below a filtered page: the settings of other pages that match, as working fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop_app.document import Document
from desktop_app.editors.form import SectionForm
from desktop_app.theme import tokens
from desktop_app.translation import shown
from trainer_core.texts import T


class FilterResult(QWidget):
    """The forms of the sections that a page has not, each made once something in it matches.

    One form is made after the other, so that typing goes on meanwhile.
    """

    help_wanted = Signal(str)
    clear_wanted = Signal()
    labels_widened = Signal(int)  # to pixels, so that all fields stand in a column

    def __init__(
        self,
        document: Document[Any],
        own_sections: Collection[str],
        label_width: int,
        parent: QWidget | None = None,
    ) -> None:
        """Begin without any form.

        Args:
            document: What is edited.
            own_sections: Those that the page itself shows.
            label_width: Of the page's forms, in pixels.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._document = document
        self._label_width = label_width
        self._forms: dict[str, SectionForm | None] = {
            section: None for section in document.schema.sections if section not in own_sections
        }
        self._passing: Collection[str] = ()
        self._making = QTimer(self, singleShot=True, interval=0)
        self._making.timeout.connect(self._make_next)
        self._no_match = QWidget(self)
        self._column = QVBoxLayout(self)
        self._lay_out()

    @property
    def forms(self) -> Iterator[SectionForm]:
        """The forms that were made so far."""
        return (form for form in self._forms.values() if form is not None)

    def show_result(self, paths: Sequence[str], *, is_anything_here: bool) -> None:
        """Show the fields of other pages at these paths, and whether the page's own match."""
        self._passing = frozenset(paths)
        self._no_match.setHidden(is_anything_here or bool(paths))
        for form in self.forms:
            self._show_hits(form)
        self._align()
        self._making.start()

    def finish(self) -> None:
        """Make now whatever is not made yet."""
        while self._making.isActive():
            self._making.stop()
            self._make_next()

    def _make_next(self) -> None:
        for section, form in self._forms.items():
            if form is None and self._hits(section):
                self._forms[section] = made = self._form(section)
                self._show_hits(made)
                self._align()
                self._making.start()
                return

    def _align(self) -> None:
        """Give the labels of everything that is found the width of the widest."""
        found = [form for form in self.forms if self._hits(form.section)]
        width = max([self._label_width, *(form.label_width() for form in found)])
        for form in found:
            form.set_label_width(width)
        self.labels_widened.emit(width)

    def _hits(self, section: str) -> list[str]:
        form = self._document.schema.form(section)
        return [param.path for param in form if param.path in self._passing]

    def _show_hits(self, form: SectionForm) -> None:
        hits = self._hits(form.section)
        form.show_rows(hits)
        form.setVisible(bool(hits))

    def _form(self, section: str) -> SectionForm:
        form = SectionForm(section, self._document, self)
        form.help_wanted.connect(self.help_wanted)
        # In the order of the sections, whichever was looked for first.
        later = list(self._forms)[list(self._forms).index(section) :]
        place = min(
            (self._column.indexOf(other) for name in later if (other := self._forms[name])),
            default=self._column.count(),
        )
        self._column.insertWidget(place, form)
        return form

    def _lay_out(self) -> None:
        look = tokens.current()
        clear = QPushButton(shown(T("App", "Clear filter")), self)
        clear.clicked.connect(self.clear_wanted)
        row = QHBoxLayout(self._no_match)
        row.setContentsMargins(look.mark + look.gap_m, 0, look.gap_m, look.gap_m)
        row.addWidget(QLabel(shown(T("App", "No setting matches.")), self), 1)
        row.addWidget(clear)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(look.gap_xl)
        self._column.addWidget(self._no_match)
