"""The table of commands, by the menus that offer them."""

from __future__ import annotations

from typing import Final

from app.state.session import Session
from app.window.commands import meanings
from app.window.commands.command import Command, Menu, opened, sliced


def _switch(name: str, text: str, tip: str) -> Command:
    def checked(session: Session) -> bool:
        return bool(getattr(session.look, name))

    return Command(name, text, "", meanings.switch(name), opened, tip, checked=checked)


_FILE: Final = (
    Command("open", "&Open…", "Ctrl+O", label="Open…", tip="Open a checkpoint"),
    Command("reload", "Re&load from disk", "F5", enabled=opened, tip="Read the file again"),
    Command(
        "next checkpoint", "Next c&heckpoint", "Ctrl+Tab", meanings.next_network,
        lambda session: opened(session) and len(session.networks) > 1,
    ),
    Command("close checkpoint", "&Close checkpoint", "Ctrl+W", meanings.close_network, opened),
    None,
    Command("open session", "Open sess&ion…"),
    None,
    Command("save", "&Save session", "Ctrl+S", enabled=opened),
    Command("save as", "Save session &as…", "Ctrl+Shift+S", enabled=opened),
    None,
    Command(
        "picture", "Save a &picture of the 3D view…", "Ctrl+P", enabled=opened, label="Picture…",
        tip="Save a picture of the 3D view",
    ),
    None,
    Command("quit", "&Quit", "Ctrl+Q"),
)  # fmt: skip

_EDIT: Final = (
    Command("undo", "&Undo", "Ctrl+Z"),
    Command("redo", "&Redo", "Ctrl+Shift+Z"),
    None,
    Command("copy pose", "&Copy pose of the plane", "Ctrl+C", enabled=sliced),
    Command("paste pose", "&Paste pose", "Ctrl+V", enabled=opened),
    Command("paste slice", "Paste pose as a &new slice", "Ctrl+Shift+V", enabled=opened),
    Command("copy command", "Copy as co&mmand", "Ctrl+Shift+C", enabled=sliced),
    Command("copy Python", "Copy as P&ython", enabled=sliced),
    None,
    Command("preferences", "Pre&ferences…", "Ctrl+,"),
)

_SLICE: Final = (
    Command(
        "add", "&Add", "Ctrl+N", meanings.add_slice, opened, label="+", tip="Add a slice through the middle of the box"
    ),
    Command(
        "duplicate", "&Duplicate", "Ctrl+D", meanings.duplicate_slice, sliced, tip="Another slice at the same place"
    ),
    Command("delete", "D&elete", "Del", meanings.delete_slice, sliced),
    Command("hide", "&Hide or show", "H", meanings.hide_slice, sliced),
    Command("next slice", "&Next", "N", meanings.choose_slice(1), sliced),
    Command("previous slice", "Pre&vious", "Shift+N", meanings.choose_slice(-1), sliced),
    None,
    Command("stack", "Add a &stack…", "Ctrl+Shift+N", enabled=sliced),
    Command("three points", "Through three &points…", enabled=opened),
    Command("across surface", "Acr&oss the surface…", enabled=opened),
    Command("tangent", "Tan&gent to the surface…", enabled=opened),
    Command(
        "travel", "Play o&r stop", "P", enabled=sliced, label="\N{BLACK RIGHT-POINTING TRIANGLE} Play",
        tip="Travel along the normal through the box and back, until a hand takes it",
    ),
    None,
    *(
        Command(
            f"snap {axis}", f"Snap across &{axis}", axis.upper(), meanings.snap(axis), sliced, label=axis,
            tip=f"Across the {axis} axis, where it is",
        )
        for axis in "xyz"
    ),
    Command("snap camera", "Snap to the &camera", "C", enabled=sliced, label="Camera", tip="Across the line of sight"),
    Command("flip", "&Flip", "F", meanings.flip, sliced, tip="Turn round: look from the other side"),
    Command(
        "left", "Rotate &left", "[", meanings.turn(15), sliced, tip="Rotate in its plane by 15°",
        label="\N{ANTICLOCKWISE OPEN CIRCLE ARROW} 15°",
    ),
    Command(
        "right", "Rotate righ&t", "]", meanings.turn(-15), sliced, tip="Rotate in its plane by \N{MINUS SIGN}15°",
        label="\N{CLOCKWISE OPEN CIRCLE ARROW} 15°",
    ),
)  # fmt: skip

