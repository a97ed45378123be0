"""python -m app, and the script `splinescope`."""

import sys

from app.encoding import write_in_any_encoding


def run() -> int:
    """The command line; returns its exit code, also when Ctrl-C comes while it is still being imported."""
    write_in_any_encoding()
    try:
        from app.cli import main

        return main()
    except KeyboardInterrupt:
        print("splinescope: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
