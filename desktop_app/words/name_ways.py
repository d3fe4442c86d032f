"""What a start can do about a name that an earlier run has: go on, a new name, or replace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from desktop_app.translation import shown
from desktop_app.words.settings import value_words
from trainer_core.files.replaced_run import ReplacedRun
from trainer_core.files.run_folder import RunFolder, free_name, state_settings, state_step
from trainer_core.settings import document
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.texts import T

_METHOD, _OPTIMIZER = "model.training_method", "optimizer.optimizer_type"


class NameWay(StrEnum):
    """The ways on."""

    FREE = "free"  # nobody has the name
    GO_ON = "go_on"
    RENAME = "rename"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Offer:
    """One way on, in words; ``is_possible`` is False where the words say why not."""

    way: NameWay
    label: str
    words: str
    is_possible: bool = True


@dataclass(frozen=True, slots=True)
class TakenName:
    """An earlier run of the name, and what can be done; the first possible offer is the safest."""

    folder: RunFolder
    new_name: str
    offers: Sequence[Offer]

    @property
    def safest(self) -> NameWay:
        """The way that nothing is lost by."""
        return next(offer.way for offer in self.offers if offer.is_possible)


def taken_name(settings: TrainSettings, total_steps: int | None = None) -> TakenName | None:
    """Return what to decide about the name of a run, None if there is nothing.

    Args:
        settings: What is asked; a run that resumes a state it names has decided already.
        total_steps: How long the run would be, if that is known.
    """
    output = settings.output
    if output.output_dir is None or output.resume is not None:
        return None
    folder = RunFolder(output.output_dir, output.output_name)
    if not folder.exists() and not ReplacedRun(folder).is_any():
        return None
    new_name = free_name(folder.output_dir, folder.name)
    offers = [_rename(folder, new_name), _replace(folder)]
    state = folder.newest_state()
    if state is not None:
        completed = folder.completed_step()
        if completed is not None and completed > state_step(state):
            offers.insert(1, _train_again(_go_on(state, settings, total_steps), folder))
        else:
            offers.insert(0, _go_on(state, settings, total_steps))
    return TakenName(folder, new_name, offers)


def _go_on(state: Path, settings: TrainSettings, total_steps: int | None) -> Offer:
    step = state_step(state)
    label = shown(T("App", "Go on from step {step}"), step=step)
    unlike = ", ".join(_unlike(state, settings))
    if unlike:
        template = T("App", "Not possible: it was trained with other settings ({settings}).")
        return Offer(NameWay.GO_ON, label, shown(template, settings=unlike), is_possible=False)
    if total_steps is None:
        return Offer(NameWay.GO_ON, label, shown(T("App", "Trains on from its saved state.")))
    if step >= total_steps:
        template = T(
            "App", "Not possible: {total} steps are asked for. Raise the epochs to train longer."
        )
        return Offer(NameWay.GO_ON, label, shown(template, total=total_steps), is_possible=False)
    template = T("App", "Trains on from its saved state, up to step {total}.")
    return Offer(NameWay.GO_ON, label, shown(template, total=total_steps))


def _unlike(state: Path, settings: TrainSettings) -> Iterator[str]:
    """Yield what a state was trained with and cannot go on without, where it is not so now."""
    raw = state_settings(state)
    before, _ = TRAIN.parse({name: raw[name] for name in TRAIN.sections if name in raw})
    if before is None or not raw:
        return  # the trainer knows
    for path in _shaping(before, settings):
        if before.get(path) != settings.get(path):
            param = TRAIN.params()[path]
            value = value_words(param, document.to_raw(param, before.get(path)))
            yield shown(T("App", "{label}: {value}"), label=shown(param.spec.label), value=value)


def _shaping(before: TrainSettings, now: TrainSettings) -> Iterator[str]:
    """Yield what decides which numbers a state holds: with another value it fits no more."""
    yield _METHOD
    if before.method is now.method:
        for path, decider in now.method.shaping.items():
            is_decided = bool(decider) and bool(before.get(decider) or now.get(decider))
            if not is_decided and (_acts(path, before) or _acts(path, now)):
                yield path
    yield _OPTIMIZER


def _acts(path: str, settings: TrainSettings) -> bool:
    return TRAIN.idle(TRAIN.params()[path], settings.get, {}) is None


def _train_again(offer: Offer, folder: RunFolder) -> Offer:
    """Make an offer of going on from a state that the run has left behind when it ended."""
    if not offer.is_possible:
        return offer
    template = T("App", "Trains what follows once more, and replaces the finished {name}.")
    words = shown(template, name=folder.final_weights.name)
    return replace(offer, words=words)


def _rename(folder: RunFolder, new_name: str) -> Offer:
    return Offer(
        NameWay.RENAME,
        shown(T("App", "Start anew as {name}"), name=new_name),
        shown(T("App", "Leaves the files of {name} as they are."), name=folder.name),
    )


def _replace(folder: RunFolder) -> Offer:
    template = T("App", "Deletes its weights ({weights}), its states ({states}) and its samples.")
    words = shown(template, weights=len(folder.weights()), states=len(folder.state_folders()))
    return Offer(NameWay.REPLACE, shown(T("App", "Replace its files")), words)
