"""How a file was made: a record that files carry, and what carries it in each format."""
