"""Transfer: copies numbers from the host's memory to the device's, or back.

Formula
    y = x
Shapes
    x : (n,)    numbers
Source
    The definition; only the time of the transfer is of interest.
Choices
    Pageable memory on the host, as NumPy allocates it. The result is complete when the call ends.
"""


def transfer(x):
    return x + 0  # (n,)
