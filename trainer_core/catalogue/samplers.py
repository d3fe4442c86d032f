"""The samplers: diffusers' schedulers by the names users know.

Which class stands for which name follows sd-scripts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.entry import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplerEntry(Entry):
    """A sampler; ``implementation`` is a scheduler's class, built from the base model's own.

    Attributes:
        changes: What is set otherwise than the base model's scheduler has it.
    """

    changes: Mapping[str, object] = field(default_factory=dict)


SAMPLERS: Mapping[str, SamplerEntry] = {
    "ddim": SamplerEntry(
        label="ddim",
        implementation="diffusers:DDIMScheduler",
        source="Song et al. 2020, arXiv:2010.02502",
    ),
    "pndm": SamplerEntry(
        label="pndm",
        implementation="diffusers:PNDMScheduler",  # no Runge-Kutta steps where the base says so
        source="Liu et al. 2022, arXiv:2202.09778",
    ),
    "lms": SamplerEntry(
        label="lms",
        implementation="diffusers:LMSDiscreteScheduler",
        package="scipy>=1.11",
        source="linear multistep, from k-diffusion",
    ),
    "euler": SamplerEntry(
        label="euler",
        implementation="diffusers:EulerDiscreteScheduler",
        source="Karras et al. 2022, arXiv:2206.00364, algorithm 2 with Euler steps alone",
    ),
    "euler_a": SamplerEntry(
        label="euler_a",
        implementation="diffusers:EulerAncestralDiscreteScheduler",
        source="Euler steps with fresh noise after each, from k-diffusion",
    ),
    "heun": SamplerEntry(
        label="heun",
        implementation="diffusers:HeunDiscreteScheduler",
        source="Karras et al. 2022, arXiv:2206.00364, algorithm 2 with Heun steps",
    ),
    "dpm_2": SamplerEntry(
        label="dpm_2",
        implementation="diffusers:KDPM2DiscreteScheduler",
        source="second-order steps through the midpoint, from k-diffusion",
    ),
    "dpm_2_a": SamplerEntry(
        label="dpm_2_a",
        implementation="diffusers:KDPM2AncestralDiscreteScheduler",
        source="second-order steps with fresh noise after each, from k-diffusion",
    ),
    "dpmsolver": SamplerEntry(
        label="dpmsolver",
        implementation="diffusers:DPMSolverMultistepScheduler",
        changes={
            "algorithm_type": "dpmsolver",
            "final_sigmas_type": "sigma_min",  # this form cannot step to no noise at all
        },
        source="Lu et al. 2022, arXiv:2206.00927, as a multistep solver",
    ),
    "dpmsolver++": SamplerEntry(
        label="dpmsolver++",
        implementation="diffusers:DPMSolverMultistepScheduler",
        changes={"algorithm_type": "dpmsolver++"},
        source="Lu et al. 2022, arXiv:2211.01095, as a multistep solver",
    ),
    "dpmsingle": SamplerEntry(
        label="dpmsingle",
        implementation="diffusers:DPMSolverSinglestepScheduler",
        source="Lu et al. 2022, arXiv:2211.01095, as a singlestep solver",
    ),
}
