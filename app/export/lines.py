"""The lines of a slice as tables and as features: a polyline along each neuron's line, the border, the level set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.export.vtp import write_vtp
from app.provenance.carriers import KEY, comment
from app.state.slices import SliceResult
from engine import Partition, affine_maps, areas, chain_lines

_BLOCK = 1 << 14  # polylines that are written at once


@dataclass(frozen=True, eq=False, slots=True)
class Polylines:
    """The lines of one kind and layer.

    kind: "neuron", "border" or "level"; layer: as in `Partition.edge_layer`; neuron (P,) int32: of each polyline;
    vertex_ids (H,), offsets (P + 1,) int32: polyline i runs through vertex_ids[offsets[i]:offsets[i + 1]].
    """

    kind: str
    layer: int
    neuron: NDArray[np.int32]
    vertex_ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


def polylines(partition: Partition) -> Iterator[Polylines]:
    """Yield the border, the lines of each layer from the first, and the level set where the output cuts."""
    layers = len(partition.network.kinks)
    for layer in range(-1, layers + 1):
        chains = chain_lines(partition, layer)
        first = chains.edge_ids[chains.offsets[:-1] - np.arange(len(chains))]
        kind = {-1: "border", layers: "level"}.get(layer, "neuron")
        yield Polylines(kind, layer, partition.edge_neuron[first], chains.vertex_ids, chains.offsets)


def write_lines_csv(result: SliceResult, path: Path, provenance: str = "") -> None:
    """Write a table with a row for each vertex of each polyline, in order.

    Columns: line (its number), kind, layer, neuron, u, v (in the plane's coordinates), and the point in the network's
    input space: x, y, z, of two inputs x, y.  Numbers have all digits.
    """
    partition = result.partition
    axes = "xyz"[: partition.plane.dimension]
    columns = [partition.vertices[:, 0], partition.vertices[:, 1], *partition.points.T]
    number = 0
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.write(comment(provenance))
        stream.write(f"line,kind,layer,neuron,u,v,{','.join(axes)}\n")
        for part in polylines(partition):
            for first in range(0, len(part.neuron), _BLOCK):
                offsets = part.offsets[first : first + _BLOCK + 1]
                ids = part.vertex_ids[offsets[0] : offsets[-1]]
                texts = [",".join(map(repr, row)) for row in zip(*(c[ids].tolist() for c in columns), strict=True)]
                neurons = part.neuron[first : first + _BLOCK].tolist()
                for (start, stop), neuron in zip(pairwise((offsets - offsets[0]).tolist()), neurons, strict=True):
                    head = f"{number},{part.kind},{part.layer},{neuron},"
                    stream.writelines(f"{head}{text}\n" for text in texts[start:stop])
                    number += 1


def write_lines_json(result: SliceResult, path: Path, provenance: str = "") -> None:
    """Write a FeatureCollection as GeoJSON has it, in the plane's coordinates: a LineString for each polyline, with the
    properties kind, layer and neuron.  Besides: plane, its origin and axes, level, and provenance, an object.
    """
    partition = result.partition
    head = {"type": "FeatureCollection", "plane": partition.plane.to_json(), "level": partition.level}
    head |= {KEY: json.loads(provenance)} if provenance else {}
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.write(f'{json.dumps(head)[:-1]}, "features": [')
        separator = "\n"
        for part in polylines(partition):
            for neuron, (start, stop) in zip(part.neuron.tolist(), pairwise(part.offsets.tolist()), strict=True):
                points = partition.vertices[part.vertex_ids[start:stop]].tolist()
                properties = f'{{"kind": "{part.kind}", "layer": {part.layer}, "neuron": {neuron}}}'
                geometry = f'{{"type": "LineString", "coordinates": {points}}}'
                feature = f'{{"type": "Feature", "properties": {properties}, "geometry": {geometry}}}'
                stream.write(separator + feature)
                separator = ",\n"
        stream.write("\n]}\n")


def write_slice_vtp(result: SliceResult, path: Path, provenance: str = "") -> None:
    """Write the edges as lines and the regions as polygons, in the network's input space.

    Data of points: value, the network's output.  Data of cells: of edges layer, neuron (-1 of regions), breakpoint,
    on_level, faces (2); of regions region (-1 of edges), area, gradient, gradient_norm, offset, center_value (the
    output at the mean of the corners); what the other kind lacks is NaN, or -1 of integers.
    """
    partition = result.partition
    edges, regions = len(partition.edges), partition.regions
    maps, area = affine_maps(partition), areas(partition)
    gradient = maps.gradient.reshape(regions, -1)
    points = np.zeros((len(partition.vertices), 3))
    points[:, : partition.plane.dimension] = partition.points
    nothing = np.full(edges, np.nan)
    spatial = np.full((edges + regions, 3), np.nan)
    spatial[edges:, : gradient.shape[1]] = gradient
    if gradient.shape[1] == 2:
        spatial[edges:, 2] = 0.0
    none, no_edges = np.full(regions, -1, np.int32), np.full(regions, np.nan)
    sizes = np.diff(partition.face_offsets)
    mean = np.add.reduceat(partition.values[partition.face_vertices], partition.face_offsets[:-1]) / sizes
    data = {
        "layer": np.concatenate([partition.edge_layer, none]),
        "neuron": np.concatenate([partition.edge_neuron, none]),
        "breakpoint": np.concatenate([partition.edge_breakpoint, no_edges]),
        "on_level": np.concatenate([partition.edge_on_level.astype(np.int8), none.astype(np.int8)]),
        "faces": np.concatenate([partition.edge_faces, np.full((regions, 2), -1, np.int32)]),
        "region": np.concatenate([np.full(edges, -1, np.int32), np.arange(regions, dtype=np.int32)]),
        "area": np.concatenate([nothing, area]),
        "gradient": spatial,
        "gradient_norm": np.concatenate([nothing, np.linalg.norm(gradient, axis=1)]),
        "offset": np.concatenate([nothing, maps.offset]),
        "center_value": np.concatenate([nothing, mean]),
    }
    write_vtp(
        path,
        points,
        lines=(np.arange(0, 2 * edges + 1, 2, dtype=np.int64), partition.edges.ravel()),
        polygons=(partition.face_offsets.astype(np.int64), partition.face_vertices),
        point_data={"value": partition.values},
        cell_data=data,
        provenance=provenance,
    )
