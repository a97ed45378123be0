"""Network.trace: the traced steps compute what the module computes, or the layer in the way is named."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.errors import EngineError, NotPiecewiseLinearError, TraceError
from engine.network.network import Network
from engine.network.steps import Gather, Kink, Linear, Scale, Sum, sources
from tests.engine.sameness import assert_same_steps


class Functional(nn.Module):
    """A module whose forward is a function of x, or of the module and x when it has layers."""

    def __init__(self, function: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x) if any(self.children()) else self.function(x)


def random_points(network: Network, count: int = 500, spread: float = 2.0) -> np.ndarray:
    return np.random.default_rng(1).normal(scale=spread, size=(count, network.input_size))


def assert_same_function(module: nn.Module, input_shape: tuple[int, ...] = (3,)) -> Network:
    """The traced network equals the module in float64 to 1e-12, relative to the output; its invariants hold."""
    torch.manual_seed(0)
    network = Network.trace(module, input_shape)
    x = random_points(network)
    with torch.no_grad():
        truth = copy.deepcopy(module).double().eval()(torch.from_numpy(x.reshape(-1, *input_shape)))
    assert tuple(truth.shape[1:]) == network.output_shape
    expected = truth.reshape(len(x), -1).numpy()
    assert np.abs(network.forward(x) - expected).max() <= 1e-12 * max(1.0, np.abs(expected).max())
    assert network.max_forward_error.double <= 1e-12 * max(1.0, np.abs(expected).max())
    assert_invariants(network)
    return network


def assert_invariants(network: Network) -> None:
    written = [0]
    for step in network.steps:
        assert all(slot in written for slot in sources(step))
        assert step.target == len(written)
        written.append(step.target)
        arrays = [v for name in step.__slots__ if isinstance(v := getattr(step, name), np.ndarray)]
        assert not any(array.flags.writeable for array in arrays)
    assert len(network.sizes) == len(written)
    assert len(set(network.layer_names)) == len(network.kinks)
    for kink in network.kinks:
        assert kink.breakpoints.shape[0] == network.sizes[kink.source] == network.sizes[kink.target]
        assert kink.slopes.shape == kink.intercepts.shape == (len(kink.breakpoints), kink.breakpoints.shape[1] + 1)
        rows = list(zip(kink.row_neuron.tolist(), kink.row_breakpoint.tolist(), strict=True))
        assert rows == sorted(set(rows))
        assert rows
        # The rows are the breakpoints at which the slope changes; the function is continuous there.
        neuron, column = np.nonzero(np.isfinite(kink.breakpoints))
        assert rows == list(zip(neuron.tolist(), kink.breakpoints[neuron, column].tolist(), strict=True))
        at = kink.breakpoints[neuron, column]
        left = kink.slopes[neuron, column] * at + kink.intercepts[neuron, column]
        right = kink.slopes[neuron, column + 1] * at + kink.intercepts[neuron, column + 1]
        np.testing.assert_allclose(left, right, rtol=1e-15, atol=1e-15)
        assert (kink.slopes[neuron, column] != kink.slopes[neuron, column + 1]).all()


def kinds(network: Network) -> list[type]:
    return [type(step) for step in network.steps]


def test_a_plain_mlp_has_no_other_steps() -> None:
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 1))
    network = assert_same_function(module)
    assert kinds(network) == [Linear, Kink, Linear, Kink, Linear]
    assert network.layer_names == ("1", "3")
    assert network.neuron_name(1, 4) == "3, neuron 4"
    assert network.sizes == (3, 8, 8, 5, 5, 1)
    assert (network.input_size, network.output_size, network.output_shape) == (3, 1, (1,))
    first = network.steps[0]
    assert isinstance(first, Linear)
    np.testing.assert_array_equal(first.weight, module[0].weight.detach().double().numpy())
    np.testing.assert_array_equal(first.bias, module[0].bias.detach().double().numpy())
    assert 0 < network.max_forward_error.native < 1e-5
    assert network.max_forward_error.native_dtype == "float32"


KINKS = [
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.LeakyReLU(0.2),
    nn.LeakyReLU(-0.5, inplace=True),
    nn.PReLU(),
    nn.PReLU(6),
    nn.RReLU(),
    nn.ReLU6(),
    nn.ReLU6(inplace=True),
    nn.Hardtanh(-0.3, 0.7),
    nn.Hardtanh(-0.3, 0.7, inplace=True),
    nn.Threshold(0.25, 0.25),
    nn.Hardsigmoid(),
    nn.Softshrink(0.3),
]


@pytest.mark.parametrize("kink", KINKS, ids=str)
def test_layers_of_one_kink(kink: nn.Module) -> None:
    network = assert_same_function(nn.Sequential(nn.Linear(3, 6), kink, nn.Linear(6, 2)))
    scaled = [Scale] if isinstance(kink, nn.Hardsigmoid) else []  # by a sixth, which is no float
    assert kinds(network) == [Linear, Kink, *scaled, Linear]
    assert network.layer_names == ("1",)


BOUNDS = torch.tensor([0.1, -torch.inf, 0.3], dtype=torch.float64)
MATRIX = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(3, 4)


def stacked(x: Tensor) -> Tensor:
    """(N, 3, 3): a matrix for every point."""
    return MATRIX[:, :3].to(x).expand(len(x), 3, 3)


def assigned(x: Tensor) -> Tensor:
    y = x @ MATRIX.to(x)
    y[y < 0.25] = 0.25
    return y


# What is done to x (N, 3), and the kinks that it takes.
FUNCTIONS: dict[str, tuple[Callable[[Tensor], Any], int]] = {
    "abs": (lambda x: x.abs(), 1),
    "abs_": (lambda x: (x + 1).abs_(), 1),
    "clamp": (lambda x: x.clamp(-0.2, 0.4), 1),
    "clamp min": (lambda x: x.clamp(min=0.1), 1),
    "clamp max": (lambda x: x.clamp(max=0.1), 1),
    "clamp_min": (lambda x: torch.clamp_min(x, 0.1), 1),
    "clamp_max": (lambda x: torch.clamp_max(x, 0.1), 1),
    "clip in place": (lambda x: (2 * x).clip_(-1, 1), 1),
    "clamp by tensors": (lambda x: x.clamp(BOUNDS, 0.5 - BOUNDS.abs().clamp(max=1)), 1),
    "clamp min by a tensor": (lambda x: x.clamp(min=BOUNDS), 1),
    "clamp to a constant": (lambda x: x.clamp(0.5, 0.5), 0),
    "clamp with crossed bounds": (lambda x: x.clamp(0.5, -0.5), 0),
    "clamp without effect": (lambda x: x.clamp(-torch.inf, torch.inf), 0),
    "maximum": (lambda x: torch.maximum(x, x.flip(1)), 1),
    "minimum": (lambda x: torch.minimum(x, x.flip(1)), 1),
    "max of two": (lambda x: torch.max(x[:, :2], x[:, 1:]), 1),
    "broadcast maximum": (lambda x: torch.maximum(x[:, :1], x), 1),
    "maximum with a constant": (lambda x: torch.maximum(x, BOUNDS), 1),
    "minimum with a constant": (lambda x: torch.minimum(torch.tensor(0.2, dtype=torch.float64), x), 1),
    "fmax": (lambda x: torch.fmax(x, x.flip(1)), 1),
    "functional prelu": (lambda x: F.prelu(x, torch.tensor([0.5, 1.0, -1.0], dtype=x.dtype)), 1),
    "prelu of slope one": (lambda x: F.prelu(x, torch.ones(3, dtype=x.dtype)), 0),
    "leaky relu of slope one": (lambda x: F.leaky_relu(x, 1.0), 0),
    "relu in place": (lambda x: F.relu(x - 0.5, inplace=True), 1),
    "softshrink of nothing": (lambda x: F.softshrink(x, 0.0), 0),
    "arithmetic": (lambda x: 1 - (2 * x - 3) / 4 + (-x) * MATRIX[:, 0], 0),
    "alpha": (lambda x: torch.sub(torch.add(x, x.flip(1), alpha=0.5), 1.0, alpha=3), 0),
    "rsub": (lambda x: torch.rsub(x, x.roll(1, 1), alpha=2), 0),
    "double and cancel": (lambda x: x + x - x, 0),
    "matmul": (lambda x: x @ MATRIX.to(x), 0),
    "matmul from the left": (lambda x: (MATRIX.T.to(x) @ x.T).T, 0),
    "batched matmul": (lambda x: torch.matmul(MATRIX.T.to(x), x[:, :, None]).squeeze(-1), 0),
    "matrix times vector": (lambda x: x @ MATRIX[:, 0].to(x), 0),
    "einsum": (lambda x: torch.einsum("bi,io->bo", x, MATRIX.to(x)), 0),
    "einsum with heads": (lambda x: torch.einsum("bhi,hij->bhj", x[:, :, None], MATRIX[:, None].to(x)), 0),
    "linear": (lambda x: F.linear(x, MATRIX.T.to(x), MATRIX[0].to(x)), 0),
    "linear on a stack": (lambda x: F.linear(torch.stack([x, 2 * x], 1), MATRIX.T.to(x), MATRIX[0].to(x)), 0),
    "sum": (lambda x: x.sum(1), 0),
    "sum of blocks": (lambda x: x.repeat(1, 2).view(-1, 2, 3).sum(-1, keepdim=True), 0),
    "mean": (lambda x: x - x.mean(dim=-1, keepdim=True), 0),
    "cat": (lambda x: torch.cat([x, 2 * x, x.relu()], dim=-1), 1),
    "cat with an expanded code": (lambda x: torch.cat([MATRIX[0].to(x).expand(len(x), -1), x], 1).relu(), 1),
    "code before a matrix": (lambda x: torch.cat([MATRIX[0, :1].to(x).expand(len(x), -1), x], 1) @ MATRIX.T.to(x), 0),
    "stack and flatten": (lambda x: torch.stack([x, x.relu()], dim=2).flatten(1), 1),
    "stack with a constant": (lambda x: torch.stack([x, torch.ones_like(x)], dim=-1).relu(), 1),
    "movement": (lambda x: x[:, [2, 0, 0]].unsqueeze(1).expand(-1, 2, -1).permute(2, 0, 1).transpose(0, 1).abs(), 1),
    "split": (lambda x: torch.cat([p.relu() for p in x.split([1, 2], dim=1)][::-1], 1), 2),
    "unbind": (lambda x: torch.stack([a.abs() for a in x.unbind(1)], 1), 3),
    "chunk": (lambda x: sum(p.sum(1) for p in x.chunk(3, 1)), 0),
    "pad": (lambda x: F.pad(x, (1, 2), value=0.75).relu(), 1),
    "gather": (lambda x: x.gather(1, torch.tensor([[2, 1]]).expand(len(x), -1)).relu(), 1),
    "index_select": (lambda x: x.index_select(1, torch.tensor([1, 1, 0])), 0),
    "where by a fixed mask": (lambda x: torch.where(torch.tensor([True, False, True]), x, 2.0).relu(), 1),
    "masked_fill": (lambda x: x.masked_fill(torch.tensor([True, False, True]), -1.0), 0),
    "squeeze": (lambda x: x.sum(1, keepdim=True).squeeze(1), 0),
    "casts": (lambda x: x.to(torch.float64).double() * 2, 0),
    "clone and detach": (lambda x: x.clone().detach().contiguous(), 0),
    "constant": (lambda x: torch.ones(len(x), 2, dtype=x.dtype), 0),
    "multiplied by zero": (lambda x: (x * 0 + 1).relu(), 0),
    "no dropout": (lambda x: F.dropout(x, 0.5, training=False), 0),
    "max over features": (lambda x: x.max(1)[0], 2),
    "max over two axes": (lambda x: torch.stack([x, -x.flip(1)], 1).amax((1, 2)), 3),
    "min over features": (lambda x: x.min(-1, keepdim=True).values, 2),
    "amax": (lambda x: x.amax(1, keepdim=True), 2),
    "amin": (lambda x: torch.amin(x, -1), 2),
    "max of one": (lambda x: x[:, :1].max(1)[0], 0),
    "max beside a constant": (lambda x: torch.cat([x, x.new_full((len(x), 2), 0.3)], 1).amax(1), 3),
    "running maximum": (lambda x: x.cummax(1)[0], 2),
    "running minimum": (lambda x: x.cummin(1)[0], 2),
    "norm of order 1": (lambda x: x.norm(p=1, dim=1), 1),
    "linalg norm of order 1": (lambda x: torch.linalg.vector_norm(x, 1, dim=1, keepdim=True), 1),
    "norm of infinite order": (lambda x: x.norm(p=float("inf"), dim=1), 3),
    "norm of order -inf": (lambda x: torch.linalg.vector_norm(x, -torch.inf, dim=1), 3),
    "norm of one": (lambda x: x[:, None].norm(dim=1), 1),
    "sorted pairs": (lambda x: x[:, [0, 1, 2, 1]].reshape(-1, 2, 2).sort(-1)[0].flatten(1), 1),
    "sorted": (lambda x: torch.cat([x, -x], 1).sort(1).values, 6),
    "sorted backwards": (lambda x: x.sort(dim=1, descending=True, stable=True)[0], 3),
    "sorted of one": (lambda x: x[:, :1].sort(1)[0], 0),
    "top two": (lambda x: x.topk(2, dim=1)[0], 3),
    "lowest two": (lambda x: x.topk(2, dim=1, largest=False)[0], 3),
    "top one": (lambda x: x.topk(1, dim=1)[0], 2),
    "clamp by values": (lambda x: x.clamp(x.flip(1) - 1, 0.5 * x.roll(1, 1)), 2),
    "clamp a constant by values": (lambda x: torch.ones_like(x).clamp(max=x), 1),
    "cumsum": (lambda x: x.cumsum(1), 0),
    "cumsum of blocks": (lambda x: torch.stack([x, x * 2], 1).cumsum(1), 0),
    "lerp": (lambda x: torch.lerp(x, x.flip(1), 0.3), 0),
    "lerp by a tensor": (lambda x: torch.lerp(x, 2 * x.roll(1, 1), MATRIX[:, 0].to(x)), 0),
    "lerp of constants": (lambda x: torch.lerp(MATRIX[:, 0].to(x), MATRIX[:, 1].to(x), x), 0),
    "lerp from a constant": (lambda x: torch.lerp(MATRIX[:, 0].to(x), x, 0.25), 0),
    "addcmul": (lambda x: torch.addcmul(x.flip(1), x, MATRIX[:, 0].to(x), value=0.5), 0),
    "addcmul to a constant": (lambda x: torch.addcmul(MATRIX[:, 1].to(x), MATRIX[:, 0].to(x), x), 0),
    "addcmul of constants": (lambda x: torch.addcmul(x, MATRIX[:, 1].to(x), MATRIX[:, 0].to(x), value=-2), 0),
    "addcdiv": (lambda x: torch.addcdiv(x.flip(1), x, MATRIX[:, 0].to(x), value=0.5), 0),
    "addcdiv of constants": (lambda x: torch.addcdiv(x, MATRIX[:, 1].to(x), MATRIX[:, 0].to(x)), 0),
    "index_add": (lambda x: x.index_add(1, torch.tensor([2, 0, 2]), x.flip(1), alpha=0.5), 0),
    "index_add of a constant": (lambda x: x.index_add(1, torch.tensor([1]), x.new_ones(len(x), 1)), 0),
    "index_add to a constant": (lambda x: x.new_ones(len(x), 4).index_add(1, torch.tensor([3, 1]), x[:, :2]), 0),
    "index_add in place": (lambda x: x.clone().index_add_(1, torch.tensor([0, 0]), x[:, 1:]), 0),
    "baddbmm": (lambda x: torch.baddbmm(x[:, :, None], stacked(x), x[:, :, None], beta=2, alpha=0.5), 0),
    "baddbmm of a constant": (lambda x: torch.baddbmm(MATRIX[0, :3].to(x), x[:, None], stacked(x), alpha=3), 0),
    "baddbmm of constants": (lambda x: torch.baddbmm(x[:, :, None], stacked(x), stacked(x)[:, :, :1], beta=0.5), 0),
    "addmm of a value": (lambda x: torch.addmm(x, x.flip(1), MATRIX[:, :3].to(x), beta=0.5, alpha=2), 0),
    "addmv": (lambda x: torch.addmv(x[:, 0], x, MATRIX[:, 0].to(x), beta=3, alpha=0.5), 0),
    "reflection padding": (lambda x: F.pad(x[:, None], (2, 1), mode="reflect"), 0),
    "reflection padding of an image": (lambda x: F.pad(x[:, :, None] * MATRIX[0].to(x), (1, 3), mode="reflect"), 0),
    "replication padding": (lambda x: F.pad(x[:, None], (2, 3), mode="replicate").relu(), 1),
    "replication padding of an image": (lambda x: F.pad(x[:, None, None], (1, 0, 2, 2), mode="replicate"), 0),
    "circular padding": (lambda x: F.pad(x[:, None], (1, 2), mode="circular"), 0),
    "first power": (lambda x: x**1, 0),
    "where is a leaky relu": (lambda x: torch.where(x > 0, x, 0.1 * x), 1),
    "where is a falling leaky relu": (lambda x: torch.where(x <= 0, 0.1 * x, x), 1),
    "where is a shifted bend": (lambda x: torch.where(x < 0.25, 3 * x - 0.5, 0.25 * (1 - x) + 0.0625), 1),
    "where by a falling value": (lambda x: torch.where(1 - 2 * x > 0, 2 * x, 1.0), 1),
    "where by constants": (lambda x: torch.where(x > MATRIX[:, 0].to(x), MATRIX[:, 0].to(x), x), 1),
    "where is a maximum": (lambda x: torch.where(x >= x.flip(1), x, x.flip(1)), 1),
    "where is a bend of a difference": (lambda x: torch.where(x > x.roll(1, 1), 2 * x, 2 * x.roll(1, 1) + 0.0), 1),
    "where of a sum": (lambda x: torch.where(x - x.roll(1, 1) < 0, x, 3 * x - 2 * x.roll(1, 1)), 1),
    "where of equal values": (lambda x: torch.where(x > 0, x + 0, x), 0),
    "where by no choice": (lambda x: torch.where(x > torch.inf, x, -x), 0),
    "where with values computed twice": (lambda x: torch.where(x @ MATRIX.to(x) > 0, x @ MATRIX.to(x), 0.0), 1),
    "mask": (lambda x: x * (x > 0), 1),
    "assignment to a mask": (assigned, 1),
    "distances of order 1": (lambda x: torch.cdist(x[:, None], stacked(x), p=1), 1),
    "distances to constants": (lambda x: torch.cdist(x[None], MATRIX[None, :, :3].to(x), p=torch.inf)[0], 3),
    "mask as numbers": (lambda x: (x > 0).to(x.dtype) * x + (1 - (x > 0).to(x.dtype)) * x * 0.1, 2),
    "mask turned": (lambda x: (~(x > 0)) * x, 1),
    "masked_fill by a value": (lambda x: x.masked_fill(x < 0, 0.0), 1),
    "nan_to_num": (lambda x: x.nan_to_num(), 0),
    "branch on the shape": (lambda x: x.relu() if x.shape[1] == 3 else x, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    function, count = FUNCTIONS[name]
    network = assert_same_function(Functional(function).double())
    assert len(network.kinks) == count


def asserting(x: Tensor) -> Tensor:
    assert not torch.isnan(x).any()
    assert torch.isfinite(x).all()
    assert not x.isinf().any()
    assert not torch.ne(x, x).any()
    assert (x.abs() < torch.inf).all()
    assert (x > -torch.inf).all()
    return x.relu()


def test_assertions_that_values_are_numbers() -> None:
    assert len(assert_same_function(Functional(asserting)).kinks) == 1


class PointwiseDecoder(nn.Module):
    """Convolutions of kernel 1 with the points along the last axis, as in occupancy networks' decoders."""

    def __init__(self, groups: int = 1) -> None:
        super().__init__()
        self.first, self.hidden = nn.Conv1d(3, 8, 1), nn.Conv1d(8, 8, 1, groups=groups, bias=groups == 1)
        self.norm, self.last = nn.BatchNorm1d(8, affine=False), nn.Conv1d(8, 1, 1)
        self.gamma, self.beta = nn.Conv1d(5, 8, 1), nn.Conv1d(5, 8, 1)
        self.code = nn.Parameter(torch.randn(1, 5))
        self.norm.running_mean, self.norm.running_var = torch.randn(8), torch.rand(8) + 0.5

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x.transpose(1, 2))
        code = self.code.unsqueeze(2)
        h = self.gamma(code) * self.norm(h) + self.beta(code)
        return self.last(F.relu(h + self.hidden(F.relu(h)))).squeeze(1)


