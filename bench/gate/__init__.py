"""The gate: two environments side by side, their numbers and their speed, with a known false-alarm rate."""
