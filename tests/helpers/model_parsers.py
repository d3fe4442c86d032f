"""The parsers of model files, as a table for `mutations`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import torch
from helpers.lora_files import TEXT_ENCODER, UNET, lora_tensors
from helpers.mutations import Parser, as_file, plain_json, put
from helpers.tiny_model import TinySD1, make_tiny_sd1, tiny_networks
from safetensors import SafetensorError, deserialize
from safetensors.torch import save
from torch import nn

from trainer_core.catalogue.families import FAMILIES
from trainer_core.errors import ModelFileError
from trainer_core.families.base import LayerKind, Target
from trainer_core.families.layouts.family_layout import PartLayout
from trainer_core.families.layouts.networks import original_state
from trainer_core.families.layouts.sd1_architecture import SD1_LAYOUT, file_architecture
from trainer_core.families.layouts.tensor_file import found_places
from trainer_core.families.stable_diffusion import read_noise_schedule
from trainer_core.methods.adapter import AdapterMethod
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.part_configs import checked_config
from trainer_core.model_files.recognise import inspect_model
from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.model_files.weights_file import read_index
from trainer_core.settings.schema import TRAIN
from trainer_core.settings.tools.verify import VerifySettings
from trainer_core.texts import Text
from trainer_core.tools.verify import VerifyLoRA


def model_parsers(folder: Path) -> list[Parser]:
    """Return the parsers; they put what they read into ``folder``."""
    tiny = make_tiny_sd1(folder / "tiny")
    return [
        safetensors_header(folder),
        checkpoint_archive(folder),
        checkpoint_pickle(folder),
        model_index(tiny),
        scheduler_config(tiny),
        noise_schedule(tiny),
        list_of_pieces(folder),
        file_shapes(),
        *(part_config(tiny, name, part) for name, part in SD1_LAYOUT.parts.items()),
        *(built_part(tiny, name, part) for name, part in SD1_LAYOUT.parts.items()),
        starting_weights(folder),
        verified_weights(folder),
    ]


def safetensors_header(folder: Path) -> Parser:
    """Read a table of contents; whatever the safetensors library refuses must be refused."""
    tensors = {
        "a.weight": torch.arange(12.0).view(3, 4),
        "b": torch.ones(2, 5, dtype=torch.float16),
        "c": torch.tensor(3),
        "none": torch.empty(0, 3),
    }
    return Parser(
        name="safetensors header",
        samples=(save(tensors, {"format": "pt"}), save(tensors)),
        parse=as_file(folder / "header.safetensors", read_index),
        allowed=(ModelFileError,),
        unwrap=header_json,
        judge=_library_agrees,
    )


def header_json(content: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Unwrap the header of a safetensors file."""
    end = 8 + int.from_bytes(content[:8], "little")

    def wrap(header: bytes) -> bytes:
        return len(header).to_bytes(8, "little") + header + content[end:]

    return content[8:end], wrap


def _library_agrees(content: bytes, is_accepted: bool) -> str | None:
    if not is_accepted:
        return None
    try:
        deserialize(content)
    except SafetensorError as error:
        return f"read, but the library refuses it: {error}"
    names = json.loads(
        header_json(content)[0], object_pairs_hook=lambda pairs: [k for k, _ in pairs]
    )
    return "a name twice" if len(set(names)) < len(names) else None


def checkpoint_archive(folder: Path) -> Parser:
    """Read a ``.ckpt`` damaged as a file."""
    return Parser(
        name="checkpoint archive",
        samples=(_checkpoint(),),
        parse=as_file(folder / "archive.ckpt", read_index),
        allowed=(ModelFileError,),
    )


