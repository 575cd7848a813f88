"""A run: its plan, its workers, the session that owns its rows, and the pytest plug-in."""

from bench.run.session import Session as Session
