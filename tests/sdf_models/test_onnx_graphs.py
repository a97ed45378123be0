"""ONNX graphs as exporters write them: inputs of any shape, folded constants, old operators, functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdf_models import OpenQuestionError, Reading
from tests.sdf_models.onnx_models import (
    HEAD,
    RELU,
    TAIL,
    WIDE,
    Constants,
    Function,
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
)  # fmt: skip


def perceptron(size: int, outputs: int = 1) -> tuple[Constants, Function]:
    c = {"A": weights(size, 10), "c": weights(10), "B": weights(10, outputs), "d": weights(outputs)}
    w = {name: value.astype(np.float64) for name, value in c.items()}
    return c, lambda x: relu(x @ w["A"] + w["c"]) @ w["B"] + w["d"]


def layers(source: str) -> list[Any]:
    return [
        N("MatMul", [source, "A"], ["m"]), N("Add", ["m", "c"], ["a"]), N("Relu", ["a"], ["r"]),
        N("MatMul", ["r", "B"], ["n"]), N("Add", ["n", "d"], ["y"]),
    ]  # fmt: skip


FLAT = [N("Flatten", ["x"], ["q"])]
TURNED = [N("Transpose", ["x"], ["q"])]
SHAPES: dict[str, tuple[tuple[int | str | None, ...], int, list[Any]]] = {
    "one point without a batch": ((3,), 3, []),
    "one point": ((1, 3), 3, []),
    "points": (("n", 3), 3, []),
    "points in the plane": (("n", 2), 2, []),
    "points of unknown dimension": (("n", None), 3, []),
    "points in the plane, of unknown dimension": (("n", None), 2, []),
    "points of unknown dimension, of five": (("n", None), 5, []),
    "a set of points": ((1, "n", 3), 3, []),
    "sets of points": (("b", "n", 3), 3, []),
    "one point in three axes": ((1, 1, 3), 3, []),
    "columns": (("n", 3, 1), 3, FLAT),
    "one column": ((1, 3, 1), 3, FLAT),
    "a column without a batch": ((3, 1), 3, TURNED),
    "points side by side": ((3, "n"), 3, TURNED),
    "four points": ((4, 3), 3, []),
    "a set of a hundred points": ((1, 100, 3), 3, []),
    "two sets of fifty points": ((2, 50, 3), 3, []),
    "sets of seven points": (("b", 7, 3), 3, []),
    "an image": ((1, 1, 2, 2), 4, FLAT),
    "images": (("n", 1, 2, 2), 4, FLAT),
    "two images": ((2, 1, 2, 2), 4, FLAT),
    "five sensors": ((1, 1, 1, 5), 5, FLAT),
    "a large image": ((1, 1, 28, 28), 784, FLAT),
    "a large row": ((1, 784, 1), 784, FLAT),
    "a large column": ((784, 1), 784, TURNED),
}


@pytest.mark.parametrize("name", SHAPES)
def test_inputs_of_any_shape_are_points(tmp_path: Path, name: str) -> None:
    shape, size, before = SHAPES[name]
    constants, function = perceptron(size)
    checkpoint = opened(
        tmp_path, model([*before, *layers("q" if before else "x")], constants, shape), Reading(latent="none")
        if size in (5, 784) and name != "a large image" else None,
    )  # fmt: skip
    assert checkpoint.domain.shape == (2, size)
    agrees(checkpoint, function)
    assert any("compared with onnx.reference" in note for note in checkpoint.notes)


def test_networks_of_many_inputs_and_outputs_ask(tmp_path: Path) -> None:
    constants, function = perceptron(5, 5)
    data = model([*FLAT, *layers("q")], constants, (1, 1, 1, 5))
    with pytest.raises(OpenQuestionError) as caught:
        opened(tmp_path, data)
    assert caught.value.question.choice == "latent"
    assert "none" in [alternative.value for alternative in caught.value.question.alternatives]
    with pytest.raises(OpenQuestionError, match="5 outputs"):
        opened(tmp_path, data, Reading(latent="none"))
    agrees(opened(tmp_path, data, Reading(latent="none", output=3)), lambda x: function(x)[:, 3])


@pytest.mark.parametrize("shape", [(1, 3), (4, 3), ("n", 3)])
def test_a_code_that_is_tiled_for_every_point_is_a_constant(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    constants = W | {"W0": weights(8, 8), "code": weights(1, 5), "first": np.int64(0), "axis": ints(0), "one": ints(1)}
    code = [
        N("Shape", ["x"], ["s"]), N("Gather", ["s", "first"], ["count"]), N("Unsqueeze", ["count", "axis"], ["counts"]),
        N("Concat", ["counts", "one"], ["repeats"], axis=0), N("Tile", ["code", "repeats"], ["codes"]),
        N("Concat", ["codes", "x"], ["cx"], axis=1), N("MatMul", ["cx", "W0"], ["m"]), HEAD[1],
    ]  # fmt: skip
    w = {name: value.astype(np.float64) for name, value in constants.items()}

    def function(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        cx = np.hstack([np.repeat(w["code"], len(x), axis=0), x])
        return relu(cx @ w["W0"] + w["b0"]) @ w["W1"] + w["b1"]

    agrees(opened(tmp_path, model([*code, *RELU, *TAIL], constants, shape)), function)
    if shape == (4, 3):
        repeated = constants | {"codes": np.repeat(constants["code"], 4, axis=0)}
        agrees(opened(tmp_path, model([*code[5:], *RELU, *TAIL], repeated, shape)), function)


def test_an_expanded_code_with_its_comparison(tmp_path: Path) -> None:
    """As torch's exporter writes expand(x.shape[0], -1)."""
    constants = W | {"W0": weights(8, 8), "code": weights(1, 5), "wanted": ints(1, -1), "minus": ints(-1, -1)}
    code = [
        N("Constant", [], ["two"], value=onnx.numpy_helper.from_array(ints(2))), N("ConstantOfShape", ["two"], ["ones"],
            value=onnx.numpy_helper.from_array(ints(1))),
        N("Equal", ["wanted", "minus"], ["free"]), N("Where", ["free", "ones", "wanted"], ["shape"]),
        N("Expand", ["code", "shape"], ["codes"]), N("Concat", ["codes", "x"], ["cx"], axis=1),
        N("MatMul", ["cx", "W0"], ["m"]), HEAD[1],
    ]  # fmt: skip
    c = constants["code"].astype(np.float64)
    first = constants["W0"].astype(np.float64)
    agrees(
        opened(tmp_path, model([*code, *RELU, *TAIL], constants)),
        lambda x: relu(x @ first[5:] + c @ first[:5] + WIDE["b0"]) @ WIDE["W1"] + WIDE["b1"],
    )


