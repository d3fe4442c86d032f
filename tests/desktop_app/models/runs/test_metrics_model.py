import pytest

from desktop_app.models.runs.metrics_charts import LOSS, columns
from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.models.runs.run_marks import MarkKind
from trainer_core.protocol.messages import CheckpointSaved, Phase, Resumed, StepDone, Validated


def saved(number: int) -> CheckpointSaved:
    return CheckpointSaved(kind="state", step=number, epoch=1, path="/out/state", size_bytes=1)


def step(number: int, loss: float | None = 0.5, **rates: float) -> StepDone:
    return StepDone(step=number, epoch=1, loss=loss, learning_rates=rates)


@pytest.fixture
def metrics(qapp) -> MetricsModel:
    return MetricsModel()


def debiased_average(values, weight):
    """Return the moving average by its definition, value by value."""
    averages, moment = [], 0.0
    for count, value in enumerate(values, start=1):
        moment = weight * moment + (1 - weight) * value
        averages.append(moment / (1 - weight**count))
    return averages


def test_steps_become_points(metrics):
    metrics.feed(step(1, 0.4, unet=1e-4))
    metrics.feed(step(2, 0.3, unet=9e-5))
    assert metrics.loss.x.tolist() == [1, 2]
    assert metrics.loss.y.tolist() == [0.4, 0.3]
    assert metrics.learning_rates["unet"].y.tolist() == [1e-4, 9e-5]
    assert metrics.latest == step(2, 0.3, unet=9e-5)


def test_what_a_method_measures_becomes_a_column_of_its_name(metrics):
    assert "measure_norm" not in columns(metrics)
    for number, value in ((1, 2.5), (2, None), (3, 0.5)):
        metrics.feed(step(number).model_copy(update={"measures": {"norm": value}}))
    assert columns(metrics)["measure_norm"].x.tolist() == [1, 3]
    assert metrics.measures["norm"].y.tolist() == [2.5, 0.5]
    metrics.feed(Resumed(from_step=1, state="/out/state"))
    assert metrics.measures["norm"].x.tolist() == [1]


def test_a_step_without_a_finite_loss_has_rates_only(metrics):
    metrics.feed(step(1, None, unet=1e-4))
    assert len(metrics.loss) == 0
    assert len(metrics.learning_rates["unet"]) == 1


def test_what_else_a_step_measured_becomes_points(metrics):
    event = step(1).model_copy(
        update={"grad_norm": 0.7, "images_per_second": 2.5, "memory_mib": 8000.0}
    )
    metrics.feed(event)
    assert metrics.gradient_norm.y.tolist() == [0.7]
    assert metrics.images_per_second.y.tolist() == [2.5]
    assert metrics.memory_mib.y.tolist() == [8000]


def test_the_validation_loss_is_a_line_of_the_loss_once_it_is_measured(metrics):
    metrics.feed(step(4))
    before = len(LOSS.lines(metrics))
    assert "validation_loss" not in columns(metrics)
    metrics.feed(Validated(step=4, epoch=1, loss=0.2, pictures=3))
    metrics.feed(Validated(step=8, epoch=2, loss=None, pictures=3))
    metrics.feed(Validated(step=12, epoch=3, loss=0.1, pictures=3))

    line = LOSS.lines(metrics)[before]
    assert (line.series.x.tolist(), line.series.y.tolist()) == ([4, 12], [0.2, 0.1])
    assert columns(metrics)["validation_loss"] is line.series
    metrics.feed(Resumed(from_step=8, state=""))
    assert metrics.validation_loss.x.tolist() == [4]


def test_a_skipped_update_has_no_gradient_norm(metrics):
    metrics.feed(step(1))
    assert len(metrics.gradient_norm) == 0
    assert len(metrics.memory_mib) == 1


def test_events_that_measure_nothing_change_nothing(metrics, qtbot):
    with qtbot.assertNotEmitted(metrics.changed):
        metrics.feed(Phase(phase="saving"))


def test_the_loss_is_smoothed_as_it_comes(metrics):
    losses = [0.5, 0.1, 0.9, 0.3, 0.7]
    metrics.set_smoothing_steps(4)
    for number, loss in enumerate(losses, start=1):
        metrics.feed(step(number, loss))
    expected = debiased_average(losses, 0.75)
    assert metrics.smoothed_loss.y.tolist() == pytest.approx(expected, rel=1e-12)


def test_another_smoothing_applies_to_the_whole_run_and_to_what_follows(metrics):
    losses = [0.5, 0.1, 0.9, 0.3, 0.7, 0.2]
    for number, loss in enumerate(losses[:4], start=1):
        metrics.feed(step(number, loss))
    metrics.set_smoothing_steps(2)
    for number, loss in enumerate(losses[4:], start=5):
        metrics.feed(step(number, loss))
    expected = debiased_average(losses, 0.5)
    assert metrics.smoothed_loss.y.tolist() == pytest.approx(expected, rel=1e-12)


def test_one_step_of_smoothing_is_none(metrics):
    metrics.set_smoothing_steps(1)
    for number, loss in enumerate([0.5, 0.1, 0.9], start=1):
        metrics.feed(step(number, loss))
    assert metrics.smoothed_loss.y.tolist() == [0.5, 0.1, 0.9]


def test_a_resumed_run_drops_what_came_after_its_state(metrics):
    metrics.set_smoothing_steps(4)
    for number in range(1, 9):
        metrics.feed(step(number, number / 10, unet=1e-4))
    metrics.feed(Resumed(from_step=5, state="/out/state"))
    assert metrics.loss.x.tolist() == [1, 2, 3, 4, 5]
    assert metrics.learning_rates["unet"].x.tolist() == [1, 2, 3, 4, 5]
    assert metrics.memory_mib.x.tolist() == [1, 2, 3, 4, 5]
    metrics.feed(step(6, 0.6))
    expected = debiased_average([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.75)
    assert metrics.smoothed_loss.y.tolist() == pytest.approx(expected, rel=1e-12)


def test_a_step_that_comes_again_replaces_what_followed_it(metrics):
    for number in (1, 2, 3, 2):
        metrics.feed(step(number, 0.1 * number))
    assert metrics.loss.x.tolist() == [1, 2]
    assert metrics.smoothed_loss.x.tolist() == [1, 2]


def test_a_save_is_marked_and_said(metrics, qtbot):
    metrics.feed(step(3))
    with qtbot.waitSignal(metrics.changed):
        metrics.feed(saved(3))
    assert metrics.marks.steps(MarkKind.SAVE) == [3]


def test_a_resumed_run_forgets_the_marks_after_its_state(metrics):
    for number in (2, 4, 6):
        metrics.feed(step(number))
        metrics.feed(saved(number))
    metrics.feed(Resumed(from_step=4, state="/out/state"))
    assert metrics.marks.steps(MarkKind.SAVE) == [2, 4]


def test_a_step_that_comes_again_forgets_the_marks_from_there(metrics):
    for number in (2, 4, 6):
        metrics.feed(step(number))
        metrics.feed(saved(number))
    metrics.feed(step(4))
    assert metrics.marks.steps(MarkKind.SAVE) == [2]


def test_clear_forgets_the_run(metrics):
    metrics.feed(step(1, unet=1e-4))
    metrics.feed(saved(1))
    metrics.clear()
    assert len(metrics.loss) == len(metrics.smoothed_loss) == len(metrics.learning_rates) == 0
    assert metrics.latest is None
    assert metrics.marks.steps(MarkKind.SAVE) == []
