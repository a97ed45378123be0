"""Panels of the window, each the face of a part of the session."""
