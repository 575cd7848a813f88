"""``python -m gaugeblock`` runs the command `gaugeblock`."""

import os
import sys

import gaugeblock  # noqa: F401  # first: it makes sure that `bench` is ours
from bench.cli import app
from bench.report.table import legible


def main() -> None:
    """Run the command. A closed pipe or a full disk on output exits with status 2, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        legible(stream)
    try:
        try:
            app(prog_name="gaugeblock")
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes the rest at exit
        if not isinstance(error, BrokenPipeError):
            where = (
                f"{error.filename}: got {error.strerror}"
                if error.filename
                else f"output: got {error.strerror}"
            )
            print(f"gaugeblock: {where}, should be a usable file", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
