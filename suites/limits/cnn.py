"""Known departures of the convolutional network."""

from suites.limits.activation import cancels
from suites.limits.max_pool import drops_nan
from suites.limits.softmax import SLOPE, SLOPES

limits = {
    f"slope-near-one-{package}": cancels(
        package, SLOPE, source, direction="gradient", dtype=("float64", "float32")
    )
    for package, source in SLOPES.items()
} | {"nan": drops_nan()}