@pytest.mark.parametrize("groups", [1, 4])
def test_convolutions_of_one_place(groups: int) -> None:
    torch.manual_seed(0)
    decoder = PointwiseDecoder(groups)
    of_sets = assert_same_function(decoder, (5, 3))
    of_points = assert_same_function(Functional(lambda m, x: m.net(x[None]).squeeze(0), net=decoder))
    x = random_points(of_points, 20)
    sets = of_sets.forward(x.reshape(4, 15)).reshape(-1)
    np.testing.assert_allclose(of_points.forward(x)[:, 0], sets, rtol=1e-12, atol=1e-12)
    assert of_points.layer_names == ("relu after net.first", "relu after net.hidden")


@pytest.mark.parametrize(
    ("layer", "input_shape"),
    [
        (nn.Conv2d(2, 3, 1), (2, 4, 1)),
        (nn.Conv2d(2, 6, 1, groups=2), (2, 1, 1)),
        (nn.Conv2d(2, 3, (1, 1), stride=(2, 3)), (2, 5, 4)),
        (nn.Conv3d(1, 2, 1), (1, 1, 1, 3)),
        (nn.ConvTranspose1d(4, 6, 1, groups=2), (4, 3)),
        (nn.ConvTranspose2d(1, 2, 1, bias=False), (1, 1, 2)),
        (nn.Conv1d(3, 2, 1, dilation=4), (3, 1)),
    ],
    ids=str,
)
def test_convolutions_of_one_place_in_images(layer: nn.Module, input_shape: tuple[int, ...]) -> None:
    assert not assert_same_function(layer, input_shape).kinks


