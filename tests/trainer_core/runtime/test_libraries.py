"""Large libraries are imported in less time, and the process is left as it was otherwise."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from trainer_core.files.resources import resource_path
from trainer_core.runtime.libraries import quick_imports

DEMO_BASE = resource_path("demo", "base")


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Give what was left out of garbage collection back to it."""
    yield
    gc.unfreeze()


def test_nothing_is_collected_inside_and_again_afterwards() -> None:
    with quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_came_into_being_inside_is_left_out_of_collection() -> None:
    with quick_imports():
        kept = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= len(kept)


def test_an_import_that_fails_leaves_collection_on() -> None:
    with pytest.raises(ImportError), quick_imports():
        raise ImportError
    assert gc.isenabled()


#: Opens a base model as a run does, and prints which of some packages came along.
OPENING = """
import sys
from pathlib import Path
from trainer_core.settings.schema import TrainSettings
from trainer_core.train.building import open_family
from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.samplers import SAMPLERS

sampler = sys.argv[2]
model = {"pretrained_model_name_or_path": Path(sys.argv[1])}
family = open_family(TrainSettings(model=model, sampling={"sample_sampler": sampler}))
found = [name for name in sys.argv[3:] if sys.modules.get(name)]
scheduler = implementation(SAMPLERS[sampler].implementation).from_config(family.scheduler_config)
scheduler.set_timesteps(4)
print(type(scheduler).__name__, *found)
"""


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [("euler", "EulerDiscreteScheduler"), ("lms", "LMSDiscreteScheduler scipy")],
)
def test_a_base_model_opens_without_packages_that_only_others_need(sampler, expected) -> None:
    packages = ("bitsandbytes", "peft", "scipy", "torch._inductor.compile_fx")
    command = [sys.executable, "-c", OPENING, str(DEMO_BASE), sampler, *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == expected.split()


def test_a_package_that_is_in_use_stays_and_others_can_be_imported_afterwards(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "peft", raising=False)
    monkeypatch.setitem(sys.modules, "bitsandbytes", gc)
    with quick_imports():
        assert sys.modules["bitsandbytes"] is gc
        assert sys.modules["peft"] is None
    assert sys.modules["bitsandbytes"] is gc
    assert "peft" not in sys.modules
