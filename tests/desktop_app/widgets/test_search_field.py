import pytest
from PySide6.QtCore import QStringListModel, Qt

from desktop_app.widgets.search_field import SearchField

# A popup takes the keyboard, which the offscreen plugin cannot do.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support grabbing", extend=True)


@pytest.fixture
def field(qtbot) -> SearchField:
    role = Qt.ItemDataRole.DisplayRole
    model = QStringListModel(["Network rank", "Network alpha", "Batch size"])
    field = SearchField(model, search_role=role, result_role=role)
    model.setParent(field)
    qtbot.addWidget(field)
    field.show()
    return field


def test_enter_chooses_the_first_row_that_contains_the_words(field: SearchField, qtbot):
    qtbot.keyClicks(field, "ALPHA")
    with qtbot.waitSignal(field.chosen) as blocker:
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert blocker.args == ["Network alpha"]
    assert field.text() == ""


def test_a_row_of_the_list_can_be_chosen(field: SearchField, qtbot):
    qtbot.keyClicks(field, "network")
    popup = field._completer.popup()
    qtbot.waitUntil(popup.isVisible)
    place = popup.visualRect(popup.model().index(1, 0)).center()
    with qtbot.waitSignal(field.chosen) as blocker:
        qtbot.mouseClick(popup.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert blocker.args == ["Network alpha"]


def test_words_that_occur_nowhere_choose_nothing(field: SearchField, qtbot):
    qtbot.keyClicks(field, "zebra")
    with qtbot.assertNotEmitted(field.chosen):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "zebra"
