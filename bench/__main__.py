"""``python -m bench`` is `gaugeblock`."""

from bench.cli import app

if __name__ == "__main__":
    app(prog_name="gaugeblock")
