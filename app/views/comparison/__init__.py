"""Pictures of two checkpoints in one slice."""
