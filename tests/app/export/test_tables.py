"""Lines and regions of a slice as files of other programs: they equal the partition."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pyvista
from numpy.typing import NDArray

from app.export.lines import write_lines_csv, write_lines_json, write_slice_vtp
from app.export.regions import write_regions
from app.state.slices import SliceResult
from engine import Partition, affine_maps, areas, centroids
from tests.app.conftest import DEPTH

MakeSlice = Callable[..., SliceResult]
Segments = dict[tuple[int, int], list[tuple[tuple[float, ...], ...]]]


def edges_of(partition: Partition) -> Segments:
    """End points of all edges by layer and neuron, in a fixed order."""
    found: Segments = defaultdict(list)
    ends = partition.vertices[partition.edges].tolist()
    for layer, neuron, pair in zip(partition.edge_layer.tolist(), partition.edge_neuron.tolist(), ends, strict=True):
        found[layer, neuron].append(tuple(sorted(map(tuple, pair))))
    return {key: sorted(pairs) for key, pairs in found.items()}


def steps_of(polylines: list[tuple[int, int, list[tuple[float, ...]]]]) -> Segments:
    found: Segments = defaultdict(list)
    for layer, neuron, points in polylines:
        found[layer, neuron] += [tuple(sorted(pair)) for pair in pairwise(points)]
    return {key: sorted(pairs) for key, pairs in found.items()}


def test_csv_lines_are_the_edges(make_slice: MakeSlice, tmp_path: Path) -> None:
    result, path = make_slice("x=0.3"), tmp_path / "a.csv"
    write_lines_csv(result, path, "{}")
    first, *rest = path.read_text().splitlines()
    assert first == "# provenance {}"
    rows = list(csv.DictReader(rest))
    lines: dict[int, tuple[int, int, list[tuple[float, ...]]]] = {}
    for row in rows:
        line = lines.setdefault(int(row["line"]), (int(row["layer"]), int(row["neuron"]), []))
        line[2].append((float(row["u"]), float(row["v"])))
    assert list(lines) == list(range(len(lines)))
    assert steps_of(list(lines.values())) == edges_of(result.partition)
    kinds = {int(row["layer"]): row["kind"] for row in rows}
    assert kinds == {-1: "border", **dict.fromkeys(range(DEPTH), "neuron"), DEPTH: "level"}
    uv = np.array([[float(row["u"]), float(row["v"])] for row in rows])
    points = np.array([[float(row[axis]) for axis in "xyz"] for row in rows])
    np.testing.assert_array_equal(result.partition.plane.to_input(uv), points)


def test_json_lines_are_the_edges(make_slice: MakeSlice, tmp_path: Path) -> None:
    result, path = make_slice(), tmp_path / "a.json"
    write_lines_json(result, path)
    data = json.loads(path.read_text())
    assert data["type"] == "FeatureCollection"
    assert data["plane"] == result.partition.plane.to_json()
    assert {feature["geometry"]["type"] for feature in data["features"]} == {"LineString"}
    lines = [
        (
            part["properties"]["layer"],
            part["properties"]["neuron"],
            [tuple(at) for at in part["geometry"]["coordinates"]],
        )
        for part in data["features"]
    ]
    assert steps_of(lines) == edges_of(result.partition)


def test_vtp_has_lines_and_regions_in_space(make_slice: MakeSlice, tmp_path: Path) -> None:
    result, path = make_slice("y=-0.2"), tmp_path / "a.vtp"
    partition = result.partition
    write_slice_vtp(result, path)
    mesh = pyvista.read(path)
    edges = len(partition.edges)
    np.testing.assert_array_equal(mesh.points, partition.points)
    np.testing.assert_array_equal(mesh.lines.reshape(-1, 3)[:, 1:], partition.edges)
    np.testing.assert_array_equal(np.concatenate(mesh.irregular_faces), partition.face_vertices)
    np.testing.assert_array_equal(mesh.point_data["value"], partition.values)
    data = mesh.cell_data
    np.testing.assert_array_equal(data["layer"][:edges], partition.edge_layer)
    np.testing.assert_array_equal(data["neuron"][:edges], partition.edge_neuron)
    np.testing.assert_array_equal(data["on_level"][:edges], partition.edge_on_level)
    np.testing.assert_array_equal(data["faces"][:edges], partition.edge_faces)
    np.testing.assert_array_equal(data["region"][edges:], np.arange(partition.regions))
    np.testing.assert_array_equal(data["area"][edges:], areas(partition))
    np.testing.assert_array_equal(data["gradient"][edges:], affine_maps(partition).gradient)
    assert set(data["region"][:edges]) == {-1}
    assert np.isnan(data["area"][:edges]).all()
    sizes = mesh.compute_cell_sizes()
    np.testing.assert_allclose(sizes.cell_data["Area"][edges:], areas(partition), atol=1e-6)  # VTK measures in float32


def _csv_table(partition: Partition, path: Path) -> dict[str, list[str]]:
    write_regions(partition, path, "csv", "{}")
    first, *rest = path.read_text().splitlines()
    assert first == "# provenance {}"
    rows = list(csv.DictReader(rest))
    return {name: [row[name] for row in rows] for name in rows[0]}


def _numbers(texts: list[str]) -> NDArray[np.float64]:
    return np.array(texts, np.float64)


def test_regions_as_csv(make_slice: MakeSlice, tmp_path: Path) -> None:
    partition = make_slice().partition
    table = _csv_table(partition, tmp_path / "a.csv")
    maps, centroid = affine_maps(partition), centroids(partition)
    assert table["region"] == [str(region) for region in range(partition.regions)]
    np.testing.assert_array_equal(_numbers(table["area"]), areas(partition))
    np.testing.assert_array_equal(np.stack([_numbers(table["u"]), _numbers(table["v"])], axis=1), centroid)
    gradient = np.stack([_numbers(table[f"gradient_{axis}"]) for axis in "xyz"], axis=1)
    np.testing.assert_array_equal(gradient, maps.gradient)
    points = np.stack([_numbers(table[axis]) for axis in "xyz"], axis=1)
    values = partition.network.forward(points)[:, 0]
    np.testing.assert_allclose(_numbers(table["value"]), values, rtol=0, atol=1e-12)
    beyond = [{int(name) for name in text.split()} for text in table["neighbours"]]
    expected: list[set[int]] = [set() for _ in range(partition.regions)]
    for left, right in partition.edge_faces.tolist():
        if left >= 0 and right >= 0:
            expected[left].add(right)
            expected[right].add(left)
    assert beyond == expected


def test_hashes_are_those_of_patterns_in_any_slice(make_slice: MakeSlice, tmp_path: Path) -> None:
    seen: dict[bytes, str] = {}
    for plane in ("z=0.1", "x=0.05"):  # they cross: some regions are in both
        partition = make_slice(plane).partition
        hashes = _csv_table(partition, tmp_path / "a.csv")["pattern"]
        patterns = partition.activation_pattern()[:, :-1]  # the last sign is that of the output
        for pattern, found in zip(patterns, hashes, strict=True):
            assert seen.setdefault(pattern.tobytes(), found) == found
        assert len(set(hashes)) == len(np.unique(patterns, axis=0)) == partition.linear_regions
    assert len(set(seen.values())) == len(seen)


def test_regions_as_parquet_are_those_of_csv(make_slice: MakeSlice, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    partition = make_slice().partition
    table = _csv_table(partition, tmp_path / "a.csv")
    write_regions(partition, tmp_path / "a.parquet", "parquet")
    read = parquet.read_table(tmp_path / "a.parquet")
    assert read.column_names == list(table)
    for name, column in table.items():
        values = read[name].to_pylist()
        if name == "neighbours":
            assert values == [[int(part) for part in text.split()] for text in column]
        elif name == "pattern":
            assert values == column
        else:
            assert values == [float(text) for text in column]
