import contextlib
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from helpers.stubs import batch_of
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from trainer_core.errors import NumericError
from trainer_core.families.base import LatentPosterior
from trainer_core.families.condition import TEXT, Condition
from trainer_core.objectives.diffusion import DDPM
from trainer_core.objectives.objective import Draw, Objective
from trainer_core.pipeline.batch import Batch
from trainer_core.runtime.draws import generator
from trainer_core.train.step import MAX_SKIPPED_IN_A_ROW, Stepper

SEED, RATE, START = 3, 0.25, 0.5
ALPHA_BAR_T = torch.linspace(0.99, 0.01, 10)
OBJECTIVE = Objective.plain(DDPM(ALPHA_BAR_T))

Predict = Callable[[Batch, Tensor, Tensor], Tensor]


def batch(*names: str, group_size: int, step: int = 1, index: int = 0) -> Batch:
    """Return a batch with what the loader would draw for its place in the run."""
    mean_BCHW = torch.randn((len(names), 4, 2, 2), generator=torch.Generator().manual_seed(1))
    std_BCHW = torch.full_like(mean_BCHW, 0.1)
    draw = OBJECTIVE.draw(mean_BCHW.shape, generator(SEED, "step", step, index))
    return batch_of(*names, posterior=(mean_BCHW, std_BCHW), draw=draw, group_size=group_size)


def pairs(step: int = 1) -> tuple[Batch, Batch]:
    return (
        batch("a", "b", group_size=2, step=step),
        batch("c", "d", group_size=2, step=step, index=1),
    )


PAIRS = pairs()


class Bench:
    """A model of one weight, whose prediction is that weight times the noisy latent."""

    def __init__(
        self,
        *,
        max_grad_norm: float = 0.0,
        predict: Predict | None = None,
        accelerator: object = None,
        autocast: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
        measure: Callable[[Tensor], dict[str, Tensor]] = lambda _: {},
        rate: float = RATE,
    ) -> None:
        self.weight = nn.Parameter(torch.tensor(START))
        self.accelerator = accelerator or Accelerator(cpu=True)
        optimizer = SGD([{"params": [self.weight], "name": "unet"}], lr=rate)
        self.schedule = LambdaLR(optimizer, lambda step: 1 / (1 + step))
        self.stepper = Stepper(
            accelerator=self.accelerator,
            objective=OBJECTIVE,
            predict=predict or (lambda _, noisy_BCHW, timesteps_B: noisy_BCHW * self.weight),
            optimizer=self.accelerator.prepare(optimizer),  # type: ignore[attr-defined]
            scheduler=self.schedule,
            max_grad_norm=max_grad_norm,
            autocast=autocast,
            after_step=lambda: measure(self.weight.detach()),
        )


def loss_and_gradient(group: Sequence[Batch]) -> tuple[float, float]:
    """Work out the mean of v (w x - n)^2 and of its derivative 2 v (w x - n) x over the batches.

    v is what a place counts for: the sample's weight times the mask.
    """
    losses, gradients = [], []
    for each in group:
        assert each.posterior is not None
        mean, std = each.posterior
        latents = mean + std * each.draw.posterior_noise_BCHW
        alpha_bar = ALPHA_BAR_T[each.draw.timesteps_B].reshape(-1, 1, 1, 1)
        x = alpha_bar.sqrt() * latents + (1 - alpha_bar).sqrt() * each.draw.noise_BCHW
        off = START * x - each.draw.noise_BCHW
        weights = torch.ones(len(each)) if each.weights_B is None else each.weights_B
        mask = torch.ones(1) if each.mask_B1HW is None else each.mask_B1HW
        v = weights.reshape(-1, 1, 1, 1) * mask
        losses.append((v * off.square()).mean().item())
        gradients.append((v * 2 * off * x).mean().item())
    return sum(losses) / len(group), sum(gradients) / len(group)


def test_accumulated_batches_count_like_one_larger_batch() -> None:
    bench = Bench()
    result = bench.stepper.step(PAIRS, 1)
    loss, gradient = loss_and_gradient(PAIRS)
    assert result.loss == pytest.approx(loss, rel=1e-6)
    assert result.grad_norm == pytest.approx(abs(gradient), rel=1e-5)
    assert bench.weight.item() == pytest.approx(START - RATE * gradient, rel=1e-5)


