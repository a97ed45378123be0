"""The exact partition of slices of continuous piecewise linear networks, and their exact level surfaces."""

from engine.compare.beside import are_equal, beside, have_equal_layers, mapped
from engine.compare.complexity import LocalComplexity, local_complexity
from engine.compare.differences import SliceDifferences, slice_differences
from engine.compare.patterns import PatternAgreement, pattern_agreement
from engine.compare.polylines import PolylineDistances, polyline_distances
from engine.compare.refinement import CommonRefinement, common_refinement, refine
from engine.compare.slice_measures import SliceMeasures, slice_measures
from engine.compare.triangles import fans
from engine.errors import Cancelled, EngineError, MemoryLimitError, NotPiecewiseLinearError, PlaneError, TraceError
from engine.facts.face_values import face_signs, weighted_quantiles
from engine.facts.level_set import Chains, LevelSet, chain_edges, chain_lines, level_set
from engine.facts.location import Location
from engine.facts.region_facts import BEYOND, LayerPattern, Neighbour, Neuron, RegionFacts, facet_facts, region_facts
from engine.facts.regions import AffineMaps, affine_maps, areas, centroids, gradient_norms
from engine.facts.statistics import NeuronStatistics, neuron_statistics
from engine.machine.jit import inline, kernel
from engine.machine.memory import available as available_memory
from engine.network.hidden_neuron import neuron_network
from engine.network.network import ForwardError, Network
from engine.network.tiny_network import tiny_network
from engine.planar_map.planar_map import Partition, Ties
from engine.plane import SlicePlane, convex_polygon, plane_box_polygon, square_polygon
from engine.slices.partition import partition_polygon, partition_slice
from engine.slices.tiling import is_wide
from engine.slices.walk import Progress
from engine.surface.certificate import Certificate, certify_surface, with_certificate
from engine.surface.cut import SurfaceCut, cut_surface
from engine.surface.seeds import Seeds
from engine.surface.segment import SegmentPartition, partition_segment
from engine.surface.surface import Surface, SurfaceProgress, SurfaceReport, extract_surface
from engine.trace.deviation import forward_in_float64, rounding_deviation

__all__ = [
    "BEYOND",
    "AffineMaps",
    "Cancelled",
    "Certificate",
    "Chains",
    "CommonRefinement",
    "EngineError",
    "ForwardError",
    "LayerPattern",
    "LevelSet",
    "LocalComplexity",
    "Location",
    "MemoryLimitError",
    "Neighbour",
    "Network",
    "Neuron",
    "NeuronStatistics",
    "NotPiecewiseLinearError",
    "Partition",
    "PatternAgreement",
    "PlaneError",
    "PolylineDistances",
    "Progress",
    "RegionFacts",
    "Seeds",
    "SegmentPartition",
    "SliceDifferences",
    "SliceMeasures",
    "SlicePlane",
    "Surface",
    "SurfaceCut",
    "SurfaceProgress",
    "SurfaceReport",
    "Ties",
    "TraceError",
    "affine_maps",
    "are_equal",
    "areas",
    "available_memory",
    "beside",
    "centroids",
    "certify_surface",
    "chain_edges",
    "chain_lines",
    "common_refinement",
    "convex_polygon",
    "cut_surface",
    "extract_surface",
    "face_signs",
    "facet_facts",
    "fans",
    "forward_in_float64",
    "gradient_norms",
    "have_equal_layers",
    "inline",
    "is_wide",
    "kernel",
    "level_set",
    "local_complexity",
    "mapped",
    "neuron_network",
    "neuron_statistics",
    "partition_polygon",
    "partition_segment",
    "partition_slice",
    "pattern_agreement",
    "plane_box_polygon",
    "polyline_distances",
    "refine",
    "region_facts",
    "rounding_deviation",
    "slice_differences",
    "slice_measures",
    "square_polygon",
    "tiny_network",
    "weighted_quantiles",
    "with_certificate",
]
