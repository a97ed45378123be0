"""The reasons why a file's tensors are no network that can be drawn, and what their owner can do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from sdf_models.families.latent import latent_tables
from sdf_models.families.layers import Layer
from sdf_models.families.orders import chain_error
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused

_GRID = re.compile(
    r"hash|(^|\.)(embeddings|encoding\.params|encoder\.embeddings|grid|planes?\.\d|tri_?planes?)", re.IGNORECASE
)
_ENCODING = re.compile(r"(?i:freq|fourier|(?:^|\.)(?:embedder|embed_fn|posenc|pos_enc)(?:\.|$))|(?:^|\.)B$")
_NERF = re.compile(r"(^|\.)(pts_linears|xyz_encoding_\d+|layers_xyz)(\.|$)")
_LIN = re.compile(r"(^|\.)lin\d+$")
_CONDITIONAL = re.compile(r"(^|\.)(conv|fc)_(gamma|beta)\.weight$")
_CONVEXES = re.compile(r"(^|\.)(convex|concave)_layer_weights$")
_OPTIMISER = re.compile(r"(^|\.)(exp_avg|exp_avg_sq|momentum_buffer)$")
_WEIGHT = re.compile(r"(^|[._])(weight|kernel)_?\w*$|parametrizations|(^|\.)(vars)\.0$")
_LISTED = re.compile(r"(^|\.)(arr_)?\d+$")
_MOST_FREQUENCIES = 16


def no_network(layers: Sequence[Layer], weights: Weights) -> Refused:
    """For tensors of which no group chains: integers, latent codes, an optimiser, or layers of odd shapes."""
    linear = [layer for layer in layers if layer.kind == "linear"]
    known = {name for layer in layers for name in layer.roles} | latent_tables(weights).keys()
    unknown = next((name for name in weights.tensors if name not in known and _WEIGHT.search(name)), None)
    if unknown is not None:
        return Refused(
            f"{unknown!r:.80} is a weight whose part in the network is not in the file",
            "open it together with the code that defines it: --module package.module:function",
        )
    convolution = next((layer for layer in layers if layer.kind == "convolution"), None)
    if convolution is not None:
        return Refused(
            f"{convolution.name!r:.80} is a convolution, with a weight of shape {tuple(convolution.weight.shape)}",
            "export the network as ONNX, or open it with --module package.module:function",
        )
    if weights.unreal:
        name, kind = next(iter(weights.unreal.items()))
        return Refused(
            f"its tensors do not hold real numbers as weights must ({name!r:.60} is {kind})",
            "save the network's weights in float32, as they were before they were quantised or converted",
        )
    if len(linear) < 2:
        return _too_few(linear, weights)
    return Refused(
        f"its {len(linear)} linear layers are not one chain: {chain_error(layers)}",
        "open it together with the code that defines it: --module package.module:function",
    )


def _too_few(linear: Sequence[Layer], weights: Weights) -> Refused:
    path = weights.path
    codes = latent_tables(weights)
    if not codes and len(weights.tensors) == 1:
        codes = {name: t for name, t in weights.tensors.items() if t.dim() == 3 and t.shape[1] == 1}  # bare, as of old
    if codes:
        table = next(iter(codes.values()))
        count = table.numel() // max(1, table.shape[-1])
        network = path.absolute().parent.parent / "ModelParameters" / path.name
        decoder = _from_here(network) if network.is_file() else "DECODER.pth"
        return Refused(
            f"it holds {count} latent codes of {table.shape[-1]} numbers, which pick shapes, not a network",
            f"give the decoder's file, and pick a code: splinescope info {decoder} --latent {path}:0",
        )
    if any(_OPTIMISER.search(name) for name in weights.tensors):
        return Refused(
            "it holds the state of an optimiser, not a network", "save the network's state_dict, model.state_dict()"
        )
    listed = [name for name, tensor in weights.tensors.items() if tensor.dim() == 2 and _LISTED.search(name)]
    if not linear and len(listed) > 1:
        return Refused(
            f"its weights are in a list ({listed[0]!r:.60}, {listed[1]!r:.60}), without the names of their layers",
            "save the network's state_dict, model.state_dict()",
        )
    found = "one weight matrix alone" if linear else "no weight matrices"
    return Refused(f"it holds {found}, where a network has two or more", "give the file of the network's weights")


def _from_here(path: Path) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)


def refuse_encodings(names: Sequence[str]) -> None:
    """Refuse tensors beside the layers that make features of the input which are not piecewise linear."""
    for pattern, what, change in (
        (_GRID, "a feature grid (a hash grid or planes), piecewise trilinear", "train a network of x, y, z alone"),
        (_ENCODING, "a positional encoding, of sines and cosines", "train it without (multires = 0)"),
    ):
        odd = next((name for name in names if pattern.search(name)), None)
        if odd is not None:
            raise Refused(f"{odd!r:.80} is {what}: not piecewise linear", f"{change} to have linear regions")


def refuse_public(names: Iterable[str]) -> None:
    """Refuse parts of public codes that no chain of layers has, where the network is not whole or not read as theirs.

    These are conditional batch norms and BSP-Net's generator.
    """
    for pattern, what in (
        (_CONDITIONAL, "scales or shifts features by the latent code, a conditional batch norm of occupancy networks"),
        (_CONVEXES, "joins planes to convexes, as in BSP-Net's generator"),
    ):
        found = next((name for name in names if pattern.search(name)), None)
        if found is not None:
            raise Refused(f"{found!r:.80} {what}", "open it with --module package.module:function")


def refuse_encoded(networks: Sequence[Sequence[Layer]]) -> None:
    """Refuse NeRFs, when all networks of a file are such: 3 + 6 k inputs, and NeRF's names or its concatenation.

    networks: the linear layers of each, in order.
    """
    if networks and all(_is_encoded(linear) for linear in networks):
        inputs = networks[0][0].inputs
        raise Refused(
            f"it takes {inputs} inputs, x, y, z in a positional encoding of {inputs // 6} frequencies as in NeRF: not "
            "piecewise linear",
            "train it on x, y, z alone to have linear regions, or say --latent zeros where all but three are a code",
        )


def _is_encoded(linear: Sequence[Layer]) -> bool:
    count, odd = divmod(linear[0].inputs - 3, 6)
    if odd or not 1 <= count <= _MOST_FREQUENCIES:
        return False
    if any(_NERF.search(layer.name) for layer in linear):
        return True
    joined = any(after.inputs - before.outputs == linear[0].inputs for before, after in pairwise(linear))
    return joined and not _LIN.search(linear[0].name)  # DeepSDF and its like concatenate latent codes
