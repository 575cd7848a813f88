"""``python -m gaugeblock`` is `gaugeblock`."""

import os
import sys

import gaugeblock  # noqa: F401  # first: it imports our bench, and not one beside the user's files
from bench.cli import app
from bench.report.table import legible


def main() -> None:
    """The command. Its output may be a pipe that somebody closes, or a disk that is full."""
    for stream in (sys.stdout, sys.stderr):
        legible(stream)
    try:
        try:
            app(prog_name="gaugeblock")
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at the end
        if not isinstance(error, BrokenPipeError):
            where = (
                f"{error.filename}: got {error.strerror}"
                if error.filename
                else f"output: got {error.strerror}"
            )
            print(f"gaugeblock: {where}, should be a file that can be used", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
