"""Planes, poses, lines of sight, measures."""
