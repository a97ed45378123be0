"""The record of how a file was made, as plain data and as one line of JSON."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Self

_PROGRAM: Final = "splinescope"
_PACKAGES: Final = ("numpy", "numba", "torch")
_WRITERS: Final = {
    ".svg": "matplotlib",
    ".pdf": "matplotlib",
    ".png": "matplotlib",
    ".vtp": "vtk",
    ".parquet": "pyarrow",
}
_FIGURES: Final = (".svg", ".pdf", ".png")
_LONGEST: Final = 1 << 20


class ProvenanceError(ValueError):
    """A record cannot be read; one line: what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a file was made from, and by what; no time, no name of a user or machine.

    command     the words for a shell; paths of outputs are not kept, but only their kind ("--out slice.pdf")
    checkpoint  its name as it was given; sha256: of its content, "" of a module without a file
    reading     the choices made by options; notes: all that was assumed, one line each
    planes      poses as text
    domain      lower and upper corner; level: of the file's own output, or as the command's --drawn-level counts it
    settings    of the drawing
    found       numbers that tell results apart
    versions    of what computed and wrote, by name
    """

    command: str
    checkpoint: str
    sha256: str
    reading: Mapping[str, str]
    notes: tuple[str, ...]
    planes: tuple[str, ...]
    domain: tuple[tuple[float, ...], ...]
    level: float
    settings: Mapping[str, str | float]
    found: Mapping[str, float]
    versions: Mapping[str, str]

    def of_output(self, option: str, path: Path) -> Self:
        """Return the record of one output: with the option that names it, and the package that writes its format."""
        suffix, command = path.suffix.lower(), shlex.split(self.command)[1]
        name = command if option == "--out" else option.removeprefix("--")
        writer = "vtk" if command == "render" else _WRITERS.get(suffix)
        versions = {**self.versions, **_installed(*([writer] if writer else []))}
        settings = self.settings if suffix in _FIGURES else {}
        return replace(self, command=f"{self.command} {option} {name}{suffix}", settings=settings, versions=versions)

    def words(self) -> list[str]:
        """Return the words after the program's name.  Raises ProvenanceError when the command is not one of ours."""
        try:
            program, *words = shlex.split(self.command)
        except ValueError as error:
            raise ProvenanceError("the command in its record is damaged; make the file anew by hand") from error
        if program != _PROGRAM or len(words) < 3:
            raise ProvenanceError("the command in its record is none of this program; make the file anew by hand")
        return words

    def to_text(self) -> str:
        """Return one line of JSON in ASCII."""
        return json.dumps({"format": 1, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Inverse of `to_text`.  Raises ProvenanceError."""
        try:
            given = json.loads(text) if len(text) <= _LONGEST else None
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict) or given.get("format") != 1:
            raise ProvenanceError("its record is none that this version reads; install the one that wrote it")
        values = {}
        for field in fields(cls):
            value = given.get(field.name)
            if not _IS[field.name](value):
                raise ProvenanceError(f"{field.name} in its record is damaged; make the file anew by hand")
            values[field.name] = _tuples(value)
        return cls(**values)


def versions(program: str) -> dict[str, str]:
    """Return the versions of what computes, by name, and the kind of machine; program: the program's own."""
    return {
        _PROGRAM: program,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **_installed(*_PACKAGES),
    }


def command_line(words: list[str]) -> str:
    """Return the words after the program's name as a line for a shell."""
    return shlex.join([_PROGRAM, *words])


def differences(before: Provenance, now: Provenance) -> list[str]:
    """Return a line for each fact in which two records differ, such as "regions: 1,240, now 1,244"."""
    old, new = _flat(asdict(before)), _flat(asdict(now))
    names = [*old, *(name for name in new if name not in old)]
    return [f"{name}: {_shown(old, name)}, now {_shown(new, name)}" for name in names if old.get(name) != new.get(name)]


def _shown(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    if value is None:
        return "not there"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        flat |= {name: value} if not isinstance(value, Mapping) else dict(value)
    return flat


def _installed(*packages: str) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(of, value))


def _is_table(value: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(of, value.values()))


_IS: Final[dict[str, Callable[[Any], bool]]] = {
    "command": _is_text,
    "checkpoint": _is_text,
    "sha256": _is_text,
    "reading": lambda value: _is_table(value, _is_text),
    "notes": lambda value: _is_list(value, _is_text),
    "planes": lambda value: _is_list(value, _is_text),
    "domain": lambda value: _is_list(value, lambda row: _is_list(row, _is_number)),
    "level": _is_number,
    "settings": lambda value: _is_table(value, lambda part: _is_text(part) or _is_number(part)),
    "found": lambda value: _is_table(value, _is_number),
    "versions": lambda value: _is_table(value, _is_text),
}