def test_weights_that_are_computed_are_computed_in_float64(tmp_path: Path) -> None:
    constants = W | {"V": weights(3, 8), "g": np.abs(weights(1, 8)), "k": np.float32(0.7)}
    nodes = [
        N("ReduceL2", ["V"], ["sizes"], axes=[0], keepdims=1), N("Div", ["g", "sizes"], ["scale"]),
        N("Mul", ["V", "scale"], ["normed"]), N("Exp", ["k"], ["e"]), N("Reciprocal", ["e"], ["f"]),
        N("MatMul", ["x", "normed"], ["h"]), N("Mul", ["h", "f"], ["m"]), HEAD[1],
    ]  # fmt: skip
    v, g, k = (constants[name].astype(np.float64) for name in ("V", "g", "k"))
    normed = v * g / np.linalg.norm(v, axis=0) * np.exp(-k)
    checkpoint = opened(tmp_path, model([*nodes, *RELU, *TAIL], constants))
    agrees(checkpoint, lambda x: relu(x @ normed + WIDE["b0"]) @ WIDE["W1"] + WIDE["b1"])


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 13, 14, 15])
@pytest.mark.parametrize("momentum", [None, 0.5])
def test_batch_norm_of_every_operator_set(tmp_path: Path, opset: int, momentum: float | None) -> None:
    constants = W | {"s": weights(8) + 1, "t": weights(8), "mean": weights(8), "var": np.abs(weights(8)) + 0.1}
    options = {} if momentum is None else {"momentum": momentum}
    norm = [N("BatchNormalization", ["a", "s", "t", "mean", "var"], ["z"], epsilon=1e-3, **options)]
    s, t, mean, var = (constants[name].astype(np.float64) for name in ("s", "t", "mean", "var"))
    checkpoint = opened(
        tmp_path, model([*HEAD, *norm, N("Relu", ["z"], ["r"]), *TAIL], constants, ("n", 3), opset=opset)
    )
    scale = s / np.sqrt(var + np.float64(np.float32(1e-3)))
    agrees(checkpoint, lambda x: of_two_layers(lambda a: relu((a - mean) * scale + t), x))
    note = next(note for note in checkpoint.notes if "compared with onnx.reference" in note)
    assert float(note.split("differs by ")[1].split()[0]) < 1e-12


