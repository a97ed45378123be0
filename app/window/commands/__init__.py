"""What a person can do in the window: one table, from which menus, buttons and lists of keys are made."""