def in_place_on_a_view(x: Tensor) -> Tensor:
    y = x * 2
    y[:, :2].relu_()
    y[:, 1:].add_(x[:, 1:])
    return y


def in_place_reaches_other_views(x: Tensor) -> Tensor:
    y = x + 0
    first, rest = y[:, 0], y[:, 1:]
    y += 1
    rest.mul_(3)
    first.copy_(x[:, 2].abs())
    y[:, 1] = first
    return torch.cat([y, rest, first[:, None]], 1)


def in_place_leaves_copies_alone(x: Tensor) -> Tensor:
    y = x.clone()
    kept = y.clone()
    indexed = y[:, [0, 1]]
    y.relu_()
    return torch.cat([y, kept, indexed], 1)


def filling_a_new_tensor(x: Tensor) -> Tensor:
    out = torch.zeros(len(x), 4, dtype=x.dtype)
    out[:, 0] = x[:, 1]
    out[:, 1:] = x.relu()
    out[:, [2, 3]] += 1
    return out


def filling_like_the_input(x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    out[:, :] = 1.5
    out[:, torch.tensor([True, False, True])] = x[:, :2]
    masked = x.new_zeros(len(x), 3).masked_fill_(torch.tensor([True, False, False]), 3.0)
    return out + masked.zero_() + out.fill_(2.0)


def overwriting_the_input(x: Tensor) -> Tensor:
    x -= 0.5
    x[:, 0] = 7
    return x.clamp_(max=3.0)


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (in_place_on_a_view, 1),
        (in_place_reaches_other_views, 1),
        (in_place_leaves_copies_alone, 1),
        (filling_a_new_tensor, 1),
        (filling_like_the_input, 0),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_in_place_operations(function: Callable[[Tensor], Tensor], count: int) -> None:
    assert len(assert_same_function(Functional(function).double()).kinks) == count


def test_overwriting_the_input() -> None:
    network = Network.trace(Functional(overwriting_the_input))
    x = random_points(network)
    expected = overwriting_the_input(torch.from_numpy(x.copy())).numpy()
    np.testing.assert_array_equal(network.forward(x), expected)


class DeepSDF(nn.Module):
    """Skip connection, weight norm in one of its two styles, a held latent code, dropout, one activation for all."""

    def __init__(self, legacy: bool) -> None:
        super().__init__()
        norm = torch.nn.utils.weight_norm if legacy else torch.nn.utils.parametrizations.weight_norm
        self.code = nn.Parameter(torch.randn(4))
        self.lin0 = norm(nn.Linear(7, 16))
        self.lin1 = norm(nn.Linear(16, 9))
        self.lin2 = norm(nn.Linear(16, 16))
        self.lin3 = nn.Linear(16, 1)
        self.act = nn.ReLU()
        self.dropout = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.code.expand(len(x), -1), x], dim=1)
        h = self.dropout(self.act(self.lin0(x)))
        h = self.dropout(self.act(self.lin1(h)))
        h = self.dropout(self.act(self.lin2(torch.cat([h, x], dim=1))))
        return self.lin3(h).squeeze(-1)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("legacy", [True, False])
