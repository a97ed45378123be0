"""A slice as data: arrays for NumPy, facts for JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from app.export.arrays import write_arrays
from app.state.slices import SliceResult


def write_npz(result: SliceResult, path: Path, provenance: str = "") -> None:
    """The partition's arrays under the names of `engine.Partition`, which documents their shapes and dtypes.

    Besides: points (V, D), origin (D,), axes (2, D), ties, tie_<kind>, linear_regions, level (nan when the output did
    not cut), kink_names (L,) str, approximation, str, where the network is not the checkpoint's own, and provenance,
    str, a line of JSON that says how the file was made.  Reads back with `numpy.load(path)`, no pickle.
    """
    partition = result.partition
    arrays: dict[str, Any] = {name: getattr(partition, name) for name in _ARRAYS}
    arrays["level"] = np.nan if partition.level is None else partition.level
    if result.approximation:
        arrays["approximation"] = np.array(result.approximation)
    arrays["kink_names"] = np.array(partition.network.layer_names, dtype=np.str_)
    arrays |= {f"tie_{kind}": count for kind, count in asdict(partition.tie_counts).items()}
    write_arrays(arrays, path, provenance)


_ARRAYS = (
    "vertices",
    "points",
    "values",
    "edges",
    "edge_layer",
    "edge_neuron",
    "edge_breakpoint",
    "edge_on_level",
    "edge_faces",
    "edge_also_offsets",
    "edge_also",
    "edge_also_breakpoint",
    "face_offsets",
    "face_vertices",
    "face_edges",
    "origin",
    "axes",
    "linear_regions",
    "ties",
)


def slice_facts(result: SliceResult) -> dict[str, Any]:
    """What --json prints of one slice; edges_per_layer counts the edges of each kink, from the first."""
    partition = result.partition
    counts = np.bincount(partition.edge_layer + 1, minlength=len(partition.network.kinks) + 2).tolist()
    return {
        "plane": {"description": partition.plane.describe(), **partition.plane.to_json()},
        "level": partition.level,
        "approximation": result.approximation or None,
        "regions": partition.regions,
        "linear_regions": partition.linear_regions,
        "vertices": len(partition.vertices),
        "edges": len(partition.edges),
        "edges_per_layer": counts[1:-1],
        "edges_of_level": counts[-1],
        "edges_of_border": counts[0],
        "zero_level_length": result.level_set.length,
        "ties": partition.ties,
        "tie_counts": asdict(partition.tie_counts),
        "seconds": partition.seconds,
    }
