"""Figures for print and for screens: one model of them, one way to draw it."""
