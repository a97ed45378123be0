"""The notes on a checkpoint: what `info` prints and the window shows of it beside its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from torch import nn

    from engine import EngineError, Network
    from sdf_models import Checkpoint
    from sdf_models.formats.format import TensorUse

TOLERANCE: Final = 1e-6
"""Relative; a graph that differs by more from the network's own forward is not the same function."""

_POINTS: Final = 256
_SIZED: Final = "affine, "
_DEVIATIONS: Final = 4.0  # the largest of some hundred roundings
_AFFINE: Final = ("Identity", "BatchNorm1d", "SqueezeLast", "Negate", "OneOutput", "AffineInput", "ConstantInput")
_SMOOTH: Final = ("ELU", "GELU", "SiLU", "Sine", "Tanh", "Sigmoid")


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """An innermost layer: its path in the module, its class, and whether it is affine, piecewise linear, or why not."""

    name: str
    kind: str
    verdict: str


@dataclass(frozen=True, slots=True)
class NonlinearLayer:
    """A nonlinear layer of the traced network; depth counts them from 0."""

    depth: int
    name: str
    operation: str
    neurons: int


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """Our graph against the network's own forward on `points` points of the domain, relative to the largest value.

    relative_difference: from the forward in float64, which tells whether the graph is right; relative_rounding: from
    the forward in the network's own dtype, which is that dtype's rounding besides; expected_rounding: what that may be
    when the products of every layer are rounded and accumulated (`rounding_deviation`).
    """

    points: int
    dtype: str
    largest_value: float
    relative_difference: float
    relative_rounding: float
    expected_rounding: float

    @property
    def agrees(self) -> bool:
        """Within 1e-6 in float64; in the network's own dtype, within that or what its rounding explains."""
        own = self.relative_rounding <= max(TOLERANCE, self.expected_rounding)
        return self.relative_difference <= TOLERANCE and own

    def __str__(self) -> str:
        own = f", by {self.relative_rounding:.1e} in {self.dtype}, whose rounding explains {self.expected_rounding:.1e}"
        return (
            f"{'agrees with' if self.agrees else 'DIFFERS from'} the network's own forward on {self.points:,} points "
            f"of the domain: differs by {self.relative_difference:.1e} of the largest value in float64"
            f"{own if self.dtype != 'float64' else ''}"
        )


@dataclass(frozen=True, slots=True)
class CheckpointNotes:
    """All that is known of a checkpoint, as plain values.

    architecture: sizes from input to output on a line; sizes: the same as numbers; facts: what the file states and is,
    by name; verdict: whether it is piecewise linear, and if not, why and what to do; layers: the verdict on every
    innermost layer; nonlinear: those of the traced network, empty where it is not piecewise linear; forward_error: the
    largest difference from the module's own forward on random points, by the dtype in which that ran; reference: None
    where nothing could be traced, and where the module is our own reading of tensors: that has no other forward;
    last_activation: what was left out; approximation: how the network differs from the file's, "" when it does not;
    assumptions: everything that the file does not say, and why it was settled so; tensors: the file's floating-point
    tensors, and what each was taken for.
    """

    path: str
    architecture: str
    sizes: tuple[int, ...]
    parameters: int
    domain: tuple[tuple[float, ...], tuple[float, ...]]
    facts: tuple[tuple[str, str], ...]
    piecewise_linear: bool
    verdict: str
    layers: tuple[LayerVerdict, ...]
    nonlinear: tuple[NonlinearLayer, ...]
    forward_error: tuple[tuple[str, float], ...]
    reference: ReferenceCheck | None
    last_activation: str
    approximation: str
    assumptions: tuple[str, ...]
    tensors: tuple[TensorUse, ...] = ()

    def lines(self) -> tuple[tuple[str, str], ...]:
        """The notes for people, as (label, text), in the order in which they are shown."""
        lower, upper = self.domain
        shown = [
            ("checkpoint", self.path),
            ("architecture", self.architecture),
            ("parameters", f"{self.parameters:,}"),
            ("domain", f"{_corner(lower)} to {_corner(upper)}"),
            *((name, text) for name, text in self.facts if name != "layers"),
            ("verdict", self.verdict),
            *self._layer_lines(),
        ]
        if self.forward_error:
            errors = ", ".join(f"{value:.1e} against {dtype}" for dtype, value in self.forward_error)
            shown.append(("forward error", errors))
        if self.reference is not None:
            shown.append(("reference", str(self.reference)))
        if self.approximation:
            shown.append(("APPROXIMATION", self.approximation))
        return (*shown, *(("note", text) for text in self.assumptions if not self._said(text)))

    def tensor_lines(self) -> tuple[tuple[str, str], ...]:
        """The use of every floating-point tensor of the file, as (label, text)."""
        return tuple(
            ("tensor", f"{use.name} ({' x '.join(map(str, use.shape)) or '1'}): {use.role}") for use in self.tensors
        )

    def _layer_lines(self) -> list[tuple[str, str]]:
        if not self.piecewise_linear:
            return [("layer", f"{part.name} ({part.kind}): {part.verdict}") for part in self.layers]
        affine = [part for part in self.layers if part.verdict.startswith(_SIZED)]
        common = len(_common_path([*(part.name for part in affine), *(layer.name for layer in self.nonlinear)]))
        sizes = ", ".join(f"{part.name[common:]}: {part.verdict.removeprefix(_SIZED)}" for part in affine)
        lines = [("affine", sizes)] if affine else []
        return lines + [
            (f"depth {layer.depth}", f"{layer.name[common:]}: {layer.operation}, {layer.neurons} neurons")
            for layer in self.nonlinear
        ]

    def _said(self, assumption: str) -> bool:
        return bool(self.approximation) and assumption.startswith(self.approximation)