_VIEW: Final = (
    Command("home", "&Home", "Home"),
    Command("from x", "From +&x", "1"),
    Command("from y", "From +&y", "2"),
    Command("from z", "From +&z", "3"),
    None,
    Command("x upwards", "x &upwards"),
    Command("y upwards", "y u&pwards"),
    Command("z upwards", "z up&wards"),
    None,
    Command(
        "tiles", "&Tiles or one slice", "T", meanings.tile, label="Tiles", checked=lambda session: session.tiled,
        tip="All slices, or the active one",
    ),
    Command("3D large", "&3D view large", "Ctrl+1"),
    Command("slice large", "&One slice large", "Ctrl+2"),
    Command("grid", "Grid of &slices", "Ctrl+3"),
    Command("3D hidden", "S&lices without the 3D view", "Ctrl+4"),
    None,
    Command(
        "find", "&Go to a neuron", "Ctrl+F", tip="Highlight a neuron's level set everywhere: layer / neuron"
    ),
    Command("measure", "&Measure distance and angle…", "M", enabled=opened),
    Command(
        "no highlight", "&No highlight", "", meanings.clear_neuron, lambda session: session.neuron is not None,
        elsewhere="Esc",
    ),
    None,
    Command("next pane", "Next p&ane", "F6"),
    Command("previous pane", "Pre&vious pane", "Shift+F6"),
    None,
    Command("inspector", "&Inspector", "Ctrl+I", tip="Regions and facets that were pinned", checkable=True),
    Command("neurons", "N&eurons", "Ctrl+T", tip="All neurons in the active slice", checkable=True),
)  # fmt: skip

_HELP: Final = (
    Command("keys", "&Keys and gestures", "F1"),
    Command("first steps", "&First steps"),
    None,
    Command("log", "Show the &log"),
    Command("about", "&About SplineScope"),
)

MENUS: Final = (
    Menu("&File", _FILE, "Open &recent"),
    Menu("&Edit", _EDIT),
    Menu("&Slice", _SLICE),
    Menu("&View", _VIEW),
    Menu("&Help", _HELP),
)

_BY_NAME: Final = {entry.name: entry for menu in MENUS for entry in menu.entries if entry is not None}

TILE_MENU: Final = Menu(
    "Slice",
    (
        Command("copy value", "Copy &value here", enabled=sliced),
        Command("copy picture", "Copy p&icture", enabled=sliced),
        _BY_NAME["copy pose"],
        _BY_NAME["copy command"],
        _BY_NAME["copy Python"],
        None,
        Command("save slice picture", "&Save this picture…", enabled=sliced),
        None,
        _BY_NAME["hide"],
        _BY_NAME["duplicate"],
        _BY_NAME["delete"],
        _BY_NAME["tiles"],
    ),
)
"""Of a slice's tile, by the right mouse button."""

SWITCHES: Final = (
    _switch("surface", "Surface", "The level surface, coloured by its normals"),
    _switch("creases", "Creases", "The surface's creases, coloured by depth"),
    _switch("clip", "Clip", "Cut the surface at the active plane, to look inside"),
    _switch("lines", "Lines", "The slices' lines in the 3D view"),
    _switch("box", "Box", "The domain's box"),
    _switch("axes", "Axes", "The axes and their ranges"),
)
"""In no menu: buttons alone."""

COMMANDS: Final = {
    command.name: command
    for command in (*(entry for menu in (*MENUS, TILE_MENU) for entry in menu.entries if entry is not None), *SWITCHES)
}


def keys_by_menu() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """For each menu its title, and the keys of its commands with what they do."""
    return tuple(
        (
            menu.title.replace("&", ""),
            tuple((entry.key, entry.words) for entry in menu.entries if entry is not None and entry.key),
        )
        for menu in MENUS
    )