@pytest.mark.parametrize("outside", [False, True])
def test_float16_is_read_without_its_rounding(tmp_path: Path, outside: bool) -> None:
    half = {name: value.astype(np.float16) for name, value in W.items()}
    if outside:
        nodes = [N("Cast", ["x"], ["xh"], to=10), N("MatMul", ["xh", "W0"], ["m"]), HEAD[1], *RELU, TAIL[0]]
        nodes += [N("Add", ["n", "b1"], ["yh"]), N("Cast", ["yh"], ["y"], to=1)]
    else:
        nodes = [*HEAD, *RELU, *TAIL]
    checkpoint = opened(tmp_path, model(nodes, half, kind=1 if outside else 10))
    w = {name: value.astype(np.float64) for name, value in half.items()}
    agrees(checkpoint, lambda x: relu(x @ w["W0"] + w["b0"]) @ w["W1"] + w["b1"])
    assert any("16 bits" in note for note in checkpoint.notes)


def test_operations_in_any_order(tmp_path: Path) -> None:
    nodes = [*TAIL[::-1], *RELU, *HEAD[::-1], N("Softmax", ["r"], ["unused"])]
    agrees(opened(tmp_path, model(nodes, W)), lambda x: of_two_layers(relu, x))


def own(name: str, nodes: Sequence[Any], attributes: Sequence[str] = ()) -> Any:
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["t"], ["u"], list(nodes), sets, list(attributes))


