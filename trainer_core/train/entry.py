"""Training as the work of the trainer process."""

from __future__ import annotations

from collections.abc import Callable

from trainer_core.events.border import serve
from trainer_core.events.emitter import Emitter
from trainer_core.runtime.streams import GuardedStreams
from trainer_core.train.run import Request, Run


def train(ask: Callable[[], Request]) -> int:
    """Train what ``ask`` returns, and return the exit code."""

    def work(streams: GuardedStreams, emitter: Emitter, takes_commands: bool) -> int:
        return Run(ask(), streams, emitter)(takes_commands=takes_commands)

    return serve(work)