def test_deep_sdf(legacy: bool) -> None:
    module = DeepSDF(legacy)
    if legacy:
        module.lin0(torch.ones(1, 7))  # leaves a weight that autograd computed, which deepcopy refuses
    network = Network.trace(module)
    x = random_points(network)
    with torch.no_grad():
        state = {name: value.clone() for name, value in module.state_dict().items()}
        truth = module.double().eval()(torch.from_numpy(x)).numpy()
        module.load_state_dict(state)
    np.testing.assert_allclose(network.forward(x)[:, 0], truth, rtol=0, atol=1e-12)
    # The latent code is constant: it belongs in the first layer's bias, and only the skip needs a movement.
    assert kinds(network) == [Linear, Kink, Linear, Kink, Gather, Linear, Kink, Linear]
    assert network.sizes[0] == 3
    assert network.output_shape == ()
    assert network.layer_names == ("act, call 1, after lin0", "act, call 2, after lin1", "act, call 3, after lin2")


def test_residual_network() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.fc2(F.relu(self.fc1(F.relu(x))))

    network = assert_same_function(nn.Sequential(nn.Linear(3, 8), Block(), Block(), nn.Linear(8, 1)))
    assert network.layer_names == ("1: relu after 0", "relu after 1.fc1", "2: relu after 1.fc2", "relu after 2.fc1")


def test_repeated_names_are_numbered() -> None:
    weights = [torch.randn(3, 3, dtype=torch.float64) for _ in range(2)]
    network = Network.trace(Functional(lambda x: ((x @ weights[0].to(x)).relu() @ weights[1].to(x)).relu()))
    assert network.layer_names == ("relu, no. 1", "relu, no. 2")


