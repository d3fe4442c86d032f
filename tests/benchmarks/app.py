"""Measures how the window feels: its start, scrolling, panning, and memory during a long run.

``python tests/benchmarks/app.py`` measures everything in a process of its own each, offscreen, and
prints a Markdown table; it takes about thirteen minutes, three with ``--minutes 1``. Measure on an
idle machine. ``xvfb-run -s "-screen 0 1280x720x24" python tests/benchmarks/app.py --platform xcb``
draws through X instead. ``--only start scroll`` measures these alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QGraphicsView, QScrollBar, QWidget

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.fake_trainer import fake_command
from helpers.pictures import write_picture

from desktop_app.charts.view import ChartsView
from desktop_app.models.runs.metrics_charts import CHARTS, LOSS, columns
from desktop_app.models.runs.series import Series
from desktop_app.preferences import Preferences
from desktop_app.process.environment import TrainerCommand
from desktop_app.theme.style import apply_theme
from desktop_app.widgets.pictures.thumbnail_grid import ThumbnailGrid
from desktop_app.window.main_window import MainWindow
from desktop_app.window.start import application
from desktop_app.workspace import Workspace
from trainer_core.protocol.messages import StepDone

STARTS = 9
# The offscreen platform by itself has 800 x 600, where a window is built like a narrow one.
SCREEN = {"name": "", "x": 0, "y": 0, "width": 1920, "height": 1080, "dpr": 1}
SCREEN |= {"logicalDpi": 96, "logicalBaseDpi": 96}
PICTURES = 10_000
PICTURE_PX = (192, 128)
DRAG_STEPS = 600
POINTS = 1_000_000
PAN_S = 5.0
EVENTS_PER_S = 200
FRAME_MS = 16
MIB = 2**20

Cells = dict[str, str]  # what was measured, and the figure in words

# The app as it is started; tells when its window was painted for the first time and when all of
# its docks were built, and leaves. The first paint is that of the whole window: what is in sight
# is there (tests/desktop_app/window/docking/test_late_docks.py); only pictures come later.
START = """
import os, sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication
import desktop_app.__main__ as program

class Look(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self.tell)  # once all that is in the window was painted
            watched.docks.late.completed.connect(self.leave)
        return False

    def tell(self):
        os.write(1, f"{time.monotonic()} {time.process_time()} ".encode())

    def leave(self):
        self.tell()
        os._exit(0)

def look(*_):
    window = next(w for w in QApplication.topLevelWidgets() if w.inherits("QMainWindow"))
    look.filter = Look()
    window.installEventFilter(look.filter)
    return real()

