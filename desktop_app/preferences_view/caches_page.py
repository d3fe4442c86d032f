"""The page of the caches: where they are, what they take, and what no run needs any more."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop_app.background import Job, LatestJob
from desktop_app.outside import open_path
from desktop_app.questions import CANCEL, Answer, Ask, Question, ask
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.fact_grid import FactGrid
from desktop_app.widgets.stat_row import Stat
from desktop_app.words.settings import count_words, size_words
from trainer_core.disk_space.caches import CacheContent, cache_content, clear
from trainer_core.files.own_folders import cache_folder, latent_folder, text_folder
from trainer_core.texts import T

_USUAL_DAYS, _MOST_DAYS = 30, 3650

Caches = tuple[CacheContent, ...]


class CachesPage(QWidget):
    """Looks at the caches whenever it is shown, and clears what was not used for some days."""

    def __init__(self, parent: QWidget | None = None, *, ask: Ask = ask) -> None:
        super().__init__(parent)
        self._ask = ask
        self._found: Caches | None = None
        self._looking = LatestJob(self, only_reads=True)
        self._looking.finished.connect(self._on_looked)
        self._clearing = LatestJob(self)
        self._clearing.reported.connect(self._on_progress)
        self._clearing.finished.connect(self._on_cleared)
        self.facts = FactGrid(self)
        self.days = QSpinBox(self)
        self.days.setRange(1, _MOST_DAYS)
        self.days.setValue(_USUAL_DAYS)
        self.days.setAccessibleName(shown(T("App", "Days without use")))
        self.days.valueChanged.connect(self._show)
        self.clear = QPushButton(shown(T("App", "Clear…")), self)
        self.clear.clicked.connect(self._on_clear)
        self.open = QPushButton(shown(T("App", "Open folder")), self)
        self.open.clicked.connect(lambda: open_path(cache_folder(), self, ask=self._ask))
        self.words = QLabel(self, wordWrap=True)
        self.words.setProperty("role", "dim")
        self.bar = QProgressBar(self)
        self.bar.setVisible(False)
        self._lay_out()
        self._show()

    @property
    def is_busy(self) -> bool:
        """True while it looks or clears."""
        return self._looking.is_running or self._clearing.is_running

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look again: runs may have filled the caches meanwhile."""
        super().showEvent(event)
        if not self._clearing.is_running:
            self._look()

    def _look(self) -> None:
        self._looking.start(_look)

    def _on_looked(self, found: object) -> None:
        self._found = found if isinstance(found, tuple) else ()
        self._show()

    # ---------------------------------------------------------------- clearing

    def _unused(self) -> Caches:
        return tuple(each.unused(self.days.value()) for each in self._found or ())

    def _on_clear(self) -> None:
        unused = self._unused()
        template = T(
            "App",
            "Remove {count} [count:entry|entries] that no run used for {days} [days:day|days]?",
        )
        message = shown(template, count=_count(unused), days=self.days.value())
        details = shown(
            T("App", "{size} are freed. A run that needs them again encodes them anew."),
            size=size_words(_num_bytes(unused)),
        )
        answer = Answer("clear", shown(T("App", "Remove")), is_destructive=True)
        question = Question(shown(T("App", "Clear caches")), message, details, (answer,))
        if self._ask(self, question) == CANCEL:
            return
        self.bar.setRange(0, _count(unused))
        self.bar.setValue(0)
        self._clearing.start(partial(_clear, unused))
        self._show()

    def _on_progress(self, done: object) -> None:
        self.bar.setValue(int(str(done)))

    def _on_cleared(self, freed: object) -> None:
        del freed  # the new sizes say it
        self._look()
        self._show()

    # ---------------------------------------------------------------- showing

    def _show(self) -> None:
        is_clearing = self._clearing.is_running
        names = (shown(T("App", "Encoded pictures")), shown(T("App", "Encoded captions")))
        found = self._found or (None,) * len(names)
        facts = [Stat(shown(T("App", "Folder")), str(cache_folder()))]
        facts += [Stat(name, _words(each)) for name, each in zip(names, found, strict=False)]
        self.facts.show_facts(facts)
        unused = self._unused()
        self.clear.setEnabled(_count(unused) > 0 and not is_clearing)
        self.days.setEnabled(not is_clearing)
        self.bar.setVisible(is_clearing)
        template = T("App", "Entries that no run used for so long: {count}, {size}")
        facts_of_unused = {"count": count_words(_count(unused))}
        facts_of_unused["size"] = size_words(_num_bytes(unused))
        self.words.setText("" if self._found is None else shown(template, **facts_of_unused))

    def _lay_out(self) -> None:
        look = tokens.current()
        about = QLabel(self, wordWrap=True)
        words = T(
            "App",
            "What runs with caches on disk keep, so that the next one begins sooner. All of it can "
            "be made again.",
        )
        about.setText(shown(words))
        choice = QHBoxLayout()
        choice.setSpacing(look.gap_s)
        choice.addWidget(QLabel(shown(T("App", "Not used for, in days:")), self))
        choice.addWidget(self.days)
        choice.addWidget(self.clear)
        choice.addStretch()
        choice.addWidget(self.open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(look.gap_l, look.gap_l, look.gap_l, look.gap_l)
        layout.setSpacing(look.gap_m)
        layout.addWidget(about)
        layout.addWidget(self.facts)
        layout.addLayout(choice)
        layout.addWidget(self.words)
        layout.addWidget(self.bar)
        layout.addStretch()


def _look(job: Job) -> Caches:
    folders = (latent_folder(), text_folder())
    return tuple(cache_content(folder, lambda: job.is_cancelled) for folder in folders)


def _clear(contents: Caches, job: Job) -> int:
    freed, before = 0, 0
    for content in contents:

        def report(done: int, total: int, before: int = before) -> bool:
            job.report(before + done)
            return not job.is_cancelled

        freed += clear(content, report)
        before += len(content.entries)
    return freed


def _count(contents: Caches) -> int:
    return sum(len(content.entries) for content in contents)


def _num_bytes(contents: Caches) -> int:
    return sum(content.num_bytes for content in contents)


def _words(content: CacheContent | None) -> str:
    if content is None:
        return "…"
    return shown(
        T("App", "{count}, {size}"),
        count=count_words(len(content.entries)),
        size=size_words(content.num_bytes),
    )
