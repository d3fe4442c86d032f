"""What a scan comes to, in figures and words."""

from __future__ import annotations

from desktop_app.models.pictures.dataset_scan import CheckProgress, Scan
from desktop_app.translation import shown
from desktop_app.widgets.stat_row import Stat
from desktop_app.words.plans import concept_words
from desktop_app.words.settings import count_words
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.plan import Plan
from trainer_core.texts import T


def stats(scan: Scan) -> list[Stat]:
    """Return the figures of a scan, from pictures to steps."""
    # As the summary before the start counts them: those that the run will train.
    count = len(scan.index.pictures) if scan.plan is None else scan.plan.pictures
    pictures = Stat(shown(T("App", "Pictures")), count_words(count), missing_words(scan))
    if scan.plan is None:
        return [pictures]
    plan = scan.plan
    return [
        pictures,
        Stat(shown(T("App", "Per epoch")), count_words(plan.samples), _samples_words(plan)),
        Stat(shown(T("App", "Buckets")), count_words(len(plan.buckets)), _bucket_words(plan)),
        Stat(shown(T("App", "Batches")), count_words(plan.batches_per_epoch), _batch_words(plan)),
        Stat(shown(T("App", "Steps")), count_words(plan.total_steps), _step_words(scan, plan)),
    ]


def missing_words(scan: Scan) -> str:
    """Return how many pictures are there but not trained, and why; "" if all are."""
    left_out = len({picture.key for picture in scan.index.left_out})
    unusable = 0 if scan.audit is None else len(scan.audit.unusable)
    lines = []
    if left_out:
        lines.append(shown(T("App", "Left out of this run: {count}"), count=left_out))
    if scan.survey.held_out is not None:
        template = T("App", "Held out for validation: {count}")
        lines.append(shown(template, count=scan.survey.held_out.pictures))
    if unusable:
        lines.append(shown(T("App", "Cannot be used: {count}"), count=unusable))
    return "\n".join(lines)


def place_words(scan: Scan) -> str:
    """Return where the pictures are, the first of several places named."""
    first, *others = scan.index.roots
    if not others:
        return str(first.path)
    return shown(T("App", "{path} and {count} more"), path=str(first.path), count=len(others))


def check_words(progress: CheckProgress | None) -> str:
    """Return how far the full check is, "" when it is done."""
    if progress is None or progress.done == progress.total:
        return ""
    template = T("App", "Checking every pixel: {done} of {total}")
    return shown(template, done=progress.done, total=progress.total)


def size_words(size: Size | None) -> str:
    """Return a size in pixels, a dash if it is not known."""
    return "–" if size is None else f"{size[0]} × {size[1]}"


def _samples_words(plan: Plan) -> str:
    head = shown(T("App", "Pictures times repeats: what one epoch shows."))
    return "\n".join([head, *map(concept_words, plan.concepts)])


def _bucket_words(plan: Plan) -> str:
    head = shown(T("App", "Sizes that pictures are trained at, and how many an epoch shows."))
    rows = [f"{size_words(b.resolution)}: {count_words(b.samples)}" for b in plan.buckets]
    return "\n".join([head, *rows])


def _batch_words(plan: Plan) -> str:
    return shown(
        T(
            "App",
            "Batches of up to {size} [size:picture|pictures] in one epoch; every bucket rounds up.",
        ),
        size=plan.largest_batch,
    )


def _step_words(scan: Scan, plan: Plan) -> str:
    return shown(
        T(
            "App",
            "Optimizer steps of the whole run: {steps} per epoch (batches / {accumulation} "
            "accumulated), {epochs} [epochs:epoch|epochs].",
        ),
        steps=plan.steps_per_epoch,
        accumulation=scan.request.pace.gradient_accumulation_steps,
        epochs=plan.epochs,
    )
