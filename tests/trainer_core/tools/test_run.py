"""A tool from its request to its end, as events."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from helpers.lora_files import lora_tensors, write_lora_file

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.tools import TOOLS, ToolEntry
from trainer_core.errors import NumericError, SettingsError
from trainer_core.events.emitter import Emitter
from trainer_core.protocol.messages import EventBase, Failed, Phase, Progress, ToolDone
from trainer_core.tools import run
from trainer_core.tools.base import ToolResult
from trainer_core.tools.run import Request, run_tool
from trainer_core.tools.stop import StopRequest


@dataclass
class Ends:
    """What was told and returned."""

    events: list[EventBase] = field(default_factory=list)
    code: int = -1

    @property
    def kinds(self) -> list[type[EventBase]]:
        return [type(event) for event in self.events]


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    path = write_lora_file(tmp_path / "a.safetensors", lora_tensors())
    return Request("verify_lora", {"verify_lora": {"file": str(path)}})


def ended(request: Request, stop: StopRequest | None = None) -> Ends:
    emitter, ends = Emitter(), Ends()
    emitter.listeners.append(ends.events.append)
    ends.code = run_tool(request, emitter, stop or StopRequest())
    return ends


def test_work_is_told_and_then_its_end(request_: Request) -> None:
    ends = ended(request_)
    assert (ends.code, ends.events[0].phase) == (0, "working")  # type: ignore[attr-defined]
    assert set(ends.kinds[1:-2]) == {Progress}
    assert ends.kinds[-2:] == [Phase, ToolDone]


def test_a_stopped_tool_says_that_nothing_was_written(request_: Request) -> None:
    stop = StopRequest()
    stop.ask()
    ends = ended(request_, stop)
    assert (ends.code, ends.kinds) == (0, [Phase, ToolDone])
    assert ends.events[-1].reason == "stopped"  # type: ignore[attr-defined]


def test_a_signal_shows_in_the_exit_code(request_: Request) -> None:
    stop = StopRequest()
    stop._on_signal(signal.SIGTERM, None)
    assert ended(request_, stop).code == 128 + signal.SIGTERM


def test_a_second_signal_ends_at_once() -> None:
    stop = StopRequest()
    stop._on_signal(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        stop._on_signal(signal.SIGINT, None)


def test_a_failure_at_work_is_told_and_exits_with_1(
    request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = implementation(TOOLS["verify_lora"].implementation)

    def fail(self: object, settings: object, reporter: object) -> ToolResult:
        raise NumericError("Broken.", "Mend it.")

    monkeypatch.setattr(kind, "run", fail)
    ends = ended(request_)
    assert (ends.code, ends.kinds) == (1, [Phase, Failed])


def test_unknown_settings_are_refused_with_a_guess() -> None:
    with pytest.raises(SettingsError) as caught:
        ended(Request("verify_lora", {"verify_lora": {"reprot": "a"}}))
    assert caught.value.sentences.endswith("Did you mean report in [verify_lora]?")


def test_a_missing_package_is_named(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = TOOLS["verify_lora"]
    needy = ToolEntry(
        label=entry.label,
        implementation=entry.implementation,
        section=entry.section,
        package="no-such-package>=1",
    )
    monkeypatch.setattr(run, "TOOLS", {"verify_lora": needy})
    with pytest.raises(SettingsError, match="needs no-such-package>=1, which is not installed"):
        ended(request_)
