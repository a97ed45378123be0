"""Weights and norms under the names of several frameworks: the same network whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sdf_models import Reading, load_checkpoint
from tests.sdf_models.asking import RELU, asked, refusals, right_ways, saved
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
    "Keras 3": named("layers/dense{_}/vars/0", "layers/dense{_}/vars/1", turned=True),
    "Keras 3, in a model": named("net/layers/dense{_}/vars/0", "net/layers/dense{_}/vars/1", turned=True),
    "Keras 3, attributes": named("fc{1}/vars/0", "fc{1}/vars/1", turned=True),
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


VARIABLES = {"kernel": "vars/0", "bias": "vars/1"} | {name: f"vars/{i}" for i, name in enumerate(KERAS)}


def variables(found: dict[str, Any]) -> dict[str, Any]:
    """Parameters under Keras' numbers of them, beside the state of its optimiser."""
    numbered = {"/".join([*(path := name.split("/"))[:-1], VARIABLES[path[-1]]]): x for name, x in found.items()}
    return {**numbered, "optimizer/vars/0": np.array(7), "optimizer/vars/1": np.float32(1e-3)}


def test_variables_of_keras_are_told_by_their_shapes(tmp_path: Path) -> None:
    module = batch_normed(1e-3)
    plain = normed_names(module, "layers/dense{_}/", "layers/batch_normalization{_}/", KERAS)
    path = saved(tmp_path, variables(plain), "net.npz")
    assert right_ways(path, module) == [(("norm_order", "before"),)]
    roles = {use.name: use.role for use in load_checkpoint(path, RELU.answered("norm_order", "before")).tensors}
    assert roles["layers.dense_2.vars.0"] == "weight of layers.dense_2"
    assert roles["layers.batch_normalization.vars.3"].startswith("running variance")
    assert roles["optimizer.vars.1"] == "state of an optimiser"


def test_variables_of_keras_that_are_slopes(tmp_path: Path) -> None:
    slopes = np.linspace(0.1, 0.9, 16)
    content = {**SPELLINGS["Keras 3"], "layers/p_re_lu/vars/0": slopes, "layers/p_re_lu_1/vars/0": slopes}
    activations = [nn.PReLU(16, dtype=torch.float64) for _ in range(2)]
    for activation in activations:
        activation.load_state_dict({"weight": torch.from_numpy(slopes)})
    module = nn.Sequential(MODULE[0], activations[0], MODULE[2], activations[1], MODULE[4])
    assert right_ways(saved(tmp_path, content, "net.npz"), module, reading=Reading()) == [()]


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("dense_1", [(16, 16), (3,)]),
        ("dense_1", [(16, 16), (16,), (16,)]),
        ("batch_normalization", [(16,), (16,), (16,)]),
        ("normalization", [(3,), (3,), ()]),
        ("scale", [(16,)]),
    ],
)
def test_variables_of_keras_that_may_be_anything_are_named(
    tmp_path: Path, name: str, shapes: list[tuple[int, ...]]
) -> None:
    plain = {key: x for key, x in SPELLINGS["Keras 3"].items() if f"/{name}/" not in key}
    odd = {f"layers/{name}/vars/{i}": np.ones(shape) for i, shape in enumerate(shapes)}
    assert all(f"layers.{name}" in line for line in refusals(saved(tmp_path, {**plain, **odd}, "net.npz")))


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
