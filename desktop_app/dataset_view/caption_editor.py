"""The caption of the selected picture: edited here, written to its file, told what that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop_app.captions import Captions, Draft
from desktop_app.captions_view.draws import CaptionDraws
from desktop_app.dataset_view.caption_field import CaptionField
from desktop_app.models.pictures.picture_row import PictureRow, caption_of_text
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.elided_label import ElidedLabel, LinkButton
from desktop_app.widgets.wrapped_label import WrappedLabel
from desktop_app.words.findings import finding_words
from trainer_core.dataset.caption_files import CaptionFile, read_caption_file
from trainer_core.dataset.captions import count_tags
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.processing.outcomes import count_most_tokens
from trainer_core.errors import DatasetError, TrainerError
from trainer_core.settings.problems import Severity
from trainer_core.settings.token_lengths import LENGTH, more_tokens
from trainer_core.texts import T
from trainer_core.tokens.clip import is_table_read

_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")
_WAYS = 2


class CaptionEditor(QWidget):
    """The whole text of a caption file, written when the field is left or on Ctrl+Enter."""

    reading_wanted = Signal(object, object)  # the PictureRow and CaptionFile that is not UTF-8
    mending_wanted = Signal(object)  # the Suggestion that changes settings

    def __init__(self, captions: Captions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._captions = captions
        self._row: PictureRow | None = None
        self._file: CaptionFile | None = None  # None: it cannot be edited
        self._is_showing = False
        self.field = CaptionField(self)
        self.field.setAccessibleName(shown(T("App", "Caption")))
        self._count = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        self._count.setProperty("role", "dim")
        self._hint = ElidedLabel(Qt.TextElideMode.ElideRight, self)
        self._hint.setProperty("role", "dim")
        self._draws = CaptionDraws(self)
        self._note = WrappedLabel(self)
        self._ways = [LinkButton(parent=self) for _ in range(_WAYS)]
        self._actions: list[Callable[[], object]] = []
        for number, button in enumerate(self._ways):
            button.clicked.connect(lambda _checked=False, number=number: self._actions[number]())
        self._lay_out()
        self.field.textChanged.connect(self._on_typed)
        self.field.finished.connect(captions.commit)
        captions.written.connect(self._on_written)
        captions.drafts_changed.connect(self._on_draft_changed)
        captions.batch.rewritten.connect(self._on_rewritten)

    def show_picture(self, row: PictureRow | None) -> None:
        """Show the caption of a picture; what was typed for another one is written first."""
        is_other = row is None or self._row is None or row.path != self._row.path
        if is_other and self._row is not None:
            self._captions.leave(self._row.path)
        self._row = row
        draft = None if row is None else self._captions.draft(row.path)
        if row is not None and (is_other or draft is None):
            self._load(row)
        elif draft is not None and draft.error is None:
            self._show_state()  # what is typed may be read by other rules now

    # ---------------------------------------------------------------- what is shown

    def _load(self, row: PictureRow) -> None:
        draft = self._captions.draft(row.path)
        file: CaptionFile | None = None
        try:
            file = _read(row) if draft is None else draft.file
            saved = file.text
        except DatasetError as error:
            self._file = None
            self._show_text("", "")
            self.field.setPlaceholderText("")
            self._count.clear()
            self._draws.show_caption(None)
            self._show_hint("")
            self._say("" if _is_told(row, error) else _words(error, row.path), "error")
            if file is not None:
                unread = file
                read_as = shown(T("App", "Convert it to UTF-8…"))
                self._offer((read_as, lambda: self.reading_wanted.emit(row, unread)))
        else:
            self._file = file
            is_typed = draft is not None and not draft.is_contested
            self._show_text(draft.text if draft is not None and is_typed else saved, saved)
            self._show_state()
        self.field.setReadOnly(self._file is None)
        if draft is not None and draft.error is not None:
            self._show_failure(draft)

    def _show_text(self, text: str, saved: str) -> None:
        self._is_showing = True
        self.field.show_text(text, saved)
        self._is_showing = False

    def _show_state(self) -> None:
        """Say what the text is, and what writing it will do."""
        row, file = self._row, self._file
        if row is None or file is None:
            return
        text, limit = self.field.toPlainText(), row.rules.max_token_length
        has_others = any(line.strip() for line in text.split("\n")[1:])
        is_saved = self._captions.draft(row.path) is None or file.with_text(text) == file
        count = self._show_count(row, text)
        self.field.show_rules(row.rules)
        self._draws.show_caption(row, _trained(row, text))
        is_cut = count > limit
        unread = _cut(limit) if is_cut and not (is_saved and _is_cut_told(row)) else ""
        self._show_hint("" if is_saved else shown(T("App", "Ctrl+Enter saves")))
        self.field.setPlaceholderText(_placeholder(row, file))
        if not text.strip():
            self._say("" if is_saved else _removal(row, file), "warning")
            if row.class_tokens.strip():
                template = T("App", "Begin with “{words}”")
                words = shown(template, words=row.class_tokens)
                self._offer((words, lambda: self._replace_text(row.class_tokens)))
        elif has_others and not row.rules.enable_wildcard:
            self._say(unread, "warning")
            self._show_hint(shown(T("App", "Only line 1 is trained")))
            join = shown(T("App", "Join lines"))
            self._offer((join, lambda: self._replace_text(joined(self.field.toPlainText()))))
        else:
            self._say(unread, "warning")
            if has_others and is_saved:
                self._show_hint(shown(T("App", "One line is drawn")))
            if is_cut:
                self._offer_more(count)

    def _show_count(self, row: PictureRow, text: str) -> int:
        """Show how much the caption that is trained holds; return its tokens, 0 if not known."""
        caption, rules = caption_of_text(text, row.rules), row.rules
        tags = count_tags(caption).total()
        if not is_table_read():  # the look at the folder reads it, in its own thread
            self._count.setText(shown(T("App", "Tags: {count}"), count=tags))
            return 0
        count, limit = count_most_tokens(caption, rules), rules.max_token_length
        template = T("App", "Tags: {tags}, tokens: {tokens} of {limit}")
        self._count.setText(shown(template, tags=tags, tokens=count, limit=limit))
        return count

    def _offer_more(self, count: int) -> None:
        """Offer the setting that reads all of so many tokens, if one does."""
        more = more_tokens(count)
        if more.changes:
            words = shown(T("App", "Read {count} tokens"), count=str(more.changes[LENGTH]))
            self._offer((words, lambda: self.mending_wanted.emit(more)))

    def _show_hint(self, words: str) -> None:
        self._hint.setText(words)
        self._hint.setVisible(bool(words))

    def _show_failure(self, draft: Draft) -> None:
        if draft.error is None:
            return
        self._say(_words(draft.error, draft.file.path), "error")
        path, text = draft.picture, draft.text
        if draft.is_contested:
            put_back, keep = T("App", "Put mine back"), T("App", "Keep theirs")
            self._offer(
                (shown(put_back), lambda: self._replace_text(text)),
                (shown(keep), lambda: self._captions.discard(path)),
            )
        else:
            self._offer(
                (shown(T("App", "Try again")), self._captions.commit),
                (shown(T("App", "Discard my text")), lambda: self._captions.discard(path)),
            )

    def _say(self, words: str, role: str = "dim") -> None:
        self._note.say(words, role)
        self._offer()

    def _offer(self, *ways: tuple[str, Callable[[], object]]) -> None:
        self._actions = [action for _, action in ways]
        for number, button in enumerate(self._ways):
            button.setVisible(number < len(ways))
            if number < len(ways):
                button.setText(ways[number][0])

    # ---------------------------------------------------------------- what happens

    def _on_typed(self) -> None:
        if self._is_showing or self._row is None or self._file is None:
            return
        self._captions.edit(self._row.path, self._file, self.field.toPlainText())
        self._show_state()

    def _on_written(self, picture: Path, _file: CaptionFile) -> None:
        self._on_draft_changed(picture)

    def _on_rewritten(self, files: Mapping[Path, CaptionFile]) -> None:
        if self._row is not None and self._row.path in files:
            self._load(self._row)

    def _on_draft_changed(self, picture: Path) -> None:
        if self._row is not None and picture == self._row.path:
            self._load(self._row)

    def _replace_text(self, text: str) -> None:
        """Put words into the field as if they were typed, so that its own undo takes them back."""
        self.field.setReadOnly(False)
        if self._file is None and self._row is not None:  # the other's file cannot be read
            draft = self._captions.draft(self._row.path)
            self._file = None if draft is None else draft.file
        cursor = self.field.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)
        self.field.setTextCursor(cursor)
        self.field.setFocus()

    def _lay_out(self) -> None:
        look = tokens.current()
        below, ways = QHBoxLayout(), QHBoxLayout()
        for row in (below, ways):
            row.setSpacing(look.gap_m)
        below.addWidget(self._count, 3)
        below.addWidget(self._hint, 2)
        for button in self._ways:
            ways.addWidget(button)
        ways.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.gap_xs)
        column.addWidget(self.field, 1)
        column.addWidget(self._note)
        column.addLayout(below)
        column.addLayout(ways)
        column.addWidget(self._draws)


def joined(text: str) -> str:
    """Return a caption of several lines on one: sentences by spaces, tags by commas."""
    words = ""
    for line in (line.strip() for line in text.split("\n")):
        if not words or not line:
            words += line
        elif words.endswith(_SENTENCE_ENDS):
            words += " " + line
        else:
            words = words.rstrip(", ") + ", " + line.lstrip(", ")
    return words


def _trained(row: PictureRow, text: str) -> str:
    """Return what is trained of the text of a caption file; without a text it is removed."""
    return caption_of_text(text, row.rules) if text.strip() else row.class_tokens


def _read(row: PictureRow) -> CaptionFile:
    if row.metadata is not None:
        raise DatasetError(
            T("Errors", "The caption stands in {path}: “{words}”"),
            T("Errors", "Edit it there, or take that file out of the settings."),
            path=row.metadata,
            words=row.caption,
        )
    if row.extension is None:
        raise DatasetError(
            T("Errors", "The captions are of two kinds."),
            T("Errors", "Choose one as caption extension to edit them."),
        )
    return read_caption_file(row.path, row.extension)


def _words(error: TrainerError, file: Path) -> str:
    return finding_words(Finding(file, Severity.ERROR, error.message), file.parent)


def _is_told(row: PictureRow, error: TrainerError) -> bool:
    """Tell whether the findings name the caption file that cannot be read, and say more."""
    path = str(error.message.values.get("path"))
    found = (finding for finding in row.findings if finding.severity is Severity.ERROR)
    return any(str(finding.message.values.get("path")) == path for finding in found)


def _is_cut_told(row: PictureRow) -> bool:
    """Tell whether the findings say that the end of the caption is not read."""
    return any("limit" in finding.message.values for finding in row.findings)


def _cut(limit: int) -> str:
    return shown(T("App", "Only the first {limit} tokens are read."), limit=limit)


def _placeholder(row: PictureRow, file: CaptionFile) -> str:
    name, words = file.path.name, row.class_tokens
    if file.data is not None and not file.text.strip():
        return shown(T("App", "{name} is empty. Type a caption."), name=name)
    if not words.strip():
        return shown(T("App", "No caption: trained without words. Type to make {name}."), name=name)
    template = T("App", "No caption: trained as “{words}”. Type to make {name}.")
    return shown(template, words=words, name=name)


def _removal(row: PictureRow, file: CaptionFile) -> str:
    name, words = file.path.name, row.class_tokens
    if not words.strip():
        template = T("App", "{name} will be removed, the picture trained without words.")
        return shown(template, name=name)
    template = T("App", "{name} will be removed, the picture trained as “{words}”.")
    return shown(template, name=name, words=words)
