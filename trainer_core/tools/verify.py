"""Verify LoRA: what a weight file holds, and what is broken in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import ModelFileError, TrainerError
from trainer_core.files.writing import publish_text
from trainer_core.model_files.recognise import kind_of
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.model_files.weights_file import read_index
from trainer_core.settings.problems import Problem
from trainer_core.settings.tools.verify import VerifySettings
from trainer_core.texts import T, text
from trainer_core.tools.base import Reporter, Tool, ToolResult
from trainer_core.tools.lora_outline import LoRAModule, LoRAOutline, outline
from trainer_core.tools.verify_words import ModuleNumbers, faults, summary, table
from trainer_core.tools.weight_statistics import is_readable, numbers_of, scalar_of

_FILE = "verify_lora.file"


class VerifyLoRA(Tool[VerifySettings]):
    """Reads every tensor once; needs neither torch nor a base model."""

    def check(self, settings: VerifySettings) -> Iterator[Problem]:
        """Refuse what is no weight file, or one without a single adapter."""
        try:
            _open(_file(settings))
        except TrainerError as error:
            yield Problem.of(error, setting=_FILE)

    def run(self, settings: VerifySettings, reporter: Reporter) -> ToolResult:
        """Measure every module, name what is broken, and write the table if that is wanted."""
        path = _file(settings)
        index, found = _open(path)
        measured = list(_measured(path, found, reporter))
        for message, hint in faults(measured, found.others):
            reporter.warn(message, hint)
        reporter.stop_if_asked()
        files: tuple[Path, ...] = ()
        if settings.report is not None:
            publish_text(settings.report, "\n".join(table(index, measured)) + "\n")
            files = (settings.report,)
        return ToolResult(tuple(summary(index, measured)), files)


def _file(settings: VerifySettings) -> Path:
    assert settings.file is not None, "it is required"
    return settings.file


def _open(path: Path) -> tuple[TensorIndex, LoRAOutline]:
    """Return a file's table of contents and its modules.

    Raises:
        ModelFileError: It is no weight file, or no tensor in it belongs to an adapter.
    """
    index = read_index(path)
    found = outline(index)
    if found.modules:
        return index, found
    base = FAMILIES.get(kind_of(index.entries))
    if base is None:
        message = T("Errors", "{path} is no LoRA: no tensor in it is one of an adapter.")
    else:
        message = T("Errors", "{path} is no LoRA but a {found} model.")
    raise ModelFileError(
        message,
        T("Errors", "Choose a LoRA file."),
        path=path,
        found="" if base is None else base.label,
    )


def _measured(path: Path, found: LoRAOutline, reporter: Reporter) -> Iterator[ModuleNumbers]:
    total = len(found.modules)
    with path.open("rb") as file:
        for number, module in enumerate(found.modules):
            reporter.stop_if_asked()
            reporter.progress(number, total, text(T("Events", "Reading {name}"), name=module.name))
            yield _measure(file, module)
    reporter.progress(total, total, text(T("Events", "All modules are read.")))


def _measure(file: BinaryIO, module: LoRAModule) -> ModuleNumbers:
    measured = ModuleNumbers(module)
    for name, entry in module.tensors.items():
        if not is_readable(entry):
            measured.unread.append(name)
        elif name in module.weights:
            measured.tensors[name] = numbers_of(file, entry)
        else:
            number = scalar_of(file, entry)
            if number is not None and not math.isfinite(number):
                measured.facts_not_finite.append(name)
            elif name == "alpha":
                measured.alpha = number
                measured.has_odd_alpha = number is None
    return measured
