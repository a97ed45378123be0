"""Slices in two dimensions."""
