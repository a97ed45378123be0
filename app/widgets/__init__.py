"""The window: widgets, and the wires between state, jobs and views."""
