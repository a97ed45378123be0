"""SplineScope's command line and application."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import nn

    from sdf_models import Checkpoint

__version__ = "0.1.0"


def show(module_or_checkpoint: nn.Module | Checkpoint, domain: ArrayLike | None = None) -> None:
    """Open the window on a live module or a loaded checkpoint, and return when it is closed.

    domain: (2, 3), lower and upper corner; a checkpoint's own when None, else [-1, 1]^3.  The module is read, never
    changed.  Raises ValueError when it cannot be shown, OSError where there is no display for it.
    """
    from app.display import window_problem

    problem = window_problem()
    if problem is not None:
        raise OSError(problem)
    from app.application import show_module  # Qt is imported only when a window is wanted

    show_module(module_or_checkpoint, domain)
