"""The dataset configuration of sd-scripts (``--dataset_config``), TOML or JSON.

``[general]``, ``[[datasets]]`` and ``[[datasets.subsets]]``: a value is looked for in the subset,
the dataset and ``[general]``, in this order. Source: kohya_config_import.md, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from trainer_core.errors import SettingsError
from trainer_core.settings.document import UNSET, absolute, closest
from trainer_core.settings.foreign.imported import Imported, read_tables, unusable
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.subsets import OWN
from trainer_core.texts import T, Text, text

_SUBSETS = "dataset.subsets"
_COLUMNS = TRAIN.params()[_SUBSETS].columns

# Names that differ from ours.
_RENAMED = {"batch_size": "train_batch_size"}

_OF_DATASETS = frozenset(
    {
        *("batch_size", "resolution", "enable_bucket", "min_bucket_reso", "max_bucket_reso"),
        *("bucket_reso_steps", "bucket_no_upscale", "validation_seed", "validation_split"),
        *("network_multiplier", "resize_interpolation", "skip_image_resolution"),
    }
)
_OF_SUBSETS = frozenset(
    {
        *("num_repeats", "shuffle_caption", "caption_separator", "keep_tokens"),
        *("keep_tokens_separator", "secondary_separator", "enable_wildcard", "color_aug"),
        *("flip_aug", "face_crop_aug_range", "random_crop", "caption_prefix", "caption_suffix"),
        *("token_warmup_min", "token_warmup_step", "custom_attributes", "resize_interpolation"),
        *("caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate"),
        *("caption_extension", "class_tokens", "cache_info"),
    }
)
_OF_SUBSETS_ONLY = frozenset(
    {"image_dir", "is_reg", "alpha_mask", "metadata_file", "conditioning_data_dir"}
)
_OF_RUN = frozenset({"validation_seed", "validation_split"})
_PATHS = ("image_dir", "metadata_file", "conditioning_data_dir")

# What sd-scripts takes where neither the file nor its command line says anything.
_DEFAULTS: Mapping[str, object] = {
    "batch_size": 1,
    "enable_bucket": False,
    "min_bucket_reso": 256,
    "max_bucket_reso": 1024,
    "bucket_reso_steps": 64,
    "bucket_no_upscale": False,
    "shuffle_caption": False,
    "keep_tokens": 0,
    "caption_extension": ".caption",
    "flip_aug": False,
}

# What a configuration replaces.
_REPLACED: Mapping[str, object] = {
    "dataset.train_data_dir": UNSET,
    "dataset.more_pictures": [],
    "dataset.reg_data_dir": UNSET,
    "dataset.in_json": UNSET,
}


def import_dataset_config(path: Path, *, is_alone: bool = False) -> Imported:
    """Read a dataset configuration.

    What the file leaves open stays as the run has it, as it came from the command line there.

    Args:
        path: The file; relative paths in it are meant from its folder.
        is_alone: There is no run yet: what the file leaves open becomes what sd-scripts takes.

    Raises:
        SettingsError: It cannot be read, holds a key that there is not, or none of its pictures
            are named.
    """
    config = _Config(path, _DEFAULTS if is_alone else {})
    rows = list(config.rows(read_tables(path)))
    if not rows:
        raise unusable(path, T("Errors", "it names no pictures"))
    common, rows = _hoisted(rows)
    changes = {**_REPLACED, **config.of_run(), **common, _SUBSETS: rows}
    return Imported(changes, tuple(config.notes.values()))


def is_dataset_config_file(path: Path) -> bool:
    """Tell whether a file is a dataset configuration; it is read for that."""
    try:
        return is_dataset_config(read_tables(path))
    except SettingsError:
        return False


def is_dataset_config(content: Mapping[str, Any]) -> bool:
    """Tell whether the tables of a file are those of a dataset configuration."""
    return isinstance(content.get("datasets"), list)


def _hoisted(rows: list[dict[str, Any]]) -> tuple[dict[str, object], list[dict[str, Any]]]:
    """Return the values that all subsets share as the run's own, and the subsets without them."""
    paths = {name: f"{own.section}.{name}" for name, own in OWN.items()}
    paths["train_batch_size"] = "dataset.train_batch_size"
    shared = {
        name: rows[0][name]
        for name in paths
        if name in rows[0] and all(name in r and r[name] == rows[0][name] for r in rows)
    }
    rest = [{name: v for name, v in row.items() if name not in shared} for row in rows]
    return {paths[name]: value for name, value in shared.items()}, rest


