"""Which charts there are, and which series of a run each of them draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.models.runs.series import Series
from desktop_app.translation import shown
from trainer_core.catalogue.families import PARTS
from trainer_core.texts import T

_ORDER = list(PARTS)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of a chart.

    Attributes:
        name: For people, already translated; empty if the chart's title says it all.
        is_raw: Drawn faintly, behind the others.
    """

    name: str
    series: Series
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart that the user may show.

    Attributes:
        name: Key for what is remembered; never translated, never changed.
        title: A template of context "App".
        lines: Returns what it draws of a run.
        number_format: Of its values, as `format` takes it.
        weight: Its share of the height, relative to the others.
    """

    name: str
    title: str
    lines: Callable[[MetricsModel], Sequence[Line]]
    number_format: str = ".3g"
    from_zero: bool = False
    is_shown_at_first: bool = False
    weight: int = 1


def columns(metrics: MetricsModel) -> dict[str, Series]:
    """Return every series of a run by the name that a table gives it."""
    validation = {"validation_loss": metrics.validation_loss} if _is_validated(metrics) else {}
    rates = {f"learning_rate_{name}": rate for name, rate in metrics.learning_rates.items()}
    return {
        "loss": metrics.loss,
        "smoothed_loss": metrics.smoothed_loss,
        **validation,
        **rates,
        "gradient_norm": metrics.gradient_norm,
        "images_per_second": metrics.images_per_second,
        "memory_mib": metrics.memory_mib,
        **{f"measure_{name}": series for name, series in metrics.measures.items()},
    }


def _is_validated(metrics: MetricsModel) -> bool:
    return len(metrics.validation_loss) > 0


def _loss(metrics: MetricsModel) -> Sequence[Line]:
    lines = [
        Line(shown(T("App", "raw")), metrics.loss, is_raw=True),
        Line(shown(T("App", "smoothed")), metrics.smoothed_loss),
    ]
    if _is_validated(metrics):
        lines.append(Line(shown(T("App", "validation")), metrics.validation_loss))
    return lines


def _learning_rates(metrics: MetricsModel) -> Sequence[Line]:
    """Return the parts in the order of the catalogue, what it does not know after them."""
    rates = sorted(metrics.learning_rates.items(), key=lambda item: _position(item[0]))
    return [
        Line(shown(PARTS[name].label) if name in PARTS else name, series) for name, series in rates
    ]


def _position(part: str) -> int:
    return _ORDER.index(part) if part in PARTS else len(_ORDER)


LOSS = Chart("loss", T("App", "Loss"), _loss, is_shown_at_first=True, weight=2)

CHARTS = (
    LOSS,
    Chart(
        "learning_rates",
        T("App", "Learning rate"),
        _learning_rates,
        from_zero=True,
        is_shown_at_first=True,
    ),
    Chart(
        "gradient_norm",
        T("App", "Gradient norm"),
        lambda metrics: [Line("", metrics.gradient_norm)],
        from_zero=True,
    ),
    Chart(
        "images_per_second",
        T("App", "Images per second"),
        lambda metrics: [Line("", metrics.images_per_second)],
        from_zero=True,
    ),
    Chart(
        "memory",
        T("App", "Memory in MiB"),
        lambda metrics: [Line("", metrics.memory_mib)],
        number_format=".0f",
        from_zero=True,
    ),
)
