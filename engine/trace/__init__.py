"""Tracing: a module's forward becomes the steps of a network."""
