"""Known departures of separable convolution."""

from suites.limits.depthwise_conv2d import strided

limits = {"strides-inside-phases": strided(994, "tensorflow.nn.separable_conv2d")}
