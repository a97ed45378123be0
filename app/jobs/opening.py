"""From a file or a module to a network that can be looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from app.imports import many_imports
from app.inspection import checkpoint_notes, with_advice
from app.state.geometry.surfaces import CoarseSurface
from app.state.session import OpenNetwork
from app.state.texts.wording import without_options
from engine import Cancelled, EngineError, Network, NotPiecewiseLinearError

if TYPE_CHECKING:
    from torch import nn

    from sdf_models import Question, Reading

OpenFile = Callable[[Path, Callable[[], bool], "Reading | None"], OpenNetwork]
"""`open_file`, here or in a process of its own."""

_OPERATIONS: Final = 4e9  # multiplications that a coarse surface may cost
_RESOLUTIONS: Final = (20, 64)
_BLOCK: Final = 1 << 13  # points whose values stay in the cache
_BLOCK_BYTES: Final = 1 << 20
_MOST_TENSORS: Final = 200  # of a file, in the notes


class OpeningError(ValueError):
    """A file or module cannot be looked at; one line: what, why, what to do."""


class UnansweredError(OpeningError):
    """A file can be read in more than one way: it can be opened once the question is answered in the reading."""

    def __init__(self, message: str, question: Question, reading: Reading) -> None:
        super().__init__(message)
        self.question, self.reading = question, reading

    def __reduce__(self) -> tuple[type[Self], tuple[str, Question, Reading]]:
        return type(self), (str(self), self.question, self.reading)


class SmoothError(OpeningError):
    """The network is one of Softplus, whose ReLU limit can be drawn.  reading: the choices made for its file."""

    def __init__(self, message: str, reading: Reading | None = None) -> None:
        super().__init__(message)
        self.reading = reading

    def __reduce__(self) -> tuple[type[Self], tuple[str, Reading | None]]:
        return type(self), (str(self), self.reading)


def open_file(path: Path, cancelled: Callable[[], bool], reading: Reading | None = None) -> OpenNetwork:
    """reading: the choices made for the file.  Raises OpeningError, and of its kinds UnansweredError."""
    with many_imports():
        from sdf_models import CheckpointError, OpenQuestionError, Reading, load_checkpoint

    try:
        checkpoint = load_checkpoint(path, reading)
    except OpenQuestionError as error:
        raise UnansweredError(str(error), error.question, reading or Reading()) from error
    except CheckpointError as error:
        raise OpeningError(str(error)) from error
    try:
        opened = open_module(checkpoint.module, checkpoint.domain, path.name, path, cancelled)
    except SmoothError as error:
        raise SmoothError(str(error), reading or Reading()) from error
    notes = checkpoint_notes(checkpoint, opened.network)
    # The network's own notes are shown beside the facts.
    shown = (*notes.lines()[1:], *notes.tensor_lines()[:_MOST_TENSORS])
    facts = tuple((label, without_options(text)) for label, text in shown if text not in opened.network.notes)
    return replace(
        opened,
        path=path.absolute(),
        facts=facts,
        approximation=notes.approximation,
        reading=reading,
        sha256=checkpoint.provenance["sha256"],
    )


def file_hash(path: Path, cancelled: Callable[[], bool]) -> str:
    """SHA-256 of a file's content, hexadecimal; "" when it cannot be read, and of what is no ordinary file."""
    found = hashlib.sha256()
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                if cancelled():
                    raise Cancelled("cancelled by a newer request")
                found.update(block)
    except OSError:
        return ""
    return found.hexdigest()


def open_module(
    module: nn.Module,
    domain: NDArray[np.float64],
    name: str,
    path: Path | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> OpenNetwork:
    """Trace a module and look at its surface coarsely.  Raises OpeningError."""
    if domain.shape != (2, 3):
        raise OpeningError(
            f"{path or name}: the network takes {domain.shape[1]} inputs, and the window shows networks of three; "
            "use partition_slice from Python"
        )
    try:
        network = Network.trace(module, input_shape=(3,))
    except NotPiecewiseLinearError as error:
        kind = SmoothError if error.layer_class == "Softplus" else OpeningError
        raise kind(f"{path or name}: {with_advice(error)}") from error
    except EngineError as error:
        raise OpeningError(f"{path or name}: {with_advice(error)}") from error
    if network.output_size != 1:
        raise OpeningError(
            f"{path or name}: the network has {network.output_size} outputs, and the window shows networks of one; "
            "wrap it in a module that selects one"
        )
    parameters = sum(parameter.numel() for parameter in module.parameters())
    facts = (("parameters", f"{parameters:,}"), *((f"depth {i}", k) for i, k in enumerate(network.layer_names)))
    preview = coarse_surface(module, domain, parameters, cancelled)
    return OpenNetwork(name, path, network, domain, facts, preview)


def coarse_surface(
    module: nn.Module, domain: NDArray[np.float64], parameters: int, cancelled: Callable[[], bool]
) -> CoarseSurface:
    """The zero level set of the interpolation on a grid, by flying edges (Schroeder, Maynard, Geveci, 2015).

    The module runs in its own dtype, on a copy in eval mode; the grid is coarser where it has many parameters.  It runs
    on the calling thread: torch's others spin while they wait for each other, which on two cores takes longer.
    """
    import torch

    low, high = _RESOLUTIONS
    n = int(np.clip((_OPERATIONS / max(parameters, 1)) ** (1 / 3), low, high))
    still = deepcopy(module).eval()
    dtype = next((parameter.dtype for parameter in still.parameters()), torch.float64)
    x, y, z = (torch.linspace(float(a), float(b), n, dtype=dtype) for a, b in domain.T)
    grid = torch.stack(torch.meshgrid(z, y, x, indexing="ij")[::-1], dim=-1).reshape(-1, 3)
    blocks = []
    with torch.no_grad(), _one_thread():
        for block in grid.split(_BLOCK):
            if cancelled():
                raise Cancelled("cancelled by a newer request")
            blocks.append(still(block).reshape(-1).double())
    return _contoured(torch.cat(blocks).numpy(), domain, n)


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _contoured(values: NDArray[np.float64], domain: NDArray[np.float64], n: int) -> CoarseSurface:
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

    image = vtkImageData()
    image.SetDimensions(n, n, n)
    image.SetOrigin(*domain[0])
    image.SetSpacing(*((domain[1] - domain[0]) / (n - 1)))
    image.GetPointData().SetScalars(numpy_to_vtk(values, deep=True))
    contour = vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.Update()
    found = contour.GetOutput()
    if found.GetNumberOfPolys() == 0:
        return CoarseSurface.none()
    points = vtk_to_numpy(found.GetPoints().GetData()).astype(np.float64)
    triangles = vtk_to_numpy(found.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)[:, ::-1]
    return CoarseSurface.from_triangles(points, triangles)