def test_batch_norm_is_folded_into_the_linear_before_it() -> None:
    norm = nn.BatchNorm1d(8)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    norm.running_mean, norm.running_var = torch.randn(8), torch.rand(8) + 0.1
    network = assert_same_function(nn.Sequential(nn.Linear(3, 8), norm, nn.ReLU(), nn.Linear(8, 1)))
    assert kinds(network) == [Linear, Kink, Linear]


def test_a_cancelling_batch_norm_is_not_folded() -> None:
    linear, norm = nn.Linear(3, 4).double(), nn.BatchNorm1d(4, affine=False).double()
    with torch.no_grad():
        linear.bias.fill_(1e9)
        norm.running_mean.fill_(1e9 + 1e-3)
    network = Network.trace(nn.Sequential(linear, norm, nn.ReLU()))
    assert kinds(network) == [Linear, Scale, Kink]


def test_batch_norm_over_points() -> None:
    norm = nn.BatchNorm1d(5)
    norm.running_mean, norm.running_var = torch.randn(5), torch.rand(5) + 0.1
    assert_same_function(nn.Sequential(nn.Linear(3, 4), norm, nn.ReLU(), nn.Flatten(), nn.Linear(20, 1)), (5, 3))


@pytest.mark.parametrize("input_shape", [(1,), (2,), (7,), (11, 7), (2, 2, 2)])
def test_input_shapes(input_shape: tuple[int, ...]) -> None:
    size = int(np.prod(input_shape))
    assert_same_function(nn.Sequential(nn.Flatten(), nn.Linear(size, 5), nn.ReLU(), nn.Linear(5, 3)), input_shape)


@pytest.mark.parametrize("input_shape", [3, None, (2.5,), ("a",), 3.0])
def test_an_input_shape_that_is_none(input_shape: Any) -> None:
    with pytest.raises(TraceError, match=r"input_shape must be the shape of one input, .* such as \(3,\), not"):
        Network.trace(nn.Identity(), input_shape)


def test_a_layer_on_every_point_of_a_set_is_one_grouped_step() -> None:
    network = assert_same_function(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (5, 3))
    first = network.steps[0]
    assert isinstance(first, Linear)
    assert (first.groups, first.weight.shape, network.output_shape) == (5, (4, 3), (5, 2))


def test_kinks_without_influence_are_dropped_and_noted() -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        self.unused(x)
        return x.abs()

    network = assert_same_function(Functional(forward, unused=nn.ReLU()))
    assert network.layer_names == ("abs",)
    assert len(network.notes) == 1
    assert "unused" in network.notes[0]


def test_narrow_types_are_traced_in_float64_and_noted() -> None:
    module = Functional(lambda self, x: self.fc(x.half().float()).double(), fc=nn.Linear(3, 2))
    network = Network.trace(module)
    assert network.max_forward_error.double < 1e-14
    assert 1e-6 < network.max_forward_error.native < 1e-2
    assert "float16" in network.notes[0]


NARROW = torch.linspace(-1, 1, 12, dtype=torch.float32).reshape(3, 4) / 3
STACK = torch.linspace(-1, 1, 84, dtype=torch.float32).reshape(7, 3, 4) / 3

# What is done to x (N, 3) with constants in float32 that no conversion of the module finds.
WITH_NARROW_CONSTANTS: dict[str, Callable[[Tensor], Tensor]] = {
    "matmul": lambda x: (x @ NARROW).relu(),
    "matmul from the left": lambda x: (NARROW.T @ x.T).T,
    "matrix times vector": lambda x: x @ NARROW[:, 0],
    "linear": lambda x: F.linear(x, NARROW.T, NARROW[0]),
    "linear on a stack": lambda x: F.linear(torch.stack([x, 2 * x], 1), NARROW.T, NARROW[0]),
    "linear without bias": lambda x: F.linear(x, NARROW.T),
    "einsum": lambda x: torch.einsum("bi,io->bo", x, NARROW),
    "batched matmul": lambda x: torch.matmul(NARROW.T, x[:, :, None]).squeeze(-1),
    "addmm in place": lambda x: x.new_ones(len(x), 4).addmm_(x, NARROW),
    "sums and products": lambda x: x * NARROW[:, 0] + NARROW[:, 1],
    "cat": lambda x: torch.cat([x, NARROW[0].expand(len(x), -1)], 1),
    "where": lambda x: torch.where(torch.tensor([True, False, True]), x, NARROW[:, 1]),
    "of constants": lambda x: x @ (NARROW @ MATRIX.T.to(x)),
    "folded": lambda x: (x * 0 + 1) @ NARROW,
    "in a list": lambda x: sum((x @ matrix).relu() for matrix in STACK),
    "written into": lambda x: x @ NARROW.clone().fill_(0.5).mul_(NARROW.double()).add_(1.0),
}


@pytest.mark.parametrize("name", WITH_NARROW_CONSTANTS)
def test_constants_of_a_narrow_type_outside_the_module(name: str) -> None:
    function = WITH_NARROW_CONSTANTS[name]
    network = Network.trace(Functional(function))
    x = random_points(network).astype(np.float32)
    truth = function(torch.from_numpy(x)).double().reshape(len(x), -1).numpy()
    assert np.abs(network.forward(x) - truth).max() <= 1e-6 * np.abs(truth).max()
    assert network.max_forward_error.double < 1e-14
    assert network.max_forward_error.native_dtype == "float32"
    assert_invariants(network)


def test_weights_in_a_list_are_those_that_the_module_runs_with() -> None:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.weights = [torch.randn(3, 6), torch.randn(6, 6), torch.randn(6, 1)]

        def forward(self, x: Tensor) -> Tensor:
            for weight in self.weights[:-1]:
                x = torch.relu(x @ weight)
            return x @ self.weights[-1]

    module = Listed()
    network = Network.trace(module)
    assert kinds(network) == [Linear, Kink, Linear, Kink, Linear]
    matrices = [step.weight.T for step in network.steps if isinstance(step, Linear)]
    for found, weight in zip(matrices, module.weights, strict=True):
        np.testing.assert_array_equal(found, weight.double().numpy())
        assert weight.dtype == torch.float32


def test_half_precision_module() -> None:
    network = Network.trace(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)).bfloat16())
    assert network.max_forward_error.native_dtype == "bfloat16"
    assert 1e-5 < network.max_forward_error.native < 0.1
    assert network.max_forward_error.double < 1e-14


def test_identity_and_constant_networks() -> None:
    identity = Network.trace(nn.Identity())
    assert identity.steps == ()
    assert identity.output == 0
    x = random_points(identity)
    np.testing.assert_array_equal(identity.forward(x), x)
    constant = Network.trace(Functional(lambda x: torch.full((len(x), 2), 3.0)))
    np.testing.assert_array_equal(constant.forward(x), np.full((len(x), 2), 3.0))
    assert constant.kinks == ()


