"""Fitting a ReLU MLP to the signed distance of a mesh or a procedural shape."""

from __future__ import annotations

import json
import math
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from sdf_models.architectures import Architecture, ReluMLP
from sdf_models.checkpoint import save_checkpoint
from sdf_models.files import write_atomically
from sdf_models.shapes import Float
from sdf_models.targets import MESH_SUFFIXES, Target, TargetError, load_target

DOMAIN = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
MOST_THREADS = 256
SAMPLES = 1 << 19
"""Points that the batches are drawn from, without replacement within an epoch."""
NEAR = 0.02
"""Standard deviation, in each coordinate, of the points "near the surface" of the report."""

_MIXTURE: tuple[tuple[float, float | None], ...] = ((0.1, 0.003), (0.25, 0.01), (0.25, 0.04), (0.1, 0.15), (0.3, None))
"""Shares of the samples: points of the surface, displaced with these standard deviations; None: uniform in the box.

None lie exactly on the surface: the mean |f - d| would then pay for a plateau of f = 0 along it.
"""
_WARM_UP = 200
_SAVE_SECONDS = 30.0
_REPORT_SAMPLES = 50_000

Progress = Callable[[int, int, float], None]
Cancel = Callable[[], bool]


class TrainingError(ValueError):
    """A training cannot be started or resumed; one line: what, why, what to do."""


class TrainingCancelled(Exception):  # noqa: N818  a status, not an error
    """The caller cancelled; the state is saved, and the training can be resumed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that determines the weights but for rounding, together with the target."""

    width: int
    depth: int
    steps: int
    batch: int
    learning_rate: float
    seed: int
    threads: int

    def __post_init__(self) -> None:
        for name, lowest in (("steps", 1), ("batch", 1), ("seed", 0), ("threads", 1)):
            if getattr(self, name) < lowest:
                raise TrainingError(f"{name} must be at least {lowest}, not {getattr(self, name)}")
        for name, highest in (("batch", SAMPLES), ("threads", MOST_THREADS)):
            if getattr(self, name) > highest:
                raise TrainingError(f"{name} must be at most {highest}, not {getattr(self, name)}")
        if not 0.0 < self.learning_rate < 1.0:
            raise TrainingError(f"learning_rate must be between 0 and 1, not {self.learning_rate:g}")


@dataclass(frozen=True, slots=True)
class FitErrors:
    """The errors of a network, on points that it was not trained on.

    near_error     mean |f - d| at points of the surface displaced by a Gaussian of standard deviation NEAR
    box_error      mean |f - d| at points uniform in the box
    surface_error  mean |f - d| on the surface itself
    slope_error    mean | |grad f| - 1 | on the surface
    samples        points of each kind
    """

    near_error: float
    box_error: float
    surface_error: float
    slope_error: float
    samples: int


@dataclass(frozen=True, slots=True)
class TrainingReport(FitErrors):
    """seconds: of the whole call; a resumed training counts from where it resumed."""

    out: Path
    parameters: int
    seconds: float


