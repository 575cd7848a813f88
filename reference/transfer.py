"""Transfer: numbers on the other side, from the host's memory to the device's or back.

Formula
    y = x
Shapes
    x : (n,)    numbers
Source
    The definition; what is measured is the way.
Choices
    Pageable memory on the host, as NumPy allocates it. The result is whole when the call ends.
"""


def transfer(x):
    return x + 0  # (n,)