def test_the_shorter_last_group_of_an_epoch_counts_in_full() -> None:
    bench = Bench()
    group = [batch("a", "b", group_size=1)]
    bench.stepper.step(group, 1)
    _, gradient = loss_and_gradient(group)
    assert bench.weight.item() == pytest.approx(START - RATE * gradient, rel=1e-5)


def test_a_gradient_is_scaled_down_to_the_limit_and_told_as_it_was() -> None:
    bench = Bench(max_grad_norm=0.01)
    result = bench.stepper.step(PAIRS, 1)
    _, gradient = loss_and_gradient(PAIRS)
    assert abs(gradient) > 0.1
    assert result.grad_norm == pytest.approx(abs(gradient), rel=1e-5)
    assert abs(bench.weight.item() - START) == pytest.approx(RATE * 0.01, rel=1e-3)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_forward_pass_is_computed_in_the_context_that_is_asked_for(wanted: bool) -> None:
    seen: list[bool] = []

    def predict(_: Batch, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        seen.append(torch.is_autocast_enabled("cpu"))
        return noisy_BCHW * bench.weight

    bench = Bench(predict=predict, autocast=lambda: torch.autocast("cpu", enabled=wanted))
    bench.stepper.step([batch("a", "b", group_size=1)], 1)
    assert seen == [wanted]


def test_the_rates_told_are_those_of_the_step_itself() -> None:
    bench = Bench()
    rates = [bench.stepper.step(PAIRS, step).learning_rates["unet"] for step in (1, 2, 3)]
    assert rates == pytest.approx([RATE, RATE / 2, RATE / 3])


def test_what_was_measured_after_a_step_is_told_with_the_next() -> None:
    bench = Bench(measure=lambda weight: {"weight": weight.clone(), "log": (weight * 0).log()})
    first = bench.stepper.step(PAIRS, 1)
    expected = bench.weight.item()
    second = bench.stepper.step(PAIRS, 2)

    assert first.measures == {}
    assert second.measures == {"weight": expected, "log": None}  # log 0 is not finite
    assert second.loss != first.loss
    assert second.grad_norm is not None


@pytest.mark.parametrize("count", [0, 3])
def test_measures_are_no_further_read_from_the_device(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    bench = Bench(measure=lambda weight: {str(n): weight.clone() for n in range(count)})
    bench.stepper.step(PAIRS, 1)
    reads: list[int] = []
    to_list = Tensor.tolist

    def counted(tensor: Tensor) -> object:
        reads.append(tensor.numel())
        return to_list(tensor)

    monkeypatch.setattr(Tensor, "tolist", counted)
    result = bench.stepper.step(PAIRS, 2)

    assert len(reads) == 1
    assert len(result.measures) == count


def test_the_hash_tells_pictures_noise_and_rates_apart() -> None:
    renamed = (batch("a", "x", group_size=2), PAIRS[1])
    hashes = [
        Bench().stepper.step(group, 1).batch_hash
        for group in (PAIRS, pairs(step=2), renamed, PAIRS[::-1])
    ]
    assert len(set(hashes)) == len(hashes)
    assert Bench().stepper.step(PAIRS, 1).batch_hash == hashes[0]


def test_the_hash_is_that_of_rates_names_captions_noise_and_timesteps() -> None:
    expected = hashlib.blake2b(repr([("unet", RATE)]).encode(), digest_size=8)
    for each in PAIRS:
        expected.update(repr((each.names, each.captions)).encode())
        expected.update(each.draw.noise_BCHW.numpy().tobytes())
        expected.update(each.draw.timesteps_B.numpy().tobytes())
    assert Bench().stepper.step(PAIRS, 1).batch_hash == expected.hexdigest()


def check_against_the_formula(group: Sequence[Batch]) -> None:
    bench = Bench()
    result = bench.stepper.step(group, 1)
    loss, gradient = loss_and_gradient(group)
    assert result.loss == pytest.approx(loss, rel=1e-6)
    assert bench.weight.item() == pytest.approx(START - RATE * gradient, rel=1e-5)


def test_a_sample_counts_by_its_weight() -> None:
    check_against_the_formula([replace(PAIRS[0], weights_B=torch.tensor([1.0, 0.25])), PAIRS[1]])


def test_a_mask_counts_place_by_place() -> None:
    mask = torch.tensor([[[[1.0, 0.5], [0.0, 1.0]]], [[[0.0, 0.0], [1.0, 0.25]]]])
    check_against_the_formula([replace(PAIRS[0], mask_B1HW=mask), PAIRS[1]])


def test_weights_and_masks_of_one_change_no_bit() -> None:
    plain, weighed = Bench(), Bench()
    all_ones = replace(PAIRS[0], weights_B=torch.ones(2), mask_B1HW=torch.ones(2, 1, 2, 2))
    assert plain.stepper.step(PAIRS, 1) == weighed.stepper.step([all_ones, PAIRS[1]], 1)
    assert torch.equal(plain.weight, weighed.weight)


def test_a_loss_that_is_not_finite_is_named_and_updates_nothing() -> None:
    def poisoned(batch: Batch, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        factor_B111 = torch.ones(len(noisy_BCHW), 1, 1, 1)
        if "d" in batch.names:
            factor_B111[1] = torch.nan
        return noisy_BCHW * bench.weight * factor_B111

    bench = Bench(predict=poisoned)
    with pytest.raises(NumericError) as caught:
        bench.stepper.step(PAIRS, 7)
    timestep = PAIRS[1].draw.timesteps_B[1]
    assert f"Pictures: d (timestep {timestep})." in str(caught.value)
    assert "step 7 " in str(caught.value)
    assert "unet 0.25" in str(caught.value)
    assert bench.weight.item() == START
    assert bench.weight.grad is None


def test_a_gradient_that_is_not_finite_updates_nothing() -> None:
    # sqrt(0) is finite, its slope is not.
    bench = Bench(
        predict=lambda _, noisy_BCHW, timesteps_B: noisy_BCHW * (bench.weight - START).sqrt()
    )
    with pytest.raises(NumericError, match="gradient of step 7 is not finite") as caught:
        bench.stepper.step(PAIRS, 7)
    assert caught.value.setting == "optimizer.learning_rate"
    for each in PAIRS:
        for name, timestep in zip(each.names, each.draw.timesteps_B.tolist(), strict=True):
            assert f"{name} (timestep {timestep})" in str(caught.value)
    assert bench.weight.item() == START
    assert bench.weight.grad is None


def with_nan_latent(batch: Batch, index: int) -> Batch:
    assert batch.posterior is not None
    mean_BCHW, std_BCHW = (tensor.clone() for tensor in batch.posterior)
    mean_BCHW[index, 0, 0, 0] = torch.nan
    return replace(batch, posterior=LatentPosterior(mean_BCHW, std_BCHW))


@pytest.mark.parametrize("number", [1, 7])
def test_a_latent_that_is_not_finite_is_the_vaes_and_names_its_picture_alone(number: int) -> None:
    bench = Bench()
    with pytest.raises(NumericError, match="The VAE made no finite numbers of these pic") as caught:
        bench.stepper.step([PAIRS[0], with_nan_latent(PAIRS[1], 1)], number)
    assert f"pictures: d (timestep {PAIRS[1].draw.timesteps_B[1]})." in str(caught.value)
    assert caught.value.setting == "model.vae"
    assert caught.value.picture == "d"
    assert bench.weight.item() == START


def test_features_that_are_not_finite_are_the_text_encoders() -> None:
    features_BLC = torch.ones(2, 3, 4)
    features_BLC[1, 2, 3] = torch.inf
    guilty = replace(PAIRS[0], condition=Condition({TEXT: features_BLC}))

    def predict(batch: Batch, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        gain = 1 if batch.condition is None else batch.condition[TEXT].mean(dim=(1, 2))
        return noisy_BCHW * bench.weight * torch.as_tensor(gain).reshape(-1, 1, 1, 1)

    bench = Bench(predict=predict)
    with pytest.raises(NumericError, match="text encoder made no finite numbers of the") as caught:
        bench.stepper.step([guilty, PAIRS[1]], 7)
    assert f"captions of b (timestep {PAIRS[0].draw.timesteps_B[1]})." in str(caught.value)
    assert caught.value.setting == "model.pretrained_model_name_or_path"


def test_before_anything_was_trained_the_base_model_is_to_blame() -> None:
    bench = Bench(predict=lambda _, noisy_BCHW, timesteps_B: noisy_BCHW * bench.weight * torch.inf)
    with pytest.raises(NumericError, match="The base model or the starting weights") as caught:
        bench.stepper.step(PAIRS, 1)
    assert caught.value.setting == "model.pretrained_model_name_or_path"


def test_weights_that_the_update_before_spoiled_are_to_blame_and_can_be_put_back() -> None:
    bench = Bench(rate=torch.finfo(torch.float32).max)
    bench.stepper.step([with_large_noise(PAIRS[0])], 4)
    assert not bench.weight.isfinite()
    assert not bench.stepper.has_good_weights()
    for check in (
        lambda: bench.stepper.step(PAIRS, 5),
        lambda: bench.stepper.require_finite_weights(4),
    ):
        with pytest.raises(NumericError, match="The update of step 4 made weights") as caught:
            check()
        assert caught.value.setting == "optimizer.learning_rate"
        assert caught.value.picture == ""
    assert bench.stepper.put_back()
    assert bench.weight.item() == START
    bench.stepper.require_finite_weights(4)


def test_a_loss_that_is_finite_for_no_picture_is_the_weights_not_the_pictures() -> None:
    bench = Bench()
    bench.stepper.step(PAIRS, 4)
    good = bench.weight.item()
    with torch.no_grad():
        bench.weight.fill_(1e30)  # finite, but not its square
    assert bench.stepper.has_good_weights()
    with pytest.raises(NumericError, match="not finite for any picture: the update before it"):
        bench.stepper.step(PAIRS, 5)
    assert not bench.stepper.has_good_weights()
    assert bench.stepper.put_back()
    assert bench.weight.item() == START != good


def with_large_noise(batch: Batch) -> Batch:
    """Return a batch whose loss is finite and whose gradient times the largest rate is not."""
    draw = batch.draw
    return replace(
        batch, draw=Draw(draw.posterior_noise_BCHW, draw.noise_BCHW * 100, draw.timesteps_B)
    )


def test_more_than_eight_pictures_are_not_all_named() -> None:
    names = [f"p{number}" for number in range(9)]
    bench = Bench(
        predict=lambda _, noisy_BCHW, timesteps_B: noisy_BCHW * (bench.weight - START).sqrt()
    )
    with pytest.raises(NumericError) as caught:
        bench.stepper.step([batch(*names, group_size=1)], 7)
    assert "p7 (timestep" in str(caught.value)
    assert "p8" not in str(caught.value)
    assert str(caught.value).endswith(", ….")


class Overflowing:
    """An accelerator whose fp16 scaler finds no usable scale."""

    device = torch.device("cpu")
    autocast = staticmethod(contextlib.nullcontext)

    def __init__(self, scale: float) -> None:
        self.scaler = self
        self._scale = scale

    def get_scale(self) -> float:
        return self._scale

    def prepare(self, optimizer: SGD) -> SGD:
        optimizer.step = lambda: None  # type: ignore[assignment,method-assign]
        return optimizer

    def backward(self, loss: Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]

    def clip_grad_norm_(self, weights: Sequence[nn.Parameter], limit: float) -> Tensor:
        return torch.tensor(torch.inf)


def test_a_skipped_update_is_told_and_moves_no_schedule() -> None:
    bench = Bench(accelerator=Overflowing(scale=2.0**16))
    first, second = bench.stepper.step(PAIRS, 1), bench.stepper.step(PAIRS, 2)
    assert (first.grad_norm, second.grad_norm) == (None, None)
    assert second.learning_rates == {"unet": RATE}


def test_too_many_skipped_updates_in_a_row_end_the_run() -> None:
    bench = Bench(accelerator=Overflowing(scale=2.0**16))
    for step in range(1, MAX_SKIPPED_IN_A_ROW):
        bench.stepper.step(PAIRS, step)
    with pytest.raises(NumericError, match="20 times in a row"):
        bench.stepper.step(PAIRS, MAX_SKIPPED_IN_A_ROW)


def test_a_scale_below_one_ends_the_run() -> None:
    bench = Bench(accelerator=Overflowing(scale=0.5))
    with pytest.raises(NumericError, match="overflow fp16 at step 1") as told:
        bench.stepper.step(PAIRS, 1)
    assert told.value.setting == "hardware.mixed_precision"
