import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics
from PySide6.QtTest import QTest

from desktop_app.theme import tokens
from desktop_app.widgets.bar_list import Bar, BarList

BARS = [Bar("s", "small", 25, "a small one"), Bar("l", "large", 100), Bar("m", "middle", 50)]


@pytest.fixture
def bars(qtbot):
    bars = BarList()
    qtbot.addWidget(bars)
    bars.show_bars(BARS)
    bars.resize(300, 200)
    bars.show()
    return bars


def click(bars, row: int) -> None:
    place = bars.visualRect(bars.model().index(row, 0)).center()
    QTest.mouseClick(bars.viewport(), Qt.MouseButton.LeftButton, pos=place)


def length(bars, row: int) -> int:
    """Return how many pixels of a row's middle line have the colour of bars."""
    image = bars.viewport().grab(bars.visualRect(bars.model().index(row, 0))).toImage()
    colour, y = QColor(tokens.current().chart_lines[0]), image.height() // 2
    return sum(image.pixelColor(x, y) == colour for x in range(image.width()))


def chosen(bars) -> list[object]:
    """Return a list that grows with every choice."""
    keys: list[object] = []
    bars.chosen.connect(keys.append)
    return keys


def test_bars_are_as_long_as_their_values_ask(bars):
    longest = length(bars, 1)
    assert longest > 100
    assert length(bars, 0) == pytest.approx(longest * 0.25, abs=3)
    assert length(bars, 2) == pytest.approx(longest * 0.5, abs=3)


def test_a_click_chooses_a_bar_and_another_click_none(bars):
    keys = chosen(bars)
    click(bars, 1)
    click(bars, 2)
    click(bars, 2)
    assert keys == ["l", "m", None]


def test_escape_chooses_none(bars):
    keys = chosen(bars)
    click(bars, 1)
    QTest.keyClick(bars, Qt.Key.Key_Escape)
    assert keys == ["l", None]


def test_arrows_choose_too(bars):
    keys = chosen(bars)
    click(bars, 0)
    QTest.keyClick(bars, Qt.Key.Key_Down)
    assert keys == ["s", "l"]


def test_the_chosen_bar_stays_chosen_among_new_ones(bars):
    click(bars, 1)
    keys = chosen(bars)
    bars.show_bars([*BARS[1:], Bar("x", "huge", 400)])
    assert [index.row() for index in bars.selectionModel().selectedRows()] == [0]
    bars.show_bars([Bar("l", "large", 1), Bar("x", "huge", 2)])
    assert set(keys) <= {"l"}, "nobody is told of a change that is none"


def test_a_chosen_bar_that_goes_away_is_chosen_no_more(bars):
    click(bars, 1)
    keys = chosen(bars)
    bars.show_bars(BARS[:1])
    assert keys == [None]


def test_a_bar_tells_more_under_the_mouse(bars):
    assert bars.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole) == "a small one"


def test_bars_ask_for_a_row_each_and_scroll_where_they_have_less(bars, qtbot):
    bars.show_bars([Bar(n, str(n), n) for n in range(40)])
    row = bars.visualRect(bars.model().index(0, 0)).height()
    assert bars.sizeHint().height() == 40 * row + 2 * bars.frameWidth()
    qtbot.waitUntil(lambda: bars.verticalScrollBar().maximum() > 0)


def test_a_name_and_its_number_never_meet(bars):
    metrics = QFontMetrics(tokens.font(tokens.current().font_small))
    least = metrics.horizontalAdvance("middle") + metrics.horizontalAdvance("100")
    assert bars.minimumSizeHint().width() > least
