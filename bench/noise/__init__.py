"""Monte-Carlo rounding: run the unmodified formula with simulated rounding errors."""

# importing these modules registers their rules
from bench.noise import choices, elementwise, making, products, reductions, scans, sums  # noqa: F401
from bench.noise.array import Noisy as Noisy
from bench.noise.array import noisy as noisy
from bench.noise.array import pack as pack
from bench.noise.array import rows as rows
from bench.noise.bits import rms as rms
from bench.noise.bits import to_bits as to_bits
from bench.noise.explained import explained as explained
from bench.noise.listing import refused as refused
from bench.noise.listing import usable as usable
from bench.noise.precision import ACCUMULATORS as ACCUMULATORS
from bench.noise.precision import EXACT_SUMS as EXACT_SUMS
from bench.noise.precision import FULL as FULL
from bench.noise.precision import INSIDE as INSIDE
from bench.noise.precision import TF32_FACTORS as TF32_FACTORS
from bench.noise.precision import P as P
from bench.noise.precision import accumulators as accumulators
from bench.noise.precision import layouts as layouts
from bench.noise.precision import multiple as multiple
from bench.noise.precision import precision as precision
from bench.noise.rounding import Rounding as Rounding
from bench.noise.rounding import under as under