def checkpoint_pickle(folder: Path) -> Parser:
    """Read a ``.ckpt`` whose pickle is damaged and whose checksums are right."""
    whole = _checkpoint()

    def parse(pickled: bytes) -> object:
        changed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(changed, "w") as new:
            for name in old.namelist():
                new.writestr(name, pickled if name.endswith("data.pkl") else old.read(name))
        (folder / "pickle.ckpt").write_bytes(changed.getvalue())
        return read_index(folder / "pickle.ckpt")

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("data.pkl")]
        pickled = archive.read(name)
    return Parser(
        name="checkpoint pickle", samples=(pickled,), parse=parse, allowed=(ModelFileError,)
    )


def _checkpoint() -> bytes:
    weights = {"a.weight": torch.ones(3, 4), "b": torch.ones(2, 2, dtype=torch.float16).T}
    file = io.BytesIO()
    torch.save({"state_dict": weights, "epoch": 3, "shape": torch.Size([1, 2])}, file)
    return file.getvalue()


def model_index(tiny: TinySD1) -> Parser:
    """Recognise a folder by its ``model_index.json``."""
    path = tiny.folder / "model_index.json"
    return Parser(
        name="model_index.json",
        samples=(path.read_bytes(),),
        parse=_restored(path, lambda: inspect_model(tiny.folder)),
        allowed=(ModelFileError,),
        unwrap=plain_json,
        share=100,
    )


def scheduler_config(tiny: TinySD1) -> Parser:
    """Check what a folder says of its noise schedule."""
    path = tiny.folder / "scheduler" / "scheduler_config.json"
    return Parser(
        name="scheduler_config.json",
        samples=(path.read_bytes(),),
        parse=_restored(path, lambda: DiffusersFolder(tiny.folder).scheduler()),
        allowed=(ModelFileError,),
        unwrap=plain_json,
    )


def noise_schedule(tiny: TinySD1) -> Parser:
    """Make a noise schedule of what a folder says."""
    checked = scheduler_config(tiny)
    path = tiny.folder / "scheduler" / "scheduler_config.json"
    folder = DiffusersFolder(tiny.folder)
    return replace(
        checked,
        name="noise schedule",
        parse=_restored(path, lambda: read_noise_schedule(path, folder.scheduler())),
        share=100,
    )


def list_of_pieces(folder: Path) -> Parser:
    """Read a part whose weights are in two files."""
    part = folder / "pieces" / "unet"
    part.mkdir(parents=True)
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    for tensor, name in names.items():
        (part / name).write_bytes(save({tensor: torch.ones(2)}))
    index = json.dumps({"metadata": {"total_size": 16}, "weight_map": names}).encode()
    return Parser(
        name="list of pieces",
        samples=(index,),
        parse=as_file(
            part / "model.safetensors.index.json",
            lambda path: DiffusersFolder(path.parent.parent).index("unet"),
        ),
        allowed=(ModelFileError,),
        unwrap=plain_json,
    )


def file_shapes() -> Parser:
    """Work out the sizes of networks from a single file's shapes, and build them."""
    networks = tiny_networks()
    shapes = {
        name: list(tensor.shape)
        for part in networks.modules
        for name, tensor in original_state(networks, part).items()
    }

    def parse(content: bytes) -> object:
        entries = {
            name: TensorEntry("F32", _sides(shape), 0, 0)
            for name, shape in json.loads(content).items()
        }
        architecture = file_architecture(TensorIndex(Path("shapes.safetensors"), entries))
        return [_built(part, architecture.parts[name]) for name, part in SD1_LAYOUT.parts.items()]

    return Parser(
        name="file shapes",
        samples=(json.dumps(shapes).encode(),),
        parse=parse,
        # Its bytes stand for a header that was read: what makes no sense of them never gets here.
        allowed=(ModelFileError, ValueError, AttributeError, RecursionError),
        unwrap=plain_json,
        share=15,
    )


def _sides(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n < 2**64 for n in shape):
        raise ValueError("no shape")
    return tuple(shape)


