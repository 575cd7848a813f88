"""Known departures of softmax over an axis."""

from suites.limits.activation import cancels
from suites.limits.softmax import LOG_SLOPE, LOG_SLOPES, LOG_SUM, LOG_SUMS, SLOPE, SLOPES

limits = {
    **{
        f"slope-near-one-{package}": cancels(
            package, SLOPE, source, case="axis-softmax", direction="gradient"
        )
        for package, source in SLOPES.items()
    },
    **{
        f"log-of-one-{package}": cancels(
            package, LOG_SUM, source, case="axis-log-softmax", direction="forward"
        )
        for package, source in LOG_SUMS.items()
        if package in SLOPES
    },
    **{
        f"log-slope-near-one-{package}": cancels(
            package, LOG_SLOPE, source, case="axis-log-softmax", direction="gradient"
        )
        for package, source in LOG_SLOPES.items()
        if package == "jax"
    },
}
