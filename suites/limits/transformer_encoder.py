"""Known departures of the Transformer encoder."""

from suites.limits.attention import softmax_slopes

limits = softmax_slopes("torch")
