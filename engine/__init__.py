"""The exact partition of slices of continuous piecewise linear networks, and their exact level surfaces."""

from engine.certificate import Certificate, certify_surface, with_certificate
from engine.errors import Cancelled, EngineError, MemoryLimitError, NotPiecewiseLinearError, PlaneError, TraceError
from engine.level_set import Chains, LevelSet, chain_edges, chain_lines, level_set
from engine.location import Location
from engine.network import ForwardError, Network
from engine.neuron_network import neuron_network
from engine.partition import Progress, partition_polygon, partition_slice
from engine.planar_map import Partition, Ties
from engine.plane import SlicePlane, convex_polygon, plane_box_polygon, square_polygon
from engine.regions import AffineMaps, affine_maps, areas, centroids, gradient_norms
from engine.seeds import Seeds
from engine.segment import SegmentPartition, partition_segment
from engine.statistics import NeuronStatistics, neuron_statistics
from engine.surface import Surface, SurfaceProgress, SurfaceReport, extract_surface
from engine.surface_cut import SurfaceCut, cut_surface

__all__ = [
    "AffineMaps",
    "Cancelled",
    "Certificate",
    "Chains",
    "EngineError",
    "ForwardError",
    "LevelSet",
    "Location",
    "MemoryLimitError",
    "Network",
    "NeuronStatistics",
    "NotPiecewiseLinearError",
    "Partition",
    "PlaneError",
    "Progress",
    "Seeds",
    "SegmentPartition",
    "SlicePlane",
    "Surface",
    "SurfaceCut",
    "SurfaceProgress",
    "SurfaceReport",
    "Ties",
    "TraceError",
    "affine_maps",
    "areas",
    "centroids",
    "certify_surface",
    "chain_edges",
    "chain_lines",
    "convex_polygon",
    "cut_surface",
    "extract_surface",
    "gradient_norms",
    "level_set",
    "neuron_network",
    "neuron_statistics",
    "partition_polygon",
    "partition_segment",
    "partition_slice",
    "plane_box_polygon",
    "square_polygon",
    "with_certificate",
]
