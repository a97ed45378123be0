"""SplineScope's command line and application."""

__version__ = "0.1.0"
