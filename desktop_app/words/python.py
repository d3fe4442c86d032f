"""What is known of a Python, in the words that its page shows."""

from __future__ import annotations

from desktop_app.trainer_python.facts import Card, PackageState, PythonFacts, Torch
from desktop_app.trainer_python.plan import Plan
from desktop_app.trainer_python.requirements import Fit
from desktop_app.trainer_python.trainer_python import TrainerPython, free_gb
from desktop_app.translation import shown
from trainer_core.texts import T
from trainer_core.version import __version__

_STATES = {
    Fit.OK: T("App", "in place"),
    Fit.MISSING: T("App", "missing"),
    Fit.TOO_OLD: T("App", "too old"),
    Fit.TOO_NEW: T("App", "too new"),
}
_BUILDS = {
    "cpu": T("App", "PyTorch {version}, CPU build"),
    "cuda": T("App", "PyTorch {version}, CUDA {toolkit} build"),
    "rocm": T("App", "PyTorch {version}, ROCm {toolkit} build"),
}


def python_line(python: TrainerPython) -> str:
    """Return which Python trains and whose it is."""
    if python.path is None:
        return shown(T("App", "No Python has been chosen yet."))
    version = python.facts.version if python.facts else ""
    if not version:
        template = T("App", "This app's own Python") if python.is_own else T("App", "Chosen by you")
        return shown(template)
    if python.is_own:
        return shown(T("App", "Python {version}, this app's own"), version=version)
    return shown(T("App", "Python {version}, chosen by you"), version=version)


def trainer_line(facts: PythonFacts) -> str:
    """Return whether the trainer is there in the app's version."""
    if not facts.trainer:
        return shown(T("App", "LoRA Loom's trainer is not there"))
    if facts.trainer != __version__:
        template = T("App", "LoRA Loom's trainer is version {theirs}, the app {ours}")
        return shown(template, theirs=facts.trainer, ours=__version__)
    return shown(T("App", "LoRA Loom's trainer {version}, like the app"), version=facts.trainer)


def torch_line(facts: PythonFacts) -> str:
    """Return which torch is there, or what keeps it from working."""
    if facts.torch is not None:
        torch = facts.torch
        return shown(_BUILDS[torch.backend], version=torch.version, toolkit=torch.toolkit)
    if facts.torch_error is not None:
        return shown(facts.torch_error)
    if facts.packages is None or (facts.found("torch") and not facts.is_complete):
        return shown(T("App", "Looking…"))
    return shown(T("App", "PyTorch is not there"))


def card_lines(torch: Torch) -> list[str]:
    """Return the graphics cards that torch sees, and in which precision they calculate."""
    if not torch.cards:
        return [
            shown(T("App", "No graphics card is seen; training runs on the CPU (32 bit, or bf16)."))
        ]
    return [_card_line(card) for card in torch.cards]


def _card_line(card: Card) -> str:
    values = {"name": card.name, "memory": f"{card.memory_gib:.0f}"}
    if card.has_bf16:
        return shown(T("App", "{name}, {memory} GiB, fp16 and bf16"), **values)
    return shown(T("App", "{name}, {memory} GiB, fp16 (no bf16)"), **values)


def name_words(state: PackageState) -> str:
    """Return what a package is called in the table."""
    return shown(T("App", "LoRA Loom's trainer")) if state.is_trainer else state.wanted.name


def state_words(state: PackageState) -> str:
    """Return how a package stands."""
    if state.is_trainer and state.fit in (Fit.TOO_OLD, Fit.TOO_NEW):
        return shown(T("App", "other version"))
    return shown(_STATES[state.fit])


def plan_words(plan: Plan) -> str:
    """Return what will be installed, why, and what room it takes."""
    lines = []
    if plan.environment is not None:
        made = T("App", "A new environment is made in {folder} with {python}.")
        lines.append(shown(made, folder=str(plan.environment), python=str(plan.python)))
    if plan.build is not None:
        name, backend = plan.build.requirement, plan.build.backend.upper()
        reason = shown(plan.build.reason)
        template = T("App", "• PyTorch ({name}), the {backend} build: {reason}")
        lines.append(shown(template, name=name, backend=backend, reason=reason))
        if plan.is_torch_replaced:
            lines.append(shown(T("App", "   It takes the place of the one that is there.")))
    lines += [f"• {requirement}" for requirement in plan.packages]
    if plan.wheel is not None:
        lines.append(shown(T("App", "• LoRA Loom's trainer {version}"), version=__version__))
    return "\n".join([*lines, *_room_lines(plan)])


def _room_lines(plan: Plan) -> list[str]:
    if not plan.space_gb:
        return []
    free = free_gb(plan.environment or plan.target.parent)
    free_words = "?" if free is None else f"{free:.0f}"
    if free is not None and free < plan.space_gb:
        template = T("App", "It needs about {needed} GB, but only {free} GB are free there.")
    else:
        template = T("App", "It needs about {needed} GB of disk; {free} GB are free.")
    return ["", shown(template, needed=plan.space_gb, free=free_words)]
