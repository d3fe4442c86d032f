"""Two processes agree on gradients and numbers, and notice when one is gone."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers.team_processes import run_code
from torch import nn

from trainer_core.runtime import team as team_module
from trainer_core.runtime.team import Alone, open_team

OPENED = """
import contextlib, json, os, torch
from torch import nn
from trainer_core.errors import TeamError
from trainer_core.runtime.team import open_team
team = open_team(on_cpu=True)
"""


def answers(code: str, size: int = 2) -> list[Any]:
    """Return the JSON that each process printed last."""
    return [
        json.loads(said.splitlines()[-1]) for said in run_code(OPENED + code + "team.close()", size)
    ]


# ------------------------------------------------------------------ alone


def test_without_a_launcher_a_run_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)

    assert isinstance(open_team(on_cpu=True), Alone)


def test_a_team_of_one_changes_nothing() -> None:
    team, weight = Alone(), nn.Parameter(torch.ones(3))
    weight.grad = gradient = torch.arange(3.0)

    team.reduce_gradients([weight])
    assert weight.grad is gradient
    numbers = torch.tensor([1.0, 2.0])
    assert team.agree(numbers) is numbers
    assert [1, 2, 3][team.part(3)] == [1, 2, 3]
    assert (team.tell("seed"), team.gather("seed")) == ("seed", ["seed"])


# ------------------------------------------------------------------ two and three


def test_gradients_become_their_sum_whatever_a_process_lacks() -> None:
    code = """
weights = [nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(3))]
weights[0].grad = torch.full((2, 2), float(team.rank + 1))
if not team.is_first:
    weights[1].grad = torch.tensor([1.0, 2.0, 3.0])
team.reduce_gradients(weights)
print(json.dumps([weight.grad.tolist() for weight in weights]))
"""
    expected = [[[3.0, 3.0], [3.0, 3.0]], [1.0, 2.0, 3.0]]

    assert answers(code) == [expected, expected]


def test_numbers_objects_and_shares_are_agreed_on() -> None:
    code = """
total = team.agree(torch.tensor([float(team.rank), 1.0]))
with team.together():
    pass
print(json.dumps([total.tolist(), team.tell(f"of {team.rank}"), team.gather(team.rank * 10),
                  list(range(7)[team.part(7)])]))
"""
    said = answers(code, size=3)

    assert [each[:3] for each in said] == [[[3.0, 3.0], "of 0", [0, 10, 20]]] * 3
    assert [number for each in said for number in each[3]] == list(range(7))


def test_a_process_that_is_gone_is_noticed_in_words() -> None:
    code = """
if not team.is_first:
    os._exit(0)
try:
    for _ in range(100):
        team.agree(torch.zeros(1))
except TeamError as error:
    print(json.dumps([str(error), str(error.hint)]), flush=True)
    os._exit(0)
"""
    [said] = [text for text in run_code(OPENED + code, 2) if text.strip()]
    message, hint = json.loads(said.splitlines()[-1])

    assert message == "This process has lost the others of its run; one may have ended."
    assert hint == "The log says more. Go on from the newest state."


def test_numbers_are_agreed_on_where_the_run_calculates(monkeypatch: pytest.MonkeyPatch) -> None:
    state = SimpleNamespace(device=torch.device("meta"), process_index=0, num_processes=2)
    sent: list[torch.Tensor] = []
    monkeypatch.setattr(torch.distributed, "all_reduce", sent.append)

    total = team_module.Several(state).agree(torch.tensor([1.0, 0.0]))  # type: ignore[arg-type]
    assert total.device.type == "meta"
    assert sent == [total]


# ------------------------------------------------------------------ packing


def test_gradients_are_packed_by_type_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team_module, "_BUCKET_BYTES", 20)
    sizes = [(2, torch.float32), (3, torch.float32), (1, torch.float32), (1, torch.bfloat16)]
    weights = [nn.Parameter(torch.zeros(count, dtype=dtype)) for count, dtype in sizes]

    buckets = list(team_module._buckets(weights))
    assert [[each.numel() for each in bucket] for bucket in buckets] == [[2, 3], [1], [1]]
