from pathlib import Path

import pytest
from helpers.another_method import another_method
from helpers.pictures import write_dataset

from desktop_app.models.pictures.dataset_scan import look
from desktop_app.words.plans import summary
from trainer_core.dataset.survey import SurveyRequest
from trainer_core.model_files.recognise import ModelReport
from trainer_core.settings.document import UNSET, replaced
from trainer_core.settings.schema import TRAIN, TrainSettings

__all__ = ["another_method"]  # a fixture


@pytest.fixture
def settings(tmp_path: Path) -> TrainSettings:
    pictures = {f"{number}.png": None for number in range(3)}
    folder = write_dataset(tmp_path / "pictures", {"10_zxq cat": pictures})
    parsed, problems = TRAIN.parse(
        {
            "model": {"pretrained_model_name_or_path": "/models/base.safetensors"},
            "dataset": {"train_data_dir": str(folder), "train_batch_size": 4},
            "adapter": {"network_dim": 16, "network_alpha": "unset"},
            "optimizer": {"epoch": 5, "lr_warmup": 25.0},
            "output": {"output_dir": str(tmp_path / "out"), "output_name": "cat"},
        }
    )
    assert parsed is not None, problems
    return parsed


def lines(settings: TrainSettings, **known: object) -> dict[str, str]:
    return {fact.name: fact.value for fact in summary(settings, **known)}


def test_pictures_repeats_batches_and_length_are_counted(qapp, settings: TrainSettings):
    request = SurveyRequest.of(settings)
    assert request is not None
    facts = lines(settings, scan=look(request))
    assert facts["Pictures"] == "3 × 10 repeats = 30 per epoch"
    assert facts["Batches"] == "8 per epoch, of up to 4 pictures; buckets: 1"  # 30 / 4
    assert facts["Length"] == "40 steps: 5 epochs of 8; warm-up: 10"  # 25 % of 40


def test_what_the_base_model_predicts_is_said_once_its_files_were_looked_into(
    qapp, settings: TrainSettings
):
    marked = {
        "family": "sdxl",
        "prediction": "v_prediction",
        "prediction_by": "its marker tensor",
        "zero_terminal_snr": "on",
        "zero_terminal_snr_by": "its marker tensor",
    }
    assert "It predicts" not in lines(settings)
    assert lines(settings, facts={"family": "sdxl"})["It predicts"].startswith("the noise")
    assert lines(settings, facts=marked)["It predicts"] == (
        "the velocity, as its marker tensor says; zero terminal SNR, as its marker tensor says"
    )


def test_an_unset_alpha_is_the_rank(qapp, settings: TrainSettings):
    assert lines(settings)["Trains"] == "Standard LoRA, rank 16, alpha 16; U-Net and text encoder"


@pytest.mark.parametrize(
    ("changes", "trains", "rates"),
    [
        ({}, "U-Net and text encoder", "U-Net 2e-4, text encoder 3e-5"),
        ({"adapter.network_train_unet_only": True}, "U-Net only", "U-Net 2e-4"),
        (
            {"adapter.network_train_text_encoder_only": True},
            "text encoder only",
            "Text encoder 3e-5",
        ),
        ({"optimizer.unet_lr": 0.0}, "text encoder only", "U-Net 0, text encoder 3e-5"),
    ],
)
def test_the_trained_parts_are_named_with_their_rates(
    qapp, settings: TrainSettings, changes: dict[str, object], trains: str, rates: str
):
    own = {"optimizer.unet_lr": 2e-4, "optimizer.text_encoder_lr": 3e-5}
    changed, problems = TRAIN.parse(replaced(TRAIN.as_raw(settings), own | changes))
    assert changed is not None, problems
    facts = lines(changed)
    assert facts["Trains"].endswith(f"; {trains}")
    assert facts["Learning rates"].startswith(f"{rates}; cosine, ")


@pytest.mark.parametrize(
    ("second", "trains", "rates"),
    [
        (UNSET, "U-Net, text encoder and text encoder 2", "text encoder 3e-5, text encoder 2 3e-5"),
        (1e-5, "U-Net, text encoder and text encoder 2", "text encoder 3e-5, text encoder 2 1e-5"),
        (0.0, "U-Net and text encoder", "text encoder 3e-5, text encoder 2 0"),
    ],
)
def test_both_text_encoders_are_named_with_their_rates(
    qapp, settings: TrainSettings, second: object, trains: str, rates: str
):
    own = {"optimizer.text_encoder_lr": 3e-5, "optimizer.learning_rate_te2": second}
    changed, problems = TRAIN.parse(replaced(TRAIN.as_raw(settings), own))
    assert changed is not None, problems
    path = settings.model.pretrained_model_name_or_path
    assert path is not None
    facts = lines(changed, model=ModelReport(path, "sdxl", 6617.0, "F16", None))
    assert facts["Trains"].endswith(f"; {trains}")
    assert rates in facts["Learning rates"]


def test_the_base_model_is_named_with_its_kind(qapp, settings: TrainSettings):
    path = settings.model.pretrained_model_name_or_path
    assert path is not None
    report = ModelReport(path, "sd1", 2048.0, "F16", None)
    expected = "base.safetensors (Stable Diffusion 1.x, 2.00 GiB)"
    assert lines(settings, model=report)["Base model"] == expected


def test_what_another_model_was_is_not_said_of_this_one(qapp, settings: TrainSettings):
    report = ModelReport(Path("/models/other"), "sd1", 2048.0, "F16", None)
    assert lines(settings, model=report)["Base model"] == "base.safetensors"


def test_the_result_is_named_with_its_folder(qapp, settings: TrainSettings, tmp_path: Path):
    assert lines(settings)["Result"] == str(tmp_path / "out" / "cat.safetensors")


def test_settings_of_nothing_give_dashes(qapp):
    facts = lines(TrainSettings())
    assert (facts["Base model"], facts["Pictures"], facts["Result"]) == ("–", "–", "–")


def test_another_method_is_named_with_the_parts_that_it_trains(
    qapp, settings: TrainSettings, another_method: str
):
    chosen = settings.model.model_copy(update={"training_method": another_method})
    facts = lines(settings.model_copy(update={"model": chosen}))
    assert facts["Trains"] == "Whole model; U-Net only"
    assert facts["Learning rates"].startswith("U-Net 1e-4; ")


def test_a_run_that_goes_on_draws_no_samples_before_its_first_step(qapp, settings: TrainSettings):
    asked = {
        "sampling.prompt_list": ["a cat"],
        "sampling.sample_at_first": True,
        "sampling.sample_every_n_epochs": 2,
    }

    def samples(**more: object) -> str:
        changed, problems = TRAIN.parse(replaced(TRAIN.as_raw(settings), asked | more))
        assert changed is not None, problems
        return lines(changed)["Samples"]

    assert samples() == "before the first step, every 2 epochs"
    assert samples(**{"output.resume": "/runs/cat-state"}) == "every 2 epochs"
