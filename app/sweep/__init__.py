"""Many checkpoints and planes: each pair is a task of its own, run by whatever processes there are."""
