"""What the reference gives, and how far rounding alone may move it: the limit of every element."""
