"""The engine's errors: one clear line for the user each."""

from __future__ import annotations


class EngineError(ValueError):
    """Something the engine was asked for cannot be done; the message says what, where, why and what to do next."""


class TraceError(EngineError):
    """A module could not be traced: it does not run on the given input shape, or not in a way that can be followed."""


class NotPiecewiseLinearError(TraceError):
    """A layer of a module is not continuous and piecewise linear, or is not supported.

    layer: the layer's path in the module ("" for the module itself); layer_class: its class; reason: why.
    """

    def __init__(self, layer: str, layer_class: str, reason: str) -> None:
        where = f"layer '{layer}' ({layer_class})" if layer else f"the module itself ({layer_class})"
        super().__init__(f"{where}: {reason}")
        self.layer = layer
        self.layer_class = layer_class
        self.reason = reason


class PlaneError(EngineError):
    """A slice plane or its domain is not well defined, or the two do not meet."""


class MemoryLimitError(EngineError):
    """A computation was refused before it allocated more memory than the machine has left."""


class Cancelled(Exception):  # noqa: N818  a status, not an error
    """A computation was cancelled by its caller; it leaves nothing behind."""
