"""Notices of what happened by itself, wherever they are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Choice = tuple[str, Callable[[], object]]


class Notices(Protocol):
    """One notice at a time, the newest; told: what it says, "" when there is none."""

    @property
    def told(self) -> str: ...

    def tell(self, text: str, *choices: Choice) -> None:
        """Show a notice.  choices: buttons, each with what it does; the notice goes with any of them."""

    def withdraw(self, text: str) -> None:
        """Take back what was told and is true no more; another notice stays."""
