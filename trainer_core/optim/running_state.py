"""The running state of any optimizer: what changes while it works, as tensors and plain data.

What an optimizer keeps for a parameter, and whatever in its groups is no argument of its
constructor, is running state; the arguments come from the settings. Nothing here knows one
optimizer from another.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trainer_core.errors import StateError
from trainer_core.texts import T

# Keys of a group that are neither arguments nor running state: what is trained, and its name.
_OF_THE_GROUP = frozenset({"params", "name", "param_names"})
# The schedule's, though ``lr`` is an argument: kept as they stood.
_RATES = ("lr", "initial_lr")
_OF_TORCH = frozenset({"state", "param_groups"})


@dataclass(frozen=True, slots=True)
class RunningState:
    """An optimizer's running state.

    Attributes:
        kind: The name of its class.
        count: How many parameters it moves.
        tensors: By dotted path, such as ``3.exp_avg``; the optimizer's own, not copies, in its
            types and where it has them.
        outline: Everything else as JSON, with the places of the tensors.
    """

    kind: str
    count: int
    tensors: Mapping[str, Tensor] = field(repr=False)
    outline: Mapping[str, Any] = field(repr=False)


def running_state(optimizer: Optimizer) -> RunningState:
    """Return what has to be kept of ``optimizer`` for it to go on as if never interrupted.

    Raises:
        StateError: It keeps something that is neither a tensor nor plain data.
    """
    parameters = _parameters(optimizer)
    places = {id(parameter): index for index, parameter in enumerate(parameters)}
    writer = _Writer(type(optimizer).__name__)
    by_parameter: dict[int, Any] = {}
    shared: dict[object, Any] = {}
    for key, value in optimizer.state.items():
        if id(key) in places:
            by_parameter[places[id(key)]] = value
        else:
            shared[key] = value
    outline = {
        "parameters": [
            [index, writer.encode(value, str(index), parameters[index])]
            for index, value in sorted(by_parameter.items())
        ],
        "shared": writer.encode(shared, "shared", _first(parameters)),
        "groups": [
            writer.encode(_running(optimizer, group), f"groups.{index}", _first(group["params"]))
            for index, group in enumerate(optimizer.param_groups)
        ],
        "more": writer.encode(_more(optimizer), "more", _first(parameters)),
    }
    return RunningState(type(optimizer).__name__, len(parameters), writer.tensors, outline)


def restore_running_state(optimizer: Optimizer, state: RunningState) -> None:
    """Put ``state`` into a fresh optimizer, every tensor in the type that it was saved in.

    ``Optimizer.load_state_dict`` would cast to the parameters' type. A tensor goes to the device
    of its parameter; counters that were on the CPU, apart from it, stay there.

    Raises:
        StateError: The state is of another optimizer or of other parameters.
    """
    parameters = _parameters(optimizer)
    present = (type(optimizer).__name__, len(parameters), len(optimizer.param_groups))
    saved = (state.kind, state.count, len(state.outline["groups"]))
    if present != saved:
        raise StateError(
            T("Errors", "The state was saved with {saved}, this run uses {asked}."),
            T("Errors", "Set the optimizer and the network as they were, or start a new run."),
            saved=" x ".join(map(str, saved[:2])),
            asked=" x ".join(map(str, present[:2])),
        )
    more = _decoded(state.outline["more"], state.tensors, _first(parameters))
    if more:
        optimizer.load_state_dict({**optimizer.state_dict(), **more})
    holds_step = _parameters_with_step_on_device(optimizer)
    for index, outline in state.outline["parameters"]:
        parameter = parameters[index]
        kept = _decoded(outline, state.tensors, parameter)
        step = state.tensors.get(f"{index}.step")
        if step is not None and step.ndim == 0 and id(parameter) not in holds_step:
            kept["step"] = step  # torch keeps these counters on the CPU
        optimizer.state[parameter] = kept
    shared = _decoded(state.outline["shared"], state.tensors, _first(parameters))
    optimizer.state.update(shared)
    for group, outline in zip(optimizer.param_groups, state.outline["groups"], strict=True):
        group.update(_decoded(outline, state.tensors, _first(group["params"])))


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _first(parameters: list[Tensor]) -> Tensor:
    """Return a tensor on the device where the state of several parameters belongs."""
    return parameters[0] if parameters else torch.empty(0)


def _running(optimizer: Optimizer, group: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a group is running state, and its rates."""
    fixed = _arguments(type(optimizer)) | _OF_THE_GROUP
    return {key: value for key, value in group.items() if key in _RATES or key not in fixed}