def test_forward_refuses_other_sizes() -> None:
    with pytest.raises(EngineError, match=r"shape \(N, 3\)"):
        Network.trace(nn.Identity()).forward(np.zeros((4, 2)))


def attention(x: Tensor) -> Tensor:
    stack = x[:, None, None]
    return F.scaled_dot_product_attention(stack, stack, stack).reshape(x.shape)


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "sin": (Functional(torch.sin), "sin is not piecewise linear"),
    "cos": (Functional(torch.cos), "cos is not piecewise linear"),
    "exp": (Functional(torch.exp), "exp is not piecewise linear"),
    "softplus": (nn.Softplus(), "softplus is not piecewise linear"),
    "elu": (nn.ELU(), "elu is not piecewise linear"),
    "celu": (nn.CELU(), "celu is not piecewise linear"),
    "selu": (nn.SELU(), "elu is not piecewise linear"),
    "gelu": (nn.GELU(), "gelu is not piecewise linear"),
    "silu": (nn.SiLU(), "silu is not piecewise linear"),
    "mish": (nn.Mish(), "mish is not piecewise linear"),
    "tanh": (nn.Tanh(), "tanh is not piecewise linear"),
    "sigmoid": (nn.Sigmoid(), "where it is the network's last operation it can be left out"),
    "tanhshrink": (nn.Tanhshrink(), "tanhshrink is not piecewise linear; only networks of ReLU-like layers"),
    "hardswish": (nn.Hardswish(), "hardswish is not piecewise linear"),
    "softsign": (nn.Softsign(), "divides by a value that depends on the input"),
    "softmax": (nn.Softmax(1), "softmax is not piecewise linear"),
    "layer norm": (nn.LayerNorm(3), "layer norm divides by a quantity that depends on the input"),
    "group norm": (nn.GroupNorm(1, 3), "group norm divides by a quantity"),
    "batch norm without statistics": (nn.BatchNorm1d(3, track_running_stats=False), "running statistics"),
    "norm": (Functional(lambda x: x.norm(dim=1)), "a norm of order 2 is not piecewise linear"),
    "product": (Functional(lambda x: x * x), "multiplies two values that depend on the input"),
    "power": (Functional(lambda x: x**2), "pow is not piecewise linear"),
    "inner product": (Functional(lambda x: x[:, None] @ x[:, :, None]), "multiplies two values"),
    "quotient": (Functional(lambda x: 1 / x), "not piecewise linear"),
    "floor division": (Functional(lambda x: x // 2), "with these options|jumps|not supported"),
    "jump": (nn.Threshold(0.1, 0.0), "jumps at 0.1"),
    "hardshrink": (nn.Hardshrink(), "hardshrink jumps"),
    "sign": (Functional(torch.sign), "sign jumps"),
    "round": (Functional(torch.round), "round jumps"),
    "to integers": (Functional(lambda x: x.long()), "int64, which is a jump"),
    "comparison": (Functional(lambda x: (x > 0) + x), r"\(gt\); write the function with torch.relu"),
    "comparison for equality": (Functional(lambda x: torch.where(x == 0, x, -x)), r"compares .* \(eq\)"),
    "combined comparisons": (Functional(lambda x: x * ((x > 0) & (x < 1))), r"compares .* \(bitwise_and\)"),
    "choice that jumps": (Functional(lambda x: torch.where(x > 0, x, 1 - x)), r"\(gt\) .* do not meet"),
    "choice that jumps mostly": (Functional(lambda x: torch.where(x > 0, x, x.flip(1))), r"\(gt\) .* do not meet"),
    "step": (Functional(lambda x: torch.where(x < 0, 0.0, 1.0)), r"\(lt\) .* do not meet"),
    "mask": (Functional(lambda x: x.flip(1) * (x > 0)), r"\(gt\) .* do not meet"),
    "number for a truth": (Functional(lambda x: x.logical_not()), "as a truth value, a value that depends"),
    "branch": (Functional(lambda x: x if x[0, 0] > 0 else -x), "decides by a value that depends on the input"),
    "assertion on a value": (Functional(lambda x: x if (x > -9).all() else -x), r"compares .* \(all\)"),
    "index of the largest": (Functional(lambda x: x.gather(1, x.max(1, keepdim=True)[1])), "an index depends"),
    "number of the largest": (Functional(lambda x: x.sort(1)[1] * x), "an index depends"),
    "item": (Functional(lambda x: x * x[0, 0].item()), "decides by a value that depends on the input"),
    "max over the batch": (Functional(lambda x: x - x.max(dim=0).values), "mixes the rows of the batch"),
    "max over all": (Functional(lambda x: x - x.max()), "mixes the rows of the batch"),
    "max pooling": (nn.Sequential(nn.Unflatten(1, (1, 1, 3)), nn.MaxPool2d((1, 2))), "max pooling is piecewise linear"),
    "median": (Functional(lambda x: x.median(1)[0]), "median is piecewise linear, but not supported yet"),
    "many values sorted": (Functional(lambda x: x.repeat(1, 30).sort(1)[0]), "sorts 90 values; at most 64"),
    "distances": (Functional(lambda x: torch.cdist(x[:, None], stacked(x))), "a norm of order 2 is not piecewise"),
    "norm of order 0": (Functional(lambda x: x.norm(p=0, dim=1)), "a norm of order 0 is not piecewise linear"),
    "convolution": (
        Functional(lambda self, x: self.conv(x[:, None]), conv=nn.Conv1d(1, 2, 2)),
        "a convolution with a kernel of 2 places is affine, but not supported yet",
    ),
    "padded convolution": (
        Functional(lambda self, x: self.conv(x[:, :, None]), conv=nn.Conv1d(3, 2, 1, padding=1)),
        "a convolution with a kernel of 1 places and padding is affine",
    ),
    "product of features": (Functional(lambda x: x.prod(1)), "prod multiplies two values"),
    "product of features by addcmul": (Functional(lambda x: torch.addcmul(x, x, x)), "multiplies two values"),
    "blend by a value": (Functional(lambda x: torch.lerp(x, -x, x)), "multiplies two values"),
    "quotient by addcdiv": (Functional(lambda x: torch.addcdiv(x, x, x)), "divides by a value that depends"),
    "random": (Functional(lambda x: x + torch.rand(3)), "is random"),
    "dropout that never ends": (Functional(lambda x: F.dropout(x, 0.5)), "a dropout that stays on in eval mode"),
    "attention": (Functional(attention), "attention multiplies two values that depend on the input"),
    "layer with attention": (nn.TransformerEncoderLayer(3, 1, 4, batch_first=True), "attention multiplies|layer norm"),
    "sum over the batch": (Functional(lambda x: x.sum(0).expand(len(x), -1)), "mixes the rows of the batch"),
    "centred batch": (Functional(lambda x: x - x.mean(0)), "mixes the rows of the batch"),
    "flipped batch": (Functional(lambda x: x.flip(0) - x), "mixes the rows of the batch"),
    "neighbours": (Functional(lambda x: x.roll(1, 0) - x), "mixes the rows of the batch"),
    "one row changed": (Functional(lambda x: torch.cat([x[:1] * 2, x[1:]])), "mixes the rows of the batch"),
    "constants by row": (Functional(lambda x: x + torch.arange(len(x))[:, None]), "treats them differently"),
    "into a buffer": (Functional(lambda x: torch.zeros(1, 3).copy_(x[:1]).expand(len(x), -1)), "in place"),
    "infinite factor": (Functional(lambda x: (x * torch.inf).clamp(-1, 1)), "NaN or infinite"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_layer_and_the_reason(name: str) -> None:
    part, reason = REFUSED[name]
    module = nn.Sequential()
    module.add_module("first", nn.Linear(3, 3))
    module.add_module("culprit", nn.Sequential(part))
    with pytest.raises(NotPiecewiseLinearError, match=reason) as caught:
        Network.trace(module)
    assert caught.value.layer.startswith("culprit.0")
    assert f"layer '{caught.value.layer}' ({caught.value.layer_class}): " in str(caught.value)
    assert "\n" not in str(caught.value)


def with_nan() -> nn.Module:
    module = nn.Linear(3, 1)
    torch.nn.init.constant_(module.weight, torch.nan)
    return nn.Sequential(module)


class Unusual(Exception):  # noqa: N818  as foreign code has them
    """None of Python's own exceptions."""


def raising(error: BaseException, after: int = 0) -> Callable[[Tensor], Tensor]:
    """A forward that raises an error, but for its first calls."""
    calls = iter(range(after))

    def forward(x: Tensor) -> Tensor:
        if next(calls, None) is None:
            raise error
        return x

    return forward


class Uncopied(nn.Linear):
    def __deepcopy__(self, memo: object) -> nn.Module:
        raise ValueError("there is but one of me")


class Undoubled(nn.Linear):
    def double(self) -> Undoubled:
        raise Unusual("float32 only")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (Functional(raising(Unusual("odd"))), r"fails on a batch of inputs of shape \(3,\): odd"),
        (Functional(raising(Unusual())), "fails on a batch .*: Unusual;"),
        (Functional(raising(StopIteration("at an end"))), "fails on a batch .*: at an end"),
        (Functional(raising(EOFError("at an end"))), "fails on a batch .*: at an end"),
        (Functional(raising(Unusual("odd"), after=1)), r"the module \(Functional\): cannot be traced: odd"),
        (nn.Sequential(Functional(raising(Unusual("odd"), after=1))), r"'0' \(Functional\): cannot be traced: odd"),
        (Functional(raising(Unusual("odd"), after=2)), "fails on a batch .*: odd"),
        (Functional(raising(Unusual("odd"), after=3)), "fails on a batch .*: odd"),
        (Uncopied(3, 1), "cannot be copied: there is but one of me"),
        (nn.Sequential(Uncopied(3, 1)), "cannot be copied: there is but one of me"),
        (Undoubled(3, 1), "cannot be converted to float64: float32 only"),
        (nn.LazyLinear(1), r"the module \(LazyLinear\) is lazy: its 'weight' has no size yet; run"),
        (nn.Sequential(nn.Linear(3, 4), nn.LazyLinear(1)), r"layer '1' \(LazyLinear\) is lazy"),
        (nn.Sequential(nn.LazyBatchNorm1d()), r"layer '0' \(LazyBatchNorm1d\) is lazy"),
        (nn.Linear(4, 1), r"fails on a batch of inputs of shape \(3,\).*input_shape"),
        (Functional(lambda x: x[:, :0]), r"shape \(7, 0\) for 7 inputs, which holds no value"),
        (nn.Linear(3, 1, device="meta"), "cannot be copied"),
        (nn.Linear(3, 1, dtype=torch.complex64), "fails on a batch"),
        (with_nan(), r"'0\.weight' holds NaN"),
        (Functional(lambda x: (x, x)), "returns a tuple"),
        (Functional(lambda x: torch.ones(2)), "first dimension must be the batch"),
        (Functional(lambda x: x.relu().T), "first dimension must be the batch"),
        (Functional(lambda x: torch.ones(len(x), dtype=torch.int64)), "of type torch.int64"),
        (Functional(lambda x: x * 0 + torch.inf), "NaN or infinite"),
        (Functional(lambda x: torch.from_numpy(x.numpy())), "cannot be traced"),
        (Functional(lambda x: x + (1.0 if len(x) > 20 else 0.0)), "depends on the batch"),
    ],
)
def test_modules_that_cannot_be_traced(module: nn.Module, reason: str) -> None:
    with pytest.raises(TraceError, match=reason) as caught:
        Network.trace(module)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_the_program_is_no_error_of_the_module(error: BaseException) -> None:
    with pytest.raises(type(error)):
        Network.trace(Functional(raising(error)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torchscript_is_refused() -> None:
    with pytest.raises(TraceError, match=r"layer '0' is a TorchScript module.*state_dict"):
        Network.trace(nn.Sequential(torch.jit.script(nn.Linear(3, 1))))


def test_compiled_modules_are_unwrapped() -> None:
    inner = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    module = nn.Sequential(torch.compile(inner, backend="eager"), nn.Linear(4, 1))
    expected = Network.trace(nn.Sequential(inner, module[1]))
    for compiled in (module, torch.compile(module, backend="eager")):
        network = Network.trace(compiled)
        assert_same_steps(network, expected)
        assert network.layer_names == ("0.1",)


@pytest.mark.parametrize("built_inside", [False, True])
def test_the_callers_inference_mode_makes_no_difference(built_inside: bool) -> None:
    def built() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))

    expected, outside = Network.trace(built()), built()
    with torch.inference_mode():
        network = Network.trace(built() if built_inside else outside)
        assert torch.is_inference_mode_enabled()
    assert_same_steps(network, expected)
    assert_same_function(outside)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_the_module_is_left_untouched() -> None:
    module = nn.Sequential(DeepSDF(legacy=True), nn.Unflatten(0, (-1, 1)), nn.BatchNorm1d(1), nn.Dropout())
    module[0].lin0(torch.ones(1, 7))
    weight = module[0].lin0.weight
    module[3].eval()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in module.modules()]
    random = torch.random.get_rng_state()
    Network.trace(module)
    assert torch.equal(torch.random.get_rng_state(), random)
    assert [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in module.modules()] == hooks
    assert [m.training for m in module] == [True, True, True, False]
    assert module[0].lin0.weight is weight
    for name, value in module.state_dict().items():
        assert value.dtype == state[name].dtype
        assert torch.equal(value, state[name])


