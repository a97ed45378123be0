"""Checkpoints beside each other: columns, pairs, and their controls."""
