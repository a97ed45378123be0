"""The planar map of a slice, and the kernels that cut it by the rows of one layer."""
