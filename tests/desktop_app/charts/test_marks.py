import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QRectF

from desktop_app.charts.marks import MarkLayer, Marks

RED = "#ff0000"
SHOWN = QRectF(0, 0, 100, 1)


def marks(*steps: float, glyph: str = "◆") -> Marks:
    return Marks(np.array(steps, dtype=float), RED, "saved", glyph)


@pytest.fixture
def layer(qtbot) -> MarkLayer:
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    plot.resize(500, 300)
    plot.show()
    layer = MarkLayer(plot.getPlotItem())
    layer.plot_widget = plot  # keeps it alive
    return layer


def lines(layer, group=0):
    return sorted(set(layer._items[group][0].xData.tolist()))


def glyphs(layer, group=0):
    x, y = layer._items[group][1].getData()
    return list(zip(x.tolist(), y.tolist(), strict=True))


def test_a_line_goes_from_the_foot_to_the_top(layer):
    layer.draw([marks(20)], SHOWN, 300)
    line, _ = layer._items[0]
    assert line.xData.tolist() == [20, 20]
    assert line.yData.tolist() == [0, 1]


def test_marks_out_of_sight_are_not_drawn(layer):
    layer.draw([marks(20, 150)], SHOWN, 300)
    assert lines(layer) == [20]
    assert [x for x, _ in glyphs(layer)] == [20]


def test_kinds_at_one_step_stand_above_one_another(layer):
    layer.draw([marks(20), marks(20, glyph="■")], SHOWN, 300)
    (_, lower), (_, upper) = *glyphs(layer, 0), *glyphs(layer, 1)
    assert 0 < lower < upper < 0.1


def test_a_kind_without_a_drawn_glyph_has_its_line_only(layer):
    layer.draw([marks(20, glyph="┊")], SHOWN, 300)
    assert lines(layer) == [20]
    assert glyphs(layer) == []


def test_a_hundred_thousand_marks_become_a_few_per_hundred_pixels(layer):
    layer.draw([marks(*np.linspace(0, 100, 100_000))], SHOWN, 300)
    assert 50 < len(lines(layer)) <= 500 / 4 + 1


def test_what_is_marked_no_more_disappears(layer):
    layer.draw([marks(20)], SHOWN, 300)
    layer.draw([marks()], SHOWN, 300)
    assert lines(layer) == glyphs(layer) == []