def test_functions_are_written_out(tmp_path: Path) -> None:
    leaky = own("Leaky", [N("LeakyRelu", ["t"], ["u"])], ["slope"])
    leaky.node[0].attribute.append(
        onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="slope")
    )
    twice = own("Twice", [N("Leaky", ["t"], ["v"], domain="own", slope=0.25), N("Neg", ["v"], ["w"]),
        N("Leaky", ["w"], ["u"], domain="own", slope=0.5)])  # fmt: skip
    data = model([*HEAD, N("Twice", ["a"], ["r"], domain="own"), *TAIL], W, functions=[leaky, twice])

    def between(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        first = -np.where(a > 0, a, 0.25 * a)
        return np.where(first > 0, first, 0.5 * first)

    agrees(opened(tmp_path, data), lambda x: of_two_layers(between, x))


def test_functions_that_do_not_end_are_refused(tmp_path: Path) -> None:
    def using(*functions: Any) -> bytes:
        return model([*HEAD, N("F0", ["a"], ["r"], domain="own"), *TAIL], W, functions=functions)

    def calling(i: int, *targets: str) -> Any:
        names = ["t", *(f"v{k}" for k in range(len(targets) - 1)), "u"]
        steps = zip(targets, names, names[1:], strict=False)
        return own(f"F{i}", [N(target, [a], [b], domain="own") for target, a, b in steps])

    end = own("F40", [N("Relu", ["t"], ["u"])])
    assert "F0 calls itself" in refusal(tmp_path, using(calling(0, "F0")))
    assert "F0 calls itself" in refusal(tmp_path, using(calling(0, "F1"), calling(1, "F0")))
    laughing = [calling(i, f"F{i + 1}", f"F{i + 1}") for i in range(40)]
    assert "1,099,511,627,780 operations" in refusal(tmp_path, using(*laughing, end))
    deep = [calling(i, f"F{i + 1}") for i in range(3000)]
    assert "more than 50 deep" in refusal(tmp_path, using(*deep))
    assert "own.F0 is not supported" in refusal(tmp_path, using())


def test_which_of_several_outputs_is_asked(tmp_path: Path) -> None:
    nodes = [*HEAD, *RELU, *TAIL, N("Softmax", ["r"], ["colour"])]
    data = model(nodes, W, outputs=("colour", "y"))
    with pytest.raises(OpenQuestionError) as caught:
        opened(tmp_path, data)
    assert [alternative.value for alternative in caught.value.question.alternatives] == ["colour", "y"]
    answered = Reading().answered(caught.value.question.choice, "y")
    agrees(opened(tmp_path, data, answered), lambda x: of_two_layers(relu, x))
    assert "Softmax is not piecewise linear" in refusal(tmp_path, data, Reading(network="colour"))
    assert "there is no output 'z'; choose one of colour, y" in refusal(tmp_path, data, Reading(network="z"))


def test_an_axis_of_one_point_may_be_squeezed(tmp_path: Path) -> None:
    nodes = [*HEAD, *RELU, TAIL[0], N("Add", ["n", "b1"], ["e"]), N("Squeeze", ["e"], ["y"])]
    agrees(opened(tmp_path, model(nodes, W, ("n", 3))), lambda x: of_two_layers(relu, x))


def test_points_that_depend_on_each_other_are_refused(tmp_path: Path) -> None:
    centred = [N("ReduceMean", ["a"], ["c"], axes=[0]), N("Sub", ["a", "c"], ["d"]), N("Relu", ["d"], ["r"])]
    words = "what it computes for a point depends on the other points of a batch"
    assert words in refusal(tmp_path, model([*HEAD, *centred, *TAIL], W, ("n", 3)))


def test_several_points_in_one_are_a_point_only_when_they_make_one_value(tmp_path: Path) -> None:
    constants, function = perceptron(12)
    row = [N("Reshape", ["x", "row"], ["q"])]
    data = model([*row, *layers("q")], constants | {"row": ints(1, 12)}, (4, 3))
    agrees(opened(tmp_path, data), function)
    apart = {"A": np.kron(np.eye(4), weights(3, 5)).astype(np.float32), "c": weights(20), "d": weights(4)}
    apart["B"] = np.kron(np.eye(4), weights(5, 1)).astype(np.float32)
    data = model([*row, *layers("q")], apart | {"row": ints(1, 12)}, (4, 3))
    assert "it is made for 4 points at once; export it with an input of shape (1, 3)" in refusal(tmp_path, data)


@pytest.mark.parametrize("shape", [(1,), ("n",), (4,)])
def test_a_second_input_is_a_latent_code(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    constants = W | {"W0": weights(8, 8)}
    nodes = [N("Concat", ["code", "x"], ["cx"], axis=1), N("MatMul", ["cx", "W0"], ["m"]), HEAD[1], *RELU, *TAIL]
    two = onnx.load_model_from_string(model(nodes, constants, (*shape, 3)))
    two.graph.input.insert(0, helper.make_tensor_value_info("code", 1, (*shape, 5)))
    data = two.SerializeToString()
    with pytest.raises(OpenQuestionError, match="a latent code of 5 numbers"):
        opened(tmp_path, data)
    code = np.linspace(-1.0, 1.0, 5, dtype=np.float32)
    np.savez(tmp_path / "codes.npz", codes=code[None])
    first = constants["W0"].astype(np.float64)
    for latent, held in (("zeros", 0 * code), (str(tmp_path / "codes.npz"), code)):
        before = held.astype(np.float64) @ first[:5] + WIDE["b0"]
        agrees(
            opened(tmp_path, data, Reading(latent=latent)),
            lambda x, before=before: relu(x @ first[5:] + before) @ WIDE["W1"] + WIDE["b1"],
        )
    two.graph.input.insert(0, helper.make_tensor_value_info("other", 1, (*shape, 3)))
    assert "it has 3 inputs (other of shape" in refusal(tmp_path, two.SerializeToString())
