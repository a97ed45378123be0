"""A session as JSON: what is needed to bring it back, and nothing that is executed.

Everything read is checked: kinds, ranges, lengths; numbers are finite.  Planes are written as poses, exactly.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from app.state.comparison import MOST_COLUMNS, SWITCHES, Apart, Between, Compared
from app.state.geometry.poses import Pose, PoseError
from app.state.geometry.viewpoint import Viewpoint
from app.state.line_style import NARROWEST, USUAL, WIDEST, LineStyle
from app.state.look import CLEAREST, Fill, SceneLook
from app.state.palette import Palette
from app.state.saved_session import (
    LAST_KEY,
    SIDES,
    Layout,
    Point,
    SavedCheckpoint,
    SavedPin,
    SavedSession,
    SessionFileError,
    numbered_anew,
)
from app.state.session import Session, Slice, without_controls
from engine import Neuron

if TYPE_CHECKING:
    from engine import SlicePlane
    from sdf_models import Reading

MARK: Final = "splinescope session"
VERSION: Final = 4
"""Files of version 1 have no style, no pins, and no side in their layout; those of version 2 no domain and no level;
those of version 3 no opacity, nothing of a neuron in space, and of the camera neither projection nor centre.  A layout
need not say "flat" and "linked", nor a session "comparison" and "timeline", which earlier files do not."""
MOST_BYTES: Final = 4 << 20
_MOST: Final = {"checkpoints": 1024, "slices": 4096, "hidden depths": 4096, "pins": 4096, "columns": MOST_COLUMNS,
                "pair": 2, "apart": 4096 * MOST_COLUMNS}  # fmt: skip
_LONGEST: Final = 4096  # characters of a path or a name
_LARGEST: Final = 1e12
_SIZES: Final = (1, 100_000)  # pixels
_NO_SWITCHES: Final = ("hidden_depths", "style", "opacity", "neuron")

_T = TypeVar("_T")


def to_text(saved: SavedSession, folder: Path) -> str:
    """JSON for a file in `folder`: checkpoints are found from there."""
    session, look, view, layout = saved.session, saved.session.look, saved.viewpoint, saved.layout
    neuron = session.neuron
    content = {
        MARK: VERSION,
        "checkpoints": [
            {
                "path": _relative(part.path, folder),
                "sha256": part.sha256,
                "reading": None if part.reading is None else part.reading.to_json(),
                "domain": part.domain,
                "level": part.level,
            }
            for part in saved.checkpoints
        ],
        "shown": saved.shown,
        "slices": [
            {
                "key": part.key,
                "name": part.name,
                "pose": str(Pose(part.plane)),
                "colour": part.colour,
                "visible": part.visible,
            }
            for part in session.slices
        ],
        "active": session.active,
        "next key": session.next_key,
        "look": {name: getattr(look, name) for name in _switches()},
        "hidden depths": sorted(look.hidden_depths),
        "opacity": look.opacity,
        "neuron in space": look.neuron,
        "style": {"palette": look.style.palette.value, "lines": look.style.lines, "level": look.style.level},
        "fill": session.fill.value,
        "neuron": None if neuron is None else [neuron.layer, neuron.index],
        "tiled": session.tiled,
        "comparison": None if session.comparison is None else _comparison_json(session.comparison),
        "timeline": None if session.timeline is None else _relative(session.timeline, folder),
        "pins": [
            {
                "number": pin.number,
                "checkpoint": pin.checkpoint,
                "slice": pin.key,
                "pose": None if pin.plane is None else str(Pose(pin.plane)),
                "point": pin.point,
                "middle": pin.middle,
            }
            for pin in saved.pins
        ],
        "camera": None if view is None else asdict(view),
        "layout": None if layout is None else _layout_json(layout),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _comparison_json(compared: Compared) -> dict[str, Any]:
    return {
        "columns": compared.columns,
        "between": compared.between.value,
        "pair": compared.pair,
        **{name: getattr(compared, name) for name in SWITCHES},
        "apart": [
            {"checkpoint": part.network, "slice": part.key, "pose": str(Pose(part.plane))} for part in compared.apart
        ],
    }


def _layout_json(layout: Layout) -> dict[str, Any]:
    return {
        "size": layout.size,
        "widths": layout.widths,
        "side": layout.side,
        "side width": layout.side_width,
        "flat": layout.flat,
        "linked": layout.linked,
    }


def from_text(text: str, folder: Path) -> SavedSession:
    """The inverse of `to_text`.  Raises SessionFileError."""
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise SessionFileError("it is not JSON that can be read") from error
    if not isinstance(content, dict) or MARK not in content:
        raise SessionFileError(f'it does not say "{MARK}"')
    version = content[MARK]
    if type(version) is not int or version < 1:
        raise SessionFileError("its version is not a number from 1")
    if version > VERSION:
        raise SessionFileError(
            f"its version is {version:.0f}, of a newer SplineScope; this one reads versions up to {VERSION}"
        )
    checkpoints = _several(content, "checkpoints", lambda value: _checkpoint(value, folder, version))
    if not checkpoints:
        raise SessionFileError('"checkpoints" is empty')
    slices = _several(content, "slices", _slice)
    keys = [part.key for part in slices]
    if len(set(keys)) != len(keys):
        raise SessionFileError("two slices have the same key")
    active = _maybe(content, "active", lambda value: _whole(value, "active"))
    if (active is None) != (not slices) or (active is not None and active not in keys):
        raise SessionFileError('"active" is not the key of a slice')
    look = _object(_get(content, "look"), "look")
    hidden = _several(content, "hidden depths", lambda value: _whole(value, "a hidden depth"))
    switches = {name: _flag(_get(look, name), name) for name in _switches()}
    style = USUAL if version < 2 else _style(_get(content, "style"))
    opacity = 100 if version < 4 else _whole(_get(content, "opacity"), '"opacity"', 100, CLEAREST)
    in_space = (
        None if version < 4 else _maybe(content, "neuron in space", lambda value: _flag(value, "neuron in space"))
    )
    pins = () if version < 2 else _several(content, "pins", lambda value: _pin(value, len(checkpoints), keys))
    if len({pin.number for pin in pins}) != len(pins):
        raise SessionFileError("two pins have the same number")
    saved = SavedSession(
        checkpoints,
        _whole(_get(content, "shown"), "shown", len(checkpoints) - 1),
        Session(
            slices=slices,
            active=active,
            look=SceneLook(**switches, hidden_depths=frozenset(hidden), style=style, opacity=opacity, neuron=in_space),
            fill=_fill(_get(content, "fill")),
            neuron=_maybe(content, "neuron", _neuron),
            tiled=_flag(_get(content, "tiled"), "tiled"),
            comparison=_comparison(content.get("comparison"), len(checkpoints), keys),
            timeline=_timeline(content.get("timeline"), folder),
            next_key=max([_whole(_get(content, "next key"), "next key"), *(key + 1 for key in keys)]),
        ),
        _maybe(content, "camera", lambda value: _viewpoint(value, version)),
        _maybe(content, "layout", lambda value: _layout(value, version)),
        pins,
    )
    return saved if saved.session.next_key <= LAST_KEY // 2 else numbered_anew(saved)


def _switches() -> list[str]:
    return [field.name for field in fields(SceneLook) if field.name not in _NO_SWITCHES]


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _reading(value: Any) -> Reading:
    from sdf_models import Reading  # imports torch, which a window without one does without

    return Reading.from_json(value)


def _checkpoint(value: Any, folder: Path, version: int) -> SavedCheckpoint:
    described = _object(value, "a checkpoint")
    path, digest = _path(_get(described, "path")), _text(_get(described, "sha256"), "a hash")
    if not path:
        raise SessionFileError("a path is empty")
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise SessionFileError("a hash is not 64 hexadecimal digits")
    try:
        reading = _maybe(described, "reading", _reading)
    except (ValueError, OverflowError, RecursionError) as error:
        raise SessionFileError(f"the choices for {path!r:.60} make no sense: {error!s:.200}") from error
    where = Path(os.path.normpath(folder / path))
    if version < 3:
        return SavedCheckpoint(where, digest, reading)
    level = _number(_get(described, "level"), "a level")
    return SavedCheckpoint(where, digest, reading, _maybe(described, "domain", _domain), level)


def _domain(value: Any) -> tuple[Point, Point]:
    if not isinstance(value, list) or len(value) != 2:
        raise SessionFileError('"domain" is not two corners')
    low, high = (_point(corner, "domain") for corner in value)
    if not all(a < b for a, b in zip(low, high, strict=True)):
        raise SessionFileError('"domain" is not a lower and an upper corner')
    return low, high


def _slice(value: Any) -> Slice:
    described = _object(value, "a slice")
    return Slice(
        _whole(_get(described, "key"), "a key"),
        _text(_get(described, "name"), "a name") or "slice",
        _plane(_get(described, "pose")),
        _whole(_get(described, "colour"), "a colour"),
        _flag(_get(described, "visible"), "visible"),
    )


def _plane(value: Any) -> SlicePlane:
    try:
        pose = Pose.parse(_text(value, "a pose"))
    except PoseError as error:
        raise SessionFileError(f"a pose cannot be read: {error}") from error
    if max(abs(number) for number in pose.plane.origin.tolist()) > _LARGEST:
        raise SessionFileError("a plane is too far away")
    return pose.plane


def _pin(value: Any, checkpoints: int, keys: list[int]) -> SavedPin:
    described = _object(value, "a pin")
    key = _maybe(described, "slice", lambda value: _whole(value, "the slice of a pin"))
    plane = _maybe(described, "pose", _plane)
    if (key is None) != (plane is None) or (key is not None and key not in keys):
        raise SessionFileError("the slice of a pin is not one of the session")
    return SavedPin(
        _whole(_get(described, "number"), "the number of a pin"),
        _whole(_get(described, "checkpoint"), "the checkpoint of a pin", checkpoints - 1),
        key,
        plane,
        _point(_get(described, "point"), "point"),
        _point(_get(described, "middle"), "middle"),
    )


def _comparison(value: Any, checkpoints: int, keys: list[int]) -> Compared | None:
    if value is None:
        return None
    described = _object(value, "comparison")
    columns = _several(described, "columns", lambda value: _whole(value, "a column", checkpoints - 1))
    if len(set(columns)) != len(columns) or len(columns) < 2:
        raise SessionFileError('"columns" are not two different checkpoints or more')
    pair = _several(described, "pair", lambda value: _whole(value, "of the pair", len(columns) - 1))
    if len(pair) != 2 or pair[0] == pair[1]:
        raise SessionFileError('"pair" is not two different columns')
    names = [between.value for between in Between]
    if (name := _get(described, "between")) not in names:
        raise SessionFileError(f'"between" is not one of {", ".join(names)}')
    switches = {name: _flag(_get(described, name), name) for name in SWITCHES}
    apart = _several(described, "apart", lambda value: _apart(value, columns, keys))
    return Compared(columns, Between(name), (pair[0], pair[1]), apart=apart, **switches)


def _timeline(value: Any, folder: Path) -> Path | None:
    return None if value is None else Path(os.path.normpath(folder / _path(value)))


def _apart(value: Any, columns: tuple[int, ...], keys: list[int]) -> Apart:
    described = _object(value, "a plane of a column")
    network, key = (_whole(_get(described, name), f'"{name}" of a plane') for name in ("checkpoint", "slice"))
    if network not in columns or key not in keys:
        raise SessionFileError("a plane of a column is of no column or slice")
    return Apart(network, key, _plane(_get(described, "pose")))


def _style(value: Any) -> LineStyle:
    described = _object(value, "style")
    names = [palette.value for palette in Palette]
    if (name := _get(described, "palette")) not in names:
        raise SessionFileError(f'"palette" is not one of {", ".join(names)}')
    widths = [_whole(_get(described, width), f'"{width}"', WIDEST, NARROWEST) for width in ("lines", "level")]
    return LineStyle(Palette(name), *widths)


def _fill(value: Any) -> Fill:
    if value not in [fill.value for fill in Fill]:
        raise SessionFileError(f'"fill" is not one of {", ".join(fill.value for fill in Fill)}')
    return Fill(value)


def _neuron(value: Any) -> Neuron:
    if not isinstance(value, list) or len(value) != 2:
        raise SessionFileError('"neuron" is not a layer and a number')
    return Neuron(_whole(value[0], "a layer"), _whole(value[1], "a neuron"))


def _viewpoint(value: Any, version: int) -> Viewpoint:
    described = _object(value, "camera")
    position, focus, up = (_point(_get(described, name), name) for name in ("position", "focus", "up"))
    sight = [a - b for a, b in zip(position, focus, strict=True)]
    across = [sight[i - 2] * up[i - 1] - sight[i - 1] * up[i - 2] for i in range(3)]
    if math.hypot(*across) <= 1e-9 * math.hypot(*sight) * math.hypot(*up):
        raise SessionFileError("the camera looks nowhere")
    if version < 4:
        return Viewpoint(position, focus, up)
    centre = _maybe(described, "centre", lambda value: _point(value, "centre"))
    return Viewpoint(position, focus, up, _flag(_get(described, "parallel"), "parallel"), centre)


def _point(value: Any, name: str) -> Point:
    if not isinstance(value, list) or len(value) != 3:
        raise SessionFileError(f'"{name}" is not three numbers')
    x, y, z = (_number(number, f'a number of "{name}"') for number in value)
    return x, y, z


def _number(value: Any, name: str) -> float:
    if type(value) not in (int, float) or not -_LARGEST <= value <= _LARGEST:
        raise SessionFileError(f"{name} is not finite and of sensible size")
    return float(value)


def _layout(value: Any, version: int) -> Layout:
    described = _object(value, "layout")
    (width, height), (scene, slices) = (_pair(_get(described, name), name) for name in ("size", "widths"))
    if version < 2:
        return Layout((width, height), (scene, slices))
    if (side := _get(described, "side")) not in SIDES:
        raise SessionFileError('"side" is not a panel of the window')
    side_width = _whole(_get(described, "side width"), '"side width"', _SIZES[1])
    flat, linked = (_flag(described.get(name, False), name) for name in ("flat", "linked"))
    return Layout((width, height), (scene, slices), side, side_width, flat, linked)


def _pair(value: Any, name: str) -> tuple[int, int]:
    low, high = _SIZES
    if not isinstance(value, list) or len(value) != 2 or not all(type(n) is int and low <= n <= high for n in value):
        raise SessionFileError(f'"{name}" is not two numbers of pixels')
    return value[0], value[1]


def _get(described: dict[str, Any], name: str) -> Any:
    if name not in described:
        raise SessionFileError(f'"{name}" is missing')
    return described[name]


def _maybe(described: dict[str, Any], name: str, read: Callable[[Any], _T]) -> _T | None:
    value = _get(described, name)
    return None if value is None else read(value)


def _several(described: dict[str, Any], name: str, read: Callable[[Any], _T]) -> tuple[_T, ...]:
    values = _get(described, name)
    if not isinstance(values, list) or len(values) > _MOST[name]:
        raise SessionFileError(f'"{name}" is not a list of at most {_MOST[name]}')
    return tuple(read(value) for value in values)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SessionFileError(f'"{name}" is not a JSON object')
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or value != without_controls(value):
        raise SessionFileError(f"{name} is not a text of at most {_LONGEST:,} printable characters")
    return value


def _path(value: Any) -> str:
    """Return any name that the system may give a file, also one in bytes that are no text."""
    try:
        possible = isinstance(value, str) and len(value) <= _LONGEST and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise SessionFileError(f"a path is not a text of at most {_LONGEST:,} characters that a path may have")
    return str(value)


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise SessionFileError(f'"{name}" is neither true nor false')
    return value


def _whole(value: Any, name: str, largest: int = LAST_KEY, smallest: int = 0) -> int:
    if type(value) is not int or not smallest <= value <= largest:
        raise SessionFileError(f"{name} is not a whole number from {smallest} to {largest}")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
