"""Rows to pictures for a slide or a paper, as PNG and SVG: what agrees, how fast, and for how many bits."""
