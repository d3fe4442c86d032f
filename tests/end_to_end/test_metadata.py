"""What a file says of its run is what the run really had: held against a recorded run.

Every kind of run is the recorded one with a few settings changed. What that changes in its notes
is listed with the rule that says so; everything else must be as recorded.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from helpers import vectors
from helpers.pictures import write_picture
from helpers.run_results import Result, train_one_after_another
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject
from safetensors.torch import save

# What the recorded run does not have: our own notes, and those of a base model in one file.
OWN = {"loom_run_id", "ss_sd_model_name", "ss_sd_model_hash", "ss_new_sd_model_hash"}
# Which program wrote it: ours names itself.
PROGRAM = {"modelspec.implementation_version", "ss_sd_scripts_commit_hash"}
# Six samples an epoch, one a batch, four steps.
RECORDED = {
    "buckets.resolution": [64, 64],
    "buckets.enable_bucket": False,
    "adapter.network_dim": 4,
    "adapter.network_alpha": 2.0,
    "optimizer.max_train_steps": 4,
    "optimizer.learning_rate": 2e-6,
    "optimizer.unet_lr": "unset",
    "optimizer.text_encoder_lr": "unset",
    "optimizer.lr_scheduler": "constant",
    "output.output_name": "demo",
    "output.save_precision": "float",
    "hardware.seed": 42,
}
STARTED_FROM = "other ranks"
BEGUN = "begun"
FIRST_END = "-step00000002"  # what its result is called once it went on past its end


@dataclass(frozen=True)
class KindOfRun:
    """What is asked for otherwise than in the recorded run, and what its file says otherwise.

    ``weights`` starts from the file of `STARTED_FROM`, ``resumes`` from the state of `BEGUN`.
    """

    changes: Mapping[str, object] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    weights: bool = False
    resumes: bool = False


KINDS = {
    "as recorded": KindOfRun(),
    STARTED_FROM: KindOfRun(
        {"adapter.network_dim": 6, "adapter.network_alpha": 3.0},
        {"ss_network_dim": "6", "ss_network_alpha": "3.0"},
    ),
    BEGUN: KindOfRun(
        {"optimizer.max_train_steps": 2, "output.save_state": True},
        {"ss_steps": "2", "ss_max_train_steps": "2"},
    ),
    # sd-scripts: the total is batch x processes x accumulation. ceil(6 / 2) = 3 batches and
    # ceil(3 / 2) = 2 steps make an epoch, so that 4 steps are 2 epochs.
    "accumulated": KindOfRun(
        {"dataset.train_batch_size": 2, "optimizer.gradient_accumulation_steps": 2},
        {
            "ss_batch_size_per_device": "2",
            "ss_total_batch_size": "4",
            "ss_gradient_accumulation_steps": "2",
            "ss_num_batches_per_epoch": "3",
            "ss_num_epochs": "2",
            "ss_epoch": "2",
        },
    ),
    # guide-facts 31 and 33: what was built, not what was asked for.
    "rank from weights": KindOfRun(
        {"adapter.dim_from_weights": True},
        {"ss_network_dim": "6", "ss_network_alpha": "3.0"},
        weights=True,
    ),
    # The same: the file's alpha is kept.
    "alpha of weights": KindOfRun(
        {"adapter.network_dim": 6, "adapter.network_alpha": 1.0},
        {"ss_network_dim": "6", "ss_network_alpha": "3.0"},
        weights=True,
    ),
    # guide-facts 73: round(percent x steps / 100). 60 % of 4 steps are 2.4.
    "warmed up": KindOfRun(
        {"optimizer.lr_scheduler": "cosine", "optimizer.lr_warmup": 60.0},
        {"ss_lr_scheduler": "cosine", "ss_lr_warmup_steps": "2"},
    ),
    "warmed up over steps": KindOfRun(
        {"optimizer.lr_scheduler": "cosine", "optimizer.lr_warmup_steps": 3},
        {"ss_lr_scheduler": "cosine", "ss_lr_warmup_steps": "3"},
    ),
    # A part that is not trained has no rate.
    "U-Net only": KindOfRun(
        {
            "adapter.network_train_unet_only": True,
            "optimizer.unet_lr": 1e-4,
            "optimizer.text_encoder_lr": 5e-5,
        },
        {"ss_unet_lr": "0.0001", "ss_text_encoder_lr": "None"},
    ),
    "text encoder only": KindOfRun(
        {
            "adapter.network_train_text_encoder_only": True,
            "optimizer.unet_lr": 1e-4,
            "optimizer.text_encoder_lr": 5e-5,
        },
        {"ss_unet_lr": "None", "ss_text_encoder_lr": "5e-05"},
    ),
    "two epochs": KindOfRun(
        {"optimizer.max_train_epochs": 2},
        {
            "ss_steps": "12",
            "ss_max_train_steps": "12",
            "ss_num_epochs": "2",
            "ss_epoch": "2",
        },
    ),
    "resumed": KindOfRun(resumes=True),
}


@pytest.fixture(scope="module")
def recorded() -> dict[str, str]:
    case = vectors.load("metadata.json")["written_files"][0]
    return {key: entry["value"] for key, entry in case["files"]["demo.safetensors"].items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> Mapping[str, Result]:
    """Every kind of run, done by the real trainer on a model in one file."""
    folder = tmp_path_factory.mktemp("metadata")
    case = vectors.load("metadata.json")["written_files"][0]
    for name, pictures in case["train_folders"].items():
        for number, (width, height, caption) in enumerate(pictures):
            path = write_picture(folder / "pictures" / name / f"{number}.png", (width, height))
            if caption is not None:
                path.with_suffix(".txt").write_text(caption, encoding="utf-8")
    project = TinyProject(folder, tiny_model.safetensors, folder / "pictures", RECORDED)
    words = []
    for name, kind in KINDS.items():
        changes = {**kind.changes, "output.output_dir": str(folder / name)}
        if kind.weights:
            changes["adapter.network_weights"] = str(folder / STARTED_FROM / "demo.safetensors")
        if kind.resumes:
            changes["output.output_dir"] = str(folder / BEGUN)  # a run goes on in its own folder
            changes["output.resume"] = str(folder / BEGUN / "demo-state")
        words.append([project.run_file(changes, f"{name}.toml")])
    codes = train_one_after_another(folder / "codes.json", words)
    assert dict(zip(KINDS, codes, strict=True)) == dict.fromkeys(KINDS, 0)
    places = {name: folder / (BEGUN if kind.resumes else name) for name, kind in KINDS.items()}
    return {name: Result.at(place, "demo") for name, place in places.items()}


@pytest.fixture(scope="module")
def written(runs: Mapping[str, Result]) -> Result:
    return runs["as recorded"]


def test_a_real_run_writes_the_recorded_keys_and_its_own(
    written: Result, recorded: dict[str, str]
) -> None:
    assert set(written.metadata()) == set(recorded) | OWN


@pytest.mark.parametrize("name", KINDS)
def test_a_real_run_writes_the_recorded_values_and_its_own(
    runs: Mapping[str, Result], recorded: dict[str, str], name: str
) -> None:
    expected = {key: value for key, value in recorded.items() if value != "<volatile>"}
    expected = {key: expected[key] for key in expected.keys() - PROGRAM} | KINDS[name].says

    suffix = FIRST_END if name == BEGUN else ""
    metadata = runs[name].metadata(suffix)
    found = {key: value for key, value in metadata.items() if key in expected}

    assert _parsed(found) == _parsed(expected)


def _parsed(metadata: Mapping[str, str]) -> dict[str, object]:
    """Return the values, those that are JSON read."""
    tables = ("ss_dataset_dirs", "ss_reg_dataset_dirs", "ss_bucket_info", "ss_tag_frequency")
    return {key: json.loads(v) if key in tables else v for key, v in metadata.items()}


def test_a_run_that_goes_on_keeps_its_id(runs: Mapping[str, Result]) -> None:
    begun, resumed = (runs["resumed"].metadata(suffix) for suffix in (FIRST_END, ""))

    assert begun["loom_run_id"] == resumed["loom_run_id"]


def test_the_base_model_is_named_with_its_hashes(written: Result, tiny_model: TinySD1) -> None:
    content, metadata = tiny_model.safetensors.read_bytes(), written.metadata()
    assert metadata["ss_sd_model_name"] == "tiny.safetensors"
    # vectors/README: 64 KiB at offset 1 MiB, 8 digits; and the whole file.
    short = hashlib.sha256(content[0x100000 : 0x100000 + 0x10000]).hexdigest()[:8]
    assert metadata["ss_sd_model_hash"] == short
    assert metadata["ss_new_sd_model_hash"] == hashlib.sha256(content).hexdigest()


def test_the_hashes_in_the_file_are_those_of_the_file(written: Result) -> None:
    metadata = written.metadata()
    content = (written.folder.output_dir / "demo.safetensors").read_bytes()
    header = int.from_bytes(content[:8], "little")
    assert metadata["sshs_model_hash"] == hashlib.sha256(content[8 + header :]).hexdigest()
    training = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    plain = io.BytesIO(save(written.weights(), metadata=training))
    plain.seek(0x100000)
    assert metadata["sshs_legacy_hash"] == hashlib.sha256(plain.read(0x10000)).hexdigest()[:8]