OPERATIONS: list[Callable[[Tensor, Tensor], Tensor]] = [
    lambda a, b: a.relu(),
    lambda a, b: a.abs(),
    lambda a, b: a.clamp(-0.5, 0.5),
    torch.maximum,
    torch.minimum,
    lambda a, b: a + b,
    lambda a, b: a - 2 * b,
    lambda a, b: a.flip(1) * 0.5 + 1,
    lambda a, b: torch.cat([a[:, :2], b[:, 2:]], 1),
    lambda a, b: torch.stack([a, b], 2).flatten(1)[:, ::2],
    lambda a, b: a - a.mean(1, keepdim=True),
    lambda a, b: a.roll(1, 1),
    lambda a, b: a @ torch.linspace(-1, 1, a.shape[1] ** 2, dtype=a.dtype).reshape(a.shape[1], -1),
    lambda a, b: F.leaky_relu(a.clone(), 0.3, inplace=True),
    lambda a, b: a.where(torch.tensor([True, False, False, True]).repeat(a.shape[1])[: a.shape[1]], b),
    lambda a, b: (-a).sub_(b).relu_(),
    lambda a, b: torch.where(a > b, a, b) - torch.where(a < 0.25, a - 0.25, 0.0),
    lambda a, b: a.sort(1)[0] + b.amax(1, keepdim=True),
    lambda a, b: torch.lerp(a, b, 0.25).cumsum(1) * 0.5,
]


