"""A network from the user's own Python code.  This runs that code: only ever because the user named it."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from torch import Tensor, nn

from sdf_models.checkpoint import Checkpoint, CheckpointError, OpenQuestionError
from sdf_models.families.weights import WRAPPERS, stated_domain
from sdf_models.finishing import finished
from sdf_models.formats.containers import tensors_in
from sdf_models.formats.format import Opened, Refused, check_finite, first_line, shortened, with_article
from sdf_models.module_last import without_last
from sdf_models.reading import Choices, Open, Reading


def load_module(reference: str, path: Path | None = None, reading: Reading | None = None) -> Checkpoint:
    """Import `package.module`, call `function`, and load the state dict in `path`, if given, into what it returns.

    reference: "package.module:function"; modules in the working folder are found.  The function takes no arguments and
    returns a torch.nn.Module of points (N, D); D is 3 unless reading.bounds has corners of other sizes.

    Raises CheckpointError.
    """
    where = reference if path is None else f"{path}"
    choices = Choices(reading or Reading())
    try:
        module = _made(reference)
        notes = [f"the network is what {reference} returned; it is your own code that was run"]
        domain, said = None, ""
        facts = {"module": reference}
        inputs = _dimension(choices)
        if path is not None:
            weights = tensors_in(path)
            _load(module, weights.tensors)
            domain, said = stated_domain(weights, inputs)
            facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        module, last = without_last(module, inputs, choices)
        opened = Opened(module, inputs, domain, domain_note=said, last_activation=last)
        finished_module, domain, approximation = finished(opened, choices)
        unused = choices.unused()
        if unused:
            raise Refused(f"{unused[0]} does not apply to a module of your own", "leave it out")
    except Refused as error:
        raise CheckpointError(f"{where}: {' '.join(str(error).split())}", error.recipe) from error
    except Open as error:
        raise OpenQuestionError(f"{where}: {' '.join(str(error).split())}", error.question) from error
    provenance = MappingProxyType({"path": where, "format": "Python module", **facts})
    last = replace(last, sign=-1.0 if choices.peek("flip_sign") else 1.0)
    return Checkpoint(finished_module, domain, provenance, (*notes, *choices.notes), last, approximation)


def _made(reference: str) -> nn.Module:
    name, separator, function = reference.partition(":")
    if not separator or not name or not function:
        raise Refused(f"{reference!r:.80} is not MODULE:FUNCTION", "write it as package.module:function")
    before = list(sys.path)
    sys.path.insert(0, str(Path.cwd()))
    try:
        module = getattr(importlib.import_module(name), function)()
    except (Exception, SystemExit) as error:  # it is the user's code, which may raise anything
        raise Refused(
            f"--module {reference:.80}: {type(error).__name__}: {first_line(error)}",
            "correct the code, or the name as package.module:function",
        ) from error
    finally:
        sys.path[:] = before
    if not isinstance(module, nn.Module):
        raise Refused(
            f"--module {reference:.80} returned {with_article(type(module).__name__)}", "return a torch.nn.Module"
        )
    return module


def _dimension(choices: Choices) -> int:
    bounds = choices.peek("bounds")
    return len(bounds) // 2 if bounds is not None and len(bounds) in (4, *range(8, 200, 2)) else 3


def _load(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """The tensors whose names end in those of the module's state dict, all of them."""
    own = module.state_dict()
    plain = {".".join(part for part in name.split(".") if part not in WRAPPERS): name for name in own}
    wanted = {short for short, name in plain.items() if own[name].is_floating_point()}
    if not wanted:
        raise Refused("the module has no weights that the file could hold", "leave the file out")
    prefixes = {
        name.removesuffix(short) for name in tensors for short in wanted if name == short or name.endswith(f".{short}")
    }
    prefix = next((p for p in sorted(prefixes, key=len) if all(f"{p}{short}" in tensors for short in wanted)), None)
    if prefix is None:
        missing = next(short for short in sorted(wanted) if short not in tensors)
        raise Refused(
            f"its tensors are not those of the module, which needs {missing!r:.80}", "give the file of its weights"
        )
    for short in wanted:
        check_finite(f"{prefix}{short}", tensors[f"{prefix}{short}"].numpy())
    try:
        module.load_state_dict({**own, **{plain[short]: tensors[f"{prefix}{short}"] for short in wanted}})
    except RuntimeError as error:
        raise Refused(
            f"its tensors do not fit the module ({shortened(str(error), 200)})", "give the file of its weights"
        ) from error
