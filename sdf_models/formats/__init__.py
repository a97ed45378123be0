"""The container formats that can be opened, one module each."""

from __future__ import annotations

from sdf_models.formats import neural_implicit_queries, onnx_file, splinescope
from sdf_models.formats.containers import CONTAINERS, as_format
from sdf_models.formats.format import Format

FORMATS: tuple[Format, ...] = (
    splinescope.FORMAT,
    neural_implicit_queries.FORMAT,
    *(as_format(container) for container in CONTAINERS),
    onnx_file.FORMAT,
)
"""In the order in which they are tried: the first that recognises a file's content opens it."""
