"""The slice planes that options say."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from app.commands.errors import CommandError
from app.commands.options import numbers

if TYPE_CHECKING:
    from app.state.geometry.poses import Pose
    from engine import SlicePlane


def add_plane_options(group: argparse._ActionsContainer) -> None:
    """--plane, and --origin with --normal for an oblique one."""
    group.add_argument("--plane", action="append", default=[], metavar="z=0", help="a plane across an axis; repeatable")
    group.add_argument(
        "--origin", type=numbers, metavar="X,Y,Z", help="a point of one more plane, its coordinates' zero"
    )
    group.add_argument("--normal", type=numbers, metavar="X,Y,Z", help="the normal of that plane")
    group.add_argument("--u", type=numbers, metavar="X,Y,Z", help="the direction of its first axis")
    group.add_argument(
        "--pose",
        action="append",
        default=[],
        metavar="TEXT",
        help="a plane as the window copies it: 'origin=0,0,0.1 normal=0,0,1 u=1,0,0', maybe half-width=0.5; repeatable",
    )


def planes_of(arguments: argparse.Namespace) -> list[SlicePlane]:
    """The planes, before any file is opened.  Raises CommandError."""
    return [pose.plane for pose in poses_of(arguments)]


def poses_of(arguments: argparse.Namespace) -> list[Pose]:
    """The planes with their extents, before any file is opened.  Raises CommandError."""
    from app.state.geometry.poses import Pose, PoseError
    from engine import PlaneError, SlicePlane

    if (arguments.origin is None) != (arguments.normal is None):
        raise CommandError("an oblique plane needs both --origin and --normal; give the other one too")
    if arguments.u is not None and arguments.normal is None:
        raise CommandError("--u is the first axis of the plane of --origin and --normal; give those too")
    for option, vector in (("--origin", arguments.origin), ("--normal", arguments.normal), ("--u", arguments.u)):
        if vector is not None and len(vector) != 3:
            given = ",".join(f"{value:g}" for value in vector)
            raise CommandError(f"{option}={given} has {len(vector)} numbers; give three, as {option}=0,0,1")
        if vector is not None and option != "--origin" and not vector.any():
            raise CommandError(f"{option}=0,0,0 is no direction; give numbers that are not all zero, as {option}=0,0,1")
    poses = []
    for text in arguments.plane:
        try:
            poses.append(Pose(SlicePlane.parse(text)))
        except PlaneError as error:
            raise CommandError(
                f"--plane {text}: not a plane across an axis; write x, y or z and a finite number, as z=0.25"
            ) from error
    if arguments.normal is not None:
        try:
            poses.append(Pose(SlicePlane.from_normal(arguments.origin, arguments.normal, arguments.u)))
        except PlaneError as error:
            raise CommandError(f"--normal, --u: {error}") from error
    for text in arguments.pose:
        try:
            poses.append(Pose.parse(text))
        except PoseError as error:
            raise CommandError(f"--pose: {error}") from error
    return poses


def check_space(arguments: argparse.Namespace, dimension: int, what: str) -> None:
    """Refuse networks of points in another space than x, y, z.  what: cannot be made of them, such as surfaces."""
    if dimension != 3:
        other = (
            "splinescope slice draws all of it without --plane"
            if dimension == 2
            else "hold the others constant with --latent"
        )
        raise CommandError(
            f"{arguments.file}: the network takes {dimension} inputs, and {what} need three, x, y, z; {other}"
        )
