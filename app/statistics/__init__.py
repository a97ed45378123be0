"""A slice in numbers: its depths, the shapes of its regions, and how near its lines are to the level set."""
