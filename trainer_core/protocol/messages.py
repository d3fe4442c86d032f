"""Every event and command that app and trainer exchange.

Events go from trainer to app, commands from app to trainer. Times are Unix seconds, durations
seconds, memory MiB, sizes pixels. Texts are templates with values (`TextData`), translated where
they are shown. Adding a message: one class here and its name in `Event` or `Command`.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trainer_core.catalogue.methods import USUAL_METHOD
from trainer_core.errors import TrainerError
from trainer_core.texts import Text, Value, filled, numbers_in

PROTOCOL_VERSION = 1  # raised when an old reader would misread a message
# Marks lines of the log for people that tell of an event: an app shows the event itself.
EVENT_MARK = "[event]"


class Message(BaseModel):
    """A frozen message; unknown fields are ignored, so that older readers keep working."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    #: Fields that are no part of the line while they are at their default.
    left_out: ClassVar[frozenset[str]] = frozenset()

    def content(self) -> dict[str, Any]:
        """Return what the message has to say, as JSON has it."""
        fields = type(self).model_fields
        unsaid = {name for name in self.left_out if getattr(self, name) == fields[name].default}
        return self.model_dump(exclude=unsaid)


class TextData(Message):
    """A `Text` on the wire."""

    template: str
    values: Mapping[str, Value] = {}

    @model_validator(mode="after")
    def _can_be_said(self) -> Self:
        """Refuse a template that lacks a value, or asks for more than to put it in.

        ``{a.b}`` and ``{a[0]}`` reach into objects, ``{a:>999999999}`` takes all memory.
        """
        self.template.encode()  # no halves of characters
        fields = [field for field in Formatter().parse(self.template) if field[1] is not None]
        if not {name for _, name, _, _ in fields} | numbers_in(self.template) <= self.values.keys():
            raise ValueError("values")
        if any(spec for _, _, spec, _ in fields):
            raise ValueError("template")
        try:
            filled(self.template, self.values)
        except LookupError as error:  # inside a form of a word
            raise ValueError("values") from error
        return self

    @classmethod
    def of(cls, text: Text) -> TextData:
        """Return ``text`` in the form that travels."""
        return cls(template=text.template, values=dict(text.values))

    def text(self) -> Text:
        """Return the `Text` that travelled."""
        return Text(self.template, self.values)

    def __str__(self) -> str:
        return str(self.text())


# ------------------------------------------------------------------ events


class EventBase(Message):
    """What every event carries: when it happened."""

    time: float = 0.0


class Hello(EventBase):
    """First event: who speaks. A reader refuses another ``protocol`` in words.

    Sent again, with the run's id and folder, as soon as they are known.
    """

    event: Literal["hello"] = "hello"
    protocol: int = PROTOCOL_VERSION
    version: str
    pid: int
    run_id: str = ""
    run_folder: str = ""


class BucketCount(Message):
    """How many picture showings of an epoch go into one bucket."""

    width: int
    height: int
    count: int


class Plan(EventBase):
    """What the run will do; trainable parameters by part (``unet``, ``text_encoder``).

    Of the showings, ``reg_showings`` are of regularisation pictures; ``reg_asked`` is how many
    these would be by their own repeats, before they are matched to the training pictures.
    ``prediction`` is what the base model is trained to predict, by its name in the catalogue, once
    it is opened; ``zero_terminal_snr`` that its last timestep is noise alone.
    ``held_out`` are the pictures that are not trained, but for validation.
    """

    left_out = frozenset({"reg_showings", "reg_asked", "held_out"})

    event: Literal["plan"] = "plan"
    pictures: int
    showings_per_epoch: int
    reg_showings: int = 0
    reg_asked: int = 0
    buckets: tuple[BucketCount, ...]
    batches_per_epoch: int
    steps_per_epoch: int
    total_steps: int
    epochs: int
    warmup_steps: int
    trainable_parameters: Mapping[str, int] = {}
    precision: str = ""
    device: str = ""
    prediction: str = ""
    zero_terminal_snr: bool = False
    held_out: int = 0


class Phase(EventBase):
    """The trainer turned to another kind of work."""

    event: Literal["phase"] = "phase"
    phase: Literal[
        "starting",
        "loading",
        "caching",
        "training",
        "sampling",
        "validating",
        "saving",
        "paused",
        "working",
        "ended",
    ]


class Progress(EventBase):
    """How far a phase is, and what is done just now; sent at most 10 times a second."""

    event: Literal["progress"] = "progress"
    phase: str
    done: int
    total: int
    work: TextData | None = None


class StepDone(EventBase):
    """One optimizer step is done.

    ``batch_hash`` identifies pictures, noise, timesteps and rates, to compare two runs.
    ``measures`` are the training method's own, by name: of the weights that the loss is of.
    """

    left_out = frozenset({"measures"})

    event: Literal["step_done"] = "step_done"
    step: int
    epoch: int
    loss: float | None
    learning_rates: Mapping[str, float]
    grad_norm: float | None = None
    images_per_second: float = 0.0
    memory_mib: float = 0.0
    data_wait_s: float = 0.0
    seconds: float = 0.0
    batch_hash: str = ""
    measures: Mapping[str, float | None] = {}


