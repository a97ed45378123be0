"""Marks and pointers, painted over both kinds of views."""
