"""splinescope surface: the exact level surface of a network as a mesh."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.commands.errors import CommandError
from app.commands.interrupt import cancelled_by_interrupt
from app.commands.kernels import prepare_certificate_kernels, prepare_surface_kernels
from app.commands.loading import about, add_checkpoint_options, level_of, open_chosen, reading_facts, trace
from app.commands.options import add_command, add_outputs_option, finite, numbers
from app.commands.outputs import check_outputs, could_not_write, written_one_by_one
from app.commands.planes import check_space
from app.commands.recording import provenance_of
from app.inspection import forward_error
from app.state.texts.numbers import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.export.mesh import Mesh
    from app.provenance.record import Provenance
    from engine import Network, Surface
    from sdf_models import Checkpoint

_EXTENSIONS: Final = (".ply", ".obj", ".stl", ".vtp", ".npz")
_OUTPUTS: Final = ("--out", "--creases")
_GRID, _SAMPLES, _BUDGET = 32, 256, 50_000
_SLOW_SECONDS = 1.0  # what takes longer is shown

_EPILOG = """\
PLY and OBJ keep the polygons, STL has triangles; VTP and NPZ also hold each one's gradient, area, component and region.
"""


def add_parser(commands: Any) -> None:
    parser = add_command(commands, "surface", run, "extract the exact level surface as a mesh", __doc__, _EPILOG)
    add_checkpoint_options(parser, without=("bounds",))
    add_outputs_option(parser, "the mesh (.ply, .obj, .stl, .vtp, .npz)")
    parser.add_argument(
        "--creases",
        type=Path,
        metavar="FILE",
        help="the edges with the layer and neuron that made each, as lines (.vtp)",
    )
    parser.add_argument(
        "--level", type=finite, metavar="F", help="the level (default: 0, or with --neuron where the neuron bends)"
    )
    parser.add_argument(
        "--neuron",
        type=_neuron,
        metavar="LAYER/NEURON",
        help="the level surface of this neuron's pre-activation instead: a plane that earlier layers bend",
    )
    parser.add_argument(
        "--bounds", type=numbers, metavar="LO,HI", help="the box, as for slice (default: the checkpoint's domain)"
    )
    parser.add_argument(
        "--method",
        choices=("exact", "marching"),
        default="exact",
        help="exact, or marching cubes on float32 samples for comparison (default: exact)",
    )
    parser.add_argument(
        "--resolution",
        type=_resolution,
        metavar="N",
        help=f"along each side of the box: cells of the grid where the exact surface is looked for (default: {_GRID}), "
        f"or samples of marching cubes (default: {_SAMPLES})",
    )
    parser.add_argument(
        "--certify",
        type=_budget,
        nargs="?",
        const=_BUDGET,
        metavar="BOXES",
        help="try to prove, by bounds and regions of boxes, that nothing was missed (at most so many boxes; "
        f"default: {_BUDGET:,})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object with what was found")


def run(arguments: argparse.Namespace) -> None:
    outputs: list[Path] = arguments.out
    creases: list[Path] = [] if arguments.creases is None else [arguments.creases]
    source = arguments.located or arguments.file
    check_outputs(outputs, _EXTENSIONS, source=source)
    check_outputs(creases, (".vtp",), source=source)
    check_outputs([*outputs, *creases], _EXTENSIONS, source=source)
    exact = arguments.method == "exact"
    if arguments.certify is not None and not exact:
        raise CommandError("--certify: marching cubes proves nothing; leave --method marching out")
    if arguments.neuron is not None and not exact:
        raise CommandError("--neuron: marching cubes samples the network's output; leave --method marching out")
    if creases and not exact:
        raise CommandError("--creases: marching cubes finds no creases; leave --method marching out")
    checkpoint = open_chosen(arguments)
    check_space(arguments, checkpoint.domain.shape[1], "surfaces")
    network = trace(arguments.file, checkpoint)
    if arguments.neuron is not None:
        network, level = _of_neuron(network, arguments)
    else:
        arguments.level = arguments.level or 0.0
        level = level_of(arguments, checkpoint)
    domain = checkpoint.domain
    from app.export.mesh import mesh_of
    from engine import Cancelled, EngineError

    surface = None
    try:
        if exact:
            prepare_surface_kernels()
        with cancelled_by_interrupt() as cancel:
            try:
                if exact:
                    surface = extract(network, domain, level, arguments.resolution or _GRID, cancel)
                    if arguments.certify is not None:
                        prepare_certificate_kernels()
                        surface = certified(surface, arguments.certify, cancel)
                    mesh, facts = mesh_of(surface), surface_facts(surface)
                else:
                    mesh, facts = _marched(checkpoint, domain, level, arguments, cancel)
            except Cancelled as error:
                raise KeyboardInterrupt from error
    except EngineError as error:
        raise CommandError(about(arguments.file, str(error))) from error
    if mesh.facets == 0 and (outputs or creases):
        reason = surface.describe() if surface is not None else _no_marched(facts)
        raise CommandError(about(arguments.file, f"{reason}; choose another level or box, or a finer grid"))
    found = {name: facts[name] for name in ("facets", "vertices", "area", "volume") if facts[name] is not None}
    record = provenance_of(arguments, checkpoint, _OUTPUTS, domain, arguments.level, found=found)
    _write(mesh, surface, outputs, creases, record)
    if arguments.json:
        facts_of_file = {"checkpoint": str(arguments.file), "max_forward_error": forward_error(network)}
        facts = facts_of_file | reading_facts(arguments, checkpoint, network) | facts
        if arguments.neuron is not None:
            facts |= {"neuron": list(arguments.neuron)}
        print(json.dumps(facts, indent=2))
    else:
        print("\n".join([_text(facts, surface), *(f"wrote {path}" for path in [*outputs, *creases])]))


def _of_neuron(network: Network, arguments: argparse.Namespace) -> tuple[Network, float]:
    """Return the network that a neuron is, and the level at which it is cut."""
    from engine import EngineError, neuron_network

    layer, neuron = arguments.neuron
    try:
        found = neuron_network(network, layer, neuron)
    except EngineError as error:
        raise CommandError(f"--neuron {layer}/{neuron}: {error}") from error
    if arguments.level is None:
        kink = network.kinks[layer]
        bends = kink.row_breakpoint[kink.row_neuron == neuron].tolist()
        if len(bends) != 1:
            where = f"bends at {' and '.join(f'{bend:g}' for bend in bends)}" if bends else "bends nowhere"
            raise CommandError(f"--neuron {layer}/{neuron}: it {where}; say at which value with --level")
        arguments.level = bends[0]
    return found, arguments.level


def extract(
    network: Network, domain: NDArray[np.float64], level: float, grid: int, cancel: Callable[[], bool]
) -> Surface:
    """The exact surface, with a progress bar when that takes long."""
    from tqdm import tqdm

    from engine import SurfaceProgress, extract_surface

    hidden = not sys.stderr.isatty()
    with tqdm(desc="surface", unit=" facets", delay=_SLOW_SECONDS, leave=False, disable=hidden) as bar:

        def report(progress: SurfaceProgress) -> None:
            searching = progress.searched < 1.0
            now = f"{progress.searched:.0%} of the grid looked at" if searching else f"{progress.waiting:,} waiting"
            bar.set_postfix_str(now, refresh=False)
            bar.update(progress.facets - bar.n)

        return extract_surface(network, domain, level, grid, report, cancel)


def certified(surface: Surface, budget: int, cancel: Callable[[], bool]) -> Surface:
    """The surface with a certificate, or with what stayed unproven told on stderr."""
    from tqdm import tqdm

    from engine import certify_surface, with_certificate

    hidden = not sys.stderr.isatty()
    with tqdm(desc="certificate", unit=" boxes", delay=_SLOW_SECONDS, leave=False, disable=hidden) as bar:

        def report(done: int, waiting: int) -> None:
            bar.set_postfix_str(f"{waiting:,} waiting", refresh=False)
            bar.update(done - bar.n)

        certificate = certify_surface(surface, budget, report, cancel)
    if not certificate.certified:
        print(f"splinescope: {certificate.describe()}", file=sys.stderr)
    return with_certificate(surface, certificate)


def surface_facts(surface: Surface) -> dict[str, Any]:
    """What --json prints of a surface."""
    report = surface.report
    return {
        "method": "exact",
        "level": surface.level,
        "domain": surface.domain.tolist(),
        "facets": report.facets,
        "vertices": report.vertices,
        "edges": len(surface.edges),
        "area": surface.area,
        "volume": surface.volume(),
        "components": report.components,
        "euler_characteristics": list(report.euler),
        "closed": report.closed,
        "border_edges": report.border_edges,
        "open_edges": report.open_edges,
        "collapsed_edges": report.collapsed,
        "flat_regions": report.flat_regions,
        "grid": report.grid,
        "certified": report.certified,
        "seconds": surface.seconds,
    }


def _marched(
    checkpoint: Checkpoint,
    domain: NDArray[np.float64],
    level: float,
    arguments: argparse.Namespace,
    cancel: Callable[[], bool],
) -> tuple[Mesh, dict[str, Any]]:
    from tqdm import tqdm

    from app.export.marching import Stopped, march_cubes
    from app.export.mesh import measures

    resolution = arguments.resolution or _SAMPLES
    start = time.perf_counter()
    hidden = not sys.stderr.isatty()
    with tqdm(desc="samples", unit=" samples", delay=_SLOW_SECONDS, leave=False, disable=hidden) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            mesh = march_cubes(checkpoint.module, domain, resolution, level, cancel, report)
        except Stopped as stopped:
            raise KeyboardInterrupt from stopped
    seconds = time.perf_counter() - start
    facts = {"method": "marching", "level": level, "domain": domain.tolist(), "facets": mesh.facets}
    facts |= {"vertices": len(mesh.vertices), **measures(mesh, domain), "resolution": resolution}
    return mesh, facts | {"certified": None, "seconds": {"marching": seconds}}


def _write(mesh: Mesh, surface: Surface | None, outputs: list[Path], creases: list[Path], record: Provenance) -> None:
    from app.export.mesh import write_creases, write_mesh
    from app.files import written_together

    try:
        with written_together([*outputs, *creases]) as temporaries:
            for path, temporary in written_one_by_one(outputs, temporaries):
                text = record.of_output("--out", path).to_text()
                write_mesh(mesh, temporary, path.suffix.lower()[1:], text, record.sha256)
            if surface is not None and creases:
                write_creases(surface, temporaries[-1], record.of_output("--creases", creases[0]).to_text())
    except OSError as error:
        raise could_not_write(error, [*outputs, *creases]) from error


def _text(facts: dict[str, Any], surface: Surface | None) -> str:
    if surface is not None and surface.empty:
        return surface.describe()
    if not facts["facets"]:
        return f"{_no_marched(facts)}; a finer grid may find one (--resolution)"
    counts = f"{facts['facets']:,} facets, {facts['vertices']:,} vertices, {counted(facts['components'], 'component')}"
    how = "closed" if facts["closed"] else "not closed"
    if surface is not None and facts["open_edges"]:
        how += f" ({counted(facts['open_edges'], 'edge')} left open by rounding)"
    volume = "" if facts["volume"] is None else f", volume {facts['volume']:.6g}"
    if facts["certified"] is not None:
        how += ", certified" if facts["certified"] else ", not certified"
    return f"{counts}, {how}, area {facts['area']:.6g}{volume}, {sum(facts['seconds'].values()):.3f} s"


def _no_marched(facts: dict[str, Any]) -> str:
    name = "zero level surface" if facts["level"] == 0.0 else f"level surface f = {facts['level']:g}"
    return f"no {name} was found between the {facts['resolution']}^3 samples"


def _neuron(text: str) -> tuple[int, int]:
    layer, slash, neuron = text.partition("/")
    if not (slash and layer.isdecimal() and neuron.isdecimal() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a layer and a neuron, such as 5/17")
    return int(layer), int(neuron)


def _budget(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of boxes")
    return int(text)


def _resolution(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 2 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a resolution from 2 to 1000")
    return value
