"""The error that ends a command."""

from __future__ import annotations


class CommandError(Exception):
    """Its text is the line that the user sees: FILE: reason; what to do.  recipe: lines of code below it."""

    def __init__(self, message: str, recipe: str = "") -> None:
        super().__init__(message)
        self.recipe = recipe
