"""Settings of the run's length, the optimizer and the learning-rate schedule."""

from __future__ import annotations

from trainer_core.catalogue.families import with_part_rate
from trainer_core.catalogue.losses import LOSSES, USUAL_LOSS
from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.catalogue.schedules import SCHEDULES, using, with_warmup
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T


class OptimizerSettings(Section):
    """How long is trained, and how the weights move."""

    epoch: int = param(
        1,
        T("Settings", "Epochs"),
        T(
            "Settings",
            "How many times all pictures are trained, repeats counted. 20 pictures x 50 repeats "
            "are 1000 per epoch.",
        ),
        unit=T("Settings", "[value:epoch|epochs]"),
        minimum=1,
        maximum=1000000,
        step=1,
        when=(acts_if("max_train_epochs", None), acts_if("max_train_steps", None)),
        old_labels=("Epoch",),
    )
    max_train_epochs: int | None = param(
        None,
        T("Settings", "Max epochs"),
        T("Settings", "Sets the number of epochs and overrides both Epochs and Max steps."),
        unit=T("Settings", "[value:epoch|epochs]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "not used"),
        advanced=True,
        old_labels=("Max train epoch",),
    )
    max_train_steps: int | None = param(
        None,
        T("Settings", "Max steps"),
        T("Settings", "Ends the run after this many optimizer steps, instead of Epochs."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=1,
        maximum=100000000,
        step=100,
        unset_label=T("Settings", "not used"),
        when=(acts_if("max_train_epochs", None),),
        old_labels=("Max train steps",),
    )
    gradient_accumulation_steps: int = param(
        1,
        T("Settings", "Accumulate gradients"),
        T(
            "Settings",
            "Adds up the gradients of this many batches before one update, like a larger batch. "
            "Costs practically no memory and saves practically no time.",
        ),
        unit=T("Settings", "[value:batch|batches]"),
        minimum=1,
        maximum=1024,
        step=1,
        old_labels=("Gradient accumulate steps",),
    )
    optimizer_type: str = param(
        "AdamW8bit",
        T("Settings", "Optimizer"),
        T("Settings", "The rule by which weights are updated. AdamW or AdamW8bit are enough."),
        choices=OPTIMIZERS,
        foreign=("optimizer",),
    )
    optimizer_args: tuple[str, ...] = param(
        (),
        T("Settings", "Optimizer arguments"),
        T("Settings", "Extra arguments as name=value, such as weight_decay=0.1 betas=0.9,0.99."),
        advanced=True,
        old_labels=("Optimizer extra arguments",),
    )
    learning_rate: float = param(
        1e-4,
        T("Settings", "Learning rate"),
        T("Settings", "Used by every part that has no rate of its own. 1e-4 is a sound start."),
        minimum=0.0,
        maximum=10.0,
        scale="log",
    )
    unet_lr: float | None = param(
        1e-4,
        T("Settings", "U-Net rate"),
        T("Settings", "Learning rate of the U-Net's adapter. 1e-4 is a sound start."),
        minimum=0.0,
        maximum=10.0,
        scale="log",
        unset_label=T("Settings", "learning rate"),
        when=(acts_if("network_train_text_encoder_only", False),),
        old_labels=("Unet learning rate",),
    )
    text_encoder_lr: float | None = param(
        5e-5,
        T("Settings", "Text encoder rate"),
        T(
            "Settings",
            "Learning rate of the adapters on text encoders: about half of the U-Net's.",
        ),
        minimum=0.0,
        maximum=10.0,
        scale="log",
        unset_label=T("Settings", "learning rate"),
        when=(acts_if("network_train_unet_only", False),),
        old_labels=("Text Encoder learning rate",),
    )
    learning_rate_te2: float | None = param(
        None,
        T("Settings", "Second encoder rate"),
        T(
            "Settings",
            "Learning rate of the second text encoder's adapter. 0 leaves that encoder as it is.",
        ),
        minimum=0.0,
        maximum=10.0,
        scale="log",
        unset_label=T("Settings", "text encoder rate"),
        when=(
            acts_if("network_train_unet_only", False),
            acts_if("family", *with_part_rate("learning_rate_te2")),
        ),
        advanced=True,
        old_labels=("Learning rate TE2",),
    )
    lr_scheduler: str = param(
        "cosine",
        T("Settings", "Schedule"),
        T("Settings", "How the learning rate moves over the run."),
        choices=SCHEDULES,
        old_labels=("LR Scheduler",),
    )
    lr_warmup: float = param(
        10.0,
        T("Settings", "Warm-up"),
        T(
            "Settings",
            "Share of all steps over which the rate rises from 0. 10 % of 3000 steps is 300.",
        ),
        unit="%",
        minimum=0.0,
        maximum=100.0,
        step=1,
        when=(acts_if("lr_scheduler", *with_warmup()), acts_if("lr_warmup_steps", None)),
        old_labels=("LR warmup (% of steps)",),
    )
    lr_warmup_steps: int | None = param(
        None,
        T("Settings", "Warm-up steps"),
        T("Settings", "Warm-up as a number of steps; overrides the percentage."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=0,
        maximum=100000000,
        step=10,
        unset_label=T("Settings", "use the percentage"),
        when=(acts_if("lr_scheduler", *with_warmup()),),
        advanced=True,
        old_labels=("LR warmup steps (override)",),
    )
    lr_scheduler_num_cycles: int = param(
        1,
        T("Settings", "Cycles"),
        T("Settings", "How many cosine waves the run has."),
        minimum=1,
        maximum=10000,
        step=1,
        when=(acts_if("lr_scheduler", *using("lr_scheduler_num_cycles")),),
        old_labels=("LR number of cycles",),
    )
    lr_scheduler_power: float = param(
        1.0,
        T("Settings", "Power"),
        T("Settings", "1 is a straight line; larger values fall sooner."),
        minimum=0.0,
        maximum=100.0,
        step=0.1,
        when=(acts_if("lr_scheduler", *using("lr_scheduler_power")),),
        old_labels=("LR power",),
    )
    loss_type: str = param(
        USUAL_LOSS,
        T("Settings", "Loss"),
        T("Settings", "How far a prediction is from its target."),
        choices=LOSSES,
        advanced=True,
        old_labels=("Loss type",),
    )
    max_grad_norm: float = param(
        1.0,
        T("Settings", "Clip gradients"),
        T("Settings", "Scales gradients down to this norm. 0 turns it off."),
        minimum=0.0,
        maximum=1000.0,
        step=0.1,
        advanced=True,
        old_labels=("Max grad norm",),
    )
