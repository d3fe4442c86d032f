"""Which settings the parameter docks show: one filter for all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from desktop_app.document import Document
from desktop_app.translation import shown
from trainer_core.settings.param import Param


class SettingsFilter(QObject):
    """Lets pass what contains some words, differs from its default, or has a problem.

    Attributes:
        words: What is looked for: each word must occur in the label or name of a setting, its old
            label, a value to choose or the title that it stands under, or begin a word of its help.
        only_changed: Only what differs from its default passes.
        only_problems: Only what has a problem passes.
    """

    changed = Signal()
    field_wanted = Signal()  # the field for the words should take the focus
    advanced_wanted = Signal(bool)  # unfold, or fold, whatever is advanced

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.words = ""
        self.only_changed = False
        self.only_problems = False
        document.replaced.connect(self.clear)  # what was looked for was of the file before

    @property
    def is_active(self) -> bool:
        """True if something is asked for; what is asked for may still be everything."""
        return bool(self.words.strip()) or self.only_changed or self.only_problems

    def set_words(self, words: str) -> None:
        """Look for these words from now on."""
        if words != self.words:
            self.words = words
            self.changed.emit()

    def set_only_changed(self, is_wanted: bool) -> None:
        """Let pass only what differs from its default, or the others too."""
        if is_wanted != self.only_changed:
            self.only_changed = is_wanted
            self.changed.emit()

    def set_only_problems(self, is_wanted: bool) -> None:
        """Let pass only what has a problem, or the others too."""
        if is_wanted != self.only_problems:
            self.only_problems = is_wanted
            self.changed.emit()

    def clear(self) -> None:
        """Let everything pass."""
        if self.words or self.is_active:
            self.words = ""
            self.only_changed = self.only_problems = False
            self.changed.emit()

    def matching(self) -> list[str]:
        """Return the paths that pass as the document is now, in the order of the forms."""
        words = self.words.casefold().split()
        troubled = {problem.path for problem in self._document.problems}
        return [
            path
            for path, param in self._document.schema.params().items()
            if not (self.only_changed and self._document.is_default(path))
            and not (self.only_problems and path not in troubled)
            and (not words or self._contains(param, words))
        ]

    def _contains(self, param: Param, words: Sequence[str]) -> bool:
        schema, spec = self._document.schema, param.spec
        texts = [spec.label, schema.titles[schema.form_of(param.path)]]
        texts += [choice.label for choice in spec.choices.values()]
        known_as = [param.name, *spec.foreign, *spec.old_labels, *spec.choices]
        found = "\n".join([*map(shown, texts), *known_as]).casefold()
        sentence = shown(spec.help).casefold()
        return all(word in found or _begins_in(sentence, word) for word in words)


def _begins_in(sentence: str, word: str) -> bool:
    """Tell whether a word of a sentence begins so: "rate" is not meant to find "separated"."""
    return re.search(rf"(?<![a-z]){re.escape(word)}", sentence) is not None