real, QApplication.exec = QApplication.exec, look
program.main(["--demo"])
"""


def measure_start(folder: Path, _minutes: float) -> Cells:
    """Start the app with the demo several times."""
    environment = os.environ | {"LORA_LOOM_HOME": str(folder)}
    # Compiled files as an installation has them; the first start finds none and makes them.
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    if environment["QT_QPA_PLATFORM"] == "offscreen":
        screen = folder / "screen.json"
        screen.write_text(json.dumps({"screens": [SCREEN]}), encoding="utf-8")
        environment["QT_QPA_PLATFORM"] = f"offscreen:configfile={screen}"
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    measured = []
    for _ in range(STARTS + 1):
        began = time.monotonic()
        told = subprocess.check_output([sys.executable, "-c", START], env=environment).split()
        painted, painted_cpu, built, built_cpu = map(float, told)
        measured.append((painted - began, painted_cpu, built - began, built_cpu))
    # The first one made the demo's folder and warmed the disk too.
    painted_s, painted_cpu_s, built_s, built_cpu_s = map(_spread, zip(*measured[1:], strict=True))
    return {
        f"process start to first paint, demo open, median of {STARTS} (goal 0.7 s)": painted_s,
        "processor time of that": painted_cpu_s,
        "process start until every dock is built": built_s,
        "processor time until then": built_cpu_s,
        "first paint of a start that finds no module compiled": f"{measured[0][0]:.2f} s",
    }


def _spread(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return f"{statistics.median(ordered):.2f} s ({ordered[0]:.2f} to {ordered[-1]:.2f})"


def measure_scroll(folder: Path, _minutes: float) -> Cells:
    """Scroll through all thumbnails while the files are being checked, and once that is done."""
    _write_pictures(folder / "pictures" / "1_many")
    cells = {}
    with _window(folder) as window:
        workspace = window.workspace
        workspace.document.set_value("dataset.train_data_dir", str(folder / "pictures"))
        window.docks.raise_dock("dataset")
        _wait(lambda: workspace.dataset.scan is not None)
        assert len(workspace.dataset.rows) == PICTURES
        grid = window.findChild(ThumbnailGrid)
        assert grid is not None
        gap = _longest_gap(lambda: _drag(grid.verticalScrollBar()))
        cells["longest gap, the folder being shown and dragged at once"] = f"{gap * 1000:.0f} ms"
        _wait(lambda: workspace.dataset.progress is None, timeout_s=600)
        for name, scroll in (("page by page", _page), ("dragging the bar", _drag)):
            grid.verticalScrollBar().setValue(0)
            _wait(lambda: grid.loader.is_idle)
            gap = _longest_gap(lambda scroll=scroll: scroll(grid.verticalScrollBar()))
            cells[f"longest gap, {name}, {PICTURES:,} pictures (goal 50 ms)"] = (
                f"{gap * 1000:.0f} ms"
            )
    return cells


def measure_pan(folder: Path, _minutes: float) -> Cells:
    """Drag the loss chart to and fro, with the whole run in sight and all charts shown."""
    cells = {}
    with _window(folder, all_charts=True) as window:
        _fill(window.workspace)
        window.docks.raise_dock("charts")
        _wait(lambda: window.findChild(ChartsView) is not None)
        QTest.qWait(1000)
        panel = window.findChild(ChartsView)._panels[LOSS]
        canvas = panel.plot.findChild(QGraphicsView).viewport()
        painted = _Painted(canvas)
        gap = _longest_gap(lambda: _pan(canvas))
        title = f"redraws while panning {POINTS:,} points, {len(CHARTS)} charts"
        cells[title] = f"{painted.count / PAN_S:.0f} / s"
        cells["longest gap meanwhile"] = f"{gap * 1000:.0f} ms"
    return cells


def measure_memory(folder: Path, minutes: float) -> Cells:
    """Watch a run of many events; growth beyond the stored figures would be a leak."""
    table = []
    with _window(folder, all_charts=True) as window:
        workspace = window.workspace
        _start_run(workspace, folder, steps=round(minutes * 60 * EVENTS_PER_S))
        began = time.monotonic()
        while workspace.run.is_running:
            _wait(
                lambda: not workspace.run.is_running, timeout_s=min(60, minutes * 15), strict=False
            )
            stored = sum(16 * len(series) for series in _all_series(workspace))
            table.append((time.monotonic() - began, psutil.Process().memory_info().rss, stored))
            sys.stderr.write(_memory_words(*table[-1]) + "\n")
        outcome, steps = workspace.run.outcome, len(workspace.metrics.loss)
        assert outcome is not None
        assert outcome.ok, outcome.sentence
    settled = table[len(table) // 5 :]  # at first caches fill: fonts, log lines, code
    times = [seconds / 60 for seconds, _, _ in settled]
    rest = [(rss - stored) / MIB for _, rss, stored in settled]
    slope = float(np.polyfit(times, rest, 1)[0]) if len(times) > 1 else float("nan")
    return {
        f"events per second over {table[-1][0] / 60:.1f} minutes": f"{steps / table[-1][0]:.0f}",
        "memory per minute": "; ".join(_memory_words(*row) for row in table),
        "growth beyond the stored figures": f"{slope:+.2f} MiB / min",
    }


MEASURES: dict[str, Callable[[Path, float], Cells]] = {
    "start": measure_start,
    "scroll": measure_scroll,
    "pan": measure_pan,
    "memory": measure_memory,
}

# ---------------------------------------------------------------- the window


class _Window(MainWindow):
    """The app's window, with its workspace at hand."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace


@contextmanager
def _window(folder: Path, *, all_charts: bool = False) -> Iterator[_Window]:
    app = application()
    apply_theme(app, "light")
    preferences = Preferences(folder / "preferences.ini")
    for chart in CHARTS:
        preferences.keep_chart_shown(chart.name, all_charts or chart.is_shown_at_first)
    workspace = Workspace(preferences, folder)
    window = _Window(workspace)
    window.show()
    window.docks.late.complete()
    QTest.qWait(300)
    yield window
    workspace.close()


def _wait(is_done: Callable[[], bool], *, timeout_s: float = 120, strict: bool = True) -> None:
    end = time.monotonic() + timeout_s
    while not is_done() and time.monotonic() < end:
        QTest.qWait(20)
    assert is_done() or not strict, "what is waited for did not come"


def _longest_gap(work: Callable[[], object]) -> float:
    """Return the longest time in seconds for which the event loop did not come round."""
    beats = [time.perf_counter()]
    heart = QTimer(interval=1, timerType=Qt.TimerType.PreciseTimer)
    heart.timeout.connect(lambda: beats.append(time.perf_counter()))
    heart.start()
    work()
    QTest.qWait(100)
    heart.stop()
    return max(after - before for before, after in pairwise(beats))


