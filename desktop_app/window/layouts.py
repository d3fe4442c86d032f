"""Named layouts of the docks: those that come with the app, and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMenu, QWidget

from desktop_app.docks.arrangements import built_in
from desktop_app.docks.dock import Dock
from desktop_app.preferences import Preferences
from desktop_app.questions import Answer, Ask, Question
from desktop_app.translation import shown
from desktop_app.window.dock_frame import DockFrame
from desktop_app.window.layout_name import ask_name
from trainer_core.texts import T

_REMOVE = "remove"

AskName = Callable[[QWidget, str, Sequence[str], Sequence[str]], str]


class Layouts:
    """Saves, restores, renames and removes layouts; the user's are kept in the preferences."""

    def __init__(
        self,
        docks: DockFrame,
        catalogue: Sequence[Dock],
        preferences: Preferences,
        window: QWidget,
        *,
        ask: Ask,
        ask_name: AskName = ask_name,
    ) -> None:
        self._docks = docks
        self.built_in = built_in(catalogue)
        self._preferences = preferences
        self._window = window
        self._ask = ask
        self._ask_name = ask_name

    @property
    def names(self) -> list[str]:
        """The user's own layouts."""
        return list(self._preferences.named_layouts)

    def use_built_in(self, key: str) -> None:
        """Put the docks where one of the app's layouts wants them."""
        self._docks.arrange(self.built_in[key])

    def restore(self, name: str) -> None:
        """Put the docks where they stood when the user saved a layout."""
        self._docks.restore(self._preferences.named_layouts[name])

    def save(self) -> None:
        """Ask for a name and keep the layout as it is now."""
        name = self._ask_name(self._window, "", self._taken(), self.names)
        if name:
            self._keep(self._preferences.named_layouts | {name: self._docks.state()})

    def rename(self, name: str) -> None:
        """Ask for another name of one of the user's layouts."""
        others = [other for other in self.names if other != name]
        wanted = self._ask_name(self._window, name, self._taken() + others, ())
        if wanted:
            kept = self._preferences.named_layouts
            self._keep({wanted if each == name else each: kept[each] for each in kept})

    def remove(self, name: str) -> None:
        """Forget one of the user's layouts, if they agree."""
        question = Question(
            shown(T("App", "Remove layout")),
            shown(T("App", "Remove the layout {name}?"), name=name),
            shown(T("App", "The panels stay where they are now.")),
            (Answer(_REMOVE, shown(T("App", "Remove")), is_destructive=True),),
        )
        if self._ask(self._window, question) == _REMOVE:
            kept = self._preferences.named_layouts
            del kept[name]
            self._keep(kept)

    def _taken(self) -> list[str]:
        return [shown(layout.title) for layout in self.built_in.values()]

    def _keep(self, layouts: Mapping[str, QByteArray]) -> None:
        self._preferences.keep_named_layouts(layouts)
        self._preferences.write()


class LayoutMenu(QMenu):
    """The layouts to choose from, and what can be done with the user's own."""

    def __init__(self, layouts: Layouts, parent: QWidget | None = None) -> None:
        super().__init__(shown(T("App", "&Layouts")), parent)
        self._layouts = layouts
        self._renaming = QMenu(shown(T("App", "Rena&me")), self)
        self._removing = QMenu(shown(T("App", "Remo&ve")), self)
        self.aboutToShow.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """List the layouts as they are now."""
        layouts, names = self._layouts, self._layouts.names
        self.clear()
        for menu in (self._renaming, self._removing):
            menu.clear()
            menu.setEnabled(bool(names))
        for key, layout in layouts.built_in.items():
            self._add(self, shown(layout.title), partial(layouts.use_built_in, key))
        self.addSeparator()
        for name in names:
            self._add(self, name, partial(layouts.restore, name))
            self._add(self._renaming, name, partial(layouts.rename, name))
            self._add(self._removing, name, partial(layouts.remove, name))
        self.addSeparator()
        self.addMenu(self._renaming)
        self.addMenu(self._removing)

    @staticmethod
    def _add(menu: QMenu, words: str, handler: Callable[[], None]) -> None:
        menu.addAction(words.replace("&", "&&")).triggered.connect(lambda _checked=False: handler())
