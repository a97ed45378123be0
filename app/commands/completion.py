"""splinescope completion: commands, options and names completed by the shell."""

from __future__ import annotations

import argparse
from typing import Any, Final

from app.commands.options import add_command

_SHELLS: Final = {
    "bash": 'eval "$(splinescope completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(splinescope completion zsh)" in ~/.zshrc, after compinit',
    "fish": "splinescope completion fish | source in ~/.config/fish/config.fish",
}


def add_parser(commands: Any) -> None:
    parser = add_command(
        commands,
        "completion",
        run,
        "print the code with which a shell completes commands, options and names",
        __doc__,
        "Put this into the shell's start-up file:\n" + "\n".join(f"  {line}" for line in _SHELLS.values()),
    )
    parser.add_argument("shell", choices=list(_SHELLS), help="the shell that the code is for")


def run(arguments: argparse.Namespace) -> None:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["splinescope"], shell=arguments.shell))