def checkpoint_notes(checkpoint: Checkpoint, network: Network | None = None) -> CheckpointNotes:
    """The notes on a checkpoint.  network: what was traced from it, where that is at hand.

    A network that is not piecewise linear is described too.  Raises EngineError when it cannot be traced otherwise.
    """
    from engine import Network, NotPiecewiseLinearError

    module, verdict = checkpoint.module, ""
    if network is None:
        try:
            network = Network.trace(module, input_shape=(checkpoint.domain.shape[1],))
        except NotPiecewiseLinearError as error:
            verdict = f"not piecewise linear: {with_advice(error)}"
    sizes = _linear_sizes(module)
    nonlinear: tuple[NonlinearLayer, ...] = ()
    if network is not None:
        nonlinear = tuple(
            NonlinearLayer(depth, kink.name, kink.operation, len(kink.breakpoints))
            for depth, kink in enumerate(network.kinks)
        )
        sizes = (network.input_size, *(layer.neurons for layer in nonlinear), network.output_size)
        neurons = sum(layer.neurons for layer in nonlinear)
        depth = "1 nonlinear layer" if len(nonlinear) == 1 else f"{len(nonlinear)} nonlinear layers"
        verdict = f"piecewise linear: {neurons:,} neurons in {depth}"
    lower, upper = checkpoint.domain.tolist()
    return CheckpointNotes(
        path=checkpoint.provenance.get("path", "a module"),
        architecture=_architecture(sizes or (len(lower),), nonlinear),
        sizes=sizes,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        domain=(tuple(lower), tuple(upper)),
        facts=tuple((name, str(text)) for name, text in checkpoint.provenance.items() if name != "path"),
        piecewise_linear=network is not None,
        verdict=verdict,
        layers=tuple(layer_verdicts(module)),
        nonlinear=nonlinear,
        forward_error=() if network is None else tuple(forward_error(network).items()),
        reference=reference_check(checkpoint, network) if network is not None and checkpoint.own_forward else None,
        last_activation=checkpoint.last_activation.name if checkpoint.last_activation.known else "unknown",
        approximation="" if checkpoint.approximation is None else str(checkpoint.approximation),
        assumptions=(*checkpoint.notes, *(() if network is None else network.notes)),
        tensors=checkpoint.tensors,
    )


def forward_error(network: Network) -> dict[str, float]:
    """The largest difference from the module's own forward, by the dtype in which the module ran."""
    error = network.max_forward_error
    return {"float64": error.double, error.native_dtype: error.native}


