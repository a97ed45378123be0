"""Two networks on one slice: their common refinement, and numbers on how they differ."""
