"""The table of commands, by the menus that offer them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.state.actions import Action
from app.state.comparison import Between
from app.state.session import Session
from app.window.commands import meanings
from app.window.commands.command import Command, Menu, comparing, opened, several, sliced, stepping


def _switch(name: str, text: str, tip: str) -> Command:
    def checked(session: Session) -> bool:
        return bool(getattr(session.look, name))

    return Command(name, text, "", meanings.switch(name), opened, tip, checked=checked)


def _between(between: Between, text: str, key: str, tip: str) -> Command:
    def checked(session: Session) -> bool:
        return session.comparison is not None and session.comparison.between is between

    return Command(between.value, text, key, meanings.between(between), several, tip, checked=checked)


def _linked(name: str, text: str, key: str, action: Callable[[Session], Action], label: str, tip: str) -> Command:
    """name: of the switch in the session, then of the command."""
    switch, name = name.split(":")

    def checked(session: Session) -> bool:
        return session.comparison is not None and bool(getattr(session.comparison, switch))

    return Command(name, text, key, action, comparing, tip, label, checked=checked)


_FILE: Final = (
    Command("open", "&Open…", "Ctrl+O", label="Open…", tip="Open a checkpoint", icon="folder"),
    Command("reload", "Re&load from disk", "F5", enabled=opened, tip="Read the file again", icon="reload"),
    Command(
        "next checkpoint", "Next c&heckpoint", "Ctrl+Tab", meanings.next_network,
        lambda session: opened(session) and len(session.networks) > 1,
    ),
    Command("close checkpoint", "&Close checkpoint", "Ctrl+W", meanings.close_network, opened, icon="cross"),
    None,
    Command("open session", "Open sess&ion…"),
    None,
    Command("save", "&Save session", "Ctrl+S", enabled=opened, icon="save"),
    Command("save as", "Save session &as…", "Ctrl+Shift+S", enabled=opened),
    None,
    Command(
        "picture", "Save a &picture of the 3D view…", "Ctrl+P", enabled=opened,
        tip="Save a picture of the 3D view", icon="picture",
    ),
    Command(
        "export", "&Export a figure…", "Ctrl+E", enabled=sliced, icon="export",
        tip="An exact figure of what is seen (PDF, SVG, PNG), with a preview; or the data of the slice",
    ),
    None,
    Command("quit", "&Quit", "Ctrl+Q"),
)  # fmt: skip

_EDIT: Final = (
    Command("undo", "&Undo", "Ctrl+Z", icon="undo"),
    Command("redo", "&Redo", "Ctrl+Shift+Z", icon="redo"),
    None,
    Command("copy pose", "&Copy pose of the plane", "Ctrl+C", enabled=sliced, icon="copy"),
    Command("paste pose", "&Paste pose", "Ctrl+V", enabled=opened, icon="paste"),
    Command("paste slice", "Paste pose as a &new slice", "Ctrl+Shift+V", enabled=opened),
    Command("copy command", "Copy as co&mmand", "Ctrl+Shift+C", enabled=sliced),
    Command("copy Python", "Copy as P&ython", enabled=sliced),
    None,
    Command("preferences", "Pre&ferences…", "Ctrl+,"),
)

_SLICE: Final = (
    Command(
        "add", "&Add", "Ctrl+N", meanings.add_slice, opened, icon="plus",
        tip="Add a slice through the middle of the box",
    ),
    Command(
        "duplicate", "&Duplicate", "Ctrl+D", meanings.duplicate_slice, sliced, icon="duplicate",
        tip="Another slice at the same place",
    ),
    Command("delete", "D&elete", "Del", meanings.delete_slice, sliced, icon="cross"),
    Command("hide", "&Hide or show", "H", meanings.hide_slice, sliced, icon="eye"),
    Command("next slice", "&Next", "N", meanings.choose_slice(1), sliced),
    Command("previous slice", "Pre&vious", "Shift+N", meanings.choose_slice(-1), sliced),
    None,
    Command("stack", "Add a &stack…", "Ctrl+Shift+N", enabled=sliced),
    Command("three points", "Through three &points…", enabled=opened),
    Command("across surface", "Acr&oss the surface…", enabled=opened),
    Command("tangent", "Tan&gent to the surface…", enabled=opened),
    Command(
        "travel", "Play o&r stop", "P", enabled=sliced, label="Play", icon="play",
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
        label="15°", icon="left",
    ),
    Command(
        "right", "Rotate righ&t", "]", meanings.turn(-15), sliced, tip="Rotate in its plane by \N{MINUS SIGN}15°",
        label="15°", icon="right",
    ),
)  # fmt: skip

_CAMERA: Final = (
    Command("home", "&Home", "Home", tip="Look from the start", icon="home"),
    Command("from x", "From +&x", "1"),
    Command("from y", "From +&y", "2"),
    Command("from z", "From +&z", "3"),
    Command("from -x", "&From \N{MINUS SIGN}x", "4"),
    Command("from -y", "Fr&om \N{MINUS SIGN}y", "5"),
    Command("from -z", "Fro&m \N{MINUS SIGN}z", "6"),
    None,
    Command("x upwards", "x &upwards"),
    Command("y upwards", "y u&pwards"),
    Command("z upwards", "z up&wards"),
    None,
    Command(
        "parallel", "P&arallel projection", "O", enabled=opened, checkable=True,
        tip="Parallel lines stay parallel, and sizes do not depend on the distance",
    ),
    Command("turn about", "&Centre of turning…", ".", enabled=opened, tip="Click on what the camera is to turn about"),
    Command("turn about middle", "Turn about the mi&ddle", enabled=opened, tip="Turn about what the camera looks at"),
)  # fmt: skip

_VIEW: Final = (
    Command(
        "see through", "See thro&ugh the surface", "S", meanings.see_through, opened,
        checked=lambda session: session.look.opacity < 100, tip="The surface clear, or opaque",
    ),
    Command(
        "neuron in space", "Neuron in s&pace", "V", enabled=opened, checkable=True,
        tip="The level set of the neuron that is followed, in space",
    ),
    None,
    Command(
        "tiles", "&Tiles or one slice", "T", meanings.tile, checked=lambda session: session.tiled,
        tip="All slices, or the active one", icon="tiles",
    ),
    Command("3D large", "&3D view large", "Ctrl+1", checkable=True, icon="space large"),
    Command("slice large", "&One slice large", "Ctrl+2", checkable=True, icon="slice large"),
    Command("grid", "Grid of &slices", "Ctrl+3", checkable=True, icon="grid"),
    Command("3D hidden", "S&lices without the 3D view", "Ctrl+4", checkable=True, icon="flat"),
    Command(
        "compare", "&Compare checkpoints", "Ctrl+5", meanings.compare, several, icon="compare",
        checked=comparing, tip="Checkpoints of the list beside each other",
    ),
    Command(
        "link", "Lin&k 2D views", "L", label="Link", checkable=True, icon="link",
        tip="2D views show the same point at the same scale; a crosshair marks where the mouse is, in all views",
    ),
    None,
    Command(
        "find", "&Go to a neuron", "Ctrl+F", tip="Highlight a neuron's level set everywhere: layer / neuron",
        icon="find",
    ),
    Command("measure", "&Measure distance and angle…", "M", enabled=opened, icon="measure"),
    Command(
        "no highlight", "&No highlight", "", meanings.clear_neuron, lambda session: session.neuron is not None,
        elsewhere="Esc",
    ),
    None,
    Command("next pane", "Next p&ane", "F6"),
    Command("previous pane", "Pre&vious pane", "Shift+F6"),
    Command("context menu", "Menu of what has the &focus", "Shift+F10"),
    None,
    Command("inspector", "&Inspector", "Ctrl+I", tip="Regions and facets that were pinned", checkable=True),
    Command("neurons", "N&eurons", "Ctrl+T", tip="All neurons in the active slice", checkable=True),
)  # fmt: skip

_COMPARE: Final = (
    _between(Between.SIDE, "&Side by side", "A", "A column for each checkpoint"),
    _between(Between.SWIPE, "S&wipe", "W", "A at the left of a line, B at its right: drag the line"),
    _between(Between.OVERLAY, "&Overlay", "E", "The level sets of A and B, and where their signs differ"),
    _between(Between.DIFFERENCE, "&Difference", "D", "f in B less f in A"),
    _between(Between.LINES, "&Lines per area", "R", "Where B has more lines than A, and where fewer"),
    _between(Between.BLINK, "&Blink", "B", "A and B in turn"),
    None,
    Command("swap pair", "Swap A a&nd B", "U", meanings.swap_pair, comparing, icon="swap"),
    None,
    _linked("planes:link planes", "Link &planes", "G", meanings.link_planes, "Planes",
            "A plane that is moved in one column moves in all"),
    _linked("views:link zoom", "Link &zoom and pan", "K", meanings.turn_in_comparison("views"), "Zoom",
            "All columns show the same part of a slice"),
    _linked("camera:link cameras", "Link &cameras", "J", meanings.turn_in_comparison("camera"), "Cameras",
            "The 3D views are seen from the same place"),
    _linked("space:3D columns", "&3D views", "Q", meanings.turn_in_comparison("space"), "3D",
            "A 3D view above each column"),
    None,
    Command(
        "timeline", "&Timeline of a folder…", "Ctrl+Shift+O", tip="Follow the checkpoints of a training", icon="folder"
    ),
    Command("play steps", "Play o&r stop the timeline", "Shift+P", enabled=stepping, label="Play", icon="play",
            tip="Show the steps of the training one after the other"),
    Command("next step", "Ne&xt step", "Alt+PgDown", enabled=stepping),
    Command("previous step", "Pre&vious step", "Alt+PgUp", enabled=stepping),
    Command("end timeline", "Close t&he timeline", "", meanings.end_timeline, stepping, icon="cross"),
    None,
    Command("end comparison", "&End the comparison", "", meanings.end_comparison, comparing, icon="cross"),
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
    Menu("&Camera", _CAMERA),
    Menu("&View", _VIEW),
    Menu("C&ompare", _COMPARE),
    Menu("&Help", _HELP),
)

_BY_NAME: Final = {entry.name: entry for menu in MENUS for entry in menu.entries if entry is not None}

PLACE_MENU: Final = Menu(
    "Place",
    (
        Command("copy value", "Copy &value", tip="f there, with all its digits", icon="copy"),
        Command("copy position", "Copy p&osition", tip="x, y, z there, with all their digits", icon="copy"),
    ),
)
"""Of a point of a slice or of the surface."""

LINE_MENU: Final = Menu(
    "Neuron",
    (
        Command("follow", "&Follow this neuron", tip="Highlight its level set everywhere", icon="line"),
        _BY_NAME["no highlight"],
        Command("copy neuron", "Copy its &name", tip="As the search takes it: layer/neuron", icon="copy"),
        Command("hide layer", "Hide its &layer"),
        Command("isolate layer", "&Only its layer"),
    ),
)
"""Of a neuron's line, and of a row of the table of neurons."""