def layer_verdicts(module: nn.Module) -> list[LayerVerdict]:
    """The verdict on every innermost layer; activations are judged by tracing them alone."""
    from torch import nn

    from engine import EngineError, Network, NotPiecewiseLinearError

    verdicts: list[LayerVerdict] = []
    for path, layer in module.named_modules():
        if not path or any(layer.children()):
            continue
        kind, weight = type(layer).__name__, getattr(layer, "weight", None)
        if isinstance(layer, nn.Linear):
            verdict = f"{_SIZED}{layer.in_features} → {layer.out_features}"
        elif kind in _AFFINE:
            verdict = "affine"
        elif kind == "Function":
            kind, verdict = layer.extra_repr(), "as traced"
        else:
            try:
                Network.trace(layer, input_shape=(4 if weight is None else weight.numel(),))
                verdict = "piecewise linear"
            except NotPiecewiseLinearError as error:
                verdict = f"NOT piecewise linear: {error.reason.partition(';')[0]}"
            except EngineError:
                verdict = "as traced"
        verdicts.append(LayerVerdict(path, kind, verdict))
    return verdicts


def reference_check(checkpoint: Checkpoint, network: Network) -> ReferenceCheck:
    """Compare a traced network with the module that it was traced from."""
    import torch

    from engine import forward_in_float64, rounding_deviation

    lower, upper = checkpoint.domain
    dtype = next((p.dtype for p in checkpoint.module.parameters()), torch.float32)
    points = np.random.default_rng(0).uniform(lower, upper, (_POINTS, len(lower)))
    x = torch.from_numpy(points).to(dtype)  # rounded once, for all three
    with torch.inference_mode():
        native = checkpoint.module(x).double().reshape(_POINTS, -1).numpy()
    rounded = x.double().numpy()
    double = forward_in_float64(checkpoint.module, rounded)
    ours = network.forward(rounded)
    deviation = rounding_deviation(network, rounded, torch.finfo(dtype).eps / 2)
    largest = float(np.abs(double).max()) or 1.0
    return ReferenceCheck(
        points=_POINTS,
        dtype=str(dtype).removeprefix("torch."),
        largest_value=largest,
        relative_difference=float(np.abs(ours - double).max()) / largest,
        relative_rounding=float(np.abs(ours - native).max()) / largest,
        expected_rounding=_DEVIATIONS * float(deviation.max()) / largest,
    )


def with_advice(error: EngineError) -> str:
    """What the engine says of a network that it cannot draw, and what its owner can do."""
    from engine import NotPiecewiseLinearError

    if not isinstance(error, NotPiecewiseLinearError):
        return str(error)
    if error.layer_class == "Softplus":
        return f"{error}; train it with ReLU, or say --relu-limit to draw its ReLU limit, an approximation"
    if error.layer_class in _SMOOTH:
        return f"{error}; train it with ReLU to have linear regions"
    return str(error)


def _common_path(names: list[str]) -> str:
    """The dotted path that all names begin with, its last dot included; "" when there is none."""
    paths = [name.split(".")[:-1] for name in names]
    common = list(takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False)))
    return "".join(f"{parts[0]}." for parts in common)


def _linear_sizes(module: nn.Module) -> tuple[int, ...]:
    from torch import nn

    layers = [part for part in module.modules() if isinstance(part, nn.Linear)]
    return (*(layer.in_features for layer in layers[:1]), *(layer.out_features for layer in layers))


def _architecture(sizes: tuple[int, ...], nonlinear: tuple[NonlinearLayer, ...]) -> str:
    """The sizes from input to output, with runs of equal ones shortened: 3 → 8 x 64 → 1, relu."""
    first, *inner, last = sizes if len(sizes) > 1 else (*sizes, 0)
    runs = [(size, len(list(run))) for size, run in groupby(inner)]
    shown = [f"{count} x {size}" if count > 1 else str(size) for size, count in runs]
    kinds = sorted({layer.operation for layer in nonlinear})
    return " → ".join([str(first), *shown, str(last or "?")]) + (f", {', '.join(kinds)}" if kinds else "")


def _corner(values: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)})"
