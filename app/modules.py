"""Modules and checkpoints as callers from Python give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    from sdf_models import Checkpoint


def module_and_domain(
    module_or_checkpoint: nn.Module | Checkpoint, domain: ArrayLike | None
) -> tuple[nn.Module, NDArray[np.float64]]:
    """Return the module and the box (2, 3) in which it is looked at: the given one, the checkpoint's, or [-1, 1]^3.

    Raises ValueError when that is no box.
    """
    from sdf_models import Checkpoint

    if isinstance(module_or_checkpoint, Checkpoint):
        module, own = module_or_checkpoint.module, module_or_checkpoint.domain
    else:
        module, own = module_or_checkpoint, np.array([[-1.0] * 3, [1.0] * 3])
    box = np.array(own if domain is None else domain, np.float64)
    if box.ndim != 2 or len(box) != 2 or not (np.isfinite(box).all() and (box[0] < box[1]).all()):
        raise ValueError(f"the domain must be a box's lower and upper corner (2, 3), not {box.tolist()}")
    return module, box
