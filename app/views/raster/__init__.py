"""Pixels, compiled: the only part of the views that is.  Kernels run on any thread, without the interpreter's lock."""
