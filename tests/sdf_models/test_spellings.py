"""Weights and norms under the names of several frameworks: the same network whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sdf_models import load_checkpoint
from tests.sdf_models.asking import RELU, asked, right_ways, saved
from tests.sdf_models.definitions import plain_mlp, randomised

MODULE = randomised(plain_mlp()).double()
W = [MODULE[i].weight.detach().numpy() for i in (0, 2, 4)]  # type: ignore[index]
B = [MODULE[i].bias.detach().numpy() for i in (0, 2, 4)]  # type: ignore[index]


def named(weight: str, bias: str, *, turned: bool, shape: Any = (-1,)) -> dict[str, Any]:
    """{} in the names is the number of a layer, {1} the number from 1, {_} Keras's number, none for the first."""
    found = {}
    for i, (w, b) in enumerate(zip(W, B, strict=True)):
        keras = f"_{i}" if i else ""
        found[weight.format(i, i + 1, _=keras)] = w.T if turned else w
        found[bias.format(i, i + 1, _=keras)] = b.reshape(shape)
    return found


SPELLINGS: dict[str, dict[str, Any]] = {
    "Haiku": named("mlp/~/linear_{}/w", "mlp/~/linear_{}/b", turned=True),
    "Haiku, first without number": named("net/~/linear{_}/w", "net/~/linear{_}/b", turned=True),
    "Keras": named("dense{_}/kernel:0", "dense{_}/bias:0", turned=True),
    "Keras, in a model": named("sequential/dense{_}/kernel", "sequential/dense{_}/bias", turned=True),
    "Flax": named("params/Dense_{}/kernel", "params/Dense_{}/bias", turned=True),
    "Flax NNX": named("linear{}/kernel/value", "linear{}/bias/value", turned=True),
    "scikit-learn": named("coefs_{}", "intercepts_{}", turned=True),
    "scikit-learn's attributes": named("coefs_.{}", "intercepts_.{}", turned=True),
    "fc1_w": named("fc{1}_w", "fc{1}_b", turned=True),
    "fc1_weight": named("fc{1}_weight", "fc{1}_bias", turned=False),
    "dense_0_kernel": named("dense_{}_kernel", "dense_{}_bias", turned=True),
    "layer0/w": named("layer{}/w", "layer{}/b", turned=True),
    "w1, b1": named("w{1}", "b{1}", turned=True),
    "weights_0": named("weights_{}", "biases_{}", turned=True),
    "biases in rows": named("W{}", "b{}", turned=True, shape=(1, -1)),
    "biases in columns": named("W{}", "b{}", turned=False, shape=(-1, 1)),
    "in order": {f"arr_{i}": x for i, x in enumerate(x for w, b in zip(W, B, strict=True) for x in (w.T, b))},
    "in order, as in torch": {
        f"arr_{i}": x for i, x in enumerate(x for w, b in zip(W, B, strict=True) for x in (w, b))
    },
    "in order, biases in rows": {
        f"arr_{i}": x for i, x in enumerate(x for w, b in zip(W, B, strict=True) for x in (w.T, b[None]))
    },
    "in order, weights first": {f"arr_{i}": x for i, x in enumerate([*(w.T for w in W), *B])},
    "the last layer flattened": {"W0": W[0], "W1": W[1], "W2": W[2][0], "b0": B[0], "b1": B[1], "b2": B[2][0]},
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_weights_under_the_names_of_frameworks(tmp_path: Path, spelling: str) -> None:
    path = saved(tmp_path, SPELLINGS[spelling], "net.npz")
    assert right_ways(path, MODULE) == [()]
    roles = [use.role.partition(" of ")[0] for use in load_checkpoint(path, RELU).tensors]
    assert sorted(roles) == ["bias"] * 3 + ["weight"] * 3
    tensors = {name: torch.from_numpy(np.array(x)) for name, x in SPELLINGS[spelling].items()}
    assert asked(saved(tmp_path, tensors)) == ""


def test_convolutions_of_size_1_are_linear(tmp_path: Path) -> None:
    state = MODULE.state_dict()
    for shape in ((1,), (1, 1)):
        reshaped = {name: t.reshape(*t.shape, *shape) if t.dim() == 2 else t for name, t in state.items()}
        assert right_ways(saved(tmp_path, reshaped), MODULE) == [()]


def batch_normed(eps: float) -> nn.Sequential:
    hidden = [part for i in (3, 16) for part in (nn.Linear(i, 16), nn.BatchNorm1d(16, eps), nn.ReLU())]
    module = randomised(nn.Sequential(*hidden, nn.Linear(16, 1))).double()
    assert isinstance(module, nn.Sequential)
    return module


def normed_names(
    module: nn.Sequential, dense: str, norm: str, names: tuple[str, ...], stats: str = ""
) -> dict[str, Any]:
    """Kernels (in, out), and of each norm scale, shift, mean and variance under four names; {_} as in `named`."""
    found: dict[str, Any] = {}
    for i, place in enumerate((0, 3, 6)):
        layer, keras = module[place], f"_{i}" if i else ""
        found[dense.format(i, _=keras) + "kernel"] = layer.weight.detach().numpy().T
        found[dense.format(i, _=keras) + "bias"] = layer.bias.detach().numpy()
    for i, place in enumerate((1, 4)):
        layer, keras = module[place], f"_{i}" if i else ""
        values = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
        for j, (name, value) in enumerate(zip(names, values, strict=True)):
            before = norm if j < 2 or not stats else stats
            found[before.format(i, _=keras) + name] = value.detach().numpy()
    return found


KERAS = ("gamma", "beta", "moving_mean", "moving_variance")
FLAX = ("scale", "bias", "mean", "var")
HAIKU = ("scale", "offset", "~/mean_ema/average", "~/var_ema/average")


@pytest.mark.parametrize(
    ("dense", "norm", "names", "stats"),
    [
        ("sequential/dense{_}/", "sequential/batch_normalization{_}/", KERAS, ""),
        ("dense{_}/", "batch_normalization{_}/", KERAS, ""),
        ("params/Dense_{}/", "params/BatchNorm_{}/", FLAX, "batch_stats/BatchNorm_{}/"),
        ("dense{}_", "batchnorm{}_", ("gamma", "beta", "running_mean", "running_var"), ""),
        ("net/~/linear_{}/", "net/~/batch_norm{_}/", HAIKU, ""),
    ],
)
@pytest.mark.parametrize("eps", [1e-3, 1e-5])
def test_batch_norm_under_the_names_of_frameworks(
    tmp_path: Path, dense: str, norm: str, names: tuple[str, ...], stats: str, eps: float
) -> None:
    module = batch_normed(eps)
    path = saved(tmp_path, normed_names(module, dense, norm, names, stats), "net.npz")
    found = right_ways(path, module)
    if names is KERAS:
        assert found == ([(("norm_order", "before"),)] if eps == 1e-3 else [])
        stated = load_checkpoint(path, RELU.answered("norm_order", "before"))
        assert "norm eps 0.001: the default where such names come from; the file does not hold it" in stated.notes
        chosen = RELU.answered("norm_order", "before").answered("norm_eps", str(eps))
        assert right_ways(path, module, reading=chosen) == [()]
    elif dense == "dense{}_":  # MXNet
        assert found == ([(("norm_order", "before"),)] if eps == 1e-5 else [])
    else:
        assert found == [(("norm_eps", "0.001" if eps == 1e-3 else "1e-05"), ("norm_order", "before"))]


def test_batch_norm_of_flax_in_nested_containers(tmp_path: Path) -> None:
    module = batch_normed(1e-5)
    flat = normed_names(module, "params/Dense_{}/", "params/BatchNorm_{}/", FLAX, "batch_stats/BatchNorm_{}/")
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        group, layer, parameter = name.split("/")
        nested.setdefault(group, {}).setdefault(layer, {})[parameter] = torch.from_numpy(value.copy())
    assert (("norm_eps", "1e-05"), ("norm_order", "before")) in right_ways(saved(tmp_path, nested), module)


def test_eps_of_torch_is_said(tmp_path: Path) -> None:
    module = batch_normed(1e-5)
    path = saved(tmp_path, module.state_dict())
    assert right_ways(path, module) == [()]
    assert any(note.startswith("norm eps 1e-05") for note in load_checkpoint(path, RELU).notes)
    other = batch_normed(1e-2)
    assert right_ways(saved(tmp_path, {"net": other.state_dict(), "bn_eps": 1e-2}), other) == [()]
