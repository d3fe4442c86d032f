import io
import threading

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QWidget

from desktop_app.charts.export import ChartExport, write_table
from desktop_app.models.runs.series import Series


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def export(window, answers):
    return ChartExport(window, ask=answers)


@pytest.fixture
def choose(monkeypatch):
    """Make the file dialog return a path, as if it had asked about replacing it."""

    def choose(path):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))

    return choose


def series(**points: float) -> Series:
    made = Series()
    for x, y in points.items():
        made.append(float(x.removeprefix("s")), y)
    return made


def save_values(export, columns, folder, qtbot):
    export.save_values(columns, folder / "mine-charts")
    qtbot.waitUntil(lambda: not export.is_running)


def written(columns: dict[str, tuple[list[float], list[float]]]) -> str:
    file = io.BytesIO()
    write_table({name: (np.array(x), np.array(y)) for name, (x, y) in columns.items()}, file)
    return file.getvalue().decode()


def test_a_table_has_a_line_a_step_and_gaps_where_nothing_was_measured():
    columns = {"loss": ([1.0, 3.0], [0.5, 0.25]), "rate": ([1.0, 2.0, 3.0], [1e-4, 9e-5, 8e-5])}
    assert written(columns) == "step,loss,rate\n1,0.5,0.0001\n2,,9e-05\n3,0.25,8e-05\n"


def test_a_table_of_nothing_is_its_heading():
    assert written({"loss": ([], [])}) == "step,loss\n"


def test_values_of_a_long_table_are_exact():
    y = np.random.default_rng(0).normal(size=25_000)
    lines = written({"loss": (list(range(25_000)), y.tolist())}).splitlines()[1:]
    assert [int(line.split(",")[0]) for line in lines] == list(range(25_000))
    assert [float(line.split(",")[1]) for line in lines] == y.tolist()


def test_chosen_values_are_written_in_a_thread(export, choose, tmp_path, qtbot):
    choose(tmp_path / "values.csv")
    save_values(export, {"loss": series(s1=0.5, s2=0.25)}, tmp_path, qtbot)
    assert (tmp_path / "values.csv").read_text() == "step,loss\n1,0.5\n2,0.25\n"


def test_what_comes_while_a_table_is_written_is_not_in_it(export, choose, tmp_path, qtbot):
    choose(tmp_path / "values.csv")
    loss = series(s1=0.5)
    export.save_values({"loss": loss}, tmp_path / "mine")
    loss.clear()
    loss.append(1, 99)
    qtbot.waitUntil(lambda: not export.is_running)
    assert (tmp_path / "values.csv").read_text() == "step,loss\n1,0.5\n"


def test_a_file_is_replaced_once_the_dialog_asked(export, choose, tmp_path, qtbot, answers):
    path = tmp_path / "values.csv"
    path.write_text("old")
    choose(path)
    save_values(export, {"loss": series(s1=0.5)}, tmp_path, qtbot)
    assert path.read_text() == "step,loss\n1,0.5\n"
    assert answers.questions == []


def test_a_file_that_the_dialog_did_not_see_is_kept(export, choose, tmp_path, qtbot, answers):
    path = tmp_path / "values.csv"
    path.write_text("old")
    choose(tmp_path / "values")
    save_values(export, {"loss": series(s1=0.5)}, tmp_path, qtbot)
    assert path.read_text() == "old"
    qtbot.waitUntil(lambda: len(answers.questions) == 1)
    assert "exists already" in answers.questions[0].message


def test_a_cancelled_dialog_writes_nothing(export, choose, tmp_path):
    choose("")
    export.save_values({"loss": series(s1=0.5)}, tmp_path / "mine")
    export.save_picture(QLabel("loss"), tmp_path / "mine")
    assert not export.is_running
    assert list(tmp_path.iterdir()) == []


def test_a_picture_does_not_show_where_the_focus_is(export, choose, window, tmp_path, qtbot):
    field = QLineEdit(window)
    field.setStyleSheet(
        "QLineEdit { border: 3px solid #00ff00; } :focus { border-color: #ff0000; }"
    )
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    choose(tmp_path / "charts.png")
    export.save_picture(window, tmp_path / "mine-charts")
    assert QImage(str(tmp_path / "charts.png")).pixelColor(1, 10).name() == "#00ff00"
    assert field.hasFocus()


def test_a_picture_shows_the_widget(export, choose, tmp_path, window):
    window.setStyleSheet("background: #102030")
    window.resize(80, 60)
    choose(tmp_path / "charts.png")
    export.save_picture(window, tmp_path / "mine")
    picture = QImage(str(tmp_path / "charts.png"))
    assert (picture.width(), picture.height()) == (80, 60)
    assert picture.pixelColor(40, 30).name() == "#102030"


def test_a_picture_that_cannot_be_written_is_reported(export, choose, tmp_path, window, answers):
    (tmp_path / "file").write_text("")
    choose(tmp_path / "file" / "charts.png")
    export.save_picture(window, tmp_path / "mine")
    assert "is a file, not a folder" in answers.questions[0].message


def test_no_thread_is_kept_once_a_table_is_written(export, choose, tmp_path, qtbot):
    before = set(threading.enumerate())
    choose(tmp_path / "values.csv")
    save_values(export, {"loss": series(s1=0.5)}, tmp_path, qtbot)
    assert set(threading.enumerate()) <= before
