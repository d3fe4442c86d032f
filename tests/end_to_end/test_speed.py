"""Settings that make a run faster: the same training, by other sums."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest
from helpers.run_results import Result, train_one_after_another
from helpers.trainer_process import TinyProject

STEPS = 4


def losses(project: TinyProject, **changes: Mapping[str, object]) -> list[list[float | None]]:
    """Train once for each named set of settings, in one process, and return the losses of each."""
    runs = []
    for name, settings in changes.items():
        values = {
            "output.output_name": name,
            "optimizer.max_train_steps": STEPS,
            "adapter.network_train_unet_only": False,
            **settings,
        }
        runs.append([project.run_file(values, f"{name}.toml")])
    codes = train_one_after_another(project.folder / "codes.json", runs)
    assert codes == [0] * len(runs)
    return [Result.at(project.output, name).losses for name in changes]


def close(found: list[float | None], expected: list[float | None], *, rel: float) -> bool:
    return found == [pytest.approx(loss, rel=rel) for loss in expected]


def test_16_bit_trains_in_the_model_s_own_type_and_with_autocast(project: TinyProject) -> None:
    half = {"hardware.mixed_precision": "bf16"}
    own, cast = losses(project, own=half, cast={**half, "hardware.autocast": True})
    [whole] = losses(project, whole={"hardware.mixed_precision": "no"})

    # bfloat16 rounds to 3 digits; a mean over some hundred numbers loses less.
    assert close(own, whole, rel=0.02)
    assert close(cast, whole, rel=0.02)


def test_channels_last_trains_the_same_but_for_the_last_bits(project: TinyProject) -> None:
    choices = ("auto", "contiguous", "channels_last")
    plain, contiguous, last = losses(
        project, **{choice: {"hardware.memory_format": choice} for choice in choices}
    )

    assert plain == contiguous  # 32 bit on a CPU: exact
    assert close(last, plain, rel=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_compiled_network_trains_the_same(project: TinyProject) -> None:
    plain, compiled = losses(project, plain={}, compiled={"hardware.torch_compile": True})

    assert close(compiled, plain, rel=1e-4)