class Validated(EventBase):
    """The loss of the pictures that are not trained was measured after a step.

    The mean over ``pictures`` of them, at always the same timesteps with always the same noise;
    None if it is not finite.
    """

    event: Literal["validated"] = "validated"
    step: int
    epoch: int
    loss: float | None
    pictures: int
    seconds: float = 0.0


class SampleReady(EventBase):
    """A sample picture was written."""

    event: Literal["sample_ready"] = "sample_ready"
    step: int
    epoch: int
    prompt_index: int
    prompt: str
    path: str
    seed: int


class CheckpointSaved(EventBase):
    """Weights or a state were written, read back and renamed into place."""

    event: Literal["checkpoint_saved"] = "checkpoint_saved"
    kind: Literal["weights", "state"]
    step: int
    epoch: int
    path: str
    size_bytes: int
    sha256: str = ""


class CheckpointRemoved(EventBase):
    """An older file or state of this run was removed, as the save settings ask."""

    event: Literal["checkpoint_removed"] = "checkpoint_removed"
    kind: Literal["weights", "state"]
    path: str


class Resumed(EventBase):
    """The run goes on from a saved state; readers drop earlier events beyond ``from_step``."""

    event: Literal["resumed"] = "resumed"
    from_step: int
    state: str


class Warned(EventBase):
    """Something is not as it should be; the run goes on."""

    event: Literal["warning"] = "warning"
    message: TextData
    hint: TextData | None = None


class DiskFilled(EventBase):
    """A disk is full: the run is paused until there is room for what it is about to write.

    It goes on by itself then, at `Continue`, or ends at `Stop`. Told again for each attempt that
    failed. ``free_bytes`` may be enough where a quota is used up.
    """

    event: Literal["disk_full"] = "disk_full"
    folder: str
    needed_bytes: int
    free_bytes: int


class Overflowed(EventBase):
    """The reader was too slow: it finds what it missed in the event file.

    The lines from byte ``offset`` up to, not including, byte ``end``; the stream goes on there.
    """

    event: Literal["overflowed"] = "overflowed"
    path: str
    offset: int
    end: int


class Detached(EventBase):
    """Answer to `Detach`: from now on the trainer does not need its streams."""

    event: Literal["detached"] = "detached"


class Finished(EventBase):
    """The run ended as planned (``completed``) or as it was told (``stopped``).

    ``method`` is the training method that ``weights`` come of; ``data_wait_s`` is how long its
    steps waited for data since this start.
    """

    left_out = frozenset({"method", "data_wait_s"})

    event: Literal["finished"] = "finished"
    reason: Literal["completed", "stopped"]
    step: int
    total_steps: int
    seconds: float
    weights: str | None = None
    state: str | None = None
    method: str = USUAL_METHOD
    data_wait_s: float = 0.0


class ToolDone(EventBase):
    """A tool ended as planned (``completed``) or as it was told (``stopped``).

    ``files`` are those that it wrote; ``text`` is what it has to say, a line each. A stopped one
    that has nothing to say has written nothing.
    """

    event: Literal["tool_done"] = "tool_done"
    reason: Literal["completed", "stopped"] = "completed"
    files: tuple[str, ...] = ()
    text: tuple[TextData, ...] = ()


class Failed(EventBase):
    """The run ended with an error.

    ``setting`` (``section.name``) and ``picture`` (its path) say what it is about, empty if that
    is nothing or not known; ``state`` is the newest state it can go on from.
    """

    event: Literal["failed"] = "failed"
    kind: str
    message: TextData
    hint: TextData | None = None
    setting: str = ""
    picture: str = ""
    log_file: str | None = None
    state: str | None = None
    step: int | None = None

    @classmethod
    def of(cls, error: TrainerError) -> Failed:
        """Return the event that tells ``error``."""
        hint = TextData.of(error.hint) if error.hint else None
        return cls(
            kind=error.kind,
            message=TextData.of(error.message),
            hint=hint,
            setting=error.setting,
            picture=error.picture,
        )


Event = Annotated[
    Hello
    | Plan
    | Phase
    | Progress
    | StepDone
    | Validated
    | SampleReady
    | CheckpointSaved
    | CheckpointRemoved
    | Resumed
    | Warned
    | DiskFilled
    | Overflowed
    | Detached
    | Finished
    | ToolDone
    | Failed,
    Field(discriminator="event"),
]


# ------------------------------------------------------------------ commands


class Stop(Message):
    """End the run after the step at hand; ``save`` writes weights and a resumable state.

    ``folder`` is where a run saves them that waits for room on a full disk; without one it finds a
    place itself. Any other run saves where it always does.
    """

    left_out = frozenset({"folder"})

    command: Literal["stop"] = "stop"
    save: bool = True
    folder: str = ""


class Pause(Message):
    """Hold after the step at hand."""

    command: Literal["pause"] = "pause"


class Continue(Message):
    """Go on after a pause, or try again to write to a disk that was full."""

    command: Literal["resume"] = "resume"


class SaveNow(Message):
    """Write weights and a state after the step at hand."""

    command: Literal["save_now"] = "save_now"


class SampleNow(Message):
    """Draw the sample pictures after the step at hand."""

    command: Literal["sample_now"] = "sample_now"


class Detach(Message):
    """The app is leaving: answer with `Detached`, then go on without the streams."""

    command: Literal["detach"] = "detach"


Command = Annotated[
    Stop | Pause | Continue | SaveNow | SampleNow | Detach, Field(discriminator="command")
]
