"""A prepared run on a machine that is lent for minutes: most valuable steps first, within a time limit."""
