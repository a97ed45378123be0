"""Detail of a scene while something moves: so much that a picture takes no longer than a moment."""

from __future__ import annotations

from typing import Final

MOMENT: Final = 0.08
"""Seconds that a picture may take."""
_SPARE: Final = 0.4  # of a moment: who takes less draws more the next time
_LEAST: Final = 1 << 14
_START: Final = 1 << 15


class Pace:
    """most: triangles and segments in the next picture, a power of two; follows measured times."""

    def __init__(self) -> None:
        self.most = _START
        self._changed = True

    def note(self, seconds: float, drawn: int) -> None:
        """A picture of so many triangles and segments took so long; the first with so much detail does not count: what
        is in it has just been made."""
        if self._changed:
            self._changed = False
        elif seconds > MOMENT and self.most > _LEAST:
            self.most, self._changed = self.most // 2, True
        elif seconds < _SPARE * MOMENT and drawn > self.most // 2:
            self.most, self._changed = self.most * 2, True