# ---------------------------------------------------------------- thumbnails


def _write_pictures(folder: Path) -> None:
    sample = Image.open(write_picture(folder.parent.parent / "sample.png", PICTURE_PX))
    folder.mkdir(parents=True)
    for number in range(PICTURES):
        sample.putpixel((0, 0), (number % 256, number // 256, 0))
        sample.save(folder / f"{number:05}.jpg", quality=80)
        (folder / f"{number:05}.txt").write_text(f"zxq lantern, number {number}, on a hill")


def _page(bar: QScrollBar) -> None:
    while bar.value() < bar.maximum():
        bar.triggerAction(QAbstractSlider.SliderAction.SliderPageStepAdd)
        QTest.qWait(FRAME_MS)


def _drag(bar: QScrollBar) -> None:
    bar.setSliderDown(True)
    for step in range(DRAG_STEPS + 1):
        bar.setSliderPosition(bar.maximum() * step // DRAG_STEPS)
        QTest.qWait(FRAME_MS)
    bar.setSliderDown(False)


# ---------------------------------------------------------------- charts


class _Painted(QObject):
    """Counts how often something is painted."""

    def __init__(self, watched: QObject) -> None:
        super().__init__()
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() is QEvent.Type.Paint
        return False


def _all_series(workspace: Workspace) -> list[Series]:
    return list(columns(workspace.metrics).values())


def _fill(workspace: Workspace) -> None:
    """Give every series of the run as many points."""
    rates = {"unet": 1e-4, "text_encoder": 5e-5}
    step = StepDone(step=1, epoch=1, loss=0.1, learning_rates=rates, grad_norm=1.0)
    workspace.metrics.feed(step)
    x = np.arange(1.0, POINTS + 1)
    noise = np.random.default_rng(0)
    for series in _all_series(workspace):
        series.replace(x, 0.1 * noise.lognormal(0, 0.35, POINTS))
    workspace.metrics.set_smoothing_steps(20)


def _pan(canvas: QWidget) -> None:
    middle = canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    end, offset, direction = time.perf_counter() + PAN_S, 0, 3
    while time.perf_counter() < end:
        offset += direction
        if abs(offset) > canvas.width() // 3:
            direction = -direction
        QTest.mouseMove(canvas, middle + QPoint(offset, 0))
        QTest.qWait(1)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle)


# ---------------------------------------------------------------- a long run


def _start_run(workspace: Workspace, folder: Path, steps: int) -> None:
    """Start a trainer that learns nothing but tells everything, also in its log."""
    run_file = folder / "run.toml"
    text = f'format = "loom/2"\n[output]\noutput_dir = "{folder}"\noutput_name = "long"\n'
    run_file.write_text(text, encoding="utf-8")
    # A step takes a little longer than its delay.
    command = fake_command(
        steps=steps, delay=0.93 / EVENTS_PER_S, log_lines=1, sample_every=60 * EVENTS_PER_S
    )
    workspace.run.command = TrainerCommand(command[0], tuple(command[1:]))
    workspace.run.start(run_file)


def _memory_words(seconds: float, rss: int, stored: int) -> str:
    return f"{seconds / 60:.1f}: {rss / MIB:.1f} MiB ({stored / MIB:.1f} stored)"


# ---------------------------------------------------------------- the program


def report(name: str, minutes: float) -> None:
    """Measure one thing in a fresh process and print its lines of the table."""
    command = [sys.executable, __file__, "--measure", name, "--minutes", str(minutes)]
    for what, figure in json.loads(subprocess.check_output(command)).items():
        sys.stdout.write(f"| {what} | {figure} |\n")
    sys.stdout.flush()


def main() -> None:
    """Measure everything, or one thing if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the long run")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--platform", default="offscreen", help="of Qt: offscreen or xcb")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        with tempfile.TemporaryDirectory(prefix="loom-benchmark-") as folder:
            cells = MEASURES[options.measure](Path(folder), options.minutes)
        sys.stdout.write(json.dumps(cells))
        sys.stdout.flush()
        os._exit(0)  # nothing of the window is asked for any more
    os.environ["QT_QPA_PLATFORM"] = options.platform
    os.environ["QT_LOGGING_RULES"] = "default.warning=false"  # what the offscreen plugin cannot do
    load, cores = os.getloadavg()[0], os.cpu_count()
    sys.stdout.write(f"Platform {options.platform}, {cores} cores, load before {load:.2f}.\n\n")
    sys.stdout.write("| measured | figure |\n|---|---|\n")
    sys.stdout.flush()
    for name in options.only:
        report(name, options.minutes)


if __name__ == "__main__":
    main()
