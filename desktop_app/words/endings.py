"""What there is to say at the end of a run: what came of it, and what can be done next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop_app.models.runs.metrics_model import MetricsModel
from desktop_app.models.runs.pace import duration_words
from desktop_app.models.runs.run_record import RunRecord
from desktop_app.process.outcome import Ending, Outcome
from desktop_app.translation import shown
from trainer_core.files.presence import is_file
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.state_manifest import state_step
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T

_LENGTHS = ("optimizer.max_train_epochs", "optimizer.max_train_steps", "optimizer.epoch")


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do next, and the setting that it is about, if it is about one."""

    words: str
    setting: str = ""


def story(outcome: Outcome, record: RunRecord, metrics: MetricsModel) -> str:
    """Return what happened: the outcome, how long it took, how fast, and what became of the loss.

    Args:
        outcome: How it ended.
        record: What is known of the run.
        metrics: What it measured.
    """
    sentences = [shown(outcome.sentence)]
    if record.latest is not None and record.seconds > 0:
        time = duration_words(record.seconds)
        sentences.append(shown(T("App", "It took {time}."), time=time))
    sentences += [shown(each) for each in outcome.remarks]
    sentences += _measured(metrics)
    return " ".join(sentences)


def next_steps(
    outcome: Outcome, record: RunRecord, weights: Path | None, *, is_own: bool = True
) -> list[Advice]:
    """Return what can be done next, in the order of use.

    Args:
        outcome: How it ended.
        record: What is known of the run.
        weights: The file it is about, None if it left none.
        is_own: Whether the document holds the settings of the run.
    """
    return [*_using(record, weights), *_longer(outcome, record, is_own=is_own)]


def state_left(outcome: Outcome, folder: RunFolder | None) -> Path | None:
    """Return the state that an ended run can go on from.

    The trainer says which it is, unless it had no time to.
    """
    is_unknown = outcome.ending is Ending.CRASHED or (outcome.stopped and outcome.step is None)
    if outcome.state is None and is_unknown and folder is not None:
        return folder.newest_state()
    return outcome.state


def can_go_on(outcome: Outcome, folder: RunFolder | None, settings: TrainSettings) -> int | None:
    """Return the step that Start would offer to go on from, None if it would not.

    Args:
        outcome: How the run ended.
        folder: Where it is.
        settings: Those of the document, which may be of another run by now.
    """
    state = state_left(outcome, folder)
    if outcome.ending is Ending.COMPLETED or state is None:
        return None
    step = state_step(state)
    # A state that was saved elsewhere, because the folder could take no more, is not found there.
    is_beside = folder is not None and state.parent == folder.output_dir
    # Whoever found damage had no run folder yet to tell of.
    is_found = outcome.found_damage and state.parent == settings.output.output_dir
    is_here = is_found or (is_beside and is_run_of(folder, settings))
    is_offered = is_here and settings.output.resume is None
    return step if is_offered and step > 0 else None


def is_run_of(folder: RunFolder | None, settings: TrainSettings) -> bool:
    """Tell whether a run is the one that these settings start, or go on with."""
    output = settings.output
    if folder is None or output.output_dir is None or output.output_name != folder.name:
        return False
    # A folder that was chosen in a dialog may be spelled otherwise.
    return output.output_dir.resolve() == folder.output_dir.resolve()


def has_run_file(folder: RunFolder | None) -> bool:
    """Tell whether a run's own settings can be opened: not before it has come so far."""
    return folder is not None and is_file(folder.run_file)


def way_on_words(outcome: Outcome, *, is_own: bool) -> str:
    """Return how to go on with an ended run, "" where there is nothing to go on from."""
    if outcome.way_on is None or outcome.state is None:
        return ""
    if is_own:
        return shown(outcome.way_on)
    template = T(
        "App", "The window holds other settings: open those of this run to go on from step {step}."
    )
    return shown(template, step=state_step(outcome.state))


def trigger_words(facts: Mapping[str, object]) -> str:
    """Return the words of the picture folders' names, "" if they have none."""
    words = facts.get("trigger_words")
    return ", ".join(str(word) for word in words) if isinstance(words, list) else ""


def _measured(metrics: MetricsModel) -> Iterator[str]:
    speeds, losses = metrics.images_per_second.y, metrics.smoothed_loss.y
    if len(speeds):
        speed = f"{float(speeds.mean()):.3g}"
        yield shown(T("App", "On average {speed} images/s."), speed=speed)
    if len(losses) > 1:
        # The first smoothed values are those of single steps: by then it has seen enough of them.
        first = losses[min(metrics.smoothing_steps, len(losses)) - 1]
        if len(losses) > metrics.smoothing_steps:
            template = T("App", "The smoothed loss went from {first} to {last}.")
            yield shown(template, first=f"{first:.4g}", last=f"{losses[-1]:.4g}")
        else:
            yield shown(T("App", "The smoothed loss ended at {last}."), last=f"{losses[-1]:.4g}")


def _using(record: RunRecord, weights: Path | None) -> Iterator[Advice]:
    if weights is None:
        return
    yield Advice(
        shown(
            T(
                "App",
                "Copy the file into models/Lora of A1111 or Forge, or models/loras of ComfyUI.",
            )
        )
    )
    name, words = f"<lora:{weights.stem}:1>", trigger_words(record.used.records.facts)
    template = T("App", "Write {name} in the prompt, with the words of your captions.")
    if words:
        template = T("App", "Write {name} in the prompt, with your trigger words: {words}.")
    yield Advice(shown(template, name=name, words=words))
    if len(record.files.weights) > 1:
        template = T("App", "Try the earlier saves below too: the last is not always the best.")
        yield Advice(shown(template))


def _longer(outcome: Outcome, record: RunRecord, *, is_own: bool) -> Iterator[Advice]:
    if outcome.ending is not Ending.COMPLETED:
        hint = "" if outcome.hint is None else shown(outcome.hint)
        words = [hint, way_on_words(outcome, is_own=is_own)]
        yield from (Advice(each) for each in words if each)
        return
    if outcome.state is None or state_step(outcome.state) != outcome.step:
        template = T("App", "Switch on “Save state” to be able to train a finished run longer.")
        yield Advice(shown(template), "output.save_state" if is_own else "")
        return
    if not is_own:
        template = T("App", "To train longer, open its settings, raise the length and press Start.")
        yield Advice(shown(template))
        return
    template = T("App", "To train longer, raise the length and press Start: it offers to go on.")
    yield Advice(shown(template), _length_setting(record))


def _length_setting(record: RunRecord) -> str:
    asked = record.used.records.asked
    acting = (path for path in _LENGTHS if asked.get(path, "unset") != "unset")
    return next(acting, _LENGTHS[-1])
