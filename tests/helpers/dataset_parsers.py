"""The parsers of descriptions of data sets, as a table for `mutations`."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.mutations import Parser, as_file, plain_json
from helpers.record_parsers import toml_as_json

from trainer_core.dataset.description.metadata_file import read_metadata
from trainer_core.errors import DatasetError, SettingsError
from trainer_core.settings.document import replaced
from trainer_core.settings.files import RunFile, dumps
from trainer_core.settings.foreign.dataset_toml import import_dataset_config
from trainer_core.settings.rules.check import check
from trainer_core.settings.schema import TRAIN

_CONFIG = """
[general]
keep_tokens = 1
enable_bucket = true
[[datasets]]
resolution = [512, 768]
batch_size = 4
[[datasets.subsets]]
image_dir = 'D:\\sets\\kettle'
num_repeats = 8
class_tokens = "kxq kettle"
[[datasets.subsets]]
image_dir = "street"
flip_aug = true
face_crop_aug_range = [1.0, 2.5]
caption_separator = ";"
"""

_METADATA = {
    "a": {"caption": "a cat", "tags": "red, big", "image_size": [512, 512]},
    "sub/b.png": {"tags": ["x", "y"], "train_resolution": [512, 512]},
}
_LINES = [{"image_path": "a.png", "caption": "a cat"}, {"image_path": "b", "tags": "red"}]


def dataset_parsers(folder: Path) -> list[Parser]:
    """Return the parsers; they put what they read into ``folder``."""
    return [config(folder), metadata(folder), metadata_lines(folder)]


def config(folder: Path) -> Parser:
    """Import a dataset configuration, check what comes of it, and write it as a run file."""

    def parse(path: Path) -> None:
        found = import_dataset_config(path, is_alone=True)
        raw = replaced({}, found.changes)
        settings, problems = TRAIN.parse(raw)
        if settings is not None:
            problems += check(settings, {})
        for problem in problems:
            str(problem.message).encode()
        dumps(RunFile(raw))

    return Parser(
        name="dataset configuration",
        samples=(_CONFIG.encode(),),
        parse=as_file(folder / "data.toml", parse),
        allowed=(SettingsError,),
        unwrap=toml_as_json,
        share=500,
    )


def metadata(folder: Path) -> Parser:
    """Read a metadata file of fine-tuning, and join what it says of each picture."""
    return Parser(
        name="metadata file",
        samples=(json.dumps(_METADATA).encode(),),
        parse=as_file(folder / "meta.json", _captions),
        allowed=(DatasetError,),
        unwrap=plain_json,
    )


def metadata_lines(folder: Path) -> Parser:
    """Read one that has a line for each picture."""
    return Parser(
        name="metadata lines",
        samples=("\n".join(map(json.dumps, _LINES)).encode(),),
        parse=as_file(folder / "meta.jsonl", _captions),
        allowed=(DatasetError,),
    )


def _captions(path: Path) -> list[str]:
    (path.parent / "a.png").touch()
    found = read_metadata(path, path.parent)
    each = found.pictures.values()
    return [one.joined(",", has_lines=is_many) for one in each for is_many in (False, True)]