def part_config(tiny: TinySD1, name: str, part: PartLayout) -> Parser:
    """Check what a folder says of a part."""
    folder = DiffusersFolder(tiny.folder)
    path = folder.config_path(name)
    return Parser(
        name=f"{name}/config.json",
        samples=(path.read_bytes(),),
        parse=_restored(path, lambda: checked_config(path, folder.config(name), part.keys)),
        allowed=(ModelFileError,),
        unwrap=plain_json,
    )


def built_part(tiny: TinySD1, name: str, part: PartLayout) -> Parser:
    """Build a part from its config, and look for its tensors."""
    folder = DiffusersFolder(tiny.folder)
    path, index = folder.config_path(name), folder.index(name)

    def parse() -> None:
        network = _built(part, checked_config(path, folder.config(name), part.keys))
        found_places(network, index, part.folder_names)

    checked = part_config(tiny, name, part)
    return replace(checked, name=f"{name} built", parse=_restored(path, parse), share=20)


def _built(part: PartLayout, config: dict[str, object]) -> nn.Module:
    """Build a part as `build_networks` does, which makes a tokenizer too, and that takes long."""
    try:
        with torch.device("meta"):
            network: nn.Module = part.build(config)
    except Exception as error:
        raise ModelFileError("{reason}", reason=error) from error
    return network


def _restored(path: Path, parse: Callable[[], object]) -> Callable[[bytes], object]:
    """Return what parses a content at ``path`` and puts back what was there."""
    sound = path.read_bytes()

    def write_and_parse(content: bytes) -> object:
        put(path, content)
        try:
            return parse()
        finally:
            put(path, sound)

    return write_and_parse


class _TwoLayers:
    """As much of a base model as adapters need: a layer in each part that is trained."""

    entry = FAMILIES["sd1"]
    _layers: ClassVar = {"unet": UNET, "text_encoder": TEXT_ENCODER}

    def targets(self, part: str, kinds: frozenset[LayerKind]) -> Iterator[Target]:
        del kinds
        yield Target(self._layers[part], part, nn.Linear(6, 4), "linear", is_standard=True)


def starting_weights(folder: Path) -> Parser:
    """Start a run from a LoRA file, whose rank is that of the run or comes from the file."""
    path = folder / "start.safetensors"
    methods = []
    for from_weights in (False, True):
        adapter = {"network_weights": path, "network_dim": 2, "dim_from_weights": from_weights}
        methods.append(AdapterMethod.of(TRAIN.tree.model_validate({"adapter": adapter})))

    def parse(path: Path) -> None:
        errors = []
        for method in methods:
            try:
                method.prepare(_TwoLayers(), seed=1, warn=_ignore)  # type: ignore[arg-type]
            except ModelFileError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    tensors = lora_tensors(rank=2)
    narrow = {
        name: t if name.endswith("alpha") else t.to(torch.float8_e4m3fn)
        for name, t in tensors.items()
    }
    metadata = {"ss_network_args": '{"algo": "lora"}', "format": "pt"}
    return Parser(
        name="starting weights",
        samples=(save(tensors, metadata), save(narrow)),
        parse=as_file(path, parse),
        allowed=(ModelFileError,),
        unwrap=header_json,
        share=700,
    )


def _ignore(message: Text) -> None:
    del message


class _Silent:
    """Hears what a tool reports."""

    def warn(self, message: Text, hint: Text | None = None) -> None: ...

    def progress(self, done: int, total: int, message: Text) -> None: ...

    def stop_if_asked(self) -> None: ...


def verified_weights(folder: Path) -> Parser:
    """Verify a LoRA file, with a table of what is in it."""
    path, report = folder / "verify.safetensors", folder / "report.txt"
    settings = VerifySettings(file=path, report=report)

    def parse(path: Path) -> None:
        del path
        report.unlink(missing_ok=True)
        VerifyLoRA().run(settings, _Silent())

    return Parser(
        name="verified weights",
        samples=(save(lora_tensors(), {"format": "pt"}),),
        parse=as_file(path, parse),
        allowed=(ModelFileError,),
        unwrap=header_json,
        share=700,
    )
