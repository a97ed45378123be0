"""The exact partition of a slice: the driver, and the stages of each layer."""
