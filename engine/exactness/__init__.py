"""Signs and orders that rounding cannot have changed, and how much it may have changed the others."""
