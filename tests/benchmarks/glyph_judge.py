"""Judges a base, or a base with a LoRA, by plain diffusers and the classifier of glyphs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDIMScheduler
from PIL import Image

TESTS = Path(__file__).parents[1]
DEMO = TESTS.parent / "resources" / "demo"
sys.path[:0] = [str(TESTS), str(DEMO)]

from helpers.held_out_loss import held_out_loss, load_pipeline  # noqa: E402  as those below
from making.classifier import load_classifier, ranks  # noqa: E402  found by the line above
from making.concepts import COLOURS, KNOWN  # noqa: E402
from making.samples import prompts_for  # noqa: E402

CLASSIFIER = Path(__file__).with_name("glyph_classifier.safetensors")
STEPS, GUIDANCE, SIDE_PX = 20, 3.0, 128
CONCEPT_PROMPTS, CONTROL_PROMPTS = 8, 20
TRIGGER = "zxq"


@dataclass(frozen=True)
class Verdict:
    """What is measured of a model and a subject.

    ``loss`` is the mean error on pictures that were not trained on, with fixed noise; ``rank`` the
    mean place, from 1, at which the classifier names the subject; ``control`` the share of known
    subjects that are recognised first.
    """

    loss: float
    rank: float
    control: float


class Judge:
    """One base, and the classifier."""

    def __init__(self, base: Path) -> None:
        pipeline = load_pipeline(base)
        pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline
        self._classifier = load_classifier(CLASSIFIER)
        self._control = list(KNOWN)[:: len(KNOWN) // CONTROL_PROMPTS][:CONTROL_PROMPTS]

    def judge(
        self, concept: str, held_out: list[tuple[Image.Image, str]], lora: Path | None = None
    ) -> tuple[Verdict, list[Image.Image]]:
        """Return the verdict on the base, or on the base with a LoRA, and the samples."""
        if lora is not None:
            self._pipeline.load_lora_weights(lora.parent, weight_name=lora.name)
        prompts = [
            f"a {TRIGGER} {concept} on a {colour} background"
            for colour in list(COLOURS)[:CONCEPT_PROMPTS]
        ]
        samples = self.draw(prompts)
        places = ranks(self._classifier, samples, [concept] * len(samples))
        loss, control = held_out_loss(self._pipeline, held_out), self.control(self._control)
        if lora is not None:
            self._pipeline.unload_lora_weights()
        return Verdict(loss, sum(places) / len(places), control), samples

    def draw(self, prompts: list[str]) -> list[Image.Image]:
        """Return a sample of each prompt; the number of a prompt is its seed."""
        chances = [torch.Generator().manual_seed(number) for number in range(len(prompts))]
        return self._pipeline(
            prompts,
            width=SIDE_PX,
            height=SIDE_PX,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=chances,
        ).images

    def control(self, names: list[str]) -> float:
        """Return the share of subjects that the classifier names first."""
        places = ranks(self._classifier, self.draw(prompts_for(names)), names)
        return sum(place == 1 for place in places) / len(places)