@dataclass(slots=True)
class _Config:
    """Turns the tables of a file into ours, and notes what has no place here."""

    path: Path
    defaults: Mapping[str, object]
    notes: dict[str, Text] = field(default_factory=dict)
    asked_of_run: dict[str, list[object]] = field(default_factory=dict)

    def rows(self, content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield a table for each subset."""
        self._check(content, frozenset({"general", "datasets"}), "")
        general = self._table(content.get("general", {}), "general")
        self._check(general, _OF_DATASETS | _OF_SUBSETS, "general")
        for number, dataset in enumerate(self._tables(content, "datasets"), start=1):
            name = f"datasets[{number}]"
            table = self._table(dataset, name)
            self._check(table, _OF_DATASETS | _OF_SUBSETS | {"subsets"}, name)
            yield from self._of_dataset(table, general, name)

    def of_run(self) -> Mapping[str, object]:
        """Return what data sets say of the whole run, and note where they differ."""
        changes: dict[str, object] = {}
        for key, values in self.asked_of_run.items():
            said = [value for value in values if value is not None]
            path = TRAIN.path_of(key)
            if not said or path is None:
                continue
            changes[path] = said[0]
            if any(value != said[0] for value in values):
                template = T(
                    "Problems", "{name} is {value} for the whole run; the data sets differ."
                )
                self.notes.setdefault(key, text(template, name=key, value=said[0]))
        return changes

    def _of_dataset(
        self, dataset: Mapping[str, Any], general: Mapping[str, Any], name: str
    ) -> Iterator[dict[str, Any]]:
        subsets = [self._table(each, name) for each in self._tables(dataset, "subsets")]
        if len({"metadata_file" in subset for subset in subsets}) > 1:
            raise unusable(
                self.path,
                str(
                    text(T("Errors", "only some subsets of {name} have a metadata file"), name=name)
                ),
            )
        seen: set[tuple[object, ...]] = set()
        for number, subset in enumerate(subsets, start=1):
            place = f"{name}.subsets[{number}]"
            self._check(subset, _OF_SUBSETS | _OF_SUBSETS_ONLY, place)
            if "image_dir" not in subset and "metadata_file" not in subset:
                raise unusable(
                    self.path, str(text(T("Errors", "{name} has no image_dir"), name=place))
                )
            key = tuple(str(subset.get(path)) for path in _PATHS)
            inherited = {k: v for k, v in dataset.items() if k != "subsets"}
            values = {"num_repeats": 1, **self.defaults, **general, **inherited, **subset}
            if key in seen:
                self._note(place, T("Problems", "{name} is there twice and left out."), place)
            elif isinstance(values["num_repeats"], int) and values["num_repeats"] < 1:
                self._note(place, T("Problems", "{name} has no repeats and is left out."), place)
            else:
                yield self._row(values)
            seen.add(key)

    def _row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for key in sorted(_OF_RUN):
            self.asked_of_run.setdefault(key, []).append(values.get(key))
        for key, value in values.items():
            name = _RENAMED.get(key, key)
            if name in _COLUMNS and not _is_plain(value):
                raise unusable(self.path, str(text(T("Errors", "{name} has no value"), name=key)))
            if name in _COLUMNS:
                if not _says_nothing(name, value):
                    row[name] = self._whole(value) if key in _PATHS else value
            elif key not in _OF_RUN and value not in (None, False, "", 0, 1.0, {}, []):
                self._note(key, T("Problems", "{name} has no effect here."), key)
        in_order = [name for name in _COLUMNS if name in row]
        return {name: row[name] for name in in_order}

    def _whole(self, path: Any) -> Any:
        """Return a path from the file's folder on; one of another system stays as it is."""
        if isinstance(path, str) and PureWindowsPath(path).is_absolute():
            return path
        return absolute(path, self.path.parent)

    def _check(self, table: Mapping[str, Any], known: frozenset[str], name: str) -> None:
        for key in table:
            if key in known:
                continue
            place = f"{name}.{key}" if name else key
            guess = closest(key, known)
            hint = T("Errors", "Did you mean {guess}?")
            raise SettingsError(
                T("Errors", "{path}: {name} is no setting of a dataset configuration."),
                hint if guess else T("Errors", "Remove it from the file."),
                path=self.path,
                name=place,
                guess=guess or "",
            )

    def _tables(self, table: Mapping[str, Any], key: str) -> list[Any]:
        found = table.get(key, [])
        if not isinstance(found, list):
            raise unusable(
                self.path, str(text(T("Errors", "{name} must be a list of tables"), name=key))
            )
        return found

    def _table(self, value: Any, name: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise unusable(self.path, str(text(T("Errors", "{name} must be a table"), name=name)))
        return value

    def _note(self, key: str, template: str, name: str) -> None:
        self.notes.setdefault(key, text(template, name=name))


def _is_plain(value: object) -> bool:
    """Tell whether a run file could hold a value: a word, a number, or a list of them."""
    each = value if isinstance(value, list) else [value]
    is_list = isinstance(value, list)
    return all(isinstance(v, str | int | float) or (v is None and not is_list) for v in each)


def _says_nothing(name: str, value: object) -> bool:
    """Tell whether a value is how sd-scripts says "unset": none, no words, or a 0 below bounds."""
    column = _COLUMNS[name]
    if value is None or (value == "" and column.base_type is not bool and name != "class_tokens"):
        return True
    low = column.spec.minimum
    return value == 0 and not isinstance(value, bool) and low is not None and low > 0
