"""What a file that no format recognises seems to be, and what its owner can do."""

from __future__ import annotations

import re

from sdf_models.formats.format import Damaged, Refused

_SAVE_WEIGHTS = (
    "where it was made, copy the weights into sdf_models.ReluMLP and write them with sdf_models.save_checkpoint"
)
_OPENED = "checkpoints are .safetensors files written by splinescope and .npz files of neural-implicit-queries"

_SIGNATURES: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), what, remedy)
    for pattern, what, remedy in (
        (rb"PK\x03\x04.*/(?:code|constants)[/.]", "a TorchScript or exported program, which runs code", _SAVE_WEIGHTS),
        (
            rb"PK\x03\x04.*data\.pkl",
            "a PyTorch checkpoint (a pickle in a zip archive), not supported yet",
            _SAVE_WEIGHTS,
        ),
        (rb"PK\x03\x04", "a zip archive that holds no arrays", _OPENED),
        (rb"\x80[\x00-\x05]", "a pickle (an older PyTorch checkpoint?), which can run code when opened", _SAVE_WEIGHTS),
        (rb"\x93NUMPY", "a single array (.npy), not a network", _OPENED),
        (rb"\x89HDF\r\n", "an HDF5 file, not supported", _SAVE_WEIGHTS),
        (rb"\x08.{0,256}(?:onnx|pytorch|ir_version)", "an ONNX model, not supported yet", _SAVE_WEIGHTS),
        (rb"\x89PNG|\xff\xd8\xff|GIF8", "a picture", _OPENED),
        (rb"\x1f\x8b|7z\xbc\xaf|\xfd7zXZ", "a compressed file", "unpack it first"),
        (
            rb"ply\r?\n|OFF\s|solid |(?:#[^\n]*\n|\s)*(?:v|o|g|mtllib) ",
            "a mesh",
            "fit a network to it: splinescope train",
        ),
        (rb"\s*[\[{]", "a JSON file", _OPENED),
        (rb"\s*<", "an HTML or XML page (a failed download?)", _OPENED),
        (rb"[\t\n\r\x20-\x7e]+\Z", "a text file", _OPENED),
    )
)


def refusal(data: bytes) -> Refused:
    """Why these bytes are not opened."""
    if not data:
        return Damaged("the file is empty")
    for pattern, what, remedy in _SIGNATURES:
        if pattern.match(data[:65_536]):
            return Refused(what, remedy)
    return Refused("not a checkpoint of a known format", _OPENED)
