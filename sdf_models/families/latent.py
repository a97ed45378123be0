"""Latent codes: the constant part of a network's input."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from sdf_models.families.layers import Layer
from sdf_models.families.weights import Weights
from sdf_models.formats.format import Refused
from sdf_models.reading import Alternative, Choices, Question

_TABLE = re.compile(r"(^|[._])(lat|latents?|codes?|embed\w*|lat_vecs|latent_codes)([._]|$)", re.IGNORECASE)
SPACE = 3
_LISTED = re.compile(r"(.*\.)?\d+", re.DOTALL)
_OTHER = "FILE[:INDEX] or NUMBERS"
_ENCODED = {3 + 3 * 2 * count: count for count in range(1, 17)}


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """Inputs that are held constant: `length` numbers beside `coordinates` that are not, in the file of `path`.

    tables: codes (count, 1, length) or (count, length) in the file itself; parts: which numbers are of which code, ""
    where there is but one.
    """

    length: int
    coordinates: int
    path: Path
    tables: Mapping[str, Tensor] = field(default_factory=dict)
    parts: str = ""

    @property
    def codes(self) -> dict[str, Tensor]:
        """The tables of codes of this length, (count, length)."""
        return {name: t.reshape(-1, self.length) for name, t in self.tables.items() if t.shape[-1] == self.length}


def is_table(layer: Layer) -> bool:
    """Return whether a matrix is a table of latent codes: torch.nn.Embedding has no bias."""
    last = layer.name.rsplit(".", 1)[-1]
    return layer.kind == "linear" and layer.bias is None and _TABLE.search(last) is not None


def latent_tables(weights: Weights) -> dict[str, Tensor]:
    """The tensors (codes, length) or (codes, 1, length) of latent codes in a file, by name."""
    return {name: t for name, t in weights.tensors.items() if t.dim() in (2, 3) and _TABLE.search(name)}


def coordinate_columns(inputs: int, choices: Choices, known: str | None = None, why: str = "") -> tuple[int, ...]:
    """The indices of the inputs that are coordinates, where others are held constant.  Raises Refused and Open.

    known: "first" or "last" where the network's definition says it, because of `why`.
    """
    question = Question(
        "coordinates",
        f"which of its {inputs} inputs are the coordinates x, y, z is not in the file",
        (
            Alternative("last", "[code, x, y, z], as in DeepSDF"),
            Alternative("first", "[x, y, z, code] or [x, y, z, time]"),
        ),
        other="INDICES",
    )
    return _columns(str(choices.settle(question, known, why)), inputs)


def _columns(text: str, inputs: int) -> tuple[int, ...]:
    if text in ("first", "last"):
        return tuple(range(SPACE)) if text == "first" else tuple(range(inputs - SPACE, inputs))
    columns = tuple(int(part) for part in text.split(","))
    if len(set(columns)) < len(columns) or max(columns) >= inputs or len(columns) == inputs:
        raise Refused(
            f"--coordinates: {text!r:.40} are not different indices of some of {inputs} inputs",
            f"choose from 0 to {inputs - 1}, and leave out those that are held",
        )
    return columns


def held_length(inputs: int, choices: Choices) -> int:
    """The number of inputs that are held constant."""
    given = choices.peek("coordinates")
    return inputs - (SPACE if given is None else len(_columns(given, inputs)))


def latent_code(held: Held, choices: Choices) -> Tensor:
    """The code (length,) to hold constant, by --latent.  Raises Refused and Open."""
    question = Question("latent", _described(held), tuple(_alternatives(held)), other=_OTHER)
    return _code(str(choices.settle(question)), held)


def latent_code_if_any(held: Held, choices: Choices) -> Tensor | None:
    """The same of a network that may take all its inputs as coordinates: None where it does."""
    inputs, text = held.length + held.coordinates, _described(held)
    if inputs in _ENCODED:
        text += f", unless it is a positional encoding of {_ENCODED[inputs]} frequencies, not linear"
    alternatives = (*_alternatives(held), Alternative("none", f"no code, a network of {inputs} dimensions"))
    answer = str(choices.settle(Question("latent", text, alternatives, other=_OTHER)))
    return None if answer == "none" else _code(answer, held)


def _described(held: Held) -> str:
    """The inputs, for people."""
    space = "x, y, z" if held.coordinates == SPACE else f"{held.coordinates} coordinates"
    parts = f" ({held.parts})" if held.parts else ""
    what = (
        f"one number that is held, such as a time, and {space}"
        if held.length == 1
        else f"a latent code of {held.length} numbers{parts}, which picks the shape, and {space}"
    )
    return f"the network takes {held.length + held.coordinates} inputs: {what}"


def _beside(held: Held) -> Path | None:
    """The file of codes in DeepSDF's folders, where there is one."""
    beside = held.path.absolute().parent.parent / "LatentCodes" / held.path.name
    return beside if beside.is_file() else None


