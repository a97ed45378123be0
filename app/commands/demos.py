"""splinescope demos: the checkpoints that come with the program."""

from __future__ import annotations

import argparse
from typing import Any

from app.commands.options import add_command
from app.demos import DEMOS


def add_parser(commands: Any) -> None:
    add_command(commands, "demos", run, "list the checkpoints that come with the program", __doc__)


def run(_: argparse.Namespace) -> None:
    width = max(map(len, DEMOS))
    for name, (layers, meaning) in DEMOS.items():
        print(f"{name:{width}}  {layers}  {meaning}")
    print("\nOpen one by its name: splinescope open spot, splinescope slice torus --plane z=0 --out torus.pdf")
