"""Modules by the names that programs give their tensors."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer_core.model_files.tensor_index import TensorEntry, TensorIndex
from trainer_core.tools.lora_outline import outline, part_of


def index_of(**shapes: tuple[int, ...]) -> TensorIndex:
    entries = {name: TensorEntry("F32", shape, 0, 0) for name, shape in shapes.items()}
    return TensorIndex(Path("a"), entries)


@pytest.mark.parametrize(
    ("matrices", "rank"),
    [
        ({"lora_down.weight": (4, 9, 3, 3), "lora_up.weight": (8, 4, 1, 1)}, 4),
        ({"lora_down.weight": (4, 9), "lora_mid.weight": (4, 4, 3, 3), "alpha": ()}, 4),
        ({"lora_A.weight": (4, 9), "lora_B.weight": (8, 4)}, 4),
        ({"hada_w1_a": (8, 4), "hada_w1_b": (4, 9), "hada_w2_a": (8, 4), "hada_w2_b": (4, 9)}, 4),
        ({"lokr_w1": (2, 2), "lokr_w2_a": (8, 4), "lokr_w2_b": (4, 9)}, 4),
        ({"lora_down.weight": (4, 9), "lora_up.weight": (8, 4), "dora_scale": (8, 1)}, 4),
        ({"oft_blocks": (4, 8, 8), "alpha": ()}, None),
        ({"diff": (8, 9), "diff_b": (8,)}, None),
    ],
)
def test_every_kind_of_adapter_is_one_module(
    matrices: dict[str, tuple[int, ...]], rank: int | None
) -> None:
    for name in ("lora_unet_a", "unet.down_blocks.0.attn.to_q"):
        found = outline(index_of(**{f"{name}.{own}": shape for own, shape in matrices.items()}))
        [module] = found.modules
        assert (module.name, set(module.tensors), module.rank) == (name, set(matrices), rank)
        assert found.others == ()


def test_a_base_model_has_no_modules() -> None:
    found = outline(index_of(**{"model.diffusion_model.out.2.weight": (1,)}))
    assert (found.modules, found.others) == ((), ("model.diffusion_model.out.2.weight",))


def test_modules_know_their_part() -> None:
    assert part_of("lora_unet_a") == "U-Net"
    assert part_of("lora_te_text_model_a") == "Text encoder"
    assert part_of("transformer.a") == ""