def _arguments(kind: type) -> set[str]:
    """Return the constructor's arguments, those that it passes on to its base included."""
    names: set[str] = set()
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()  # type: ignore[misc]
        names |= {each.name for each in parameters}
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in parameters):
            break
    return names


def _more(optimizer: Optimizer) -> dict[str, Any]:
    """Return what a class of its own kind adds to the state of torch's optimizers."""
    if type(optimizer).state_dict is Optimizer.state_dict:
        return {}
    return {key: value for key, value in optimizer.state_dict().items() if key not in _OF_TORCH}


def _parameters_with_step_on_device(optimizer: Optimizer) -> set[int]:
    """Return the parameters whose counters torch keeps beside them: fused or captured steps."""
    return {
        id(parameter)
        for group in optimizer.param_groups
        if group.get("fused") or group.get("capturable")
        for parameter in group["params"]
    }


# ------------------------------------------------------------------ values as JSON and back


class _Writer:
    """Turns nested values into JSON; tensors are set aside by the path that leads to them."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.tensors: dict[str, Tensor] = {}

    def encode(self, value: object, path: str, beside: Tensor) -> Any:
        """Return the JSON of ``value``; ``beside`` is on the device where its tensors belong.

        None, bools, ints, finite floats, texts and lists are themselves; the rest is a table of
        one entry that names the type.

        Raises:
            StateError: It is of another type.
        """
        if isinstance(value, Tensor):
            return self._set_aside(value, path, beside)
        if isinstance(value, float) and not math.isfinite(value):
            return {"real": str(float(value))}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list | tuple):
            items = [self.encode(v, f"{path}.{n}", beside) for n, v in enumerate(value)]
            return items if isinstance(value, list) else {"tuple": items}
        if isinstance(value, Mapping):
            pairs = [
                [self.encode(key, path, beside), self.encode(each, f"{path}.{key}", beside)]
                for key, each in value.items()
            ]
            return {"dict": pairs}
        raise StateError(
            T("Errors", "{optimizer} keeps {name} as a {kind}, which cannot be saved."),
            T("Errors", "Choose another optimizer."),
            optimizer=self._kind,
            name=path,
            kind=type(value).__name__,
        )

    def _set_aside(self, tensor: Tensor, path: str, beside: Tensor) -> dict[str, Any]:
        while path in self.tensors:  # keys may hold dots, or be 0 and "0"
            path += "'"
        self.tensors[path] = tensor
        is_apart = tensor.device.type == "cpu" != beside.device.type
        return {"tensor": path, "on": "cpu"} if is_apart else {"tensor": path}


def _decoded(outline: Any, tensors: Mapping[str, Tensor], beside: Tensor) -> Any:
    """Return the value that `_Writer.encode` got."""
    if isinstance(outline, list):
        return [_decoded(each, tensors, beside) for each in outline]
    if not isinstance(outline, dict):
        return outline
    if "tensor" in outline:
        tensor = tensors[outline["tensor"]]
        return tensor if outline.get("on") == "cpu" else tensor.to(beside.device)
    [(kind, content)] = outline.items()
    if kind == "real":
        return float(content)
    items = [_decoded(each, tensors, beside) for each in content]
    return tuple(items) if kind == "tuple" else dict(items)
