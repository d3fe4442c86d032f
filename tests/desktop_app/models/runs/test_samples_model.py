import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from desktop_app.models.runs.samples_model import Prompt, SampleRole, SamplesModel
from trainer_core.protocol.messages import Phase, Resumed, SampleReady

ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


def drawn(number: int, step: int, prompt: str = "a cat") -> SampleReady:
    path = f"/out/mine.run/samples/{step:08}_{number:02}_7.png"
    return SampleReady(
        step=step, epoch=1, prompt_index=number, prompt=prompt, path=path, seed=number + 7
    )


@pytest.fixture
def samples(qapp) -> SamplesModel:
    model = SamplesModel()
    fail = QAbstractItemModelTester.FailureReportingMode.Warning  # a warning fails the test
    model.tester = QAbstractItemModelTester(model, fail)
    return model


def steps(model: SamplesModel) -> list[str]:
    return [model.headerData(column, ACROSS) for column in range(model.columnCount())]


def prompts(model: SamplesModel) -> list[str]:
    return [model.headerData(row, DOWN) for row in range(model.rowCount())]


def picture(model: SamplesModel, row: int, column: int) -> SampleReady | None:
    return model.index(row, column).data(SampleRole)


def test_prompts_are_rows_and_steps_are_columns(samples):
    for step in (0, 76):
        samples.feed(drawn(0, step, "a cat"))
        samples.feed(drawn(1, step, "a dog"))
    assert prompts(samples) == ["a cat", "a dog"]
    assert steps(samples) == ["Before training", "Step 76"]
    assert picture(samples, 1, 1) == drawn(1, 76, "a dog")


def test_what_comes_late_or_first_finds_its_place(samples):
    for number, step in ((1, 20), (0, 20), (0, 10), (1, 30)):
        samples.feed(drawn(number, step, f"prompt {number}"))
    assert prompts(samples) == ["prompt 0", "prompt 1"]
    assert steps(samples) == ["Step 10", "Step 20", "Step 30"]


def test_a_picture_that_could_not_be_drawn_leaves_its_cell_empty(samples):
    samples.feed(drawn(0, 10, "a cat"))
    samples.feed(drawn(1, 20, "a dog"))
    assert picture(samples, 0, 1) is None
    assert picture(samples, 1, 0) is None


def test_an_edited_prompt_is_a_row_of_its_own(samples):
    samples.feed(drawn(0, 10, "a cat"))
    samples.feed(drawn(0, 20, "a black cat"))
    assert prompts(samples) == ["a black cat", "a cat"]


def test_a_picture_drawn_again_replaces_the_first(samples, qtbot):
    samples.feed(drawn(0, 10))
    again = drawn(0, 10).model_copy(update={"seed": 99})
    with qtbot.waitSignal(samples.dataChanged):
        samples.feed(again)
    assert samples.columnCount() == 1
    assert picture(samples, 0, 0) == again


def test_the_pictures_of_a_prompt_come_in_order_of_their_steps(samples):
    for number, step in ((0, 30), (0, 10), (1, 20)):
        samples.feed(drawn(number, step))
    found = samples.samples_of(Prompt(0, "a cat"))
    assert [sample.step for sample in found] == [10, 30]


def test_the_whole_prompt_stands_in_the_tooltip_and_is_no_markup(samples):
    samples.feed(drawn(0, 10, "a <cat>, (smile:1.2)"))
    tip = samples.headerData(0, DOWN, Qt.ItemDataRole.ToolTipRole)
    assert tip == "<qt>a &lt;cat&gt;, (smile:1.2)</qt>"


def test_a_cell_names_its_file_and_is_read_aloud(samples):
    samples.feed(drawn(0, 10, "a cat"))
    cell = samples.index(0, 0)
    assert cell.data(Qt.ItemDataRole.ToolTipRole) == drawn(0, 10).path
    assert cell.data(Qt.ItemDataRole.AccessibleTextRole) == "Step 10: a cat"


def test_a_resumed_run_drops_what_was_drawn_after_its_state(samples):
    for number, step in ((0, 10), (0, 20), (1, 20)):
        samples.feed(drawn(number, step, f"prompt {number}"))
    samples.feed(Resumed(from_step=15, state="/out/state"))
    assert (prompts(samples), steps(samples)) == (["prompt 0"], ["Step 10"])
    samples.feed(drawn(0, 20, "prompt 0"))
    assert steps(samples) == ["Step 10", "Step 20"]


def test_a_state_newer_than_all_pictures_drops_none(samples, qtbot):
    samples.feed(drawn(0, 10))
    with qtbot.assertNotEmitted(samples.modelReset):
        samples.feed(Resumed(from_step=10, state="/out/state"))


def test_other_events_change_nothing(samples):
    samples.feed(Phase(phase="sampling"))
    assert samples.rowCount() == samples.columnCount() == 0


def test_clear_forgets_the_run(samples):
    samples.feed(drawn(0, 10))
    samples.clear()
    assert samples.rowCount() == samples.columnCount() == 0
    assert samples.samples_of(Prompt(0, "a cat")) == []
