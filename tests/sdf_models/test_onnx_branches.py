"""Branches in ONNX graphs: taken where the condition is a constant, refused by name where it depends on the input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sdf_models.onnx_models import (
    HEAD,
    RELU,
    TAIL,
    Constants,
    N,
    W,
    agrees,
    helper,
    ints,
    model,
    of_two_layers,
    onnx,
    opened,
    refusal,
    relu,
    weights,
)

LAST = [N("MatMul", ["r", "W1"], ["n"]), N("Add", ["n", "b1"], ["z"])]


def branch(nodes: Sequence[Any], output: str, constants: Constants | None = None) -> Any:
    """A graph without inputs, of values around it and its own constants."""
    return helper.make_graph(
        list(nodes),
        "branch",
        [],
        [helper.make_tensor_value_info(output, 1, None)],
        [onnx.numpy_helper.from_array(np.asarray(x), name) for name, x in (constants or {}).items()],
    )


def choice(condition: str, then: Any, otherwise: Any, output: str) -> Any:
    return N("If", [condition], [output], then_branch=then, else_branch=otherwise)


RELU_OF = branch([N("Relu", ["a"], ["inner"])], "inner")
LEAKY_OF = branch([N("LeakyRelu", ["a"], ["inner"], alpha=0.25)], "inner")


@pytest.mark.parametrize("truth", [True, False])
@pytest.mark.parametrize("kind", ["initializer", "Constant", "computed"])
def test_the_branch_of_a_constant_condition_is_taken(tmp_path: Path, truth: bool, kind: str) -> None:
    constants: Constants = {**W, "t": np.array(truth)} if kind == "initializer" else dict(W)
    before = {
        "initializer": [],
        "Constant": [N("Constant", [], ["t"], value=onnx.numpy_helper.from_array(np.array(truth)))],
        "computed": [
            N("Shape", ["x"], ["s"]),
            N("ReduceMax", ["s"], ["most"], keepdims=0),
            N("Equal", ["most", "size"], ["t"]),
        ],
    }[kind]
    constants |= {"size": np.int64(3 if truth else 4)} if kind == "computed" else {}
    nodes = [*HEAD, *before, choice("t", RELU_OF, LEAKY_OF, "r"), *TAIL]
    checkpoint = opened(tmp_path, model(nodes, constants))
    between = relu if truth else lambda x: np.where(x > 0, x, 0.25 * x)
    agrees(checkpoint, lambda x: of_two_layers(between, x))
    assert any("compared with onnx.reference on 16 points" in note for note in checkpoint.notes)
    assert checkpoint.provenance["operations"].count("Relu") == 1
    assert "If" not in checkpoint.provenance["operations"]


@pytest.mark.parametrize("shape", [(1, 3), ("n", 3)])
def test_an_axis_that_is_squeezed_where_it_is_1(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    """As torch.onnx.export writes x.squeeze(1) of a size that it does not know; a tanh stands before it."""
    constants = W | {"axis": ints(1), "place": ints(1), "one": ints(1)}
    nodes = [
        *HEAD, *RELU, *LAST, N("Tanh", ["z"], ["u"]), N("Shape", ["u"], ["s"]), N("Gather", ["s", "place"], ["side"]),
        N("Equal", ["side", "one"], ["is_one"]),
        choice(
            "is_one", branch([N("Squeeze", ["u", "axis"], ["v"])], "v"), branch([N("Identity", ["u"], ["v"])], "v"), "y"
        ),
    ]  # fmt: skip
    checkpoint = opened(tmp_path, model(nodes, constants, shape))
    agrees(checkpoint, lambda x: of_two_layers(relu, x))
    assert checkpoint.last_activation.name == "tanh"


def test_branches_have_values_and_constants_of_their_own(tmp_path: Path) -> None:
    """The same names in two branches, in branches of branches, and of what is captured from around them."""
    own: Constants = {"k": weights(8), "t": np.array(False)}
    inner = choice("t", LEAKY_OF, branch([N("Add", ["m", "k"], ["a"]), N("Relu", ["a"], ["i"])], "i"), "i2")
    first = branch([N("Mul", ["a", "k"], ["m"]), inner, N("Add", ["i2", "a"], ["o"])], "o", own)
    second = branch([N("Add", ["r", "k"], ["m"])], "m", {"k": weights(8)})
    nodes = [*HEAD, choice("yes", first, LEAKY_OF, "r"), choice("yes", second, LEAKY_OF, "q"),
             N("MatMul", ["q", "W1"], ["n"]), N("Add", ["n", "b1"], ["y"])]  # fmt: skip
    k, other = (onnx.numpy_helper.to_array(g.initializer[0]).astype(np.float64) for g in (first, second))
    checkpoint = opened(tmp_path, model(nodes, {**W, "yes": np.array([True])}))
    agrees(checkpoint, lambda x: of_two_layers(lambda a: relu(a * k + k) + a + other, x))
    assert any("compared with onnx.reference" in note for note in checkpoint.notes)


@pytest.mark.parametrize("truth", [True, False])
def test_a_branch_of_a_captured_value_or_of_a_constant_alone(tmp_path: Path, truth: bool) -> None:
    c = weights(1, 8)
    same, constant = branch([], "a"), branch([], "c", {"c": c})
    nodes = [*HEAD, choice("t", same, constant, "p"), N("Add", ["a", "p"], ["d"]), N("Relu", ["d"], ["r"]), *TAIL]
    checkpoint = opened(tmp_path, model(nodes, {**W, "t": np.array(truth)}))
    agrees(checkpoint, lambda x: of_two_layers(lambda a: relu(a + (a if truth else c.astype(np.float64))), x))


def test_conditions_that_depend_on_the_input_are_refused_by_name(tmp_path: Path) -> None:
    nodes = [
        *HEAD, N("ReduceSum", ["a"], ["sum"], keepdims=0), N("Greater", ["sum", "zero"], ["t"]),
        N("If", ["t"], ["r"], "fork", then_branch=RELU_OF, else_branch=LEAKY_OF), *TAIL,
    ]  # fmt: skip
    line = refusal(tmp_path, model(nodes, {**W, "zero": np.float32(0)}))
    assert "its operation fork (If) is not supported: its condition depends on the input" in line


def test_branches_that_are_not_whole(tmp_path: Path) -> None:
    nothing = branch([N("Relu", ["nowhere"], ["inner"])], "inner")
    two = branch([N("Relu", ["a"], ["inner"])], "inner")
    two.output.append(two.output[0])
    constants = {**W, "t": np.array(True)}
    for odd, said in ((nothing, "'nowhere', which nothing makes"), (two, "has 2 outputs")):
        for branches in ((odd, RELU_OF), (RELU_OF, odd)):
            assert said in refusal(tmp_path, model([*HEAD, choice("t", *branches, "r"), *TAIL], constants))
    alone = N("If", ["t"], ["r"], then_branch=RELU_OF)
    assert "lacks a branch" in refusal(tmp_path, model([*HEAD, alone, *TAIL], constants))
    several = [*HEAD, choice("t", RELU_OF, LEAKY_OF, "r"), *TAIL]
    assert "is of shape (2,)" in refusal(tmp_path, model(several, {**W, "t": np.array([True, False])}))


def test_weights_of_a_branch_in_another_file_are_refused(tmp_path: Path) -> None:
    outside = onnx.numpy_helper.from_array(weights(8), "k")
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="weights.bin")
    (tmp_path / "weights.bin").write_bytes(bytes(32))
    unused, used = (branch([N("Relu", ["a"], ["inner"])], "inner") for _ in range(2))
    unused.node.append(N("Constant", [], ["k"], value=outside))
    used.initializer.append(outside)
    for then in (unused, used, branch([choice("t", unused, RELU_OF, "deep")], "deep")):
        nodes = [*HEAD, choice("t", then, RELU_OF, "r"), *TAIL]
        assert "has weights in another file" in refusal(tmp_path, model(nodes, {**W, "t": np.array(False)}))


def test_operations_in_branches_are_counted(tmp_path: Path) -> None:
    many = branch([N("Relu", ["a" if i == 0 else f"v{i}"], [f"v{i + 1}"]) for i in range(5_000)], "v5000")
    nodes = [*HEAD, choice("t", many, RELU_OF, "r"), *TAIL]
    assert "more than 5,000" in refusal(tmp_path, model(nodes, {**W, "t": np.array(True)}))