REGION_MENU: Final = Menu(
    "Region",
    (
        Command("pin", "P&in", tip="Keep it in view, in the inspector", icon="pin"),
        Command("show pin", "Show in the &inspector", icon="pin"),
        Command("go back", "&Go back there", tip="Move the plane to where it was when this was pinned", icon="undo"),
        Command("copy facts", "Copy all of it as &text", label="Copy", tip="Copy all of it as text", icon="copy"),
        Command(
            "copy facts as JSON", "Copy all of it as &JSON", label="JSON", icon="copy",
            tip="Copy all of it as a JSON object, with corners and neighbours",
        ),
        Command("unpin", "&Remove this pin", icon="cross"),
        Command(
            "unpin all", "Remove &all pins", "", meanings.unpin_all, lambda session: bool(session.shown_pins),
            label="Remove all",
        ),
    ),
)  # fmt: skip
"""Of a region, a facet, a pin and its card."""

SLICE_MENU: Final = Menu(
    "Slice",
    (
        Command("copy picture", "Copy pict&ure", enabled=sliced, tip="The slice as it is seen", icon="picture"),
        _BY_NAME["copy pose"],
        _BY_NAME["copy command"],
        _BY_NAME["copy Python"],
        None,
        Command("save slice picture", "&Save this picture…", enabled=sliced, tip="The slice as it is seen"),
        _BY_NAME["export"],
        None,
        _BY_NAME["hide"],
        _BY_NAME["duplicate"],
        _BY_NAME["delete"],
        _BY_NAME["tiles"],
    ),
)
"""Of a slice: its tile, its row in the list, its plane in space."""

