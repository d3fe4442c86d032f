"""The processes of a run: gradients, wishes and numbers are agreed here and nowhere else.

A run is one process, or several that a launcher started (``accelerate launch``, ``torchrun``),
each with a device of its own. The process group and its backend are accelerate's.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor, nn

from trainer_core.environment.launch import process_count
from trainer_core.errors import StopRequested, TeamError
from trainer_core.texts import T

_log = logging.getLogger(__name__)

Item = TypeVar("Item")

# Others wait as long while the first one fills a cache or draws samples. A process that ends is
# noticed at once by gloo, and by the launcher that started it.
PATIENCE = timedelta(hours=12)
_BUCKET_BYTES = 64 * 2**20


class Team(Protocol):
    """The processes of a run; every method but the properties is called by all of them alike.

    Attributes:
        rank: The number of this process, from 0.
        size: How many there are.
    """

    rank: int
    size: int

    @property
    def is_first(self) -> bool:
        """True for the one process that writes files and speaks to people."""
        ...

    def part(self, count: int) -> slice:
        """Return this process's part of ``count`` things: together they have each once, in order.

        It is empty where there are fewer things than processes.
        """
        ...

    def reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Put the sum of all processes' gradients in place of each one's own.

        One packed reduction for every 64 MiB, on the parameters' device, in their type. A process
        without a gradient for a parameter adds nothing to it.

        Raises:
            TeamError: Another process has ended.
        """
        ...

    def agree(self, numbers: Tensor) -> Tensor:
        """Return the sum of all processes' ``numbers``, of one shape and type.

        They may come from the CPU; the sum of several processes lies on the run's device.

        Raises:
            TeamError: Another process has ended.
        """
        ...

    def tell(self, value: Item | None) -> Item:
        """Return the first process's ``value``, whatever the others gave; it must be picklable.

        Raises:
            TeamError: Another process has ended.
        """
        ...

    def gather(self, value: Item) -> list[Item]:
        """Return every process's ``value`` in the order of their ranks; they must be picklable.

        Raises:
            TeamError: Another process has ended.
        """
        ...

    def together(self) -> AbstractContextManager[None]:
        """Let the first process work inside, and the others wait for it at the end.

        Raises:
            TeamError: Another process has ended.
        """
        ...

    def close(self) -> None:
        """Leave the others, once nothing more is to be agreed on."""
        ...


class Alone:
    """A team of one: nothing to agree on, nothing to wait for."""

    rank = 0
    size = 1
    is_first = True

    def part(self, count: int) -> slice:
        """Return all of it."""
        return slice(0, count)

    def reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Leave the gradients as they are."""

    def agree(self, numbers: Tensor) -> Tensor:
        """Return the numbers as they are, of any shape: the tensor itself."""
        return numbers

    def tell(self, value: Item | None) -> Item:
        """Return the value."""
        assert value is not None
        return value

    def gather(self, value: Item) -> list[Item]:
        """Return the value alone."""
        return [value]

    def together(self) -> AbstractContextManager[None]:
        """Wait for nobody."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Leave nobody."""


class Several:
    """A process among others, over the group that accelerate opened."""

    def __init__(self, state: PartialState) -> None:
        self._state = state
        self.rank: int = state.process_index
        self.size: int = state.num_processes

    @property
    def is_first(self) -> bool:
        """True for the one process that writes files and speaks to people."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """Return this process's part of ``count`` things; see `Team`."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Put the sum of all processes' gradients in place of each one's own; see `Team`."""
        for bucket in _buckets(parameters):
            own = [_gradient(parameter).reshape(-1) for parameter in bucket]
            packed = torch.cat(own)
            with _broken_in_words():
                torch.distributed.all_reduce(packed)
            pieces = torch.split(packed, [each.numel() for each in own])
            for parameter, piece in zip(bucket, pieces, strict=True):
                parameter.grad = piece.view_as(parameter)

    def agree(self, numbers: Tensor) -> Tensor:
        """Return the sum of all processes' ``numbers``, in their shape, on the run's device."""
        # NCCL, which joins GPUs, knows no tensors of the CPU.
        total = numbers.to(self._state.device, copy=True)
        with _broken_in_words():
            torch.distributed.all_reduce(total)
        return total

    def tell(self, value: Item | None) -> Item:
        """Return the first process's ``value``; see `Team`."""
        values: list[Any] = [value]
        with _broken_in_words():
            broadcast_object_list(values)
        first: Item = values[0]
        return first

    def gather(self, value: Item) -> list[Item]:
        """Return every process's ``value``; see `Team`."""
        with _broken_in_words():
            values: list[Item] = gather_object([value])
        return values

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Let the first process work inside, and the others wait for it at the end; see `Team`."""
        yield
        with _broken_in_words():
            self._state.wait_for_everyone()

    def close(self) -> None:
        """Leave the others; else torch's threads would abort the process at its end."""
        self._state.destroy_process_group()


def open_team(*, on_cpu: bool) -> Team:
    """Meet the other processes of the run, if there are any.

    Raises:
        TeamError: They cannot be met.
    """
    if process_count() == 1:
        return Alone()
    with _broken_in_words():
        return Several(PartialState(cpu=on_cpu, timeout=PATIENCE))


@contextlib.contextmanager
def leaving_together(team: Team) -> Iterator[None]:
    """Let all processes leave at the end of this, if any of them was told to stop inside.

    Raises:
        StopRequested: One was.
        TeamError: Another process has ended.
    """
    is_stopped = False
    try:
        yield
    except StopRequested:
        is_stopped = True
    if team.agree(torch.tensor([float(is_stopped)])).item():
        raise StopRequested


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Yield parameters in order, so many at once as fit into a bucket and are of one type."""
    bucket: list[nn.Parameter] = []
    num_bytes = 0
    for parameter in parameters:
        size = parameter.numel() * parameter.element_size()
        is_other = bool(bucket) and bucket[0].dtype is not parameter.dtype
        if bucket and (num_bytes + size > _BUCKET_BYTES or is_other):
            yield bucket
            bucket, num_bytes = [], 0
        bucket.append(parameter)
        num_bytes += size
    if bucket:
        yield bucket


@contextlib.contextmanager
def _broken_in_words() -> Iterator[None]:
    """Turn the loss of another process into an error for people; the log has torch's words.

    Raises:
        TeamError: It is lost; torch calls every such failure a RuntimeError.
    """
    try:
        yield
    except RuntimeError as error:
        _log.warning("the other processes are lost: %s", error)
        raise TeamError(
            T("Errors", "This process has lost the others of its run; one may have ended."),
            T("Errors", "The log says more. Go on from the newest state."),
        ) from error
