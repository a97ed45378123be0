"""The architectures of public codes, written down again from their papers and definitions: an oracle for the loaders.

Each is a plain torch module as its authors' training would save it; none of it uses the loaders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

Norm = Callable[[nn.Module], nn.Module]


def old_weight_norm(layer: nn.Module) -> nn.Module:
    """weight_g and weight_v."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(layer)


def new_weight_norm(layer: nn.Module) -> nn.Module:
    """parametrizations.weight.original0 and original1."""
    return nn.utils.parametrizations.weight_norm(layer)


class DeepSDFDecoder(nn.Module):
    """Park et al. 2019: dims, norm_layers, latent_in, xyz_in_all, use_tanh, and a tanh at the end."""

    def __init__(
        self,
        code: int,
        dims: Sequence[int],
        *,
        latent_in: Sequence[int] = (),
        norm: Norm | None = old_weight_norm,
        xyz_in_all: bool = False,
        use_tanh: bool = False,
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        sizes = [code + 3, *dims, 1]
        self.count = len(sizes) - 1
        self.latent_in, self.xyz_in_all, self.use_tanh, self.layer_norm = latent_in, xyz_in_all, use_tanh, layer_norm
        for i in range(self.count):
            out = sizes[i + 1]
            if i + 1 in latent_in:
                out -= sizes[0]
            elif xyz_in_all and i < self.count - 1:
                out -= 3
            layer = nn.Linear(sizes[i], out)
            last = i == self.count - 1
            setattr(self, f"lin{i}", norm(layer) if norm is not None and not last else layer)
            if layer_norm and not last:
                setattr(self, f"bn{i}", nn.LayerNorm(out))

    def linear_part(self, x: Tensor) -> Tensor:
        """All but the last tanh."""
        whole, h = x, x
        for i in range(self.count):
            if i in self.latent_in:
                h = torch.cat([h, whole], 1)
            elif i and self.xyz_in_all:
                h = torch.cat([h, whole[:, -3:]], 1)
            h = getattr(self, f"lin{i}")(h)
            if i < self.count - 1:
                if self.layer_norm:
                    h = getattr(self, f"bn{i}")(h)
                h = nn.functional.dropout(torch.relu(h), 0.2, self.training)
        return h

    def forward(self, x: Tensor) -> Tensor:
        h = self.linear_part(x)
        return torch.tanh(torch.tanh(h) if self.use_tanh else h)


class ImplicitNet(nn.Module):
    """SAL's decoder, IGR's ImplicitNet, IDR's ImplicitNetwork: [features, input] / sqrt(2) before the skip layers."""

    def __init__(
        self,
        inputs: int,
        dims: Sequence[int],
        *,
        skip_in: Sequence[int] = (),
        outputs: int = 1,
        activation: nn.Module | None = None,
        norm: Norm | None = None,
        norm_last: bool = True,
        sal_tanh: bool = False,
    ) -> None:
        super().__init__()
        sizes = [inputs, *dims, outputs]
        self.count, self.skip_in, self.sal_tanh = len(sizes) - 1, skip_in, sal_tanh
        for i in range(self.count):
            out = sizes[i + 1] - (inputs if i + 1 in skip_in else 0)
            layer = nn.Linear(sizes[i], out)
            normed = norm is not None and (norm_last or i < self.count - 1)
            setattr(self, f"lin{i}", norm(layer) if normed and norm is not None else layer)
        self.activation = activation or nn.ReLU()

    def linear_part(self, x: Tensor) -> Tensor:
        h = x
        for i in range(self.count):
            if i in self.skip_in:
                h = torch.cat([h, x], -1) / math.sqrt(2)
            h = getattr(self, f"lin{i}")(h)
            if i < self.count - 1:
                h = self.activation(h)
        return h

    def forward(self, x: Tensor) -> Tensor:
        h = self.linear_part(x)
        return torch.tanh(h) + h if self.sal_tanh else h


class Holder(nn.Module):
    """A module under a name in another one."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def plain_mlp(
    sizes: Sequence[int] = (3, 16, 16, 1), activation: Callable[[], nn.Module] = nn.ReLU, *, batch_norm: bool = False
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, (columns, rows) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(columns, rows))
        if i < len(sizes) - 2:
            layers += [nn.BatchNorm1d(rows)] if batch_norm else []
            layers.append(activation())
    return nn.Sequential(*layers)


class ResnetBlock(nn.Module):
    """He et al. 2016, with pre-activation: x + B(relu(A(relu(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc_0, self.fc_1 = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fc_1(torch.relu(self.fc_0(torch.relu(x))))


class ResidualMLP(nn.Module):
    """kind: where the sums are, as in Reading.residual."""

    def __init__(self, kind: str, width: int = 12, blocks: int = 3) -> None:
        super().__init__()
        self.kind = kind
        self.fc_in = nn.Linear(3, width)
        self.blocks = nn.ModuleList([ResnetBlock(width) for _ in range(blocks)])
        self.fc_out = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc_in(x)
        h = h if self.kind == "pre" else torch.relu(h)
        for block in self.blocks:
            if self.kind == "pre":
                h = block(h)
            else:
                branch = block.fc_1(torch.relu(block.fc_0(h)))
                h = h + branch if self.kind == "sum" else torch.relu(h + branch) if self.kind == "post" else branch
                h = torch.relu(h) if self.kind == "none" else h
        if self.kind == "none":
            h = self.fc_in(x)
            for block in self.blocks:
                h = block.fc_1(torch.relu(block.fc_0(torch.relu(h))))
        h = torch.relu(h) if self.kind in ("pre", "none") else h
        return self.fc_out(h)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Weights and running statistics as after a training, in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            fan = parameter.shape[-1] if parameter.dim() > 1 else 8
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * math.sqrt(2 / fan))
        for name, buffer in module.named_buffers():
            if buffer.is_floating_point():
                noise = torch.randn(buffer.shape, generator=generator)
                buffer.copy_(noise.abs() + 0.5 if name.endswith("var") else noise)
    return module.eval()
