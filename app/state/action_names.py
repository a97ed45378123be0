"""What actions are called in menus."""

from __future__ import annotations

from typing import assert_never

from app.state import actions
from app.state.comparison import Compared
from app.state.look import SceneLook
from app.state.session import Session

_SWITCHES = ("surface", "creases", "clip", "lines", "box", "axes")


def action_name(action: actions.Action, before: Session) -> str:
    """A name such as "Move plane x", of an action on the session `before`."""
    match action:
        case actions.Open(opened=opened):
            return f"Open {opened.name}"
        case actions.ShowNetwork(opened=opened):
            return f"Show {opened.name}"
        case actions.CloseNetwork(opened=opened):
            return f"Close {opened.name}"
        case actions.ReloadNetwork(new=opened):
            return f"Reload {opened.name}"
        case actions.FrameNetwork(opened=opened, domain=domain):
            return f"Change {'level' if domain is None else 'domain'} of {opened.name}"
        case actions.Restore(why=why):
            return why
        case actions.MovePlane(key=key):
            return f"Move plane {before.slice(key).name}"
        case actions.AddSlice():
            return "Add slice"
        case actions.AddStack(planes=planes):
            return f"Add stack of {len(planes)} slices"
        case actions.DuplicateSlice(key=key):
            return f"Duplicate {_titled(before, key)}"
        case actions.RenameSlice(key=key):
            return f"Rename {_titled(before, key)}"
        case actions.ShowSlice(key=key, visible=visible):
            return f"{'Show' if visible else 'Hide'} {_titled(before, key)}"
        case actions.RemoveSlice(key=key):
            return f"Delete {_titled(before, key)}"
        case actions.ActivateSlice(key=key):
            return f"Choose {_titled(before, key)}"
        case actions.ChangeLook(look=look):
            return _look_name(before.look, look, 0 if before.opened is None else before.opened.layers)
        case actions.ChangeFill(fill=fill):
            return f"Fill with {fill.value}"
        case actions.SelectNeuron(neuron=neuron):
            return "Clear highlight" if neuron is None else f"Highlight neuron {neuron.layer}/{neuron.index}"
        case actions.TileSlices(tiled=tiled):
            return "Show all slices" if tiled else "Show one slice"
        case actions.Compare(compared=compared):
            return _comparison_name(before.comparison, compared)
        case actions.FollowFolder(folder=folder):
            return "Close the timeline" if folder is None else f"Open timeline {folder.name}"
        case actions.ShowStep(new=new):
            return f"Go to {new.name}"
        case actions.PinInColumns(key=key, found=found):
            return f"Pin regions of {_titled(before, key)} in {len(found)} checkpoints"
        case actions.PinRegion(key=key, number=number):
            where = "facet" if key is None else f"region of {_titled(before, key)}"
            return f"Pin {where}" if number is None else f"Move pin {number}"
        case actions.Unpin(number=number):
            return "Remove all pins" if number is None else f"Remove pin {number}"
        case _:
            assert_never(action)


def _titled(before: Session, key: int) -> str:
    """A slice as "slice x", and one that is called "slice 4" just that."""
    name = before.slice(key).name
    return name if name.startswith("slice ") else f"slice {name}"


def _comparison_name(before: Compared | None, after: Compared | None) -> str:
    if after is None:
        return "End the comparison"
    if before is None:
        return f"Compare {len(after.columns)} checkpoints"
    if before.between is not after.between:
        return f"Compare: {after.between.value}"
    if len(before.columns) != len(after.columns):
        return f"{'Add' if len(after.columns) > len(before.columns) else 'Remove'} a column"
    for name, what in (("planes", "planes"), ("views", "zoom and pan"), ("camera", "cameras")):
        if getattr(before, name) != getattr(after, name):
            return f"{'Link' if getattr(after, name) else 'Unlink'} {what}"
    if before.space != after.space:
        return f"{'Show' if after.space else 'Hide'} 3D views"
    return "Compare others"


def _look_name(before: SceneLook, after: SceneLook, layers: int) -> str:
    if before.style.palette is not after.style.palette:
        return f"Palette {after.style.palette.title}"
    if before.style != after.style:
        return "Change line widths"
    if before.opacity != after.opacity:
        return f"Surface opacity {after.opacity} %"
    if before.neuron is not after.neuron:
        return f"{'Show' if after.neuron else 'Hide'} neuron in space"
    switched = [name for name in _SWITCHES if getattr(before, name) != getattr(after, name)]
    if len(switched) == 1:
        return f"{'Show' if getattr(after, switched[0]) else 'Hide'} {switched[0]}".replace(
            "Show clip", "Clip"
        ).replace("Hide clip", "Do not clip")
    hidden, shown = after.hidden_depths - before.hidden_depths, before.hidden_depths - after.hidden_depths
    if len(hidden | shown) == 1:
        return f"{'Hide' if hidden else 'Show'} layer {min(hidden | shown)}"
    if not (shown or hidden):
        return "Change look"
    left = set(range(layers)) - after.hidden_depths
    if len(left) == 1:
        return f"Only layer {min(left)}"
    return "Show other layers" if after.hidden_depths else "Show all layers"
