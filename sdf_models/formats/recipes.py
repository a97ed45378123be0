"""Lines of Python that make a file which opens of one that does not, to be run where that file comes from."""

from __future__ import annotations

from typing import Final

_WEIGHTS: Final = """\
import pathlib, pickle, numpy, torch  # where the file comes from, since this runs the code in it
def weights(item):
    item = item.state_dict() if hasattr(item, "state_dict") else item
    item = {{"coefs": item.coefs_, "intercepts": item.intercepts_}} if hasattr(item, "coefs_") else item
    if isinstance(item, torch.Tensor) or (isinstance(item, numpy.ndarray) and item.dtype.kind in "fiub"):
        return torch.as_tensor(item)
    parts = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, (list, tuple)) else ()
    found = {{str(key): weights(part) for key, part in parts}}
    return {{key: part for key, part in found.items() if part is not None}} or None
"""
_SAVED: Final = 'torch.save(weights({load}), "weights.pth")\n'

OF_TORCH: Final = _WEIGHTS + _SAVED.format(load='torch.load({name!r}, map_location="cpu", weights_only=False)')
OF_PICKLE: Final = _WEIGHTS + _SAVED.format(load="pickle.loads(pathlib.Path({name!r}).read_bytes())")
OF_TORCHSCRIPT: Final = """\
import torch  # where the file comes from, since this runs the code in it
torch.save(torch.jit.load({name!r}, map_location="cpu").state_dict(), "weights.pth")
"""
OF_EXPORTED: Final = """\
import torch  # where the file comes from, since this runs the code in it
torch.save(dict(torch.export.load({name!r}).state_dict), "weights.pth")
"""
