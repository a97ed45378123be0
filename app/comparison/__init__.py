"""Checkpoints beside each other: what is measured, of slices and surfaces, and its tables; no Qt, no windows."""
