"""The scripts of the demo's base: what they hold out, and the arithmetic of their training."""

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trainer_core.files.resources import resource_path

sys.path.insert(0, str(resource_path("demo")))

from making import autoencoder, course, denoiser, pictures
from making.concepts import COLOURS, HELD_OUT, KNOWN


@pytest.fixture(autouse=True)
def fixed_chance() -> None:
    torch.manual_seed(0)


def test_the_base_never_learns_a_word_or_glyph_of_a_held_out_subject() -> None:
    words = {word for name in KNOWN for word in name.split()}

    assert len(HELD_OUT) >= 14
    assert not set(KNOWN.values()) & set(HELD_OUT.values())
    assert not words & {word for name in HELD_OUT for word in name.split()}


def test_a_caption_names_subject_and_colour() -> None:
    lots, _ = course.lots_of(0)
    for _ in range(50):
        composition = pictures.draw_lots(lots)
        caption = composition.caption_for("orange")

        assert "orange" in caption
        assert f"{composition.colour} background" in caption
        assert composition.colour in COLOURS


def test_the_outer_level_leaves_the_latents_as_they_were() -> None:
    core = autoencoder.Core(autoencoder.new_autoencoder())
    whole = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        before = core.encode(F.avg_pool2d(whole, 2))
        after = core.add_outer_level().encode(whole).latent_dist.mode()

    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_scaled_latents_have_stable_diffusions_spread_and_give_the_same_picture() -> None:
    core = autoencoder.Core(autoencoder.new_autoencoder())
    whole = torch.rand(4, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        latents = core.encode(whole)
        picture = core.decode(latents)
        core.scale_latents(latents.mean((0, 2, 3)), latents.std((0, 2, 3)))
        scaled = core.encode(whole) * 0.18215
        again = core.decode(scaled / 0.18215)

    torch.testing.assert_close(scaled.mean((0, 2, 3)), torch.zeros(4), rtol=0, atol=1e-4)
    torch.testing.assert_close(scaled.std((0, 2, 3)), torch.ones(4), rtol=1e-4, atol=0)
    torch.testing.assert_close(again, picture, rtol=1e-3, atol=1e-4)


def test_timesteps_are_drawn_as_often_as_min_snr_weighs_them() -> None:
    alphas_bar = denoiser.noise_schedule().alphas_cumprod
    snr = alphas_bar / (1 - alphas_bar)
    weights = torch.minimum(snr, torch.tensor(5.0)) / snr

    drawn = denoiser.draw_timesteps(
        denoiser.timestep_shares(alphas_bar), 100_000, torch.Generator().manual_seed(1)
    )

    expected = weights.view(10, 100).sum(1) / weights.sum()
    shares = torch.bincount(drawn // 100, minlength=10) / len(drawn)
    torch.testing.assert_close(shares, expected, rtol=0, atol=1e-3)


def train(file: Path, stops: list[int]) -> torch.Tensor:
    """Return the weight of a tiny network after a course that is interrupted at these steps."""
    for stop in stops:
        torch.manual_seed(0)
        network = torch.nn.Linear(3, 1)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
        parts = {"network": network, "optimizer": optimizer}
        lessons = course.Course(file, parts, steps=stop, save_every=5)

        def take_step(step: int) -> float:
            _, chance = course.lots_of(step)
            loss = network(torch.randn(4, 3, generator=chance)).square().mean()  # noqa: B023
            optimizer.zero_grad()  # noqa: B023
            loss.backward()
            optimizer.step()  # noqa: B023
            return loss.item()

        lessons.run(take_step)
    return network.weight.detach()


def test_an_interrupted_course_ends_as_one_without_a_break(tmp_path: Path) -> None:
    straight = train(tmp_path / "straight.pt", [20])
    interrupted = train(tmp_path / "interrupted.pt", [7, 12, 20])

    assert torch.equal(interrupted, straight)
