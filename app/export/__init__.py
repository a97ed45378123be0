"""Figures and data files of slices."""
