"""Values that a setting takes or must refuse, made from its declaration; suggestions applied."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

from trainer_core.settings.document import UNSET, replaced, to_raw
from trainer_core.settings.param import Param
from trainer_core.settings.problems import Problem
from trainer_core.settings.schema import TRAIN, TrainSettings


def accepted(param: Param) -> Iterator[object]:
    """Yield raw values that the setting takes: default, unset, bounds, every choice."""
    spec, kind = param.spec, param.base_type
    yield to_raw(param, param.default)
    if param.is_optional:
        yield UNSET
    if kind is bool:
        yield from (True, False)
    elif spec.choices:
        yield from map(param.value_of, spec.choices)
    elif kind in (int, float):
        yield from (kind(bound) for bound in (spec.minimum, spec.maximum) if bound is not None)
    elif kind is Path:
        yield "a folder/ein Ordner 貓"
    elif kind is str:
        yield "words, with a comma; # and \"quotes'"
    else:
        yield from _lists(param)


def _lists(param: Param) -> Iterator[object]:
    assert param.is_tuple, f"no examples for {param.path}: {param.annotation}"
    if param.columns:
        yield [{"image_dir": "10_a folder", "num_repeats": 3, "resolution": [768, 512]}]
    elif param.spec.prompts:
        yield ["a cat, a -- b --n bad hands --w 512", "eine 貓"]
    elif param.element_type is str:
        yield ["weight_decay=0.1", "betas=0.9,0.99"]
    elif param.is_path_list:
        yield ["10_a folder", "ein Ordner/貓.png"]
    else:
        assert param.length == 2
        yield [768, 64] if param.element_type is int else [1.5, 4.0]


def refused(param: Param) -> Iterator[object]:
    """Yield raw values of wrong type, out of bounds or not among the choices."""
    spec, kind = param.spec, param.base_type
    yield {"a": 1}
    if not param.is_optional and (kind is not str or spec.choices):
        yield UNSET
    if kind is bool:
        yield from ("true", 1, 0.5, [])
    elif spec.choices:
        first = param.value_of(next(iter(spec.choices)))
        yield from ("nonsense", 1, [first], str(first) if kind is int else 0.5)
        yield from [True] * ("on" not in spec.choices)  # not a switch that may be left open
    elif kind in (int, float):
        yield from (True, "4", math.nan, math.inf, -math.inf, [])
        yield from (kind(spec.minimum) - 1, kind(spec.maximum) + 1)
        if kind is int:
            yield from (float(spec.minimum), 0.5)
    elif kind in (str, Path):
        yield from (1, 0.5, True, ["a"])
    elif param.columns:
        yield from ("a folder", 1, [1], ["a"], [{"image_dir": 1}], [{"nonsense": 1}])
    elif param.element_type is str:
        yield from ("a=1", 1, [1], [True])
    elif param.is_path_list:
        yield from ("a folder", 1, [1], ["a", True], [" "])
    else:
        yield from _no_pairs(param)


def _no_pairs(param: Param) -> Iterator[object]:
    yield from ("8x8", "", 0.5, True, "64,64,64", [], [64], [64, 64, 64])
    yield from ([True, 64], ["64", 64], [-64, 64], [0, 64], [64, 10**9])
    if param.element_type is int:
        yield [64.0, 64]


def as_text(param: Param, raw: object) -> str:
    """Return a raw value as somebody would type it behind a command-line flag."""
    if param.is_path_list and isinstance(raw, list):
        return os.pathsep.join(raw)
    if param.columns and isinstance(raw, list):
        return ", ".join(
            f"{name} = {json.dumps(value)}" for row in raw for name, value in row.items()
        )
    if param.spec.prompts and isinstance(raw, list):
        return "\n".join(raw)
    if isinstance(raw, bool):
        return str(raw).lower()
    return " ".join(map(str, raw)) if isinstance(raw, list) else str(raw)


def after_suggestion(settings: TrainSettings, problem: Problem) -> TrainSettings:
    """Return the settings with a problem's suggestion applied."""
    assert problem.suggestion is not None
    mended, problems = TRAIN.parse(replaced(TRAIN.as_raw(settings), problem.suggestion.changes))
    assert mended is not None, problems
    return mended