def train(
    target: str,
    out: Path,
    *,
    width: int = 64,
    depth: int = 8,
    steps: int = 24_000,
    batch: int = 4096,
    learning_rate: float = 3e-3,
    seed: int = 0,
    threads: int = 1,
    stages: Mapping[str, int] | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> TrainingReport:
    """Fit a ReLU MLP to a mesh (a path) or a shape (an expression, see sdf_models.shapes) and write it to `out`.

    The loss is the mean |f - d|, minimised by Adam with a warm-up and a cosine schedule.  Equal arguments give the same
    training on the same samples in the same order, in which only the machine's products of matrices may round
    otherwise; also when it was cancelled or killed and then resumed: `resume` continues from the state file
    `out`.training, where there is one.  stages: the network after a number of
    steps is written besides, under the name of `out` followed by a minus and the stage's name; this changes nothing
    else.  progress(step, steps, loss) is called after every step.  Where cancel() is true, the state is saved and
    TrainingCancelled raised.

    Raises TargetError and TrainingError.
    """
    start = time.perf_counter()
    progress, cancel = progress or _silent, cancel or _never
    settings = Settings(width, depth, steps, batch, learning_rate, seed, threads)
    try:
        architecture = Architecture(width, depth)
    except ValueError as error:
        raise TrainingError(str(error)) from error
    stages = dict(stages or {})
    for name, step in stages.items():
        if not 1 <= step < steps:
            raise TrainingError(f"the stage {name} must lie between step 1 and step {steps - 1}, not at step {step}")
    if not out.parent.is_dir():
        raise TrainingError(f"{out}: the folder {out.parent} does not exist; make it first")
    surface = load_target(target)
    with _threads(threads):
        run = _Run(architecture, settings, surface, out.with_name(f"{out.name}.training"), cancel)
        if resume:
            run.load()

        def save_stage() -> None:
            for name, step in stages.items():
                if step == run.step:
                    save(stage_path(out, name))

        def save(path: Path) -> FitErrors:
            errors = evaluate(run.module, surface, _REPORT_SAMPLES, np.random.default_rng([seed, 3]))
            described = facts(target, surface, out, settings, errors, stages, run.step)
            save_checkpoint(path, run.module, DOMAIN, described)
            return errors

        run.go(progress, save_stage)
        errors = save(out)
    run.state.unlink(missing_ok=True)
    parameters = sum(parameter.numel() for parameter in run.module.parameters())
    return TrainingReport(**asdict(errors), out=out, parameters=parameters, seconds=time.perf_counter() - start)


def evaluate(module: ReluMLP, target: Target, count: int, rng: np.random.Generator) -> FitErrors:
    """The errors of a module at `count` random points of each kind."""
    surface = target.sample_surface(count, rng)
    near = surface + rng.normal(0.0, NEAR, surface.shape)
    box = rng.uniform(DOMAIN[0], DOMAIN[1], surface.shape)
    near_error, box_error, surface_error = (_mean_error(module, target, points) for points in (near, box, surface))
    return FitErrors(near_error, box_error, surface_error, _slope_error(module, surface), count)


def stage_path(out: Path, name: str) -> Path:
    """Return the path that the network of a stage is written to: beside the last one."""
    return out.with_name(f"{out.stem}-{name}{out.suffix}")


def facts(
    target: str, surface: Target, out: Path, settings: Settings, errors: FitErrors, stages: Mapping[str, int], step: int
) -> dict[str, str]:
    """Return the facts that a trained checkpoint states."""
    steps = f"{settings.steps} steps" if step == settings.steps else f"{step} of {settings.steps} steps"
    return {
        **surface.facts,
        "training": f"mean |f - d| minimised by Adam in {steps} of {settings.batch} points",
        "near_error": f"{errors.near_error:.3g}, mean |f - d| at points of the surface displaced by {NEAR:g}",
        "box_error": f"{errors.box_error:.3g}, mean |f - d| in the box",
        "surface_error": f"{errors.surface_error:.3g}, mean |f - d| on the surface",
        "slope_error": f"{errors.slope_error:.3g}, mean | |grad f| - 1 | on the surface",
        "command": command(target, out, settings, stages),
    }


def command(target: str, out: Path, settings: Settings, stages: Mapping[str, int]) -> str:
    """The command line that repeats a training, free of the folders of the machine that ran it."""
    name = Path(target).name if Path(target).suffix.lower() in MESH_SUFFIXES else " ".join(target.split())
    shown = out.name if out.is_absolute() else out.as_posix()
    options = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in asdict(settings).items())
    saved = "".join(f" --stage {shlex.quote(name)}={step}" for name, step in stages.items())
    return f"splinescope train {shlex.quote(name)} --out {shlex.quote(shown)} {options}{saved}"


