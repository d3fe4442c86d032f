"""The chart of training sizes: how many pictures an epoch shows at each."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from desktop_app.dataset_view.summary import size_words
from desktop_app.models.pictures.dataset_scan import Scan
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.bar_list import Bar, BarList
from trainer_core.dataset.plan import BucketCount
from trainer_core.texts import T


class BucketPart(QWidget):
    """A bar for each bucket of the plan; a chosen one is to filter the pictures."""

    bucket_chosen = Signal(object)  # its Size, None for all

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look = tokens.current()
        self._heading = QLabel(self)
        self._heading.setProperty("role", "dim")
        self._heading.setContentsMargins(look.gap_m, 0, 0, 0)
        self._bars = BarList(self)
        self._bars.setAccessibleName(shown(T("App", "Buckets")))
        self._bars.chosen.connect(self.bucket_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, look.gap_s, 0, 0)
        column.setSpacing(look.gap_xs)
        column.addWidget(self._heading)
        column.addWidget(self._bars, 1)

    def show_scan(self, scan: Scan) -> None:
        """Draw the buckets of a scan's plan; without a plan there is no chart."""
        buckets = () if scan.plan is None else scan.plan.buckets
        batch_size = 1 if scan.plan is None else scan.plan.largest_batch
        self._heading.setText(shown(T("App", "Buckets: {count}"), count=len(buckets)))
        self._bars.show_bars([_bar(bucket, batch_size) for bucket in buckets])
        self.setVisible(bool(buckets))

    def choose_none(self) -> None:
        """Let the pictures of every bucket be shown."""
        self._bars.choose_none()


def _bar(bucket: BucketCount, batch_size: int) -> Bar:
    template = T(
        "App",
        "Trained at {size} px: {samples} [samples:picture|pictures] per epoch, repeats "
        "counted, in {batches} [batches:batch|batches] of up to {batch_size}.\n"
        "Click to show only these, click again to show all.",
    )
    size = size_words(bucket.resolution)
    values = {"samples": bucket.samples, "batches": bucket.batches, "batch_size": batch_size}
    return Bar(bucket.resolution, size, bucket.samples, shown(template, size=size, **values))
