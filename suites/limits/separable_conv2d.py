"""Known departures of separable convolution."""

from suites.limits.depthwise_conv2d import from_memory, groups_together, strided

limits = {
    "strides-inside-phases": strided(994, "tensorflow.nn.separable_conv2d"),
    "groups-together-jax": groups_together("jax"),
    "groups-together-tensorflow": groups_together("tensorflow", mode="xla"),
} | from_memory("batch:0+height:8+width:9+channels:5+kernels:6+kernel:3.2")
