"""The real window, see `tests.app.on_screen`."""

from tests.app.on_screen import command, empty_window, kernels, no_error_in_a_slot, settings_elsewhere, soon, window

__all__ = ["command", "empty_window", "kernels", "no_error_in_a_slot", "settings_elsewhere", "soon", "window"]
