from types import SimpleNamespace

import pytest
from helpers.machine import Machine

from trainer_core.environment import torch_choice
from trainer_core.environment.torch_choice import INDEX, TESTED, choose_build, has_amd_card


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    """A machine with no commands at all."""
    return Machine.alone_on_path(tmp_path / "bin", monkeypatch)


@pytest.fixture(autouse=True)
def linux_without_cards(machine, monkeypatch):
    monkeypatch.setattr(torch_choice, "_WSL_DRIVER", "/nowhere")
    monkeypatch.setattr(torch_choice, "sys", SimpleNamespace(platform="linux"))
    monkeypatch.setattr(torch_choice, "has_amd_card", lambda: False)


def test_without_a_card_the_cpu_build_is_taken():
    build = choose_build()
    assert (build.backend, build.requirement, build.index_url) == ("cpu", TESTED, None)
    assert "no NVIDIA or AMD" in str(build.reason)


def test_cpu_can_be_forced_where_a_card_is(machine):
    machine.has("nvidia-smi", "echo 'NVIDIA GeForce RTX 4090, 580.10, 8.9'")
    build = choose_build(is_cpu_forced=True)
    assert build.backend == "cpu"
    assert machine.calls == []


# Driver versions from NVIDIA's release notes: 12.x runs from 525, 12.8 from 570, 13.x from 580.
@pytest.mark.parametrize(
    ("answer", "platform", "index"),
    [
        ("NVIDIA GeForce RTX 4090, 580.95.05, 8.9", "linux", None),
        ("NVIDIA GeForce RTX 4090, 581.29, 8.9", "win32", f"{INDEX}cu128"),
        ("NVIDIA GeForce RTX 5080, 570.124.04, 12.0", "linux", f"{INDEX}cu128"),
        ("NVIDIA GeForce RTX 3060, 535.183.01, 8.6", "linux", f"{INDEX}cu126"),
        ("NVIDIA GeForce GTX 1080, 580.95.05, 6.1", "linux", f"{INDEX}cu126"),
        ("Tesla T4, 525.60.13, 7.5", "linux", f"{INDEX}cu126"),
    ],
)
def test_an_nvidia_card_and_its_driver_decide_the_build(
    machine, monkeypatch, answer, platform, index
):
    monkeypatch.setattr(torch_choice, "sys", SimpleNamespace(platform=platform))
    machine.has("nvidia-smi", f"echo '{answer}'")
    build = choose_build()
    assert (build.backend, build.index_url) == ("cuda", index)
    assert answer.split(",")[0] in str(build.reason)


def test_the_first_of_several_cards_decides(machine):
    machine.has("nvidia-smi", "echo 'NVIDIA A, 580.1, 8.9'; echo 'NVIDIA B, 580.1, 6.1'")
    assert choose_build().index_url is None


@pytest.mark.parametrize(
    "script",
    [
        "echo 'NVIDIA-SMI has failed because it could not communicate with the driver'; exit 9",
        "echo 'No devices were found'",
        "echo 'Tesla K80, 470.82.01, 3.7'",
        "",
    ],
    ids=["driver not loaded", "no card", "old driver", "silent"],
)
def test_an_nvidia_driver_that_cannot_be_used_means_the_cpu_and_is_told(machine, script):
    machine.has("nvidia-smi", script)
    build = choose_build()
    assert build.backend == "cpu"
    assert "NVIDIA driver" in str(build.reason)
    assert build.misses_card


def test_an_amd_card_with_rocm_gets_the_rocm_build(machine, monkeypatch):
    monkeypatch.setattr(torch_choice, "has_amd_card", lambda: True)
    machine.has("rocminfo")
    build = choose_build()
    assert build.backend == "rocm"
    assert build.index_url is not None
    assert build.index_url.startswith(f"{INDEX}rocm")


def test_an_amd_card_without_rocm_means_the_cpu_and_is_told(monkeypatch):
    monkeypatch.setattr(torch_choice, "has_amd_card", lambda: True)
    build = choose_build()
    assert build.backend == "cpu"
    assert "ROCm is not installed" in str(build.reason)
    assert build.misses_card


@pytest.mark.parametrize(("vendor", "is_amd"), [("0x1002\n", True), ("0x8086\n", False)])
def test_amd_cards_are_known_by_their_vendor_number(tmp_path, vendor, is_amd):
    (tmp_path / "card0" / "device").mkdir(parents=True)
    (tmp_path / "card0" / "device" / "vendor").write_text(vendor)
    assert has_amd_card(tmp_path) is is_amd
