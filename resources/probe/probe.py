"""Tells what a Python is and has: run by that Python itself, it needs nothing but it.

Old Pythons must be able to read it, so that they can say how old they are.

Every fact is a line of its own, marked so that it can be told from what libraries print. The quick
ones come first, torch's last, because importing it takes seconds.
"""

import importlib.util
import json
import os
import platform
import struct
import sys
import sysconfig

MARK = "loom-probe "


def tell(kind, **facts):
    """Write one line."""
    facts["kind"] = kind
    sys.stdout.write("\n" + MARK + json.dumps(facts) + "\n")
    sys.stdout.flush()


def python_facts():
    """Return what this Python is and whether packages can be put into it."""
    packages = sysconfig.get_path("purelib")
    managed = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")  # noqa: PTH118
    is_environment = sys.prefix != sys.base_prefix
    return {
        "version": platform.python_version(),
        "bits": 8 * struct.calcsize("P"),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "is_environment": is_environment,
        "is_managed": not is_environment and os.path.exists(managed),  # noqa: PTH110
        "is_writable": os.access(packages, os.W_OK),
        "has_venv": has("venv"),
        "has_ensurepip": has("ensurepip"),
    }


def has(module):
    """Tell whether a module could be imported."""
    return importlib.util.find_spec(module) is not None


def package_facts():
    """Return the installed distributions, and the trainer's version as it would be imported."""
    from importlib import metadata

    found = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:  # the first on the path is the one that is imported
            found[name] = distribution.version
    return {"packages": found, "trainer": trainer_version()}


def trainer_version():
    """Return the version of the trainer that would be started, "" if there is none."""
    try:
        from trainer_core.version import __version__
    except Exception:  # noqa: BLE001 - whatever a broken installation does
        return ""
    return __version__


def torch_facts():
    """Return the build of torch and the graphics cards that it sees."""
    import torch

    cards = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(number)
            with torch.cuda.device(number):
                bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
            cards.append({"name": card.name, "memory": card.total_memory, "has_bf16": bf16})
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda,
        "rocm": torch.version.hip,
        "cards": cards,
    }


def main():
    """Tell everything."""
    tell("python", **python_facts())
    tell("packages", **package_facts())
    if not has("torch"):
        return
    try:
        facts = torch_facts()
    except BaseException as error:  # noqa: BLE001 - as above
        tell("torch_error", reason=(type(error).__name__ + ": " + str(error))[:2000])
    else:
        tell("torch", **facts)


main()
