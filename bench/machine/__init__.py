"""The records of a machine: its CPU, memory and GPUs, what else it is doing, its allocator."""
