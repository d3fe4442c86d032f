"""What a run really used where its settings leave it open: the content of ``effective.json``."""

from __future__ import annotations

import json

import torch
from torch import nn
from torch.optim import Optimizer

from trainer_core.catalogue.entry import position
from trainer_core.catalogue.predictions import switch_of
from trainer_core.dataset.plan import Plan
from trainer_core.families.base import Family
from trainer_core.files.writing import publish_text
from trainer_core.methods.base import Method
from trainer_core.runtime.device import Machine
from trainer_core.settings.optimizer import OptimizerSettings
from trainer_core.settings.schema import TRAIN
from trainer_core.train.building import used_memory_format
from trainer_core.train.inputs import RunInputs
from trainer_core.train.run_start import RunStart
from trainer_core.version import __version__


def write_effective(
    inputs: RunInputs,
    start: RunStart,
    machine: Machine,
    *,
    family: Family,
    method: Method,
    optimizer: Optimizer,
) -> None:
    """Write what is used into the run folder, once everything is built.

    ``used`` holds, by the path of a setting, what it came to, in the form of a run file.

    Raises:
        OutputError: The file cannot be written.
    """
    kind = type(optimizer)
    text_encoders = family.entry.text_encoders
    effective = {
        "run_id": start.run_id,
        "seed": start.seed,
        "device": machine.name,
        "device_type": machine.device.type,
        "precision": machine.precision,
        "torch": torch.__version__,
        "program": __version__,
        "cpu_threads": torch.get_num_threads(),
        "total_steps": inputs.plan.total_steps,
        "steps_per_epoch": inputs.plan.steps_per_epoch,
        "epochs": inputs.plan.epochs,
        "warmup_steps": inputs.plan.warmup_steps,
        "optimizer": f"{kind.__module__}.{kind.__qualname__}",
        "attention": attention_kind(family.module(family.entry.denoiser)),
        "latent_cache": _latent_cache(inputs),
        "text_encoder": "trained" if any(map(method.trains, text_encoders)) else "frozen",
        "trainable_parameters": dict(method.counts()),
        "trigger_words": sorted({c.class_tokens for c in inputs.index.concepts} - {""}),
        "used": _used(inputs, start, machine, family=family, method=method),
        "settings": TRAIN.as_raw(inputs.settings),
    }
    content = json.dumps(effective, indent=1, ensure_ascii=False)
    publish_text(start.folder.effective_file, content, replace=True)


def attention_kind(denoiser: nn.Module) -> str:
    """Return how attention is computed: ``sdpa`` (torch's fused kernels), else by class names."""
    names = {type(module.processor).__name__ for module in denoiser.modules() if _attends(module)}
    if names and all(name.endswith("2_0") for name in names):  # diffusers' mark of torch 2's own
        return "sdpa"
    return ", ".join(sorted(names))


def _attends(module: nn.Module) -> bool:
    return hasattr(module, "processor")


def _latent_cache(inputs: RunInputs) -> str:
    cache = inputs.settings.cache
    if not cache.cache_latents:
        return "off"
    return "disk" if cache.cache_latents_to_disk else "memory"


def _used(
    inputs: RunInputs, start: RunStart, machine: Machine, *, family: Family, method: Method
) -> dict[str, object]:
    """Return what the settings came to that say "automatic", "as ..." or nothing."""
    settings, plan = inputs.settings, inputs.plan
    cache, training = settings.cache, settings.optimizer
    used: dict[str, object] = {
        "model.family": family.entry.kind,
        "model.v_parameterization": switch_of(family.noise_schedule.prediction_type),
        "model.zero_terminal_snr": position(family.noise_schedule.has_zero_terminal_snr),
        "cache.max_data_loader_n_workers": cache.loader_threads,
        "hardware.mixed_precision": machine.precision,
        "hardware.memory_format": used_memory_format(settings, machine),
        "hardware.num_cpu_threads_per_process": torch.get_num_threads(),
        "hardware.seed": start.seed,
    }
    if len(inputs.caption_extensions) == 1:  # places may have a kind of captions each
        [used["captions.caption_extension"]] = inputs.caption_extensions
    if cache.cache_latents:
        batch_size = cache.vae_batch_size or settings.dataset.train_batch_size
        used["cache.vae_batch_size"] = batch_size
    used.update(method.used())
    parts, rates = family.entry.parts, method.rates()
    used.update({f"optimizer.{p.rate}": rates[p.name] for p in parts if p.name in rates})
    used.update(_length(plan, training))
    return used


def _length(plan: Plan, training: OptimizerSettings) -> dict[str, object]:
    length: dict[str, object] = {"optimizer.lr_warmup_steps": plan.warmup_steps}
    if training.max_train_epochs is None and training.max_train_steps is not None:
        length["optimizer.epoch"] = plan.epochs
    else:
        length["optimizer.max_train_steps"] = plan.total_steps
    return length
