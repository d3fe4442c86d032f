"""Asked and used, in words: what a run made of settings that leave something open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from desktop_app.models.runs.used_settings import Records
from desktop_app.translation import place, shown
from desktop_app.widgets.stat_row import Stat
from desktop_app.words.settings import count_words, value_words
from trainer_core.catalogue.families import PARTS
from trainer_core.catalogue.precisions import MIXED_PRECISIONS
from trainer_core.settings.schema import TRAIN
from trainer_core.texts import T

_CACHES = {
    "off": T("App", "none: pictures are encoded at every step"),
    "memory": T("App", "in memory, for this run"),
    "disk": T("App", "in memory and on disk"),
}
_ATTENTIONS = {"sdpa": T("App", "PyTorch's own (SDPA)")}
_TEXT_ENCODERS = {
    "trained": T("App", "trained"),
    "frozen": T("App", "frozen, its output is kept"),
}
_FACTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "device": (T("App", "Device"), {}),
    "torch": (T("App", "PyTorch"), {}),
    "program": (T("App", "Trainer"), {}),
    "attention": (T("App", "Attention"), _ATTENTIONS),
    "optimizer": (T("App", "Optimizer class"), {}),
    "latent_cache": (T("App", "Latent cache"), _CACHES),
    "text_encoder": (T("App", "Text encoder"), _TEXT_ENCODERS),
}
# Why a setting came to something else than was asked; where there is nothing, the label says it.
_REASONS = {
    "hardware.seed": T("App", "drawn; set it to get the same run again"),
    "model.v_parameterization": T("App", "as the base model's files say, else the noise"),
    "model.zero_terminal_snr": T("App", "as the base model's files say, else off"),
    "model.family": T("App", "recognised by the model's tensors"),
    "captions.caption_extension": T("App", "found beside the pictures"),
    "optimizer.max_train_steps": T("App", "from epochs and pictures"),
    "optimizer.epoch": T("App", "from the steps asked for"),
    "optimizer.lr_warmup_steps": T("App", "from the percentage"),
    "hardware.num_cpu_threads_per_process": T("App", "as the processor has cores"),
}


def differences(records: Records) -> list[Stat]:
    """Return a line for every setting that came to something else than its words say."""
    rows = list(_device(records.facts))
    for path, raw in records.used.items():
        param = TRAIN.params().get(path)
        if param is None or path not in records.asked:
            continue
        asked, used = value_words(param, records.asked[path]), value_words(param, raw)
        if asked != used:
            rows.append(
                Stat(place(path, TRAIN), _asked_and_used(path, asked, used, str(raw)), param.name)
            )
    return rows


def everything(records: Records) -> list[Stat]:
    """Return every fact and every setting, with the values that were used."""
    settings = [
        Stat(place(path, TRAIN), value_words(param, records.value(path)), f"{path}")
        for path, param in TRAIN.params().items()
        if path in records.asked
    ]
    return [*_machine(records.facts), *settings] if records.facts else []


def _device(facts: Mapping[str, object]) -> Iterator[Stat]:
    if facts.get("device"):
        asked, device = shown(T("App", "the GPU, if there is one")), str(facts["device"])
        words = shown(T("App", "{asked} → {used}"), asked=asked, used=device)
        yield Stat(shown(T("App", "Device")), words)


def _asked_and_used(path: str, asked: str, used: str, raw: str) -> str:
    if path == "hardware.mixed_precision" and raw in MIXED_PRECISIONS:
        reason = MIXED_PRECISIONS[raw].reason
    else:
        reason = _REASONS.get(path, "")
    if not reason:
        return shown(T("App", "{asked} → {used}"), asked=asked, used=used)
    template = T("App", "{asked} → {used} ({reason})")
    return shown(template, asked=asked, used=used, reason=shown(reason))


def _machine(facts: Mapping[str, object]) -> Iterator[Stat]:
    """Yield what no setting asks for."""
    for key, (name, words) in _FACTS.items():
        value = str(facts.get(key, ""))
        if value:
            yield Stat(shown(name), shown(words[value]) if value in words else value)
    trained = facts.get("trainable_parameters")
    if isinstance(trained, Mapping):
        for part, count in trained.items():
            part_name = shown(PARTS[part].inline) if part in PARTS else str(part)
            name = shown(T("App", "Trained weights, {part}"), part=part_name)
            yield Stat(name, count_words(int(count)))
