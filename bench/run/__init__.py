"""A run: its plan, its worker processes, the session that owns its rows, and the pytest plug-in."""

from bench.run.session import Session as Session
