"""One example of every message, made from its fields, so that a new message is tested too."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from trainer_core.protocol.messages import Command, Event

_PLAIN = {str: 'a 貓\n"b"', int: 3, float: 0.25, bool: True}


def kinds(union: Any) -> tuple[type[BaseModel], ...]:
    """Return the classes of an annotated union."""
    return typing.get_args(typing.get_args(union)[0])


EVENTS = kinds(Event)
COMMANDS = kinds(Command)


def full(kind: type[BaseModel]) -> BaseModel:
    """Return a message with every field filled."""
    fields = kind.model_fields.items()
    return kind(**{name: _example(info.annotation) for name, info in fields})


def sparse(kind: type[BaseModel]) -> BaseModel:
    """Return a message with only the fields that have no default."""
    fields = kind.model_fields.items()
    required = {name: info for name, info in fields if info.is_required()}
    return kind(**{name: _example(info.annotation) for name, info in required.items()})


def _example(annotation: Any) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return arguments[-1]
    if origin in (typing.Union, types.UnionType):
        return _example(next(_without_none(arguments)))
    if origin is tuple:
        return (_example(arguments[0]),) * 2
    if origin is collections.abc.Mapping:
        return {_example(arguments[0]): _example(arguments[1])}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return full(annotation)
    return _PLAIN[annotation]


def _without_none(arguments: tuple[Any, ...]) -> Iterator[Any]:
    return (argument for argument in arguments if argument is not types.NoneType)