class _Run:
    """A training under way: module, optimiser, and the samples that it draws from."""

    def __init__(
        self, architecture: Architecture, settings: Settings, target: Target, state: Path, cancel: Cancel
    ) -> None:
        self.settings = settings
        self.state = state
        self.cancel = cancel
        self.step = 0
        self.module = _initialised(architecture, settings.seed)
        self.optimiser = torch.optim.Adam(self.module.parameters(), fused=True)
        self.identity = json.dumps({**asdict(settings), **target.facts}, sort_keys=True)
        points = _samples(target, np.random.default_rng([settings.seed, 1]))
        self.points = torch.from_numpy(points.astype(np.float32))
        self.distances = torch.from_numpy(self._distances(target, points).astype(np.float32))

    def go(self, progress: Progress, after_step: Callable[[], None]) -> None:
        saved = time.monotonic()
        for chosen in self._batches():
            if self.cancel():
                self.save()
                raise TrainingCancelled(f"cancelled after {self.step} of {self.settings.steps} steps, which are saved")
            self.optimiser.param_groups[0]["lr"] = _learning_rate(self.settings, self.step)
            self.optimiser.zero_grad()
            loss = (self.module(self.points[chosen]) - self.distances[chosen]).abs().mean()
            loss.backward()
            self.optimiser.step()
            self.step += 1
            progress(self.step, self.settings.steps, loss.item())
            after_step()
            if time.monotonic() - saved > _SAVE_SECONDS:
                self.save()
                saved = time.monotonic()

    def _distances(self, target: Target, points: Float) -> Float:
        """In blocks: a large mesh needs minutes."""
        blocks: list[Float] = []
        for block in np.array_split(points, max(1, len(points) >> 13)):
            if self.cancel():
                raise TrainingCancelled("cancelled before the first step")
            blocks.append(target.distance(block))
        return np.concatenate(blocks)

    def _batches(self) -> Iterator[Tensor]:
        """The batches from the present step on.  The order of an epoch depends on the seed and the epoch alone."""
        per_epoch = SAMPLES // self.settings.batch
        while self.step < self.settings.steps:
            epoch, first = divmod(self.step, per_epoch)
            order = torch.from_numpy(np.random.default_rng([self.settings.seed, 2, epoch]).permutation(SAMPLES))
            batches = order[: per_epoch * self.settings.batch].view(per_epoch, -1)
            yield from batches[first : first + self.settings.steps - self.step]

    def save(self) -> None:
        tensors = {"step": torch.tensor(self.step)}
        for name, parameter in self.module.named_parameters():
            moments = self.optimiser.state[parameter]
            tensors[f"{name}/value"] = parameter.detach()
            if moments:
                tensors |= {f"{name}/{key}": moments[key] for key in ("exp_avg", "exp_avg_sq")}
        write_atomically(self.state, safetensors.torch.save(tensors, metadata={"identity": self.identity}))

    def load(self) -> None:
        """Continue from the state file, where there is one."""
        if not self.state.exists():
            return
        try:
            with safetensors.safe_open(self.state, framework="pt") as file:
                if (file.metadata() or {}).get("identity") != self.identity:
                    raise TrainingError(
                        f"{self.state}: it belongs to another training; repeat its options or delete it"
                    )
                self._restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118  not a mapping
        except (safetensors.SafetensorError, OSError, KeyError, RuntimeError) as error:
            raise TrainingError(f"{self.state}: it cannot be read ({error}); delete it to start again") from error

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.step = int(tensors["step"])
        with torch.no_grad():
            for name, parameter in self.module.named_parameters():
                parameter.copy_(tensors[f"{name}/value"])
                if self.step:
                    self.optimiser.state[parameter] = {
                        "step": torch.tensor(float(self.step)),
                        "exp_avg": tensors[f"{name}/exp_avg"],
                        "exp_avg_sq": tensors[f"{name}/exp_avg_sq"],
                    }


def _silent(step: int, steps: int, loss: float) -> None:
    pass


def _never() -> bool:
    return False


def _learning_rate(settings: Settings, step: int) -> float:
    warm_up = min(1.0, (step + 1) / _WARM_UP)
    return settings.learning_rate * warm_up * 0.5 * (1.0 + math.cos(math.pi * step / settings.steps))


def _initialised(architecture: Architecture, seed: int) -> ReluMLP:
    """A module whose weights and biases are uniform in +-1 / sqrt(inputs of the layer), torch's own choice.

    Wider ones (He et al. 2015; Atzmon and Lipman 2020) reach the same error sooner, with three times as many regions.
    """
    generator = torch.Generator().manual_seed(seed)
    module = ReluMLP(architecture)
    for layer in module:
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return module


def _samples(target: Target, rng: np.random.Generator) -> Float:
    counts = [round(share * SAMPLES) for share, _ in _MIXTURE[:-1]]
    counts.append(SAMPLES - sum(counts))
    parts: list[Float] = []
    for count, (_, deviation) in zip(counts, _MIXTURE, strict=True):
        if deviation is None:
            parts.append(rng.uniform(DOMAIN[0], DOMAIN[1], (count, 3)))
        else:
            surface = target.sample_surface(count, rng)
            parts.append(surface + rng.normal(0.0, deviation, surface.shape))
    return np.concatenate(parts)


def _mean_error(module: ReluMLP, target: Target, points: Float) -> float:
    with torch.inference_mode():
        values = torch.cat([module(part) for part in torch.split(torch.from_numpy(points.astype(np.float32)), 1 << 15)])
    return float(np.abs(values.double().numpy() - target.distance(points)).mean())


def _slope_error(module: ReluMLP, points: Float) -> float:
    total = 0.0
    for part in torch.split(torch.from_numpy(points.astype(np.float32)), 1 << 15):
        part.requires_grad_(True)
        (gradient,) = torch.autograd.grad(module(part).sum(), part)
        total += float((gradient.double().norm(dim=1) - 1.0).abs().sum())
    return total / len(points)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """torch on `count` threads, for the duration."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


__all__ = [
    "FitErrors",
    "TargetError",
    "TrainingCancelled",
    "TrainingError",
    "TrainingReport",
    "evaluate",
    "train",
]
