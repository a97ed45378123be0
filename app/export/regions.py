"""The regions of a slice as a table, CSV or Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from app.provenance.carriers import KEY, comment
from engine import Partition, affine_maps, areas, centroids

if TYPE_CHECKING:
    import pyarrow

_BLOCK: Final = 1 << 16
_HASH: Final = 8  # bytes: two of a million patterns have the same with a chance of 3 in 10^8


@dataclass(frozen=True, eq=False, slots=True)
class RegionTable:
    """The F regions of a slice of a network with one output, in the order of the partition.

    columns           float64 (F,) by name: area; u, v, x, y, z: the centroid in the plane's coordinates and in the
                      input space (of two inputs x, y); value: the output there; gradient_norm; gradient_x, ...; offset:
                      of the map x -> A x + b of the region
    pattern           (F,) str: 16 hexadecimal digits, the same for the same activation pattern in any slice of the
                      network; the parts into which the level cuts a linear region share it
    neighbour_offsets (F + 1,), neighbours (K,) int32: the regions across the edges, ascending, each once
    """

    columns: dict[str, NDArray[np.float64]]
    pattern: list[str]
    neighbour_offsets: NDArray[np.int32]
    neighbours: NDArray[np.int32]


def region_table(partition: Partition) -> RegionTable:
    """Return the regions' table.  Raises EngineError for a snapshot of an unfinished partition."""
    maps, centroid = affine_maps(partition), centroids(partition)
    points = partition.plane.to_input(centroid)
    names = "xyz"[: partition.plane.dimension]
    columns = {
        "area": areas(partition),
        "u": centroid[:, 0],
        "v": centroid[:, 1],
        **dict(zip(names, points.T, strict=True)),
        "value": maps.values(points),
        "gradient_norm": np.linalg.norm(maps.gradient, axis=1),
        **{f"gradient_{name}": part for name, part in zip(names, maps.gradient.T, strict=True)},
        "offset": maps.offset,
    }
    return RegionTable(columns, _pattern_hashes(partition), *_neighbours(partition))


def write_regions(partition: Partition, path: Path, format: str, provenance: str = "") -> None:
    """Write the table of regions; format: "csv", or "parquet", which needs pyarrow (ImportError).

    In CSV the neighbours are separated by spaces, in Parquet they are lists of int32.
    """
    table = region_table(partition)
    (_write_parquet if format == "parquet" else _write_csv)(table, path, provenance)


def _write_csv(table: RegionTable, path: Path, provenance: str) -> None:
    with path.open("w", encoding="ascii", newline="\n") as stream:
        stream.write(comment(provenance))
        stream.write(f"region,{','.join(table.columns)},pattern,neighbours\n")
        for first in range(0, len(table.pattern), _BLOCK):
            last = min(first + _BLOCK, len(table.pattern))
            offsets = table.neighbour_offsets[first : last + 1].tolist()
            beyond = list(map(str, table.neighbours[offsets[0] : offsets[-1]].tolist()))
            rows = zip(*(column[first:last].tolist() for column in table.columns.values()), strict=True)
            stream.writelines(
                f"{region},{','.join(map(repr, row))},{table.pattern[region]},"
                f"{' '.join(beyond[offsets[i] - offsets[0] : offsets[i + 1] - offsets[0]])}\n"
                for i, (region, row) in enumerate(zip(range(first, last), rows, strict=True))
            )


def _write_parquet(table: RegionTable, path: Path, provenance: str) -> None:
    import pyarrow
    from pyarrow import parquet

    arrays: dict[str, pyarrow.Array] = {"region": pyarrow.array(np.arange(len(table.pattern), dtype=np.int32))}
    arrays |= {name: pyarrow.array(column) for name, column in table.columns.items()}
    arrays["pattern"] = pyarrow.array(table.pattern)
    arrays["neighbours"] = pyarrow.ListArray.from_arrays(
        pyarrow.array(table.neighbour_offsets), pyarrow.array(table.neighbours)
    )
    made = pyarrow.table(arrays)
    if provenance:
        made = made.replace_schema_metadata({KEY: provenance})
    parquet.write_table(made, path)


def _pattern_hashes(partition: Partition) -> list[str]:
    """Return BLAKE2b of the signs of all neurons' rows, as the bits that the layers keep."""
    face = np.arange(partition.regions, dtype=np.int32)
    layers = len(partition.network.kinks)
    words = []
    for layer in reversed(range(len(partition.face_signs))):
        signs = partition.face_signs[layer]
        if layer < layers:
            words += [signs.minus[face], signs.plus[face]]
        face = signs.parent[face]
    row = np.ascontiguousarray(np.concatenate(words[::-1], axis=1).astype("<u8"))
    size, data = row.itemsize * row.shape[1], row.tobytes()
    return [blake2b(data[i : i + size], digest_size=_HASH).hexdigest() for i in range(0, len(data), size)]


def _neighbours(partition: Partition) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    inner = partition.edge_faces[(partition.edge_faces >= 0).all(axis=1)].astype(np.int64)
    count = partition.regions
    keys = np.unique(np.concatenate([inner @ (count, 1), inner @ (1, count)]))
    region, beyond = np.divmod(keys, count)
    return np.searchsorted(region, np.arange(count + 1)).astype(np.int32), beyond.astype(np.int32)
