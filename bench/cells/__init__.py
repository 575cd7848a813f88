"""One coordinate of the suite, and which of them a run has."""
