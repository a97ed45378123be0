"""Wires between the session, the work off the GUI thread, and the views."""
