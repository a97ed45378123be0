"""The window: its widgets, and what a person can do with them."""
