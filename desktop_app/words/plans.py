"""What a run would do, in a few lines that people check before they press Start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from desktop_app.models.pictures.dataset_scan import Scan
from desktop_app.translation import choice_label, shown
from desktop_app.widgets.stat_row import Stat
from desktop_app.words.numbers import number_text
from desktop_app.words.settings import count_words, size_words
from trainer_core.catalogue.adapters import ADAPTERS
from trainer_core.catalogue.families import FAMILIES, TRAINABLE, PartEntry
from trainer_core.catalogue.precisions import MIXED_PRECISIONS
from trainer_core.dataset.plan import ConceptCount, Plan
from trainer_core.disk_space.room import Demand
from trainer_core.errors import TrainerError
from trainer_core.model_files.recognise import ModelReport, inspect_model
from trainer_core.settings.noise_words import noise_words
from trainer_core.settings.schema import TRAIN, Facts, TrainSettings
from trainer_core.texts import T, visible

NOTHING_KNOWN: Facts = {}


def summary(
    settings: TrainSettings,
    scan: Scan | None = None,
    model: ModelReport | None = None,
    demands: Sequence[Demand] = (),
    facts: Facts = NOTHING_KNOWN,
) -> list[Stat]:
    """Return the lines, from what is trained to where it goes; what is not known is a dash.

    Args:
        settings: What is asked.
        scan: The newest look at the pictures.
        model: What the base model turned out to be.
        demands: What it needs on each disk, and what is free there.
        facts: What the base model's files say.
    """
    plan = None if scan is None else scan.plan
    rates = _trained_rates(settings, model, facts)
    return [
        _base_model(settings, model),
        *_noise(settings, facts),
        _trained(settings, rates),
        *_pictures(scan, plan),
        *_length(plan),
        _rates(settings, rates),
        _precision(settings),
        *_files(settings),
        _saves(settings, plan),
        _samples(settings),
        *_space(demands),
    ]


def _base_model(settings: TrainSettings, report: ModelReport | None) -> Stat:
    path = settings.model.pretrained_model_name_or_path
    name = shown(T("App", "Base model"))
    if path is None:
        return Stat(name, "–")
    if report is None or report.path != path or report.kind not in FAMILIES:
        return Stat(name, visible(path.name), visible(path))
    template = T("App", "{name} ({kind}, {size})")
    size = size_words(round(report.size_mib * 1024**2))
    words = shown(template, name=path.name, kind=FAMILIES[report.kind].label, size=size)
    return Stat(name, words, visible(path))


def _noise(settings: TrainSettings, facts: Facts) -> Iterator[Stat]:
    """Yield what the base model predicts, once its files were looked into."""
    if "family" in facts:
        words = "; ".join(map(shown, noise_words(settings, facts)))
        yield Stat(shown(T("App", "It predicts")), words)


def _trained(settings: TrainSettings, rates: Mapping[PartEntry, float]) -> Stat:
    if TRAIN.idle(TRAIN.params()["adapter.LoRA_type"], settings.get, {}) is None:
        return _network(settings, rates)
    template = T("App", "{method}; {parts}")
    words = shown(template, method=shown(settings.method.label), parts=_trained_parts(rates))
    return Stat(shown(T("App", "Trains")), words)


def _network(settings: TrainSettings, rates: Mapping[PartEntry, float]) -> Stat:
    adapter = settings.adapter
    kind = choice_label(TRAIN.params()["adapter.LoRA_type"], adapter.LoRA_type)
    facts = {"kind": kind, "parts": _trained_parts(rates)}
    start, has_rank = adapter.network_weights, ADAPTERS[adapter.LoRA_type].has_rank
    if start is not None and has_rank:
        template = T("App", "{kind} LoRA, rank {rank}, alpha of {file}; {parts}")
        if adapter.dim_from_weights:
            template = T("App", "{kind} LoRA, rank and alpha of {file}; {parts}")
        words = shown(template, file=start.name, rank=adapter.network_dim, **facts)
        return Stat(shown(T("App", "Trains")), words, str(start))
    if has_rank:
        rank = adapter.network_dim
        alpha = rank if adapter.network_alpha is None else adapter.network_alpha
        template = T("App", "{kind} LoRA, rank {rank}, alpha {alpha}; {parts}")
        words = shown(template, rank=rank, alpha=number_text(alpha), **facts)
    else:
        words = shown(T("App", "{kind}; {parts}"), **facts)
    if start is not None:
        words = shown(T("App", "{words}; begins with {file}"), words=words, file=start.name)
    return Stat(shown(T("App", "Trains")), words)


def _trained_rates(
    settings: TrainSettings, report: ModelReport | None, facts: Facts
) -> dict[PartEntry, float]:
    """Return the learning rate of every part that the settings do not leave out.

    Until the base model is known, the parts of the first family stand for it.
    """
    path = settings.model.pretrained_model_name_or_path
    found = facts if report is None or report.path != path else {"family": report.kind}
    family = settings.known_family(found) or next(iter(TRAINABLE))
    return {part: settings.rate_of(part) for part in settings.trained_parts(family)}


def _trained_parts(rates: Mapping[PartEntry, float]) -> str:
    names = [shown(part.inline) for part, rate in rates.items() if rate]
    if not names:
        return "–"
    if len(names) == 1:
        return shown(T("App", "{part} only"), part=names[0])
    return shown(T("App", "{parts} and {last}"), parts=", ".join(names[:-1]), last=names[-1])


def concept_words(concept: ConceptCount) -> str:
    """Return how often the pictures of a folder are shown, term by term."""
    facts = {"pictures": concept.pictures, "repeats": concept.repeats, "asked": concept.asked}
    template = T("App", "{name}: {pictures} × {repeats} = {asked}")
    if concept.is_reg:
        template = T(
            "App", "{name}: {pictures} × {repeats} = {asked}; regularisation, {samples} shown"
        )
    return shown(template, name=visible(concept.name), samples=concept.samples, **facts)


def _pictures(scan: Scan | None, plan: Plan | None) -> Iterator[Stat]:
    name = shown(T("App", "Pictures"))
    if scan is None or plan is None:
        yield Stat(name, "–")
        return
    rows = map(concept_words, plan.concepts)
    facts = {"pictures": count_words(plan.pictures), "samples": count_words(plan.samples)}
    if len(plan.concepts) == 1:
        repeats = plan.concepts[0].repeats
        template = T("App", "{pictures} × {repeats} [repeats:repeat|repeats] = {samples} per epoch")
        words = shown(template, repeats=repeats, **facts)
    else:
        template = T(
            "App",
            "{pictures} in {folders} [folders:folder|folders], with repeats {samples} per epoch",
        )
        words = shown(template, folders=len(plan.concepts), **facts)
    if plan.reg_asked:
        template = T("App", "{words}; regularisation: {samples}, of {asked} by their repeats")
        reg = {"samples": count_words(plan.reg_samples), "asked": count_words(plan.reg_asked)}
        words = shown(template, words=words, **reg)
    left_out = len(scan.index.left_out)
    if left_out:
        words = shown(T("App", "{words}; left out: {count}"), words=words, count=left_out)
    held_out = scan.survey.held_out
    if held_out is not None:
        template = T("App", "{words}; held out for validation: {count}")
        words = shown(template, words=words, count=held_out.pictures)
    yield Stat(name, words, "\n".join([*map(str, scan.request.places), *rows]))
    template = T(
        "App",
        "{batches} per epoch, of up to {size} [size:picture|pictures]; buckets: {buckets}",
    )
    batches, size = count_words(plan.batches_per_epoch), plan.largest_batch
    words = shown(template, batches=batches, size=size, buckets=len(plan.buckets))
    yield Stat(shown(T("App", "Batches")), words)


def _length(plan: Plan | None) -> Iterator[Stat]:
    if plan is None:
        return
    template = T("App", "{steps} [steps:step|steps]: {epochs} [epochs:epoch|epochs] of {each}")
    if plan.epochs == 1:
        template = T("App", "{steps} [steps:step|steps]: one epoch")
    words = shown(
        template,
        steps=count_words(plan.total_steps),
        epochs=count_words(plan.epochs),
        each=count_words(plan.steps_per_epoch),
    )
    if plan.warmup_steps:
        warmup = count_words(plan.warmup_steps)
        words = shown(T("App", "{words}; warm-up: {warmup}"), words=words, warmup=warmup)
    yield Stat(shown(T("App", "Length")), words)


def _rates(settings: TrainSettings, trained: Mapping[PartEntry, float]) -> Stat:
    training = settings.optimizer
    rates = [
        shown(
            T("App", "{part} {rate}"),
            part=shown(part.inline if number else part.label),
            rate=number_text(rate),
        )
        for number, (part, rate) in enumerate(trained.items())
    ]
    words = shown(
        T("App", "{rates}; {schedule}, {optimizer}"),
        rates=", ".join(rates) or "–",
        schedule=choice_label(TRAIN.params()["optimizer.lr_scheduler"], training.lr_scheduler),
        optimizer=choice_label(TRAIN.params()["optimizer.optimizer_type"], training.optimizer_type),
    )
    return Stat(shown(T("App", "Learning rates")), words)


def _precision(settings: TrainSettings) -> Stat:
    asked = settings.hardware.mixed_precision
    name = shown(T("App", "Precision"))
    if MIXED_PRECISIONS[asked].tried:
        template = T("App", "Automatic: 16 bit on a GPU, 32 bit on a CPU; the trainer decides")
        return Stat(name, shown(template), shown(T("App", "It takes the GPU if it finds one.")))
    label = choice_label(TRAIN.params()["hardware.mixed_precision"], asked)
    return Stat(name, shown(T("App", "{precision}; on the GPU if there is one"), precision=label))


def _files(settings: TrainSettings) -> Iterator[Stat]:
    output = settings.output
    if output.resume is not None:
        yield Stat(
            shown(T("App", "Goes on from")), visible(output.resume.name), visible(output.resume)
        )
    path = "–"
    if output.output_dir is not None:
        path = str(output.output_dir / f"{output.output_name}.safetensors")
    yield Stat(shown(T("App", "Result")), path)


def _saves(settings: TrainSettings, plan: Plan | None) -> Stat:
    output = settings.output
    due = [shown(T("App", "at the end"))]
    every_epochs, every_steps = output.save_every_n_epochs, output.save_every_n_steps
    if every_epochs is not None and (plan is None or plan.epochs > every_epochs):
        due.append(_every_epochs(every_epochs))
    if every_steps is not None and (plan is None or plan.total_steps > every_steps):
        due.append(_every_steps(every_steps))
    if output.save_state:
        due.append(shown(T("App", "each with a state to go on from")))
    elif output.save_state_on_train_end:
        due.append(shown(T("App", "with a state to go on from at the end")))
    return Stat(shown(T("App", "Saves")), _listed(due))


def _samples(settings: TrainSettings) -> Stat:
    sampling = settings.sampling
    name = shown(T("App", "Samples"))
    if not sampling.has_prompts:
        return Stat(name, shown(T("App", "none")))
    due = []
    if sampling.sample_at_first and settings.output.resume is None:
        due.append(shown(T("App", "before the first step")))
    if sampling.sample_every_n_epochs is not None:
        due.append(_every_epochs(sampling.sample_every_n_epochs))
    if sampling.sample_every_n_steps is not None:
        due.append(_every_steps(sampling.sample_every_n_steps))
    if not due:
        due.append(shown(T("App", "when asked for")))
    file = sampling.sample_prompts
    if file is None:
        return Stat(name, _listed(due))
    words = T("App", "{when}, of {file}")
    if sampling.prompt_list:
        words = T("App", "{when}, of the prompts and of {file}")
    return Stat(name, shown(words, when=_listed(due), file=file.name), str(file))


def _space(demands: Sequence[Demand]) -> Iterator[Stat]:
    """Yield what is needed and free; of the disk that needs most, the others as a tooltip."""
    template = T("App", "Needs up to {needed} of {free} free")
    sizes = {
        demand.needs[0].folder: shown(
            template, needed=size_words(demand.num_bytes), free=size_words(demand.free_bytes)
        )
        for demand in sorted(demands, key=lambda demand: -demand.num_bytes)
    }
    if sizes:
        rows = [f"{visible(folder)}: {words}" for folder, words in sizes.items()]
        yield Stat(shown(T("App", "Disk space")), next(iter(sizes.values())), "\n".join(rows))


def _every_epochs(count: int) -> str:
    return shown(T("App", "every [count:epoch|{count} epochs]"), count=count)


def _every_steps(count: int) -> str:
    return shown(T("App", "every [count:step|{count} steps]"), count=count)


def _listed(words: list[str]) -> str:
    return ", ".join(words)


def model_report(path: Path) -> ModelReport | None:
    """Return what a base model is, None if it cannot be told; reads headers, for a thread."""
    try:
        return inspect_model(path)
    except TrainerError:  # it is among the problems
        return None
