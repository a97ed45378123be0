"""What the application knows: plain values, no computation."""
