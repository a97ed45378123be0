"""One table of all that a person can do in the window, from which menus, buttons and lists of keys are made."""
