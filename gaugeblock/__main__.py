"""``python -m gaugeblock`` is `gaugeblock`."""

import sys

from gaugeblock import ROOT


def main() -> None:
    """The command; what it starts imports our folders too, and not others of their names."""
    sys.path.insert(0, str(ROOT))
    from bench.cli import app

    app(prog_name="gaugeblock")


if __name__ == "__main__":
    main()
