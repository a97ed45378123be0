"""Files that hold code, or what is not a network, are refused with a way out; nothing in them runs."""

from __future__ import annotations

import argparse
import io
import pickle
import sys
import textwrap
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sdf_models import CheckpointError, Reading, load_checkpoint
from sdf_models.formats import numpy_scalars, recipes
from sdf_models.module_reference import load_module
from tests.sdf_models.definitions import plain_mlp, randomised
from tests.sdf_models.files import own_bytes

RELU = Reading(activation="relu")


def refused(path: Path, reading: Reading | None = None) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, reading)
    assert "; " in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    compile(caught.value.recipe, "recipe", "exec")  # it is code that can be copied
    return caught.value


def test_a_pickled_module_is_refused_with_a_recipe(tmp_path: Path) -> None:
    for legacy in (False, True):
        path = tmp_path / "whole.pth"
        torch.save(plain_mlp(), path, _use_new_zipfile_serialization=not legacy)
        error = refused(path)
        assert "torch.nn.modules.container.Sequential" in str(error)
        assert "whole.pth" in error.recipe


def test_settings_in_a_file_are_named(tmp_path: Path) -> None:
    torch.save({"model_state_dict": plain_mlp().state_dict(), "args": SETTINGS}, tmp_path / "a.pth")
    assert "argparse.Namespace" in str(refused(tmp_path / "a.pth"))


class Estimator:
    """As those of scikit-learn hold their weights."""

    def __init__(self, module: nn.Sequential) -> None:
        linear = [part for part in module if isinstance(part, nn.Linear)]
        self.coefs_ = [layer.weight.detach().numpy().T for layer in linear]
        self.intercepts_ = [layer.bias.detach().numpy() for layer in linear]


def exported(module: nn.Module, path: Path) -> None:
    torch.export.save(torch.export.export(module, (torch.zeros(2, 3),)), path)


def traced(module: nn.Module, path: Path) -> None:
    torch.jit.save(torch.jit.trace(module, torch.zeros(1, 3)), path)


def pickled(content: Any, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


SETTINGS = argparse.Namespace(width=16)
REFUSED_FILES: dict[str, Callable[[nn.Sequential, Path], None]] = {
    "a module": torch.save,
    "nested under any name": lambda m, path: torch.save({"a": {"_any.name": m.state_dict()}, "cfg": SETTINGS}, path),
    "a module in a list": lambda m, path: torch.save([SETTINGS, {"best one": m}], path),
    "before torch 1.6": lambda m, path: torch.save((m, SETTINGS), path, _use_new_zipfile_serialization=False),
    "a pickle of arrays": lambda m, path: pickled({k: v.numpy() for k, v in m.state_dict().items()}, path),
    "a pickle of an estimator": lambda m, path: pickled({"model": Estimator(m), "of": "anything"}, path),
    "TorchScript": traced,
    "an exported program": exported,
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", REFUSED_FILES)
def test_every_recipe_makes_a_file_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    module = randomised(plain_mlp())
    REFUSED_FILES[kind](module, Path("an odd 'name'"))
    error = refused(Path("an odd 'name'"))
    assert error.recipe
    exec(error.recipe, {})
    points = torch.rand(10, 3)
    torch.testing.assert_close(load_checkpoint("weights.pth", RELU).module(points), module(points)[:, 0])


def test_every_recipe_of_the_program_is_among_those() -> None:
    texts = {name: text for name, text in vars(recipes).items() if name.startswith("OF_")}
    assert set(texts) == {"OF_TORCH", "OF_PICKLE", "OF_TORCHSCRIPT", "OF_EXPORTED"}


@pytest.mark.parametrize("legacy", [False, True])
def test_numpy_scalars_beside_weights_are_numbers(tmp_path: Path, legacy: bool) -> None:
    module = randomised(plain_mlp())
    beside = {
        "best": np.float64(0.01),
        "epoch": np.int64(7),
        "flag": np.bool_(True),
        "big": np.dtype(">f4").type(3),
        "activation": np.str_("relu"),
    }
    content = {
        "pipeline": {f"_model.net.{k}": v for k, v in module.state_dict().items()},
        "log": [np.float32(1)],
        **beside,
    }
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    checkpoint = load_checkpoint(tmp_path / "a.pth")
    points = torch.rand(10, 3)
    assert torch.equal(checkpoint.module(points), module(points)[:, 0])
    assert checkpoint.notes[0] == "activation relu: the file's activation says so"
    assert checkpoint.provenance["epoch"] == "7"


@pytest.mark.parametrize("odd", [np.zeros(3), np.datetime64("2020-01-01"), np.complex64(1j), np.bytes_(b"abc")])
def test_other_objects_of_numpy_stay_refused(tmp_path: Path, odd: Any) -> None:
    torch.save({"state_dict": plain_mlp().state_dict(), "odd": odd}, tmp_path / "a.pth")
    assert "damaged" not in str(refused(tmp_path / "a.pth"))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("O8", b"01234567"),
        ("f8", b"0123"),
        ("f8", "text"),
        ([("a", "O")], b"01234567"),
        ("V8", b"01234567"),
        (None, b""),
    ],
)
def test_forged_scalars_make_nothing(kind: Any, content: Any) -> None:
    (dtype, _), (scalar, _), _ = numpy_scalars.SAFE
    stand_in = dtype(kind, False, True)  # type: ignore[operator]
    stand_in.__setstate__((3, "<", None, None, None, -1, -1, 0))
    with pytest.raises(pickle.UnpicklingError, match="scalar of numpy"):
        scalar(stand_in, content)  # type: ignore[operator]
    with pytest.raises(pickle.UnpicklingError, match="no plain kind"):
        scalar(np.dtype("f8"), b"01234567")  # type: ignore[operator]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused_by_name(tmp_path: Path) -> None:
    traced(plain_mlp(), tmp_path / "a")
    assert "TorchScript" in str(refused(tmp_path / "a"))


