"""Got against expected: whether rounding explains every difference, and what is a known departure."""
