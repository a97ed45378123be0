"""The real window, see `tests.app.on_screen`."""

from tests.app.on_screen import empty_window, kernels, no_error_in_a_slot, settings_elsewhere, smooth_soon, window

__all__ = ["empty_window", "kernels", "no_error_in_a_slot", "settings_elsewhere", "smooth_soon", "window"]
