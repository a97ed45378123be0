"""Files that no format recognises: what they seem to be, and what its owner can do."""

from __future__ import annotations

import re

from sdf_models.formats import recipes, torch_file
from sdf_models.formats.format import PEEK, Damaged, Peek, Refused

_SAVE_WEIGHTS = "where it was made, save the weights alone: torch.save(model.state_dict(), 'weights.pth')"
_END_OF_ZIP = b"PK\x05\x06"
_OPENED = (
    "checkpoints are state dicts of torch.save, .safetensors, .onnx and .npz files of weights, and what splinescope "
    "train writes"
)
_SIGNATURES: tuple[tuple[re.Pattern[bytes], str, str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), what, remedy, recipe)
    for pattern, what, remedy, recipe in (
        (
            rb"PK\x03\x04.*(?:archive_format|serialized_exported_program|models/model\.json)",
            "an exported program (.pt2), whose loader can run code",
            _SAVE_WEIGHTS + ", or export it as ONNX",
            recipes.OF_EXPORTED,
        ),
        (
            rb"PK\x03\x04.*/(?:code|constants)[/.]",
            "a TorchScript program, which runs code",
            _SAVE_WEIGHTS,
            recipes.OF_TORCHSCRIPT,
        ),
        (rb"PK\x03\x04", "a zip archive that holds no weights", _OPENED, ""),
        (
            rb"\x80[\x00-\x05]",
            "a pickle, which can run code when opened",
            _SAVE_WEIGHTS,
            recipes.OF_PICKLE,
        ),
        (rb"\x93NUMPY", "a single array (.npy), not a network", _OPENED, ""),
        (rb"\x89HDF\r\n", "an HDF5 file (Keras?), not supported", "export the network as ONNX", ""),
        (rb"\x1c\x00\x00\x00TFL3|.{4}TFL3", "a TensorFlow Lite model, not supported", "export the network as ONNX", ""),
        (rb"\x89PNG|\xff\xd8\xff|GIF8", "a picture", _OPENED, ""),
        (rb"\x1f\x8b|7z\xbc\xaf|\xfd7zXZ", "a compressed file", "unpack it first", ""),
        (
            rb"ply\r?\n|OFF\s|solid |(?:#[^\n]*\n|\s)*(?:v|o|g|mtllib) ",
            "a mesh",
            "fit a network to it: splinescope train",
            "",
        ),
        (rb"\s*[\[{]", "a JSON file", _OPENED, ""),
        (rb"\s*<", "an HTML or XML page (a failed download?)", _OPENED, ""),
        (rb"version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch it: git lfs pull", ""),
        (rb"[\t\n\r\x20-\x7e]+\Z", "a text file", _OPENED, ""),
    )
)


def _size(peek: Peek) -> str:
    return f"{len(peek.head):,} bytes long" if len(peek.head) < PEEK else "without its end"


def refusal(peek: Peek, name: str) -> Refused:
    """Return the reason why a file of this name, which begins and ends with these bytes, is not opened."""
    if not peek.head:
        return Refused("the file is empty", "copy or download it again")
    if peek.head.startswith(b"PK\x03\x04") and _END_OF_ZIP not in peek.tail:
        return Damaged(f"a zip archive that was cut off, {_size(peek)}")
    if len(peek.head) < len(torch_file.LEGACY_MAGIC) and torch_file.LEGACY_MAGIC.startswith(peek.head):
        return Damaged(f"the start of a PyTorch file that was cut off, {_size(peek)}")
    both = peek.head + peek.tail if len(peek.head) < len(peek.tail) or peek.head != peek.tail else peek.head
    for pattern, what, remedy, recipe in _SIGNATURES:
        if pattern.match(both):
            return Refused(what, remedy, recipe.format(name=name))
    return Refused("not a checkpoint of a known format", _OPENED)
