"""The exact partition of slices of continuous piecewise linear networks."""

from engine.errors import Cancelled, EngineError, MemoryLimitError, NotPiecewiseLinearError, PlaneError, TraceError
from engine.level_set import Chains, LevelSet, chain_edges, chain_lines, level_set
from engine.location import Location
from engine.network import ForwardError, Network
from engine.partition import Progress, partition_polygon, partition_slice
from engine.planar_map import Partition, Ties
from engine.plane import SlicePlane, convex_polygon, plane_box_polygon, square_polygon
from engine.regions import AffineMaps, affine_maps, areas, centroids, gradient_norms

__all__ = [
    "AffineMaps",
    "Cancelled",
    "Chains",
    "EngineError",
    "ForwardError",
    "LevelSet",
    "Location",
    "MemoryLimitError",
    "Network",
    "NotPiecewiseLinearError",
    "Partition",
    "PlaneError",
    "Progress",
    "SlicePlane",
    "Ties",
    "TraceError",
    "affine_maps",
    "areas",
    "centroids",
    "chain_edges",
    "chain_lines",
    "convex_polygon",
    "gradient_norms",
    "level_set",
    "partition_polygon",
    "partition_slice",
    "plane_box_polygon",
    "square_polygon",
]
