"""The error that ends a command."""

from __future__ import annotations


class CommandError(Exception):
    """Its text is the line that the user sees: FILE: reason; what to do."""
