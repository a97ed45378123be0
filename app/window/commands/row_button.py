"""Buttons in the rows of lists, named by the table of commands: each is about its own row."""

from __future__ import annotations

from app.window.commands.table import COMMANDS
from app.window.parts.controls import ToolButton, icon_button
from app.window.parts.icons import icon

_SIZE = 14  # pixels


def row_button(name: str) -> ToolButton:
    """Without a frame, with the icon and the tip of a command; what it does is the row's."""
    command = COMMANDS[name]
    return icon_button(icon(command.icon), command.tip or command.words, _SIZE)


def row_link(name: str) -> ToolButton:
    """As `row_button`, with the words of the command."""
    command, made = COMMANDS[name], ToolButton()
    made.setObjectName("link")
    made.setText(command.label or command.words)
    made.setToolTip(command.tip or command.words)
    return made
