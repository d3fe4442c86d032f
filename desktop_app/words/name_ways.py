"""What a start can do about a name that an earlier run has: go on, a new name, or replace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from desktop_app.translation import shown
from desktop_app.words.settings import value_words
from trainer_core.files.replaced_run import ReplacedRun
from trainer_core.files.run_folder import RunFolder, free_name
from trainer_core.files.state_manifest import (
    looks_damaged,
    state_run,
    state_settings,
    state_step,
)
from trainer_core.model_files.trained_weights import weights_written_by
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
    """One way on, in words; ``is_possible`` is False where the words say why not.

    ``state`` is where to go on from, None for the newest state, or to begin anew.
    """

    way: NameWay
    label: str
    words: str
    is_possible: bool = True
    state: Path | None = None


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

    def state_of(self, way: NameWay) -> Path | None:
        """Return the state that a way names, None where it needs none or takes the newest."""
        return next((offer.state for offer in self.offers if offer.way is way), None)


def taken_name(
    settings: TrainSettings, total_steps: int | None = None, *, sound_state: Path | None = None
) -> TakenName | None:
    """Return what to decide about the name of a run, None if there is nothing.

    Args:
        settings: What is asked; a run that resumes a state it names has decided already.
        total_steps: How long the run would be, if that is known.
        sound_state: The newest state that is sound, where the trainer found a newer one damaged.
    """
    output = settings.output
    if output.output_dir is None or output.resume is not None:
        return None
    folder = RunFolder(output.output_dir, output.output_name)
    if not folder.exists() and not ReplacedRun(folder).is_any():
        return None
    new_name = free_name(folder.output_dir, folder.name)
    offers = [_rename(folder, new_name), _replace(folder)]
    state, damaged = _state_to_offer(folder, sound_state)
    if state is not None:
        offer = _go_on(state, folder, settings, total_steps)
        if damaged is not None:
            offer = _instead_of(damaged, offer, state)
        completed = folder.completed_step()
        if completed is not None and completed > state_step(state):
            offers.insert(1, _train_again(offer, folder, state))
        else:
            offers.insert(0, offer)
    return TakenName(folder, new_name, offers)


def _state_to_offer(folder: RunFolder, sound: Path | None) -> tuple[Path | None, Path | None]:
    """Return the newest sound state, and the newer one that is damaged if there is one."""
    newest, damaged = folder.newest_state(), folder.newest_damaged_state()
    if sound is not None and sound != newest and sound in folder.states():
        return sound, damaged or newest
    if damaged is None:
        return newest, None
    whole = (state for state in reversed(folder.states()) if not looks_damaged(state))
    return next(whole, None), damaged


def _go_on(
    state: Path, folder: RunFolder, settings: TrainSettings, total_steps: int | None
) -> Offer:
    step = state_step(state)
    label = shown(T("App", "Go on from step {step}"), step=step)
    unlike = ", ".join(_unlike(state, settings))
    if unlike:
        template = T("App", "Not possible: it was trained with other settings ({settings}).")
        return Offer(NameWay.GO_ON, label, shown(template, settings=unlike), is_possible=False)
    if total_steps is None:
        return Offer(NameWay.GO_ON, label, shown(T("App", "Trains on from its saved state.")))
    if step == total_steps and not _has_result(folder, state):
        template = T("App", "All its steps are done: writes {name}, which is missing.")
        name = folder.final_weights.name
        return Offer(NameWay.GO_ON, label, shown(template, name=name))
    if step >= total_steps:
        template = T(
            "App",
            "Not possible: {total} [total:step is|steps are] asked for. Raise the epochs to train "
            "longer.",
        )
        return Offer(NameWay.GO_ON, label, shown(template, total=total_steps), is_possible=False)
    template = T("App", "Trains on from its saved state, up to step {total}.")
    return Offer(NameWay.GO_ON, label, shown(template, total=total_steps))


def _has_result(folder: RunFolder, state: Path) -> bool:
    """Tell whether the weights of a state's run are there, as they were at its step."""
    writer = weights_written_by(folder.final_weights)
    return (
        writer is not None
        and writer.run_id == state_run(state)
        and writer.step == state_step(state)
    )


def _instead_of(damaged: Path, offer: Offer, state: Path) -> Offer:
    """Say why it is not the newest state that is offered."""
    template = T("App", "The newest state, {name}, is damaged; this is the newest sound one.")
    words = f"{shown(template, name=damaged.name)} {offer.words}"
    return replace(offer, words=words, state=state)


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


def _train_again(offer: Offer, folder: RunFolder, state: Path) -> Offer:
    """Make an offer of going on from a state that the run has left behind when it ended."""
    if not offer.is_possible:
        return offer
    template = T("App", "Trains what follows once more, and replaces the finished {name}.")
    words = shown(template, name=folder.final_weights.name)
    return replace(offer, words=words, state=state)  # named: else all is done already


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