def test_exported_programs_are_refused(tmp_path: Path) -> None:
    program = torch.export.export(plain_mlp(), (torch.zeros(2, 3),))
    torch.export.save(program, tmp_path / "a.pt2")
    error = refused(tmp_path / "a.pt2")
    assert "exported program" in str(error)
    assert "ONNX" in str(error)


def test_a_slice_is_not_a_checkpoint(tmp_path: Path) -> None:
    names = ("vertices", "edges", "edge_layer", "edge_neuron", "face_offsets", "kink_names", "values")
    np.savez_compressed(tmp_path / "a.npz", **{name: np.zeros(3) for name in names})
    message = str(refused(tmp_path / "a.npz"))
    assert "the partition of a slice" in message
    assert "damaged" not in message


def rewritten(data: bytes, change: Any) -> bytes:
    """A torch file with another data.pkl."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            content = old.read(member.filename)
            new.writestr(member.filename, change(content) if member.filename.endswith("data.pkl") else content)
    return stream.getvalue()


def torch_bytes(content: Any, *, legacy: bool = False) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def test_tensors_that_claim_more_than_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    expanded = {"0.weight": torch.zeros(1, 1).expand(1 << 20, 1 << 20), "2.weight": torch.zeros(1, 1 << 20)}
    path.write_bytes(torch_bytes(expanded))
    assert "more than the file holds" in str(refused(path, RELU))
    shared = torch.zeros(1 << 20)
    path.write_bytes(torch_bytes({f"{i}": shared for i in range(200)}))
    assert "numbers" in str(refused(path, RELU))
    good = torch_bytes({"a": torch.arange(16.0)})
    path.write_bytes(rewritten(good, lambda data: data.replace(b"K\x10", b"J\x00\x00\x00\x40")))
    assert "record size" in str(refused(path, RELU))


def test_nesting_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    bomb: Any = [torch.zeros(2, 2)]
    for _ in range(30):
        bomb = [bomb, bomb, bomb]
    path.write_bytes(torch_bytes(bomb))
    assert "too many items" in str(refused(path, RELU))
    cyclic: dict[str, Any] = {"weight": torch.zeros(2, 2)}
    cyclic["self"] = cyclic
    path.write_bytes(torch_bytes(cyclic))
    assert "too deeply" in str(refused(path, RELU))
    deep: Any = torch.zeros(2, 2)
    for _ in range(200):
        deep = {"a": deep}
    path.write_bytes(torch_bytes(deep))
    assert "too deeply" in str(refused(path, RELU))


def test_odd_tensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    for odd in (torch.zeros(2, 2).to_sparse(), torch.zeros(2, 2, device="meta")):
        path.write_bytes(torch_bytes({"0.weight": odd}))
        refused(path, RELU)


def test_compressed_torch_archives_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, protocol=2))
        archive.writestr("archive/data/0", bytes(1 << 20))
    (tmp_path / "a.pth").write_bytes(stream.getvalue())
    assert "compressed" in str(refused(tmp_path / "a.pth"))


def bytes_read() -> int:
    """By this process, from anything, where the system counts them."""
    counts = Path("/proc/self/io")
    return int(counts.read_text().split()[1]) if counts.exists() else 0


@pytest.mark.parametrize("head", [b"", b"PK\x03\x04", bytes(range(1, 200)), b"\x80\x02}q\x00."])
def test_a_gigabyte_of_something_else_is_refused_unread(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(1 << 30)
    before = bytes_read()
    refused(path)
    assert bytes_read() - before < 1 << 20


def test_recipes_name_the_file(tmp_path: Path) -> None:
    for content in (b"\x80\x02}q\x00.", b"PK\x03\x04 a/code/b PK\x05\x06", b"PK\x03\x04 archive_format PK\x05\x06"):
        path = tmp_path / 'my "net" {0}.bin'
        path.write_bytes(content)
        assert repr(path.name) in refused(path).recipe


def test_names_too_long_for_their_side_file_or_for_any_file(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250)
    torch.save(plain_mlp().state_dict(), path)
    assert load_checkpoint(path, RELU).provenance["family"] == "mlp"
    assert "longer than file names can be" in str(refused(tmp_path / ("a" * 300)))


def write_code(folder: Path, body: str) -> None:
    (folder / "mine.py").write_text("import torch\nfrom torch import nn\n" + textwrap.dedent(body))
    sys.modules.pop("mine", None)


def test_a_module_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_code(
        tmp_path,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(3, 8), nn.Linear(8, 1)
            def forward(self, x):
                return self.b(torch.relu(self.a(x)))
        def network():
            torch.manual_seed(0)
            return Net()
        def nothing():
            return 3
        def broken():
            return 1 / 0
        def leaving():
            raise SystemExit(3)
        """,
    )
    path_before = list(sys.path)
    checkpoint = load_module("mine:network")
    points = torch.rand(10, 3)
    expected = sys.modules["mine"].network()
    torch.testing.assert_close(checkpoint.module(points), expected(points))
    assert any("your own code" in note for note in checkpoint.notes)
    trained = randomised(sys.modules["mine"].network(), 3)
    torch.save({"state_dict": {f"model.module.{k}": v for k, v in trained.state_dict().items()}}, "a.pth")
    opened = load_module("mine:network", Path("a.pth"), Reading(bounds=(-2.0, 2.0)))
    torch.testing.assert_close(opened.module(points), trained(points))
    assert opened.domain.tolist() == [[-2.0] * 3, [2.0] * 3]
    torch.save(plain_mlp().state_dict(), "b.pth")
    for reference, file, words in (
        ("mine:nothing", None, "returned an int"),
        ("mine:broken", None, "ZeroDivisionError"),
        ("mine:leaving", None, "SystemExit: 3"),
        ("mine:absent", None, "absent"),
        ("nowhere.at.all:f", None, "nowhere"),
        ("mine", None, "MODULE:FUNCTION"),
        ("mine:network", Path("b.pth"), "needs 'a.bias'"),
        ("mine:network", Path("none.pth"), "cannot be read"),
    ):
        with pytest.raises(CheckpointError, match=words):
            load_module(reference, file)
    with pytest.raises(CheckpointError, match="does not apply"):
        load_module("mine:network", None, RELU)
    assert sys.path == path_before
    sys.modules.pop("mine")


def test_a_file_never_names_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_code(tmp_path, "raise RuntimeError('run')\n")
    state = plain_mlp().state_dict()
    torch.save({"state_dict": state, "module": "mine:network"}, "a.pth")
    load_checkpoint("a.pth", RELU)
    Path("a.pth.reading.json").write_text('{"module": "mine:network"}')
    assert "no choice 'module'" in str(refused(Path("a.pth"), RELU))
    assert "mine" not in sys.modules


def test_own_format_leaves_no_choice(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(own_bytes())
    assert "--activation does not apply" in str(refused(tmp_path / "a", RELU))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_checkpoint(tmp_path / "a", Reading(bounds=(-2.0, 2.0))).domain[0, 0] == -2.0
