"""The dock that shows the pictures: what is there, how it will be trained, what is wrong."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_app.docks.base import Dock
from desktop_app.docks.dataset_details import PictureDetails
from desktop_app.docks.dataset_side import DatasetSide
from desktop_app.docks.dataset_words import check_words, stats
from desktop_app.models.picture_list import PictureList, PictureRole, PictureRow, picture_rows
from desktop_app.theme import tokens
from desktop_app.translation import shown
from desktop_app.widgets.drop_area import DropArea, dropped_folder
from desktop_app.widgets.elided_label import ElidedLabel
from desktop_app.widgets.icon_button import IconButton
from desktop_app.widgets.stat_row import StatRow
from desktop_app.widgets.thumbnail_grid import ThumbnailGrid
from desktop_app.workspace import Workspace
from trainer_core.texts import T

_FOLDER_SETTING = "dataset.train_data_dir"
