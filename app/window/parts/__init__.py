"""Parts that panels and dialogs are made of, and their style."""
