"""Known departures of weighted bags of word vectors."""

from suites.limits.activation import FLUSHES
from suites.limits.rms_norm import flushes

INPUTS = "reads subnormal weights as zero: their sum may be a normal number"

limits = {
    f"subnormal-inputs-{package}": flushes(package, source, INPUTS, direction="forward")
    for package, source in FLUSHES.items()
}
