"""The page of the Python that trains: which it is, what it has, and how it gets what it lacks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop_app.preferences_view.install_panel import InstallPanel
from desktop_app.preferences_view.package_table import PackageTable
from desktop_app.preferences_view.python_chooser import ChoosePath, PythonChooser
from desktop_app.preferences_view.verdict import Verdict, may_install, verdict
from desktop_app.process.environment import own_python
from desktop_app.process.run_control import RunControl
from desktop_app.questions import CANCEL, Answer, Ask, Question, ask
from desktop_app.theme import tokens
from desktop_app.trainer_python.installation import Installation, InstallEnd
from desktop_app.trainer_python.plan import Plan
from desktop_app.trainer_python.trainer_python import Refusal, TrainerPython
from desktop_app.translation import shown
from desktop_app.words.python import (
    card_lines,
    plan_words,
    python_line,
    torch_line,
    trainer_line,
)
from trainer_core.texts import T

_ENVIRONMENT_NAME = "lora-loom-trainer"


def choose_folder(parent: QWidget, title: str, folder: str) -> str:
    """Ask for a folder; "" if none was chosen."""
    return QFileDialog.getExistingDirectory(parent, title, folder)


class TrainerPage(QWidget):
    """Shows the workspace's `TrainerPython` and passes on what is wanted of it."""

    def __init__(
        self,
        python: TrainerPython,
        run: RunControl,
        data_dir: Path,
        *,
        ask: Ask = ask,
        choose_folder: ChoosePath = choose_folder,
    ) -> None:
        super().__init__()
        self._python = python
        self._run = run
        self._data_dir = data_dir
        self._ask = ask
        self._choose_folder = choose_folder
        self.chooser = PythonChooser(python, self)
        self.facts = {name: _fact(self) for name in ("python", "trainer", "torch", "cards")}
        self.verdict = QLabel(self, wordWrap=True)
        self.hint = QLabel(self, wordWrap=True)
        self.hint.setProperty("role", "dim")
        self.packages = PackageTable(self)
        self.install = QPushButton(shown(T("App", "Install what is missing…")), self)
        self.replace = QPushButton(shown(T("App", "Install the build for the card…")), self)
        self.environment = QPushButton(shown(T("App", "Make an environment for training…")), self)
        self.look_again = QPushButton(shown(T("App", "Look again")), self)
        self.panel = InstallPanel(self)
        self._lay_out()
        self._connect()
        self._refresh()
        if python.installation is not None:
            self.panel.follow(python.installation)
        elif python.last_end is not None and not python.last_end.ok:
            self.panel.show_end(python.last_end, python.output)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look once the page is seen."""
        super().showEvent(event)
        if self._python.installation is None and not self._python.is_looking:
            self._python.look()

    def _connect(self) -> None:
        python = self._python
        python.changed.connect(self._refresh)
        python.chosen.connect(self._on_chosen)
        python.install_ready.connect(self._on_install_ready)
        python.installing.connect(self._on_installing)
        python.installed.connect(self._on_installed)
        self._run.phase_changed.connect(self._refresh)
        self.install.clicked.connect(lambda: python.prepare_install())
        self.replace.clicked.connect(lambda: python.prepare_install(replaces_torch=True))
        self.environment.clicked.connect(self._on_environment)
        self.look_again.clicked.connect(python.look)
        self.panel.cancel_wanted.connect(python.cancel)

    # ---------------------------------------------------------------- showing

    def _refresh(self) -> None:
        python, facts = self._python, self._python.facts
        self.chooser.refresh()
        self.facts["python"].setText(python_line(python))
        is_known = facts is not None and facts.packages is not None
        self.facts["trainer"].setText(trainer_line(facts) if facts and is_known else "…")
        self.facts["torch"].setText(torch_line(facts) if facts and is_known else "…")
        torch = facts.torch if facts else None
        self.facts["cards"].setText("\n".join(card_lines(torch)) if torch else "–")
        self.packages.show_states(python.states)
        self._show_verdict()
        self._show_commands()

    def _show_verdict(self) -> None:
        python = self._python
        judged = verdict(python)
        if python.candidate is not None:
            looking = T("App", "Looking at {path}…")
            words, hint, role = shown(looking, path=str(python.candidate)), "", "dim"
        elif python.refusal is not None:
            words, hint, role = _refusal_words(python.refusal)
        else:
            words, hint, role = _words(judged)
        self.verdict.setText(words)
        self.verdict.setProperty("role", role)
        self.verdict.style().polish(self.verdict)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _show_commands(self) -> None:
        python, facts = self._python, self._python.facts
        is_busy = python.installation is not None
        # Nothing is put in or taken out under a trainer at work.
        is_free = not is_busy and not self._run.is_running
        may = facts is not None and facts.problem is None and may_install(facts)
        lacks = python.lacks_something
        self.install.setVisible(lacks and may)
        self.install.setEnabled(is_free)
        self.install.setDefault(lacks and may)
        self.replace.setVisible(python.misses_card and not lacks and may)
        self.replace.setEnabled(is_free)
        reason = T("App", "A run is going on; wait until it has ended.")
        words = shown(reason) if self._run.is_running else ""
        self.install.setToolTip(words)
        self.replace.setToolTip(words)
        self.environment.setEnabled(not is_busy and self._maker() is not None)
        self.look_again.setEnabled(not is_busy and not python.is_looking)

    def _maker(self) -> Path | None:
        """Return the Python that can make an environment."""
        facts = self._python.facts
        if facts is not None and facts.problem is None and facts.has_venv:
            return facts.path
        return own_python()

    def _on_chosen(self) -> None:
        if self._python.installation is None:
            self.panel.hide()  # what it says is about another Python
        self._refresh()

    # ---------------------------------------------------------------- installing

    def _on_environment(self) -> None:
        maker = self._maker()
        title = shown(T("App", "Choose a folder for the environment"))
        chosen = self._choose_folder(self, title, str(self._data_dir))
        if chosen and maker is not None:
            self._python.prepare_environment(maker, environment_folder(Path(chosen)))

    def _on_install_ready(self, plan: Plan) -> None:
        if not self.isVisible():
            return
        question = Question(
            shown(T("App", "Install for training")),
            shown(T("App", "This is installed into {place}:"), place=str(_place(plan))),
            plan_words(plan),
            (Answer("install", shown(T("App", "Install"))),),
        )
        if self._ask(self, question) != CANCEL:
            self._python.install(plan)

    def _on_installing(self, installation: Installation) -> None:
        self.panel.follow(installation)

    def _on_installed(self, end: InstallEnd) -> None:
        self.panel.show_end(end, self._python.output)

    # ---------------------------------------------------------------- layout

    def _lay_out(self) -> None:
        look = tokens.current()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(look.gap_l, look.gap_l, look.gap_l, look.gap_l)
        layout.setSpacing(look.gap_m)
        layout.addWidget(_heading(shown(T("App", "Python that trains")), self))
        layout.addWidget(self.chooser)
        layout.addLayout(self._fact_grid())
        layout.addSpacing(look.gap_s)
        layout.addWidget(self.verdict)
        layout.addWidget(self.hint)
        commands = QHBoxLayout()
        commands.setSpacing(look.gap_m)
        for button in (self.install, self.replace, self.environment, self.look_again):
            button.setAutoDefault(False)
            commands.addWidget(button)
        commands.addStretch()
        layout.addLayout(commands)
        layout.addWidget(self.panel)
        layout.addSpacing(look.gap_m)
        layout.addWidget(_heading(shown(T("App", "Packages")), self))
        layout.addWidget(self.packages)
        layout.addStretch()

    def _fact_grid(self) -> QGridLayout:
        look = tokens.current()
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.gap_l)
        grid.setVerticalSpacing(look.gap_s)
        grid.setColumnStretch(1, 1)
        names = {
            "python": T("App", "Python"),
            "trainer": T("App", "Trainer"),
            "torch": T("App", "PyTorch"),
            "cards": T("App", "Graphics card"),
        }
        for row, (name, label) in enumerate(names.items()):
            words = QLabel(shown(label), self)
            words.setProperty("role", "dim")
            self.facts[name].setAccessibleName(shown(label))
            grid.addWidget(words, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self.facts[name], row, 1)
        return grid


def environment_folder(chosen: Path) -> Path:
    """Return where an environment is made: an empty folder itself, else a new one inside."""
    if not chosen.exists() or not any(chosen.iterdir()):
        return chosen
    for number in range(1, 1000):
        suffix = "" if number == 1 else f"-{number}"
        folder = chosen / f"{_ENVIRONMENT_NAME}{suffix}"
        if not folder.exists():
            return folder
    return chosen / _ENVIRONMENT_NAME


def _words(judged: Verdict) -> tuple[str, str, str]:
    return shown(judged.sentence), shown(judged.hint) if judged.hint else "", judged.role


def _refusal_words(refusal: Refusal) -> tuple[str, str, str]:
    words, hint, role = _words(Verdict("error", refusal.sentence, refusal.hint))
    if refusal.path is not None:  # what is shown above is about the Python that stays
        template = T("App", "{path} was not taken. {reason}")
        words = shown(template, path=str(refusal.path), reason=words)
    return words, hint, role


def _place(plan: Plan) -> Path:
    return plan.environment or plan.target


def _fact(parent: QWidget) -> QLabel:
    label = QLabel(parent, wordWrap=True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _heading(words: str, parent: QWidget) -> QLabel:
    heading = QLabel(words, parent)
    heading.setFont(tokens.font(tokens.current().font_large, bold=True))
    return heading
