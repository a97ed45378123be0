"""Slices in two dimensions, and the legends of their colours."""
