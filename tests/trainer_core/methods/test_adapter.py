"""What the adapter method does with every kind of adapter: its files start a run and tell of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.adapter_kinds import KINDS, Kind
from helpers.tiny_model import TinySD1, loaded, make_tiny_sd1
from safetensors.torch import load_file, save_file

from trainer_core.catalogue.adapters import ADAPTERS, AdapterEntry
from trainer_core.errors import ModelFileError
from trainer_core.methods.adapter import AdapterMethod
from trainer_core.methods.network_args import network_args, unlike
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import Text

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sd1(tmp_path_factory.mktemp("tiny"))


class Run:
    """The adapters of a run, prepared on the tiny model."""

    def __init__(self, files: TinySD1, kind: Kind, **changes: object) -> None:
        values = {"adapter": {"LoRA_type": kind.name, **kind.options, **changes}}
        settings = TRAIN.tree.model_validate(values)
        self.method = AdapterMethod.of(settings)
        self.warnings: list[Text] = []
        self.method.prepare(loaded(files.folder), seed=3, warn=self.warnings.append)

    def save(self, path: Path) -> Path:
        args = dict(self.method.facts().args)
        metadata = {"ss_network_args": json.dumps(args)} if args else {}
        self.method.write(path, precision="float", metadata=metadata, replace=False)
        return path


@EVERY_KIND
@pytest.mark.parametrize("from_weights", [False, True])
def test_a_run_starts_from_weights_of_its_own_kind(
    files: TinySD1, tmp_path: Path, kind: Kind, from_weights: bool
) -> None:
    path = Run(files, kind).save(tmp_path / "robot.safetensors")
    changes = {"network_weights": path, "dim_from_weights": from_weights, "network_dim": 8}

    second = Run(files, kind, **changes)
    assert second.warnings == []
    tensors = load_file(path)
    state = second.method.state()
    assert state.keys() == tensors.keys()
    assert all(state[name].equal(tensor) for name, tensor in tensors.items())


@EVERY_KIND
def test_weights_that_do_not_fit_their_stored_hash_are_a_warning(
    files: TinySD1, tmp_path: Path, kind: Kind
) -> None:
    path = Run(files, kind).save(tmp_path / "robot.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    [warning] = Run(files, kind, network_weights=path).warnings
    assert "robot.safetensors was changed since it was saved" in str(warning)
    assert "sshs_model_hash" in str(warning)


@EVERY_KIND
def test_the_file_tells_rank_and_options(files: TinySD1, kind: Kind) -> None:
    facts = Run(files, kind, network_dim=4, network_alpha=2.0).method.facts()

    assert (facts.dim, facts.alpha) == ((4, 2.0) if kind.entry.has_rank else (None, None))
    told = {name for name, value in kind.options.items() if value is not None}
    expected = {kind.entry.arguments.get(name, name) for name in told}
    assert facts.args.keys() == expected | ({"algo"} if kind.entry.algo else set())


RANKED = pytest.mark.parametrize("kind", [name for name in KINDS if name.values[0].entry.has_rank])


@RANKED
@pytest.mark.parametrize("from_weights", [False, True])
def test_the_file_tells_the_rank_and_alpha_that_starting_weights_brought(
    files: TinySD1, tmp_path: Path, kind: Kind, from_weights: bool
) -> None:
    path = tmp_path / "robot.safetensors"
    Run(files, kind, network_dim=4, network_alpha=2.0).save(path)
    asked_dim = 16 if from_weights else 4  # without, it must fit

    method = Run(
        files,
        kind,
        network_weights=path,
        dim_from_weights=from_weights,
        network_dim=asked_dim,
        network_alpha=1.0,
    ).method

    assert (method.facts().dim, method.facts().alpha) == (4, 2.0)
    rank = {"adapter.network_dim": 4} if from_weights else {}
    assert method.used() == {**rank, "adapter.network_alpha": 2.0}


@RANKED
def test_modules_of_several_ranks_are_told_as_such(
    files: TinySD1, tmp_path: Path, kind: Kind
) -> None:
    one, other = (
        load_file(Run(files, kind, network_dim=rank, network_alpha=rank).save(tmp_path / str(rank)))
        for rank in (2, 4)
    )
    first = min(one).partition(".")[0]
    mixed = {key: (other if key.startswith(f"{first}.") else one)[key] for key in one}
    path = tmp_path / "mixed.safetensors"
    save_file(mixed, path)

    method = Run(files, kind, network_weights=path, dim_from_weights=True).method

    # As the reference's resize tool writes it: utilities.md.
    assert (method.facts().dim, method.facts().alpha) == ("Dynamic", "Dynamic")
    assert method.used() == {}


@EVERY_KIND
@pytest.mark.parametrize("from_weights", [False, True])
def test_only_help_that_there_is_is_offered(
    files: TinySD1, tmp_path: Path, kind: Kind, from_weights: bool
) -> None:
    tensors = load_file(Run(files, kind).save(tmp_path / "robot.safetensors"))
    # Twice as many outputs, as in another base model: no rank would help.
    [ending, *_] = [names[-1] for names in kind.entry.together] or kind.entry.marks
    wide = {name: t.repeat_interleave(2, 0) for name, t in tensors.items() if name.endswith(ending)}
    path = tmp_path / "other.safetensors"
    save_file({**tensors, **wide}, path)

    with pytest.raises(ModelFileError) as caught:
        Run(files, kind, network_weights=path, dim_from_weights=from_weights)
    can_turn_on = kind.entry.has_rank and not from_weights
    assert ("dim_from_weights" in str(caught.value.hint)) == can_turn_on


# ------------------------------------------------------------------ what a file tells of options

SCALED = AdapterEntry(
    label="Scaled",
    options=("unit", "train_on_input"),
    arguments={"unit": "block_size"},
    marks=("scaled.weight",),
    module="lycoris.kohya",
    algo="dylora",
)


@pytest.mark.parametrize(
    ("entry", "options", "args"),
    [
        (
            SCALED,
            {"unit": 4, "train_on_input": False},
            {"algo": "dylora", "block_size": "4", "train_on_input": "False"},
        ),
        (SCALED, {"unit": None, "train_on_input": None}, {"algo": "dylora"}),
        (ADAPTERS["Standard"], {}, {}),
    ],
)
def test_arguments_have_the_reference_trainer_s_names(
    entry: AdapterEntry, options: dict[str, object], args: dict[str, str]
) -> None:
    assert network_args(entry, options) == args


@pytest.mark.parametrize(
    ("written", "others"),
    [
        (None, []),
        ("{broken", []),
        ("[1]", []),
        ('{"algo": "dylora", "block_size": "4", "train_on_input": "False"}', []),
        ('{"block_size": 4.0, "train_on_input": false, "conv_dim": "8"}', []),
        ('{"block_size": "8", "train_on_input": "True"}', ["block_size", "train_on_input"]),
        ('{"algo": "locon"}', ["algo"]),
    ],
)
def test_options_that_a_file_says_otherwise_are_found(
    written: str | None, others: list[str]
) -> None:
    metadata = {} if written is None else {"ss_network_args": written}

    found = list(unlike(metadata, SCALED, {"unit": 4, "train_on_input": False}))
    assert [option.name for option in found] == others
