"""The container formats that can be opened, one module each."""

from __future__ import annotations

from sdf_models.formats import neural_implicit_queries, splinescope
from sdf_models.formats.format import Format

FORMATS: tuple[Format, ...] = (splinescope.FORMAT, neural_implicit_queries.FORMAT)
"""In the order in which they are tried: the first that recognises a file's content opens it."""
