from PySide6.QtCore import Qt

from desktop_app.widgets.find_field import FindField


def test_escape_empties_the_line(qtbot):
    field = FindField("Find settings")
    qtbot.addWidget(field)
    qtbot.keyClicks(field, "rank")
    with qtbot.waitSignal(field.textChanged) as blocker:
        qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert blocker.args == [""]
