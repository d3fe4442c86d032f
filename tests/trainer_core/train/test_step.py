import contextlib
from collections.abc import Callable, Sequence

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import LambdaLR

from trainer_core.errors import NumericError
from trainer_core.objectives.objective import NoisePrediction
from trainer_core.pipeline.loader import Prepared
from trainer_core.runtime.draws import generator
from trainer_core.train.step import MAX_SKIPPED_IN_A_ROW, Stepper

SEED, RATE, START = 3, 0.25, 0.5
ALPHA_BAR_T = torch.linspace(0.99, 0.01, 10)
OBJECTIVE = NoisePrediction(ALPHA_BAR_T)

Predict = Callable[[Prepared, Tensor, Tensor], Tensor]


def prepared(*names: str, group_size: int) -> Prepared:
    mean_BCHW = torch.randn((len(names), 4, 2, 2), generator=torch.Generator().manual_seed(1))
    std_BCHW = torch.full_like(mean_BCHW, 0.1)
    return Prepared(names, names, mean_BCHW, std_BCHW, group_size)


PAIRS = (prepared("a", "b", group_size=2), prepared("c", "d", group_size=2))


class Bench:
    """A model of one weight, whose prediction is that weight times the noisy latent."""

    def __init__(
        self,
        *,
        max_grad_norm: float = 0.0,
        predict: Predict | None = None,
        accelerator: object = None,
    ) -> None:
        self.weight = nn.Parameter(torch.tensor(START))
        self.accelerator = accelerator or Accelerator(cpu=True)
        optimizer = SGD([{"params": [self.weight], "name": "unet"}], lr=RATE)
        self.schedule = LambdaLR(optimizer, lambda step: 1 / (1 + step))
        self.stepper = Stepper(
            accelerator=self.accelerator,
            objective=OBJECTIVE,
            predict=predict or (lambda _, noisy_BCHW, timesteps_B: noisy_BCHW * self.weight),
            optimizer=self.accelerator.prepare(optimizer),  # type: ignore[attr-defined]
            scheduler=self.schedule,
            max_grad_norm=max_grad_norm,
            seed=SEED,
        )


def loss_and_gradient(group: Sequence[Prepared], step: int = 1) -> tuple[float, float]:
    """Work out the mean of (w x - n)^2 and of its derivative 2 (w x - n) x over the batches."""
    losses, gradients = [], []
    for index, batch in enumerate(group):
        draws = generator(SEED, "step", step, index)
        draw = OBJECTIVE.draw(batch.mean_BCHW, batch.std_BCHW, draws)
        alpha_bar = ALPHA_BAR_T[draw.timesteps_B].reshape(-1, 1, 1, 1)
        x = alpha_bar.sqrt() * draw.latents_BCHW + (1 - alpha_bar).sqrt() * draw.noise_BCHW
        off = START * x - draw.noise_BCHW
        losses.append(off.square().mean().item())
        gradients.append((2 * off * x).mean().item())
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
    group = [prepared("a", "b", group_size=1)]
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


def test_the_rates_told_are_those_of_the_step_itself() -> None:
    bench = Bench()
    rates = [bench.stepper.step(PAIRS, step).learning_rates["unet"] for step in (1, 2, 3)]
    assert rates == pytest.approx([RATE, RATE / 2, RATE / 3])


def test_the_hash_tells_pictures_noise_and_rates_apart() -> None:
    renamed = (prepared("a", "x", group_size=2), PAIRS[1])
    hashes = [
        Bench().stepper.step(PAIRS, 1).batch_hash,
        Bench().stepper.step(PAIRS, 2).batch_hash,
        Bench().stepper.step(renamed, 1).batch_hash,
        Bench().stepper.step(PAIRS[::-1], 1).batch_hash,
    ]
    assert len(set(hashes)) == len(hashes)
    assert Bench().stepper.step(PAIRS, 1).batch_hash == hashes[0]


def test_a_loss_that_is_not_finite_is_named_and_updates_nothing() -> None:
    def poisoned(batch: Prepared, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
        factor_B111 = torch.ones(len(noisy_BCHW), 1, 1, 1)
        if "d" in batch.names:
            factor_B111[1] = torch.nan
        return noisy_BCHW * bench.weight * factor_B111

    bench = Bench(predict=poisoned)
    with pytest.raises(NumericError) as caught:
        bench.stepper.step(PAIRS, 7)
    draw = OBJECTIVE.draw(PAIRS[1].mean_BCHW, PAIRS[1].std_BCHW, generator(SEED, "step", 7, 1))
    assert f"Pictures: d (timestep {draw.timesteps_B[1]})." in str(caught.value)
    assert "step 7 " in str(caught.value)
    assert "unet 0.25" in str(caught.value)
    assert bench.weight.item() == START
    assert bench.weight.grad is None


def test_a_gradient_that_is_not_finite_updates_nothing() -> None:
    # sqrt(0) is finite, its slope is not.
    bench = Bench(
        predict=lambda _, noisy_BCHW, timesteps_B: noisy_BCHW * (bench.weight - START).sqrt()
    )
    with pytest.raises(NumericError, match="gradient of step 7 is not finite"):
        bench.stepper.step(PAIRS, 7)
    assert bench.weight.item() == START
    assert bench.weight.grad is None


class Overflowing:
    """An accelerator whose fp16 scaler finds no usable scale."""

    device = torch.device("cpu")
    optimizer_step_was_skipped = True
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
    with pytest.raises(NumericError, match="overflow fp16 at step 1"):
        bench.stepper.step(PAIRS, 1)