def test_constants_of_the_size_of_the_batch_stay_constants() -> None:
    def forward(x: Tensor) -> Tensor:
        table = torch.empty(2, 7, dtype=x.dtype)
        table[0] = torch.zeros(7)
        table[1] = torch.ones(7).bool()
        seven = torch.zeros(7, dtype=x.dtype)
        seven[2] = 1
        return (x @ torch.ones(3, 7, dtype=x.dtype) * seven - table[1]).relu()

    for module in (Functional(forward), Functional(lambda x: forward(x[:, :3]))):
        assert_same_function(module)


class Conditioned(nn.Module):
    """A latent code, the same for every input, goes through a layer of its own for each of them."""

    def __init__(self, width: int, spread: Callable[[Tensor, int], Tensor]) -> None:
        super().__init__()
        self.code = nn.Parameter(torch.randn(1, width))
        self.spread = spread
        self.of_point, self.of_code, self.last = nn.Linear(3, 64), nn.Linear(width, 64), nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        of_code = self.of_code(self.spread(self.code, len(x)))
        return self.last(torch.relu(self.of_point(x) + of_code.reshape(len(x), -1, 64).sum(1)))


SPREADS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "repeat": lambda code, count: code.repeat(count, 1),
    "expand": lambda code, count: code.expand(count, -1),
    "a set of codes": lambda code, count: code.expand(count, 5, -1),
}


@pytest.mark.parametrize("width", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("spread", SPREADS)
def test_a_code_that_is_repeated_for_the_batch_is_a_constant(spread: str, width: int) -> None:
    torch.manual_seed(width)
    network = assert_same_function(Conditioned(width, SPREADS[spread]))
    assert network.output_size == 1


@pytest.mark.parametrize("width", [16, 32, 64, 100, 256])
def test_a_layer_of_constants_is_a_constant(width: int) -> None:
    torch.manual_seed(width)
    flat = Functional(
        lambda m, x: m.last(m.first(x).clamp(0.2, 0.2)), first=nn.Linear(3, width), last=nn.Linear(width, 3)
    )
    assert not assert_same_function(flat).kinks


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("stacked", [False, True])
def test_equal_rows_of_a_product_of_constants_are_equal(stacked: bool, transposed: bool) -> None:
    def forward(m: Functional, x: Tensor) -> Tensor:
        code = m.code.weight.expand(len(x), -1)
        if stacked:
            image = torch.bmm(code[:, None], m.last.weight.T.expand(len(x), -1, -1))[:, 0]
        else:
            image = (m.last.weight @ code.T).T if transposed else code @ m.last.weight.T
        return m.of_point(x) + image

    torch.manual_seed(0)
    layers = {"code": nn.Linear(77, 1), "last": nn.Linear(77, 33), "of_point": nn.Linear(3, 33)}
    assert_same_function(Functional(forward, **layers))


def test_rows_that_differ_are_refused_however_little() -> None:
    def forward(m: Functional, x: Tensor) -> Tensor:
        return x + m.last(torch.eye(len(x), 3, dtype=x.dtype) * 1e-9)

    with pytest.raises(NotPiecewiseLinearError, match="mixes the rows of the batch"):
        Network.trace(Functional(forward, last=nn.Linear(3, 3)))


def test_tracing_imports_neither_torch_early_nor_its_compiler() -> None:
    code = (
        "import sys, engine; assert 'torch' not in sys.modules; import torch;"
        "engine.Network.trace(torch.nn.Linear(3, 1)); assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(OPERATIONS) - 1), st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_random_compositions(program: list[tuple[int, int, int]]) -> None:
    def forward(x: Tensor) -> Tensor:
        values = [x]
        for operation, left, right in program:
            values.append(OPERATIONS[operation](values[-1 - left % len(values)], values[-1 - right % len(values)]))
        return values[-1]

    assert_same_function(Functional(forward), (4,))


class _Maxout(nn.Module):
    def __init__(self, shift: float) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 5), nn.Linear(2, 5), nn.Linear(5, 1)
        with torch.no_grad():
            self.second.bias.copy_(self.first.bias + shift)
            self.second.weight[0, 0] = 2.0**-100  # beside others too small for an exact difference

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.last(torch.maximum(self.first(x), self.second(x))))


def test_a_difference_of_two_rows_is_one_row_where_that_is_exact() -> None:
    torch.manual_seed(0)
    module = _Maxout(1024.0)
    rounded = Network.trace(module, input_shape=(2,))
    assert sum(isinstance(step, Sum) for step in rounded.steps) == 2
    with torch.no_grad():
        module.second.weight[0, 0] = 0.5
    exact = Network.trace(module, input_shape=(2,))
    assert sum(isinstance(step, Sum) for step in exact.steps) == 1
    kink = exact.kinks[0]
    (difference,) = (step for step in exact.steps if step.target == kink.source)
    assert isinstance(difference, Linear)
    weights = [layer.weight.detach().double().numpy() for layer in (module.first, module.second)]
    assert np.array_equal(difference.weight, np.subtract(*weights))
    points = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    expected = module.double()(torch.from_numpy(points)).detach().numpy()
    assert np.abs(exact.forward(points) - expected).max() < 1e-12 * 1024.0


def test_sums_of_several_rows_of_one_value_are_one_row() -> None:
    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleList(nn.Linear(2, 3) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            a, b, c = (part(x) for part in self.parts)
            return torch.as_tensor(a + b - (c + c))

    torch.manual_seed(0)
    module = Several()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.round(parameter * 64) / 64)
    network = Network.trace(module, input_shape=(2,))
    (only,) = network.steps
    assert isinstance(only, Linear)
    a, b, c = (part.weight.detach().double().numpy() for part in module.parts)
    assert np.array_equal(only.weight, a + b - 2.0 * c)
