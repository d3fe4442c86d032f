"""The autoencoder: its layout, a core that learns at half resolution, and the finished network.

The core leaves the outermost level out. Its pictures have half the side and a quarter of the
pixels, so it learns four times faster. The level that is put around it afterwards averages four
pixels to one on the way in, so that the latents of a picture stay what they were.

Shape suffixes: B pictures, C channels, H and W pixels or latents.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from trainer_core.families.layouts.family_layout import Config
from trainer_core.families.layouts.sd1_architecture import published_architecture

LAYOUT: Config = {
    "sample_size": 128,
    "block_out_channels": [16, 32, 64, 64],
    "layers_per_block": 1,
    "norm_num_groups": 8,
}
LATENT_CHANNELS = 4
LATENT_SCALE = 0.18215  # Stable Diffusion's: latents times this have a spread of 1
POSTERIOR_SPREAD = 0.02  # of the latents, once scaled: the encoder is sure of what it sees
_CHANCE = 0.3  # share of the usual random start that is left beside the straight way through


def new_autoencoder() -> AutoencoderKL:
    """Return an autoencoder that begins as a nearly straight way through.

    Without residual branches and with plain averages in between, it passes the coarse picture on
    from the first step.
    """
    vae = AutoencoderKL.from_config(published_architecture().parts["vae"] | LAYOUT)
    for name, module in vae.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if name.endswith(".conv2"):
            nn.init.zeros_(module.weight)
        elif name.endswith(("conv_shortcut", "upsamplers.0.conv", "downsamplers.0.conv")):
            _pass_on(module, averaging="downsamplers" in name)
    return vae


@torch.no_grad()
def _pass_on(conv: nn.Conv2d, *, averaging: bool) -> None:
    """Let a convolution hand its first channels on, with a little chance added."""
    conv.weight.mul_(_CHANCE)
    kept = range(min(conv.in_channels, conv.out_channels))
    middle = conv.kernel_size[0] // 2
    for channel in kept:
        if averaging:  # diffusers pads at the right and below: the first two rows and columns
            conv.weight[channel, channel, :2, :2] += 0.25
        else:
            conv.weight[channel, channel, middle, middle] += 1


class Core(nn.Module):
    """The autoencoder without its outermost level, for pictures of half the side."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        outer, inner = LAYOUT["block_out_channels"][:2]
        self.vae = vae
        self.stem = nn.Conv2d(3, outer, 1)
        self.head = nn.Sequential(
            nn.GroupNorm(LAYOUT["norm_num_groups"], inner), nn.SiLU(), nn.Conv2d(inner, 3, 3, 1, 1)
        )

    def encode(self, pictures_BCHW: Tensor) -> Tensor:
        """Return the latents."""
        encoder = self.vae.encoder
        hidden = self.stem(pictures_BCHW)
        for block in encoder.down_blocks[1:]:
            hidden = block(hidden)
        hidden = encoder.conv_norm_out(encoder.mid_block(hidden))
        moments = self.vae.quant_conv(encoder.conv_out(encoder.conv_act(hidden)))
        return moments[:, :LATENT_CHANNELS]

    def decode(self, latents_BCHW: Tensor) -> Tensor:
        """Return pictures of half the side."""
        decoder = self.vae.decoder
        hidden = decoder.mid_block(decoder.conv_in(self.vae.post_quant_conv(latents_BCHW)))
        for block in decoder.up_blocks[:-2]:
            hidden = block(hidden)
        for resnet in decoder.up_blocks[-2].resnets:
            hidden = resnet(hidden, None)
        return self.head(hidden)

    def trained(self) -> list[nn.Parameter]:
        """Return the weights that the core uses."""
        encoder, decoder = self.vae.encoder, self.vae.decoder
        used = [
            self.stem, self.head, self.vae.quant_conv, self.vae.post_quant_conv,
            *encoder.down_blocks[1:], encoder.mid_block, encoder.conv_norm_out, encoder.conv_out,
            decoder.conv_in, decoder.mid_block, *decoder.up_blocks[:-2],
            decoder.up_blocks[-2].resnets,
        ]  # fmt: skip
        return [parameter for module in used for parameter in module.parameters()]

    @torch.no_grad()
    def scale_latents(self, mean_C: Tensor, spread_C: Tensor) -> None:
        """Fold a mean of 0 and the spread that Stable Diffusion expects into the outer layers."""
        into, out_of = self.vae.quant_conv, self.vae.post_quant_conv
        factor_C = spread_C * LATENT_SCALE
        into.weight[:LATENT_CHANNELS] /= factor_C[:, None, None, None]
        into.bias[:LATENT_CHANNELS] = (into.bias[:LATENT_CHANNELS] - mean_C) / factor_C
        into.weight[LATENT_CHANNELS:] = 0
        into.bias[LATENT_CHANNELS:] = 2 * torch.tensor(POSTERIOR_SPREAD / LATENT_SCALE).log()
        out_of.bias += out_of.weight[:, :, 0, 0] @ mean_C
        out_of.weight *= factor_C[None, :, None, None]

    @torch.no_grad()
    def add_outer_level(self) -> AutoencoderKL:
        """Return the whole autoencoder; its encoder sees the averages of four pixels each."""
        encoder = self.vae.encoder
        entry, outer = encoder.conv_in, encoder.down_blocks[0]
        entry.weight.zero_()
        entry.bias.zero_()
        for channel in range(3):
            entry.weight[channel, channel, 1, 1] = 1
        for resnet in outer.resnets:
            resnet.conv2.weight.zero_()
            resnet.conv2.bias.zero_()
        narrower = outer.downsamplers[0].conv
        narrower.weight.zero_()
        narrower.weight[:, :3, :2, :2] = self.stem.weight / 4
        narrower.bias.copy_(self.stem.bias)
        return self.vae


def encoder_parameters(vae: AutoencoderKL) -> list[nn.Parameter]:
    """Return the weights that decide the latents."""
    return [*vae.encoder.parameters(), *vae.quant_conv.parameters()]


def decoder_parameters(vae: AutoencoderKL) -> list[nn.Parameter]:
    """Return the weights that turn latents into pictures."""
    return [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
