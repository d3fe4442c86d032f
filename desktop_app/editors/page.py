"""A page of forms: a filter above them, and the help of the setting at hand below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop_app.document import Document
from desktop_app.editors.filter_bar import FilterBar
from desktop_app.editors.filter_result import FilterResult
from desktop_app.editors.form import HelpLine, SectionForm
from desktop_app.theme import tokens
from desktop_app.workspace import Workspace


class SettingsPage(QWidget):
    """The forms of some sections, one below the other, scrolled together.

    While something is looked for, the fields of other pages that match stand below its own. What
    no longer passes the filter stays while someone is at work on the page: a row must not
    vanish under the fingers that change it.
    """

    def __init__(
        self,
        workspace: Workspace,
        sections: Sequence[str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        document = workspace.document
        self._preferences = preferences = workspace.preferences
        self._filter = settings_filter = workspace.filter
        self._schema = document.schema
        self._shown: list[str] = []  # of this page
        self._elsewhere: list[str] = []
        self._is_stale = False  # what matches elsewhere changed while the page was not in sight
        self.forms = [SectionForm(section, document, self) for section in sections]
        self._label_width = width = max(form.label_width() for form in self.forms)
        self._set_label_width(width)
        for form in self.forms:
            form.help_wanted.connect(self.show_help)
            form.advanced.set_open(preferences.is_open(form.section))
            form.advanced.toggled.connect(self._on_folded)
            form.unfold_errors()  # the page may be as late as the file that they are in
        self.bar = FilterBar(settings_filter, self)
        self._result = FilterResult(document, sections, width)
        self._scroll_area = self._scrolled()
        self._help = HelpLine(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self._scroll_area, 1)
        layout.addWidget(_rule())
        layout.addWidget(self._help)
        self._connect(document)
        workspace.setting_wanted.connect(self.reveal)
        self._show_matching()

    def reveal(self, path: str) -> None:
        """Show and focus a setting, if it is on this page; a filter that hides it is cleared."""
        for form in self.forms:
            if path in form.rows:
                if path not in self._shown:
                    self._filter.clear()
                self._reveal_in(form, path)

    def show_help(self, path: str) -> None:
        """Show what a setting is for, what it is called in a file, and why it does not act."""
        row = next(form.rows[path] for form in self._all_forms() if path in form.rows)
        self._help.show_row(row)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Make next what matches on other pages, if that changed behind another page."""
        super().paintEvent(event)
        if self._is_stale:
            # Qt tells nobody when a page comes to the front.
            QTimer.singleShot(0, self, self._show_elsewhere)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of what no longer passes the filter."""
        super().leaveEvent(event)
        self._update_matching()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of what no longer passes the filter."""
        super().hideEvent(event)
        self._update_matching()

    # ---------------------------------------------------------------- the filter

    def _connect(self, document: Document) -> None:
        self._filter.changed.connect(self._show_matching)
        self._filter.field_wanted.connect(self._on_field_wanted)
        self._filter.advanced_wanted.connect(self._on_advanced_wanted)
        document.replaced.connect(self._show_matching)
        document.problems_changed.connect(self._update_matching)
        self.bar.entered.connect(self._on_entered)
        self.bar.menu_opening.connect(self._on_menu_opening)
        self._result.help_wanted.connect(self.show_help)
        self._result.labels_widened.connect(self._set_label_width)
        self._result.clear_wanted.connect(self.bar.clear)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]

    def _show_matching(self) -> None:
        """Show what passes the filter, and nothing else."""
        self._show(self._filter.matching())

    def _update_matching(self) -> None:
        """Show what passes the filter now, and keep the rest as long as the page is in use."""
        if self._filter.is_active:
            kept = [*self._shown, *self._elsewhere] if self._is_in_use() else []
            self._show([*self._filter.matching(), *kept])

    def _show(self, paths: Sequence[str]) -> None:
        own = [path for form in self.forms for path in form.rows]
        passing = set(paths)
        self._shown = [path for path in own if path in passing]
        self._elsewhere = [path for path in dict.fromkeys(paths) if path not in own]
        is_active = self._filter.is_active
        for form in self.forms:
            form.show_rows(self._shown if is_active else None)
            form.setVisible(not form.rows.keys().isdisjoint(self._shown))
        self._result.setVisible(is_active)
        if not is_active:
            self._set_label_width(self._label_width)
        self._is_stale = is_active
        if not self.visibleRegion().isEmpty():
            self._show_elsewhere()
        self.bar.show_count(len(passing), len(self._schema.params()))

    def _show_elsewhere(self) -> None:
        """Show the fields of other pages; they are made only where somebody sees them."""
        if self._is_stale:
            self._is_stale = False
            self._result.show_result(self._elsewhere, is_anything_here=bool(self._shown))

    def _set_label_width(self, width: int) -> None:
        for form in self.forms:
            form.set_label_width(width)

    def _all_forms(self) -> Iterator[SectionForm]:
        yield from self.forms
        yield from self._result.forms

    def _reveal_in(self, form: SectionForm, path: str) -> None:
        row = form.reveal(path)
        # What was unfolded has its place only after the layout was done.
        QTimer.singleShot(0, row, partial(self._scroll_area.ensureWidgetVisible, row))

    def _is_in_use(self) -> bool:
        return self.isVisible() and (self.underMouse() or self._has(QApplication.focusWidget()))

    def _has(self, widget: QWidget | None) -> bool:
        """Tell whether a widget belongs to one of the forms, in a list that pops up too."""
        forms = tuple(self._all_forms())
        while widget is not None and widget not in forms:
            widget = widget.parentWidget()
        return widget is not None

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if new is not None and self._has(old) and not self._has(new):
            self._update_matching()

    def _on_field_wanted(self) -> None:
        if not self.visibleRegion().isEmpty():
            self.bar.take_focus()

    def _on_entered(self) -> None:
        if not self._filter.is_active:
            return
        self._show_elsewhere()
        self._result.finish()
        for form in self._all_forms():
            for path in form.rows:
                if path in self._shown or path in self._elsewhere:
                    self._reveal_in(form, path)
                    return

    def _on_menu_opening(self) -> None:
        folds = [form.advanced for form in self.forms if form.has_advanced]
        self.bar.advanced.setChecked(all(fold.is_open for fold in folds))

    def _on_advanced_wanted(self, is_wanted: bool) -> None:
        for form in self.forms:
            form.advanced.set_open(is_wanted)

    # ---------------------------------------------------------------- layout

    def _scrolled(self) -> QScrollArea:
        look = tokens.current()
        body = QWidget()
        body.setProperty("scrolled", True)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(look.gap_l, look.gap_s, look.gap_m, look.gap_l)
        layout.setSpacing(look.gap_xl)
        for form in self.forms:
            layout.addWidget(form)
        layout.addWidget(self._result)
        layout.addStretch()
        area = _FormArea(self)
        area.setWidget(body)
        return area

    def _on_folded(self) -> None:
        for form in self.forms:
            self._preferences.keep_open(form.section, form.advanced.is_open)


class _FormArea(QScrollArea):
    """Scrolls up and down, and is never narrower than the forms in it can be."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes on to the first field
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the narrowest forms beside the bar."""
        hint, forms = super().minimumSizeHint(), self.widget()
        if forms is not None:  # it has none yet while it is built
            bar = self.verticalScrollBar().sizeHint()
            hint.setWidth(forms.minimumSizeHint().width() + bar.width())
        return hint

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Ask for another width once the forms need one."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def _rule() -> QFrame:
    rule = QFrame()
    rule.setProperty("role", "line")
    rule.setFixedHeight(tokens.current().line)
    return rule
