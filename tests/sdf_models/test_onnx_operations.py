"""ONNX operators: piecewise linear ones by their definitions, others by their refusal, and those at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Network, NotPiecewiseLinearError
from sdf_models import CheckpointError, Reading
from tests.sdf_models.onnx_models import (
    HEAD,
    RELU,
    TAIL,
    Constants,
    Function,
    N,
    W,
    agrees,
    ints,
    model,
    of_two_layers,
    opened,
    refusal,
    relu,
    weights,
)  # fmt: skip

Z: Constants = {"zero": np.float32(0.0), "tenth": np.float32(0.1), "k": np.float32(0.3)}
TENTH, K = (float(Z[name]) for name in ("tenth", "k"))
HALVES = [N("Split", ["a", "four"], ["u", "v"], axis=1)]
BENDS: dict[str, tuple[list[Any], Function, int]] = {
    "where": (
        [N("Mul", ["a", "tenth"], ["b"]), N("Greater", ["a", "zero"], ["c"]), N("Where", ["c", "a", "b"], ["r"])],
        lambda a: np.where(a > 0, a, TENTH * a), 1,
    ),
    "where not": (
        [N("Mul", ["a", "tenth"], ["b"]), N("GreaterOrEqual", ["zero", "a"], ["d"]), N("Not", ["d"], ["c"]),
            N("Where", ["c", "a", "b"], ["r"])],
        lambda a: np.where(a > 0, a, TENTH * a), 1,
    ),
    "where with a breakpoint": (
        [N("LessOrEqual", ["a", "k"], ["c"]), N("Sub", ["a", "k"], ["b"]), N("Mul", ["b", "tenth"], ["d"]),
            N("Add", ["d", "k"], ["e"]), N("Where", ["c", "a", "e"], ["r"])],
        lambda a: np.where(a > K, TENTH * (a - K) + K, a), 1,
    ),
    "where is a bound": (
        [N("Less", ["k", "a"], ["c"]), N("Where", ["c", "k", "a"], ["r"])], lambda a: np.minimum(a, K), 1,
    ),
    "where is a maximum": (
        [*HALVES, N("Greater", ["u", "v"], ["c"]), N("Where", ["c", "u", "v"], ["p"]),
            N("Concat", ["p", "u"], ["r"], axis=1)],
        lambda a: np.hstack([np.maximum(a[:, :4], a[:, 4:]), a[:, :4]]), 1,
    ),
    "a mask": (
        [N("Greater", ["a", "zero"], ["c"]), N("Cast", ["c"], ["d"], to=1), N("Mul", ["d", "a"], ["r"])], relu, 1,
    ),
    "sorted pairs": (
        [N("Reshape", ["a", "pairs"], ["q"]), N("TopK", ["q", "two"], ["s", "i"]), N("Reshape", ["s", "flat"], ["r"])],
        lambda a: -np.sort(-a.reshape(-1, 4, 2), axis=2).reshape(-1, 8), 1,
    ),
    "sorted pairs by extrema": (
        [*HALVES, N("Max", ["u", "v"], ["p"]), N("Min", ["u", "v"], ["q"]), N("Concat", ["p", "q"], ["r"], axis=1)],
        lambda a: np.hstack([np.maximum(a[:, :4], a[:, 4:]), np.minimum(a[:, :4], a[:, 4:])]), 2,
    ),
    "largest of four": (
        [N("Reshape", ["a", "fours"], ["q"]), N("ReduceMax", ["q"], ["p"], axes=[1]), N("Add", ["q", "p"], ["s"]),
            N("Reshape", ["s", "flat"], ["r"])],
        lambda a: (a.reshape(-1, 4, 2) + a.reshape(-1, 4, 2).max(axis=1, keepdims=True)).reshape(-1, 8), 2,
    ),
    "smallest of two": (
        [N("Reshape", ["a", "fours"], ["q"]), N("ReduceMin", ["q"], ["p"], axes=[-1], keepdims=0),
            N("Concat", ["p", "p"], ["r"], axis=1)],
        lambda a: np.tile(a.reshape(-1, 4, 2).min(axis=2), 2), 1,
    ),
    "sums": (
        [N("Reshape", ["a", "fours"], ["q"]), N("ReduceSum", ["q", "one"], ["p"], keepdims=1),
            N("ReduceL1", ["q"], ["t"], axes=[2]), N("Mul", ["t", "tenth"], ["w"]), N("Add", ["p", "w"], ["s"]),
            N("Reshape", ["s", "flat"], ["r"])],
        lambda a: (a.reshape(-1, 4, 2).sum(axis=1, keepdims=True)
            + TENTH * np.abs(a.reshape(-1, 4, 2)).sum(axis=2, keepdims=True)).reshape(-1, 8), 1,
    ),
    "padding": (
        [N("Split", ["a", "four"], ["u", "v"], axis=1), N("Pad", ["u", "pads"], ["p"], mode="reflect"),
            N("Pad", ["v", "pads", "k"], ["q"]), N("Add", ["p", "q"], ["r"])],
        lambda a: np.pad(a[:, :4], ((0, 0), (1, 3)), mode="reflect")
            + np.pad(a[:, 4:], ((0, 0), (1, 3)), constant_values=K), 0,
    ),
    "running sums": (
        [N("CumSum", ["a", "last"], ["p"], reverse=1, exclusive=1), N("Relu", ["p"], ["r"])],
        lambda a: relu(np.cumsum(a[:, ::-1], axis=1)[:, ::-1] - a), 1,
    ),
    "sum of products": (
        [N("Einsum", ["a", "square"], ["p"], equation="bi, oi -> bo"), N("IsNaN", ["p"], ["c"]),
            N("Where", ["c", "zero", "p"], ["q"]), N("Relu", ["q"], ["r"])],
        lambda a: relu(a @ SQUARE.astype(np.float64).T), 1,
    ),
    "convolution of one place": (
        [N("Unsqueeze", ["a", "last1"], ["q"]), N("Conv", ["q", "kernel"], ["p"], group=2),
            N("Squeeze", ["p", "last1"], ["s"]), N("Relu", ["s"], ["r"])],
        lambda a: relu(np.einsum("ngi,goi->ngo", a.reshape(-1, 2, 4),
            KERNEL.astype(np.float64).reshape(2, 4, 4)).reshape(-1, 8)), 1,
    ),
}  # fmt: skip
KERNEL = weights(8, 4, 1)
SQUARE = weights(8, 8)
MORE: Constants = Z | {
    "four": ints(4, 4), "pairs": ints(-1, 4, 2), "fours": ints(1, 4, 2), "flat": ints(-1, 8), "two": ints(2),
    "one": ints(1), "last": np.int64(1), "last1": ints(2), "pads": ints(0, 1, 0, 3), "kernel": KERNEL, "square": SQUARE,
}  # fmt: skip


@pytest.mark.parametrize("name", BENDS)
def test_piecewise_linear_operators(tmp_path: Path, name: str) -> None:
    nodes, between, kinks = BENDS[name]
    checkpoint = opened(tmp_path, model([*HEAD, *nodes, *TAIL], W | MORE))
    assert len(agrees(checkpoint, lambda x: of_two_layers(between, x)).kinks) == kinks


@pytest.mark.parametrize("kind", ["Celu", "Elu", "Gelu", "HardSwish", "Mish", "Selu", "Softmax", "Softsign", "Sqrt"])
def test_smooth_operators_are_refused_by_name_unless_they_are_constant(tmp_path: Path, kind: str) -> None:
    data = model([*HEAD, N(kind, ["a"], ["r"]), *TAIL], W, opset=22)
    assert f"its operation {kind} is not supported: {kind} is not piecewise linear; " in refusal(tmp_path, data)
    constants = W | {"c": np.abs(weights(1, 8))}
    nodes = [*HEAD, N(kind, ["c"], ["d"]), N("Add", ["a", "d"], ["e"]), N("Relu", ["e"], ["r"]), *TAIL]
    assert opened(tmp_path, model(nodes, constants, opset=22)).last_activation.name == "none"


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([N("ThresholdedRelu", ["a"], ["r"])], "ThresholdedRelu cannot be read: it jumps at 1"),
        ([N("Shrink", ["a"], ["r"])], "Shrink cannot be read: it jumps at 0.5"),
        ([N("Floor", ["a"], ["r"])], "Floor is not supported: it jumps"),
        ([N("Reshape", ["a", "one18"], ["q"]), N("Conv", ["q", "wide"], ["s"]), N("Squeeze", ["s"], ["r"])],
            "Conv cannot be read: a convolution with a kernel of 2 places"),
        ([N("Einsum", ["a", "a"], ["r"], equation="...i,...i->...")], "its equation '...i,...i->...' is not supported"),
        ([N("Cast", ["a"], ["i"], to=6), N("Cast", ["i"], ["r"], to=1)], "Cast cannot be read: it rounds to whole"),
        ([N("RandomUniformLike", ["a"], ["r"])], "it is random"),
        ([N("Add", ["a", "c"], ["r"]), N("RandomNormal", [], ["c"], shape=[1, 8])], "it is random"),
        ([N("TopK", ["a", "eight"], ["s", "i"]), N("Gather", ["a", "i"], ["g"], axis=1), N("Squeeze", ["g"], ["r"])],
            "does not run|an index"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_it_is(tmp_path: Path, nodes: list[Any], words: str) -> None:
    constants = W | {"one18": ints(1, 1, 8), "wide": weights(1, 1, 2), "eight": ints(8)}
    with pytest.raises((CheckpointError, ValueError), match=words):
        Network.trace(opened(tmp_path, model([*HEAD, *nodes, *TAIL], constants, opset=17)).module)


def test_a_choice_that_jumps_is_refused(tmp_path: Path) -> None:
    nodes = [N("Greater", ["a", "zero"], ["c"]), N("Where", ["c", "k", "a"], ["r"])]
    checkpoint = opened(tmp_path, model([*HEAD, *nodes, *TAIL], W | Z))
    with pytest.raises(NotPiecewiseLinearError, match=r"layer 'Where' .* \(gt\) .* do not meet"):
        Network.trace(checkpoint.module)


BEFORE = [*HEAD, *RELU, TAIL[0], N("Add", ["n", "b1"], ["e"])]
T = [N("Tanh", ["e"], ["t"])]
ENDS: dict[str, tuple[list[Any], str]] = {
    "tanh": ([N("Tanh", ["e"], ["y"])], "tanh"),
    "squeezed": ([*T, N("Squeeze", ["t", "one"], ["y"])], "tanh"),
    "reshaped": ([*T, N("Reshape", ["t", "flat"], ["y"])], "tanh"),
    "flattened": ([*T, N("Flatten", ["t"], ["y"], axis=0)], "tanh"),
    "sliced": ([*T, N("Slice", ["t", "zero", "one", "one"], ["y"])], "tanh"),
    "gathered": ([*T, N("Gather", ["t", "zero"], ["y"], axis=1)], "tanh"),
    "named twice": ([*T, N("Identity", ["t"], ["s"]), N("Cast", ["s"], ["y"], to=11)], "tanh"),
    "twice": ([*T, N("Unsqueeze", ["t", "one"], ["s"]), N("Tanh", ["s"], ["y"])], "tanh-twice"),
    "x + tanh": ([*T, N("Add", ["t", "e"], ["s"]), N("Squeeze", ["s", "one"], ["y"])], "x+tanh"),
    "sigmoid": ([N("Sigmoid", ["e"], ["s"]), N("Reshape", ["s", "flat"], ["y"])], "sigmoid"),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_last_activation_is_left_out_behind_movements(tmp_path: Path, name: str) -> None:
    nodes, end = ENDS[name]
    data = model([*BEFORE, *nodes], W | {"one": ints(1), "zero": ints(0), "flat": ints(-1)})
    for reading in (Reading(), Reading(last_activation=end)):
        checkpoint = opened(tmp_path, data, reading)
        agrees(checkpoint, lambda x: of_two_layers(relu, x))
        assert checkpoint.last_activation.name == end
        assert any(f"the last activation, {end}, is left out" in note for note in checkpoint.notes)
    kept = opened(tmp_path, data, Reading(last_activation="none"))
    assert not any("left out" in note for note in kept.notes)
    with pytest.raises(NotPiecewiseLinearError, match=r"(tanh|sigmoid) is not piecewise linear"):
        Network.trace(kept.module)
    other = "sigmoid" if end != "sigmoid" else "tanh"
    assert f"it ends with {end.replace('x+tanh', 'x + tanh(x)').replace('-', ', ')}" in refusal(
        tmp_path, data, Reading(last_activation=other)
    )


@pytest.mark.parametrize(
    "nodes",
    [
        [*T, N("Mul", ["t", "half"], ["y"])],
        [*T, N("Relu", ["t"], ["s"]), N("Add", ["s", "t"], ["y"])],
        [N("Sigmoid", ["e"], ["s"]), N("Tanh", ["s"], ["t"]), N("Abs", ["t"], ["y"])],
    ],
)
def test_an_activation_that_is_not_the_end_stays(tmp_path: Path, nodes: list[Any]) -> None:
    checkpoint = opened(tmp_path, model([*BEFORE, *nodes], W | {"half": np.float32(0.5)}))
    assert checkpoint.last_activation.name == "none"
    assert not any("left out" in note for note in checkpoint.notes)
    with pytest.raises(NotPiecewiseLinearError, match="is not piecewise linear"):
        Network.trace(checkpoint.module)
