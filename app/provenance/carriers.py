"""What carries a text in the files of each format: one function that writes it, one that reads it.

The text is one line of ASCII, with no line break in it.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from app.provenance.record import ProvenanceError

KEY: Final = "provenance"
"""The name of the text, wherever a format has names."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_LINE: Final = 100  # characters of a comment: readers of PLY have lines of fixed length
_DESCRIPTION: Final = "{http://purl.org/dc/elements/1.1/}description"


def figure_metadata(format: str, text: str) -> dict[str, str | None]:
    """Return what matplotlib writes into a figure: the text, and no time.  format: "svg", "pdf" or "png"."""
    own: dict[str, dict[str, str | None]] = {
        "svg": {"Creator": "SplineScope", "Date": None},
        "pdf": {"Creator": "SplineScope", "CreationDate": None},
        "png": {"Software": "SplineScope"},
    }
    name = {"svg": "Description", "pdf": "Subject", "png": KEY}[format]
    return own[format] | ({name: text} if text else {})


def add_to_png(path: Path, text: str) -> None:
    """Put a text into a PNG file that has none."""
    data = path.read_bytes()
    header = len(_PNG) + 25  # signature and IHDR
    body = b"tEXt" + KEY.encode() + b"\0" + text.encode("ascii")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:header] + chunk + data[header:])


def comment(text: str) -> str:
    """Return the first line of a table that holds a text; nothing of no text."""
    return f"# {KEY} {text}\n" if text else ""


def comments(mark: str, text: str) -> Iterator[str]:
    """Yield short lines of comments that hold a text; mark: how a comment begins."""
    for start in range(0, len(text), _LINE):
        yield f"{mark} {KEY} {text[start : start + _LINE]}\n"


def read_carried(path: Path) -> str:
    """Return the text that a file carries.  Raises ProvenanceError when it has none, OSError when it cannot be read."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ProvenanceError(f"files of this kind hold no record; give one of {', '.join(_READERS)}")
    try:
        found = reader(path)
    except (ValueError, KeyError, EOFError, RecursionError, struct.error) as error:
        raise ProvenanceError("the file is damaged, or not what its name says; make it anew by hand") from error
    if not found:
        raise ProvenanceError("it holds no record of how it was made; make it anew by hand")
    return found


def _from_png(path: Path) -> str:
    with path.open("rb") as stream:
        if stream.read(len(_PNG)) != _PNG:
            raise ValueError("no PNG")
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"tEXt":
                name, _, text = stream.read(length).partition(b"\0")
                if name == KEY.encode():
                    return text.decode("ascii")
                stream.seek(4, 1)
            elif kind == b"IDAT":
                break
            else:
                stream.seek(length + 4, 1)
    return ""


def _from_svg(path: Path) -> str:
    try:
        for _, element in ElementTree.iterparse(path):
            if element.tag == _DESCRIPTION:
                return element.text or ""
            if element.tag.endswith("}metadata"):
                break
    except ElementTree.ParseError as error:
        raise ValueError("no SVG") from error
    return ""


def _from_pdf(path: Path) -> str:
    """Of the dictionary that describes the document, written plainly as matplotlib does."""
    data = path.read_bytes()
    if not data.startswith(b"%PDF"):
        raise ValueError("no PDF")
    found = re.search(rb"/Subject\s+\(((?:[^()\\]|\\.)*)\)", data)
    return re.sub(rb"\\(.)", rb"\1", found[1]).decode("ascii") if found else ""


def _from_npz(path: Path) -> str:
    import zipfile

    import numpy as np

    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as data:
            if KEY not in data:
                return ""
            if data.zip.getinfo(f"{KEY}.npy").file_size > 8 * _LONGEST:
                raise ValueError("no record is so long")
            return str(data[KEY])
    except (zipfile.BadZipFile, zlib.error) as error:
        raise ValueError("no npz") from error


def _from_vtp(path: Path) -> str:
    from vtkmodules.vtkCommonCore import vtkObject
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    with path.open("rb") as stream:
        if b"PolyData" not in stream.read(256):
            raise ValueError("no VTP")
    before = vtkObject.GetGlobalWarningDisplay()
    vtkObject.GlobalWarningDisplayOff()  # VTK tells of damage on stderr
    try:
        reader = vtkXMLPolyDataReader()
        reader.SetFileName(str(path))
        reader.Update()
        array = reader.GetOutput().GetFieldData().GetAbstractArray(KEY)
    finally:
        vtkObject.SetGlobalWarningDisplay(before)
    return str(array.GetValue(0)) if array is not None and array.GetNumberOfValues() else ""


def _from_json(path: Path) -> str:
    given: Any = json.loads(path.read_bytes())
    record = given.get(KEY) if isinstance(given, dict) else None
    return "" if record is None else json.dumps(record)


def _from_parquet(path: Path) -> str:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ProvenanceError("Parquet needs the package pyarrow; install splinescope[parquet]") from error

    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
    except pyarrow.ArrowException as error:
        raise ValueError("no Parquet") from error
    return str(metadata.get(KEY.encode(), b"").decode())


def _from_comments(mark: str) -> Callable[[Path], str]:
    """Return the reader of comments that begin with a mark, before the numbers of a file."""
    start = f"{mark} {KEY} ".encode()

    def read(path: Path) -> str:
        parts = []
        with path.open("rb") as stream:
            for _ in range(_COMMENTS):
                line = stream.readline(_LONGEST)
                if line.startswith(start):
                    parts.append(line[len(start) :].rstrip(b"\r\n"))
                elif parts or not line:
                    break
        return b"".join(parts).decode("ascii")

    return read


_COMMENTS: Final = 20_000  # lines are looked at
_LONGEST: Final = 1 << 20

_READERS: Final[dict[str, Callable[[Path], str]]] = {
    ".svg": _from_svg,
    ".pdf": _from_pdf,
    ".png": _from_png,
    ".npz": _from_npz,
    ".vtp": _from_vtp,
    ".csv": _from_comments("#"),
    ".json": _from_json,
    ".parquet": _from_parquet,
    ".ply": _from_comments("comment"),
    ".obj": _from_comments("#"),
}