CHECKPOINT_MENU: Final = Menu(
    "Checkpoint",
    (
        Command("show checkpoint", "&Show", tip="In all views"),
        Command("reload checkpoint", "&Reload from disk", tip="Read the file again", icon="reload"),
        Command("checkpoint notes", "All &notes…", tip="Layers, tensors, assumptions, checks", icon="notes"),
        None,
        Command("copy path", "Copy &path", icon="copy"),
        Command("copy notes", "Copy no&tes", icon="copy"),
        Command("show in folder", "Show in &folder", icon="folder"),
        None,
        Command("close this checkpoint", "&Close", tip="Take it off the list", icon="cross"),
    ),
)
"""Of one checkpoint of the list."""

SWITCHES: Final = (
    _switch("surface", "Surface", "The level surface, coloured by its normals"),
    _switch("creases", "Creases", "The surface's creases, coloured by depth"),
    _switch("clip", "Clip", "Cut the surface in 3D at the active plane, to look inside"),
    _switch("lines", "Lines", "The slices' lines, in 2D and in 3D"),
    _switch("box", "Box", "The domain's box"),
    _switch("axes", "Axes", "The axes and their ranges"),
)
"""Buttons above the views."""

SPACE_MENU: Final = Menu(
    "3D view",
    (
        Command("copy 3D picture", "&Copy picture", enabled=opened, tip="The 3D view as it is seen", icon="picture"),
        _BY_NAME["picture"],
        Command(
            "export scene",
            "&Export a figure…",
            enabled=sliced,
            icon="export",
            tip="The surface with the frames of the slices, and the slices beside it",
        ),
        _BY_NAME["home"],
    ),
)
"""Of the 3D view."""

SHOW_MENU: Final = Menu("Show", SWITCHES)

SPOT_MENUS: Final = (PLACE_MENU, LINE_MENU, REGION_MENU, SLICE_MENU, SPACE_MENU, SHOW_MENU, CHECKPOINT_MENU)
"""Parts of the menus that the right mouse button calls."""

COMMANDS: Final = {
    command.name: command
    for command in (entry for menu in (*MENUS, *SPOT_MENUS) for entry in menu.entries if entry is not None)
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
