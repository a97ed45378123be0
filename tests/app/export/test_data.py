from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from app.export.data import slice_facts, write_npz
from app.state.slices import SliceResult

MakeSlice = Callable[..., SliceResult]


def test_npz_holds_the_whole_partition(make_slice: MakeSlice, tmp_path: Path) -> None:
    result, path = make_slice(), tmp_path / "a.npz"
    partition = result.partition
    write_npz(result, path)
    with np.load(path, allow_pickle=False) as data:
        read = dict(data)

    vertices, edges, faces = len(partition.vertices), len(partition.edges), partition.regions
    also, sides = len(partition.edge_also), len(partition.face_vertices)
    shapes = {
        "vertices": ("f8", (vertices, 2)),
        "points": ("f8", (vertices, 3)),
        "values": ("f8", (vertices,)),
        "edges": ("i4", (edges, 2)),
        "edge_layer": ("i4", (edges,)),
        "edge_neuron": ("i4", (edges,)),
        "edge_breakpoint": ("f8", (edges,)),
        "edge_on_level": ("?", (edges,)),
        "edge_faces": ("i4", (edges, 2)),
        "edge_also_offsets": ("i4", (edges + 1,)),
        "edge_also": ("i4", (also, 2)),
        "edge_also_breakpoint": ("f8", (also,)),
        "face_offsets": ("i4", (faces + 1,)),
        "face_vertices": ("i4", (sides,)),
        "face_edges": ("i4", (sides,)),
        "origin": ("f8", (3,)),
        "axes": ("f8", (2, 3)),
        "linear_regions": ("i8", ()),
        "ties": ("i8", ()),
        "level": ("f8", ()),
    }
    for name, (dtype, shape) in shapes.items():
        assert read[name].dtype == np.dtype(dtype), name
        assert read[name].shape == shape, name
        np.testing.assert_array_equal(read.pop(name), getattr(partition, name), err_msg=name)
    assert read.pop("kink_names").tolist() == list(partition.network.layer_names)
    assert {name: int(count) for name, count in read.items()} == {
        f"tie_{kind}": count for kind, count in asdict(partition.tie_counts).items()
    }


def test_npz_alone_lets_a_reader_check_the_network(make_slice: MakeSlice, tmp_path: Path) -> None:
    result = make_slice()
    write_npz(result, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as data:
        values = result.partition.network.forward(data["points"])[:, 0]
        np.testing.assert_allclose(data["values"], values, rtol=0, atol=1e-12)
        np.testing.assert_allclose(data["points"], data["origin"] + data["vertices"] @ data["axes"], rtol=0, atol=1e-14)
        on_level = np.unique(data["edges"][data["edge_on_level"]])
        assert len(on_level) > 0
        assert np.abs(data["values"][on_level]).max() < 1e-12


def test_facts_add_up(make_slice: MakeSlice) -> None:
    result = make_slice()
    facts = json.loads(json.dumps(slice_facts(result)))
    assert facts["vertices"] - facts["edges"] + facts["regions"] == 1
    assert sum(facts["edges_per_layer"]) + facts["edges_of_level"] + facts["edges_of_border"] == facts["edges"]
    assert facts["linear_regions"] < facts["regions"]
    assert facts["zero_level_length"] == pytest.approx(result.level_set.length)
    assert sum(facts["tie_counts"].values()) == facts["ties"] == 0
    assert facts["plane"]["description"] == "z = 0.1"
