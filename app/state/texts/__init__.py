"""Numbers, facts and notes in words."""
