"""Known departures of separable convolution."""

from suites.limits.depthwise_conv2d import groups_together, strided

limits = {
    "strides-inside-phases": strided(994, "tensorflow.nn.separable_conv2d"),
    "groups-together-jax": groups_together("jax"),
    "groups-together-tensorflow": groups_together("tensorflow", mode="xla"),
}
