"""splinescope demos: the checkpoints that come with the program."""

from __future__ import annotations

import argparse
from typing import Any

from app.demos import DEMOS


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("demos", help="list the checkpoints that come with the program", description=__doc__)
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> None:
    width = max(map(len, DEMOS))
    for name, (layers, meaning) in DEMOS.items():
        print(f"{name:{width}}  {layers}  {meaning}")
    print("\nOpen one by its name: splinescope open spot, splinescope slice torus --plane z=0 --out torus.pdf")
