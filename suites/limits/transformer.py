"""Known departures of the Transformer."""

from suites.limits.attention import softmax_slopes

limits = softmax_slopes()
