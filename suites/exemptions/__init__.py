"""What the studies leave out, and why: parameters of APIs (coverage.py), counts of operations (flops.py)."""