def _alternatives(held: Held) -> list[Alternative]:
    found = _beside(held)
    alternatives = [Alternative("zeros", "the code of all zeros, a mean shape")]
    if found is not None:
        alternatives += [
            Alternative("mean", f"the mean of the codes in {_short(found)}"),
            Alternative(f"{_short(found)}:0", "the first training shape"),
        ]
    elif held.codes:
        name, codes = next(iter(held.codes.items()))
        alternatives += [
            Alternative("mean", f"the mean of the {len(codes)} codes {name} in the file"),
            Alternative(f"{held.path.name}:0", "the first of them"),
        ]
    return alternatives


def _code(answer: str, held: Held) -> Tensor:
    length = held.length
    if answer == "zeros":
        return torch.zeros(length)
    numbers = _numbers(answer)
    if numbers is not None:
        if len(numbers) != length:
            raise Refused(f"--latent: {len(numbers)} numbers, where {length} inputs are held", f"give {length} numbers")
        return torch.tensor(numbers, dtype=torch.float64)
    if answer == "mean":
        found = _beside(held)
        if found is None and not held.codes:
            raise Refused(
                "there are no codes to take the mean of",
                f"put them into LatentCodes/{held.path.name}, or say --latent FILE",
            )
        codes = _codes(found, length) if found is not None else next(iter(held.codes.values()))
        return codes.double().mean(dim=0)
    return _chosen(answer, held)


def _numbers(answer: str) -> list[float] | None:
    """The numbers of an answer, None where it is none of numbers."""
    try:
        numbers = [float(part) for part in answer.split(",")]
    except ValueError:
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None


def _chosen(answer: str, held: Held) -> Tensor:
    path, own = held.path, held.codes
    file, index = answer, 0
    match = re.fullmatch(r"(.+):(\d{1,9})", answer)
    if match is not None:
        file, index = match[1], int(match[2])
    where = next(
        (p for p in (Path(file), path.absolute().parent / file, path.absolute().parent.parent / file) if p.is_file()),
        None,
    )
    if where is None and match is None and re.search(r"[^/:]:-?\w*$", answer):
        base, _, given = answer.rpartition(":")
        raise Refused(
            f"--latent: {given!r:.40} is not the index of a code in {base!r:.80}", "count codes from 0, as FILE:0"
        )
    if where is None:
        raise Refused(f"--latent: there is no file {file!r:.80}", "say --latent zeros, mean, FILE:INDEX or numbers")
    codes = next(iter(own.values())) if own and where.samefile(path) else _codes(where, held.length)
    if match is None and len(codes) > 1:
        raise Refused(
            f"--latent: {file!r:.80} holds {_counted(codes)}",
            f"pick one by its index, from 0 to {len(codes) - 1}: --latent {file}:0",
        )
    if index >= len(codes):
        raise Refused(
            f"--latent: {file!r:.80} holds {_counted(codes)}, none of them with the index {index}",
            f"choose one from 0 to {len(codes) - 1}",
        )
    return codes[index]


def _codes(path: Path, length: int) -> Tensor:
    """The codes (count, length) in a file of any container that holds tensors."""
    from sdf_models.formats.containers import tensors_in  # noqa: PLC0415  the containers know the families

    weights: Weights = tensors_in(path)
    found = {
        name: tensor.reshape(-1, length)
        for name, tensor in weights.tensors.items()
        if tensor.dim() >= 1 and tensor.shape[-1] == length and tensor.numel()
    }
    if found:
        first = next(iter(found))
        beside = [name for name in found if _LISTED.fullmatch(name) and _list(name) == _list(first)]
        return torch.cat([found[name] for name in beside]) if first in beside else found[first]
    lengths = sorted({tensor.shape[-1] for tensor in latent_tables(weights).values()})
    others = f", but of {', '.join(map(str, lengths[:5]))}" if lengths else ""
    raise Refused(
        f"--latent: {path.name!r:.80} holds no codes of {length} numbers{others}",
        "give the file of the codes that were trained with this network, as LatentCodes/latest.pth",
    )


def _list(name: str) -> str:
    """The name of the list that a tensor stands in."""
    return name.rpartition(".")[0]


def _counted(codes: Tensor) -> str:
    return "one code" if len(codes) == 1 else f"{len(codes)} codes"


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
