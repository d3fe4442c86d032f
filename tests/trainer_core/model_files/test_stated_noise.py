"""What files say of the noise of a model: by marks, by a config beside them, by metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from trainer_core.model_files.stated_noise import (
    BY_MARKER,
    BY_METADATA,
    BY_SCHEDULER,
    BY_YAML,
    SILENT,
    StatedNoise,
    Statement,
    noise_of_file,
    noise_of_folder,
)
from trainer_core.model_files.weights_file import read_index

TENSORS = {"model.diffusion_model.out.2.weight": np.ones((4, 4), np.float16)}
V, ZERO = {"v_pred": np.zeros(0, np.float16)}, {"ztsnr": np.zeros(0, np.float16)}


def of_file(
    folder: Path, marks: dict[str, np.ndarray], metadata: dict[str, str] | None = None
) -> StatedNoise:
    save_file({**TENSORS, **marks}, folder / "base.safetensors", metadata)
    return noise_of_file(read_index(folder / "base.safetensors"))


def test_a_file_without_a_mark_is_silent(tmp_path: Path) -> None:
    assert of_file(tmp_path, {}) == SILENT


def test_marker_tensors_tell(tmp_path: Path) -> None:
    velocity, zero = Statement("v_prediction", BY_MARKER), Statement("on", BY_MARKER)
    assert of_file(tmp_path, V) == StatedNoise(velocity, None)
    assert of_file(tmp_path, {**V, **ZERO}) == StatedNoise(velocity, zero)


@pytest.mark.parametrize(
    ("metadata", "prediction"),
    [
        ({"modelspec.prediction_type": "v"}, "v_prediction"),
        ({"modelspec.prediction_type": "epsilon"}, "epsilon"),
        ({"modelspec.predict_key": "v"}, "v_prediction"),
        ({"modelspec.prediction_type": "v-prediction"}, "v_prediction"),
        ({"modelspec.prediction_type": "v_pred"}, "v_prediction"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v_prediction"),
        ({"modelspec.architecture": "stable-diffusion-v2-512"}, "epsilon"),
        ({"modelspec.architecture": "stable-diffusion-v1"}, None),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base"}, None),
        ({"modelspec.prediction_type": "unknown"}, None),
    ],
)
def test_known_metadata_tell(
    tmp_path: Path, metadata: dict[str, str], prediction: str | None
) -> None:
    expected = None if prediction is None else Statement(prediction, BY_METADATA)
    assert of_file(tmp_path, {}, metadata).prediction == expected


@pytest.mark.parametrize(("word", "value"), [("True", "on"), ("False", "off"), ("None", None)])
def test_metadata_tell_of_the_last_timestep(tmp_path: Path, word: str, value: str | None) -> None:
    expected = None if value is None else Statement(value, BY_METADATA)
    assert of_file(tmp_path, {}, {"ss_zero_terminal_snr": word}).zero_snr == expected


def test_a_mark_counts_more_than_metadata(tmp_path: Path) -> None:
    stated = of_file(tmp_path, V, {"modelspec.prediction_type": "epsilon"})
    assert stated.prediction == Statement("v_prediction", BY_MARKER)


def test_a_folder_says_it_in_its_schedulers_config() -> None:
    # diffusers' own defaults where the config does not name them.
    plain = StatedNoise(Statement("epsilon", BY_SCHEDULER), Statement("off", BY_SCHEDULER))
    assert noise_of_folder({}) == plain
    both = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    assert noise_of_folder(both) == StatedNoise(
        Statement("v_prediction", BY_SCHEDULER), Statement("on", BY_SCHEDULER)
    )
    assert noise_of_folder({"prediction_type": "sample"}).prediction == (
        Statement("sample", BY_SCHEDULER)
    )


def test_the_yaml_beside_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("parameterization: v")
    assert of_file(tmp_path, {}).prediction == Statement("v_prediction", BY_YAML)


@pytest.mark.parametrize(
    ("words", "metadata", "prediction"),
    [
        ('model:\n  params:\n    parameterization: "v"\n', {}, "v_prediction"),
        ("model:\n  params:\n    parameterization: v  # velocity\n", {}, "v_prediction"),
        ("model:\n  params:\n    parameterization: 'eps'\n", {}, "epsilon"),
        ("model:\n  params:\n    parameterization: x0\n", {}, "x0"),
        ("model:\n  params:\n    timesteps: 1000\n", {}, None),
        ("model:\n  # parameterization: v\n", {}, None),
        ("parameterization: v\n", {"modelspec.prediction_type": "epsilon"}, "v_prediction"),
        ("timesteps: 1000\n", {"modelspec.prediction_type": "v"}, "v_prediction"),
        (b"\xff\x00parameterization", {}, None),
    ],
)
def test_a_yaml_beside_a_file_says_what_it_predicts(
    tmp_path: Path, words: str | bytes, metadata: dict[str, str], prediction: str | None
) -> None:
    save_file(TENSORS, tmp_path / "fluff.v2.safetensors", metadata)
    (tmp_path / "fluff.v2.yaml").write_bytes(words.encode() if isinstance(words, str) else words)
    (tmp_path / "fluff.yaml").write_text("parameterization: v")  # of another model
    found = noise_of_file(read_index(tmp_path / "fluff.v2.safetensors")).prediction
    assert (found.value if found else None) == prediction
