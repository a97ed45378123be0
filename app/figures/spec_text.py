"""A figure's JSON form: what differs from the usual, by the names of `FigureSpec`; exact both ways."""

from __future__ import annotations

import json
import math
import types
from dataclasses import fields
from enum import Enum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from app.figures.spec import FigureSpec, Panel, SlicePanel, SpecError, SurfacePanel, check

FORMAT: Final = "splinescope figure"
_KINDS: Final[dict[str, type[Panel]]] = {"slice": SlicePanel, "surface": SurfacePanel}
_LONGEST: Final = 1 << 20


def spec_text(spec: FigureSpec, indent: int | None = None) -> str:
    """Return JSON in ASCII; indent: None for one line."""
    panels = [_written(panel) for panel in spec.panels]
    for panel, written in zip(spec.panels, panels, strict=True):
        if isinstance(panel, SurfacePanel):
            written["kind"] = "surface"
    facts = {"format": FORMAT, **_written(spec), "panels": panels}
    return json.dumps(facts, indent=indent, separators=(",", ":") if indent is None else None)


def spec_of_text(text: str) -> FigureSpec:
    """Return the figure of a JSON text, the inverse of `spec_text`.  Raises SpecError."""
    try:
        given = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError) as error:
        raise SpecError(f"this is no JSON: {error}; write a figure with --out figure.json to see one") from error
    if not isinstance(given, dict) or given.pop("format", None) != FORMAT:
        raise SpecError(f'this is no figure; its JSON has "format": "{FORMAT}"')
    panels = given.pop("panels", None)
    if not isinstance(panels, list) or not all(isinstance(panel, dict) for panel in panels):
        raise SpecError("panels: a list of objects is needed")
    read = [_panel(f"panels[{number}]", panel) for number, panel in enumerate(panels)]
    spec = FigureSpec(panels=tuple(read), **_values("", FigureSpec, given))
    check(spec)
    return spec


def _panel(where: str, given: dict[str, Any]) -> Panel:
    kind = given.pop("kind", "slice")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise SpecError(f"{where}.kind: {kind!r:.40}; give {' or '.join(_KINDS)}")
    made = _KINDS[kind]
    return made(**_values(f"{where}.", made, given))


def _written(part: FigureSpec | Panel) -> dict[str, Any]:
    """What differs from the defaults, as JSON has it."""
    found = {field.name: (getattr(part, field.name), field.default) for field in fields(part)}
    return {name: _plain(value) for name, (value, usual) in found.items() if name != "panels" and value != usual}


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _values(where: str, kind: type[Any], given: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    unknown = next((name for name in given if name not in hints or name == "panels"), None)
    if unknown is not None:
        raise SpecError(f"{where}{unknown!s:.40}: there is no such name; take it out")
    return {name: _value(f"{where}{name}", hints[name], value) for name, value in given.items()}


def _value(where: str, kind: Any, value: Any) -> Any:
    """Return a value of JSON as what a field holds."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        return None if value is None else _value(where, parts[0], value)
    if origin is tuple:
        return _tuple(where, parts, value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = [member.value for member in kind]
        if value not in known:
            raise SpecError(f"{where}: {value!r:.40}; give {' or '.join(known)}")
        return kind(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and _finite(value):
        return float(value)
    if type(value) is kind and kind is not float:
        return value
    raise SpecError(f"{where}: {value!r:.40} is {_NAMES[kind]}")


def _tuple(where: str, parts: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise SpecError(f"{where}: {value!r:.40} is no list")
    if parts[-1] is ...:
        return tuple(_value(f"{where}[{k}]", parts[0], part) for k, part in enumerate(value))
    if len(value) != len(parts):
        raise SpecError(f"{where}: {len(value)} values; give {len(parts)}")
    return tuple(_value(f"{where}[{k}]", kind, part) for k, (kind, part) in enumerate(zip(parts, value, strict=True)))


def _finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


_NAMES: Final = {
    float: "no finite number", int: "no whole number", bool: "neither true nor false", str: "no text"
}  # fmt: skip
