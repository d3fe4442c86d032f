"""Settings of what is written: weights, states, logs and the notes inside the file."""

from __future__ import annotations

from pathlib import Path

from trainer_core.catalogue.precisions import SAVE_PRECISIONS
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T


class OutputSettings(Section):
    """Where the results go, how often they are saved and what is kept."""

    output_dir: Path | None = param(
        None,
        T("Settings", "Output folder"),
        T(
            "Settings",
            "Weights, states and the run's own folder are written here. Where the disk is full, "
            "the run pauses and asks.",
        ),
        path_kind="folder",
    )
    output_name: str = param(
        "last",
        T("Settings", "Output name"),
        T("Settings", "Name of the files; ending, epoch and step are added."),
        old_labels=("Model output name",),
    )
    save_precision: str = param(
        "fp16",
        T("Settings", "Save precision"),
        T("Settings", "Number format of the saved weights. fp16 is what is usually shared."),
        choices=SAVE_PRECISIONS,
    )
    save_every_n_epochs: int | None = param(
        1,
        T("Settings", "Save by epoch"),
        T("Settings", "Also saves after every N epochs, to compare and keep the best."),
        unit=T("Settings", "[value:epoch|epochs]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "off"),
        old_labels=("Save every N epochs",),
    )
    save_last_n_epochs: int | None = param(
        None,
        T("Settings", "Keep last epochs"),
        T("Settings", "Keeps this many of the run's own epoch files and removes older ones."),
        unit=T("Settings", "[value:file|files]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "keep all"),
        when=(acts_if("save_every_n_epochs"),),
        advanced=True,
        old_labels=("Save last N epochs",),
    )
    save_last_n_epochs_state: int | None = param(
        None,
        T("Settings", "Keep epoch states"),
        T("Settings", "The same for saved states."),
        unit=T("Settings", "[value:file|files]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "as for weights"),
        when=(acts_if("save_every_n_epochs"), acts_if("save_state")),
        advanced=True,
        old_labels=("Save last N epochs state",),
    )
    save_every_n_steps: int | None = param(
        None,
        T("Settings", "Save by step"),
        T("Settings", "Also saves after every N optimizer steps."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=1,
        maximum=100000000,
        step=100,
        unset_label=T("Settings", "off"),
        old_labels=("Save every N steps",),
    )
    save_last_n_steps: int | None = param(
        None,
        T("Settings", "Keep last steps"),
        T("Settings", "Removes this run's own step files from before the last N steps."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=1,
        maximum=100000000,
        step=100,
        unset_label=T("Settings", "keep all"),
        when=(acts_if("save_every_n_steps"),),
        advanced=True,
        old_labels=("Save last N steps",),
    )
    save_last_n_steps_state: int | None = param(
        None,
        T("Settings", "Keep step states"),
        T("Settings", "The same for saved states."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=1,
        maximum=100000000,
        step=100,
        unset_label=T("Settings", "as for weights"),
        when=(acts_if("save_every_n_steps"), acts_if("save_state")),
        advanced=True,
        old_labels=("Save last N steps state",),
    )
    save_state: bool = param(
        False,
        T("Settings", "Save state"),
        T(
            "Settings",
            "Writes a resumable state with every save and at the end. Stopping always writes one.",
        ),
        old_labels=("Save training state",),
    )
    save_state_on_train_end: bool = param(
        False,
        T("Settings", "Final state"),
        T("Settings", "Writes a resumable state at the end only."),
        when=(acts_if("save_state", False),),
        advanced=True,
        old_labels=("Save training state at end of training",),
    )
    save_state_every_n_minutes: int | None = param(
        10,
        T("Settings", "Safety state"),
        T(
            "Settings",
            "Writes a resumable state every N minutes, so that a power cut or a full disk costs "
            "minutes. The newest one is kept, and removed when the run has come to its end.",
        ),
        unit=T("Settings", "[value:minute|minutes]"),
        minimum=1,
        maximum=1440,
        step=5,
        unset_label=T("Settings", "off"),
    )
    resume: Path | None = param(
        None,
        T("Settings", "Resume from"),
        T(
            "Settings",
            "A state folder (its name ends in -state) to go on from, with the same name.",
        ),
        path_kind="folder",
        old_labels=("Resume from saved training state",),
    )
    logging_dir: Path | None = param(
        None,
        T("Settings", "Logging folder"),
        T("Settings", "TensorBoard files are written to a folder of their own in here."),
        path_kind="folder",
        unset_label=T("Settings", "off"),
    )
    training_comment: str | None = param(
        None,
        T("Settings", "Comment"),
        T("Settings", "A note stored inside the file: trigger word, advice, credit."),
        multiline=True,
        old_labels=("Training comment",),
    )
