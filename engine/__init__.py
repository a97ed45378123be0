"""The exact partition of slices of continuous piecewise linear networks."""

from engine.errors import Cancelled, EngineError, MemoryLimitError, NotPiecewiseLinearError, PlaneError, TraceError
from engine.network import Network
from engine.partition import Progress, partition_polygon, partition_slice
from engine.planar_map import Partition, Ties
from engine.plane import SlicePlane

__all__ = [
    "Cancelled",
    "EngineError",
    "MemoryLimitError",
    "Network",
    "NotPiecewiseLinearError",
    "Partition",
    "PlaneError",
    "Progress",
    "SlicePlane",
    "Ties",
    "TraceError",
    "partition_polygon",
    "partition_slice",
]
