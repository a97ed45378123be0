"""The decoders of occupancy networks, written down again from their definitions, with codes that are held.

Mescheder et al. 2019, im2mesh/onet/models/decoder.py and im2mesh/layers.py.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import Network
from sdf_models import Checkpoint, OpenQuestionError, Reading, load_checkpoint
from tests.sdf_models.asking import POINTS, asked, is_function, refusals, right_ways, saved, ways
from tests.sdf_models.definitions import Holder, randomised

Norm = Callable[[int], nn.Module]
Z, C, WIDTH = 4, 6, 16


class ConditionalNorm(nn.Module):
    """CBatchNorm1d, or with `legacy` CBatchNorm1d_legacy: gamma(c) norm(h) + beta(c)."""

    def __init__(self, code: int, width: int, *, legacy: bool) -> None:
        super().__init__()
        self.names = ("fc_gamma", "fc_beta") if legacy else ("conv_gamma", "conv_beta")
        for name in self.names:
            setattr(self, name, nn.Linear(code, width) if legacy else nn.Conv1d(code, width, 1))
        self.bn = nn.BatchNorm1d(width, affine=False)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        gamma, beta = (
            layer(c)[:, :, None] if isinstance(layer, nn.Linear) else layer(c[:, :, None])
            for layer in (self.get_submodule(name) for name in self.names)
        )
        return gamma * self.bn(h) + beta


class Block(nn.Module):
    """ResnetBlockFC, ResnetBlockConv1d and CResnetBlockConv1d, on features (1, width, points)."""

    def __init__(self, norm: Norm | None, layer: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        if norm is not None:
            self.bn_0, self.bn_1 = norm(WIDTH), norm(WIDTH)
        self.fc_0, self.fc_1 = layer(WIDTH, WIDTH), layer(WIDTH, WIDTH)

    def forward(self, h: Tensor, c: Tensor) -> Tensor:
        d = applied(self.fc_0, torch.relu(normed(self, "bn_0", h, c)))
        return h + applied(self.fc_1, torch.relu(normed(self, "bn_1", d, c)))


def normed(module: nn.Module, name: str, h: Tensor, c: Tensor) -> Tensor:
    """A norm by its name, if any."""
    norm = getattr(module, name, None)
    if norm is None:
        return h
    made: Tensor = norm(h, c) if isinstance(norm, ConditionalNorm) else norm(h)
    return made


def applied(layer: Any, h: Tensor) -> Tensor:
    """A layer on features (1, width, points); a linear one takes them last."""
    made: Tensor = layer(h.transpose(1, 2)).transpose(1, 2) if isinstance(layer, nn.Linear) else layer(h)
    return made


def convolution(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv1d(inputs, outputs, 1)


class Decoder(nn.Module):
    """The five decoders, by their names; z, c: the lengths of the codes; leaky, legacy: as there."""

    def __init__(self, kind: str, z: int = 0, c: int = 0, *, leaky: bool = False, legacy: bool = False) -> None:
        super().__init__()
        self.kind, self.z, self.c = kind, z, c
        self.activation: Callable[[Tensor], Tensor] = nn.LeakyReLU(0.2) if leaky else nn.ReLU()
        layer = nn.Linear if kind == "Decoder" else convolution
        conditional = "CBatchNorm" in kind
        second, blocks = kind == "DecoderCBatchNorm2", kind != "DecoderCBatchNormNoResnet"
        norm: Norm | None = None
        if conditional:
            norm = lambda width: ConditionalNorm(c, width, legacy=legacy)  # noqa: E731
        elif kind == "DecoderBatchNorm":
            norm = nn.BatchNorm1d
        self.names = ("conv_p", "conv_out") if second else ("fc_p", "fc_out")
        setattr(self, self.names[0], layer(3, WIDTH))
        if z:
            self.fc_z = nn.Linear(z, c if second else WIDTH)
        if c and not conditional:
            self.fc_c = nn.Linear(c, WIDTH)
        if second:
            self.blocks = nn.ModuleList([Block(norm, layer) for _ in range(3)])
        for i in range(0 if second else 5):
            setattr(self, f"block{i}" if blocks else f"fc_{i}", Block(norm, layer) if blocks else layer(WIDTH, WIDTH))
        if norm is not None:
            for name in ["bn"] if blocks else [f"bn_{i}" for i in range(6)]:
                setattr(self, name, norm(WIDTH))
        setattr(self, self.names[1], layer(WIDTH, 1))

    def forward(self, p: Tensor, z: Tensor, c: Tensor) -> Tensor:
        """p: (points, 3), z: (1, z), c: (1, c); returns the logits (points,)."""
        h = applied(self.get_submodule(self.names[0]), p.T[None])
        if self.z and self.kind == "DecoderCBatchNorm2":
            c = c + self.fc_z(z)
        elif self.z:
            h = h + self.fc_z(z)[:, :, None]
        if self.c and hasattr(self, "fc_c"):
            h = h + self.fc_c(c)[:, :, None]
        if self.kind == "DecoderCBatchNormNoResnet":
            for i in range(5):
                h = applied(self.get_submodule(f"fc_{i}"), self.activation(normed(self, f"bn_{i}", h, c)))
            last = "bn_5"
        else:
            blocks = self.blocks if hasattr(self, "blocks") else [self.get_submodule(f"block{i}") for i in range(5)]
            for block in blocks:
                h = block(h, c)
            last = "bn"
        out = applied(self.get_submodule(self.names[1]), self.activation(normed(self, last, h, c)))
        return out[0, 0]

    def of(self, code: Tensor) -> Callable[[Tensor], Tensor]:
        """The decoder of a code [z, c]."""
        z, c = code[None].double().split([self.z, self.c], dim=1)
        return lambda p: self(p, z, c)


KINDS: dict[str, dict[str, Any]] = {
    "Decoder": {},
    "Decoder of z": {"z": Z},
    "Decoder of c": {"c": C},
    "Decoder of z and c": {"z": Z, "c": C},
    "DecoderBatchNorm": {},
    "DecoderBatchNorm of z and c": {"z": Z, "c": C},
    "DecoderCBatchNorm": {"c": C},
    "DecoderCBatchNorm of z and c": {"z": Z, "c": C},
    "DecoderCBatchNorm of z and c, legacy": {"z": Z, "c": C, "legacy": True},
    "DecoderCBatchNorm2": {"c": C},
    "DecoderCBatchNorm2 of z and c": {"z": Z, "c": C},
    "DecoderCBatchNormNoResnet": {"c": C},
    "DecoderCBatchNormNoResnet of z and c": {"z": Z, "c": C},
}


def made(kind: str, dtype: torch.dtype = torch.float64, **options: Any) -> Decoder:
    decoder = randomised(Decoder(kind.partition(" of ")[0], **KINDS[kind], **options)).to(dtype)
    assert isinstance(decoder, Decoder)
    return decoder


def checkpoint_of(folder: Path, decoder: nn.Module) -> Path:
    """As the public code saves it, beside an encoder."""
    encoder = Holder(fc_pos=nn.Linear(3, 16), block_0=Holder(fc_0=nn.Linear(16, 8)), fc_c=nn.Linear(8, C))
    model = Holder(decoder=decoder, encoder=encoder).state_dict()
    return saved(folder, {"model": model, "optimizer": {}, "epoch_it": 3, "it": 70, "loss_val_best": 0.5})


def code_of(decoder: Decoder) -> Tensor:
    return torch.randn(decoder.z + decoder.c, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def written(code: Tensor) -> str | None:
    return ",".join(map(repr, code.tolist())) or None


@pytest.mark.parametrize("leaky", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_decoders_are_rebuilt(tmp_path: Path, kind: str, leaky: bool) -> None:
    if leaky and kind.startswith("DecoderCBatchNorm2"):
        return  # which has ReLU always
    decoder = made(kind, leaky=leaky)
    code = code_of(decoder)
    path = checkpoint_of(tmp_path, decoder)
    activation = None if kind.startswith("DecoderCBatchNorm2") else "leaky_relu:0.2" if leaky else "relu"
    opened = load_checkpoint(path, Reading(latent=written(code), activation=activation))
    assert is_function(opened, decoder.of(code))
    traced = Network.trace(opened.module, input_shape=(3,)).forward(POINTS.numpy())[:, 0]
    expected = decoder.of(code)(POINTS).detach().numpy()
    assert np.abs(traced - expected).max() <= 1e-12 * np.abs(expected).max()
    assert opened.provenance["family"] == "occupancy"
    assert any("positive inside" in note for note in opened.notes)
    floats = {name for name, tensor in decoder.state_dict().items() if tensor.is_floating_point()}
    roles = {use.name: use.role for use in opened.tensors}
    assert all("not drawn" not in roles[f"model.decoder.{name}"] for name in floats)
    assert len(roles) == len(floats) + 6


@pytest.mark.parametrize("kind", KINDS)
def test_decoders_ask_for_what_is_open_alone(tmp_path: Path, kind: str) -> None:
    decoder = made(kind)
    path = checkpoint_of(tmp_path, decoder)
    second = kind.startswith("DecoderCBatchNorm2")
    wanted = [*([] if second else ["activation"]), *(["latent"] if decoder.z + decoder.c else [])]
    found = right_ways(path, decoder.of(torch.zeros(decoder.z + decoder.c)), reading=Reading())
    assert [[choice for choice, _ in answers] for answers in found] == [wanted]
    assert all(isinstance(outcome, Checkpoint) for _, outcome in ways(path, Reading()))


def test_codes_of_two_kinds_are_told_apart_in_the_question(tmp_path: Path) -> None:
    path = checkpoint_of(tmp_path, made("DecoderCBatchNorm of z and c"))
    with pytest.raises(OpenQuestionError, match=r"a latent code of 10 numbers \(4 of z, then 6 of c\)"):
        load_checkpoint(path, Reading(activation="relu"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32], ids=str)
def test_decoders_are_folded_in_float64(tmp_path: Path, dtype: torch.dtype) -> None:
    decoder = made("DecoderCBatchNorm of z and c", dtype)
    path = checkpoint_of(tmp_path, decoder)
    code = code_of(decoder)
    opened = load_checkpoint(path, Reading(latent=written(code), activation="relu"))
    assert is_function(opened, decoder.double().of(code))


def test_the_decoder_alone_and_at_any_depth(tmp_path: Path) -> None:
    decoder = made("DecoderCBatchNorm")
    for prefix in ("", "module.", "net.model.decoder."):
        path = saved(tmp_path, {f"{prefix}{name}": tensor for name, tensor in decoder.state_dict().items()})
        opened = load_checkpoint(path, Reading(latent="zeros", activation="relu"))
        assert is_function(opened, decoder.of(torch.zeros(C)))


def test_one_of_two_decoders_is_asked_for(tmp_path: Path) -> None:
    one, other = made("DecoderCBatchNorm"), randomised(Decoder("DecoderCBatchNorm", c=C), seed=1).double()
    state = Holder(student=Holder(decoder=one), teacher=Holder(decoder=other)).state_dict()
    path = saved(tmp_path, state)
    reading = Reading(activation="relu", latent="zeros")
    assert asked(path, reading) == "network"
    assert right_ways(path, one.of(torch.zeros(C)), reading=reading) == [(("network", "student.decoder"),)]
    opened = load_checkpoint(path, Reading(activation="relu", latent="zeros", network="teacher.decoder"))
    assert any("not drawn: student" in note for note in opened.notes)


def test_another_family_is_another_reading(tmp_path: Path) -> None:
    decoder = made("Decoder")
    path = checkpoint_of(tmp_path, decoder)
    chain = load_checkpoint(path, Reading(family="mlp", network="decoder", activation="relu", residual="pre"))
    assert is_function(chain, decoder.of(torch.zeros(0)))
    assert is_function(load_checkpoint(path, Reading(activation="relu", residual="pre")), decoder.of(torch.zeros(0)))
    (line,) = [str(found) for _, found in ways(path, Reading(activation="relu", residual="sum"))]
    assert "--residual sum: in the family occupancy it is pre" in line


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model.decoder.extra.weight": torch.rand(16, 16)}, "conv_"),
        ({"model.decoder.block0.shortcut.weight": torch.rand(16, 16, 1)}, "conv_"),
        ({"model.decoder.bn.bn.weight": torch.rand(16)}, "conv_"),
        ({"model.decoder.gain": torch.rand(16)}, "decoder.gain"),
        ({"model.decoder.block0.bn_0.bn.running_mean": None}, "conv_"),
        ({"model.decoder.fc_z.weight": torch.rand(8, 4), "model.decoder.fc_z.bias": torch.rand(8)}, "conv_"),
    ],
)
def test_decoders_that_are_not_as_defined_are_refused_by_name(
    tmp_path: Path, change: dict[str, Tensor | None], named: str
) -> None:
    model = Holder(model=Holder(decoder=made("DecoderCBatchNorm"))).state_dict()
    state = {name: tensor for name, tensor in (model | change).items() if tensor is not None}
    assert all(named in line for line in refusals(saved(tmp_path, state)))
