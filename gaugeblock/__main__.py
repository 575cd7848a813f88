"""``python -m gaugeblock`` is `gaugeblock`."""

import gaugeblock  # noqa: F401  # first: it imports our bench, and not one beside the user's files
from bench.cli import app


def main() -> None:
    """The command."""
    app(prog_name="gaugeblock")


if __name__ == "__main__":
    main()
