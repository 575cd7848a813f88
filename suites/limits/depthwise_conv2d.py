"""Known departures of depthwise convolution."""

from gaugeblock import Limit

DTYPES = ("float64", "float32", "bfloat16", "float16")


def strided(line, *contenders):
    """TensorFlow gathers each phase of a dilation, then strides inside the phase: other places are left."""
    return Limit(
        "tensorflow",
        "takes a stride inside each phase of a dilation, so that it gives other places of the image, and "
        "often fewer; its documentation asks for strides of 1 there, and nothing refuses others",
        f"tensorflow/python/ops/nn_impl.py:{line} (2.21.0)",
        {
            "backend": "tensorflow",
            "contender": contenders,
            "option": "dilated-strided",
            "dtype": DTYPES,
        },
        always=False,  # where a phase has one place, it is the right one
    )


def groups_together(package, **cells):
    """XLA has no grouped convolution of float64 on a CPU: it makes one of all channels, with zeros."""
    return Limit(
        package,
        "computes groups as one convolution with zeros between them, and 0 times NaN or ∞ is NaN: one such "
        "pixel makes NaN of every channel",
        "xla/hlo/transforms/simplifiers/convolution_group_converter.cc",
        {
            "regime": ("one-nan", "one-infinity"),
            "direction": "forward",
            "dtype": "float64",
            "backend": package,
            **cells,
        },
        always=False,  # the only channel of an image has no others
    )


def from_memory(size):
    """Both of what a gradient of no images shows: numbers of nobody, and other ones in the next call."""
    source = "tensorflow/core/kernels/depthwise_conv_grad_op.cc, DepthwiseConv2dNativeBackpropFilterOp"
    source = f"{source}; tensorflow/tensorflow#126484"
    cells = {"backend": "tensorflow", "mode": ("eager", "function"), "direction": "gradient", "size": size}
    reason = "the gradient of the kernel of no images is not set to zero: it is what lay in memory"
    again = "the gradient of the kernel of no images is what lies in memory, which the next call changes"
    return {
        "kernel-from-memory": Limit("tensorflow", reason, source, cells, always=False),
        "kernel-from-changing-memory": Limit("tensorflow", again, source, cells, always=False, varies=True),
    }


limits = {
    "strides-inside-phases": strided(
        792, "tensorflow.nn.depthwise_conv2d", "tensorflow.nn.depthwise_conv2d:explicit"
    ),
    "groups-together-jax": groups_together("jax"),
    "groups-together-tensorflow": groups_together("tensorflow", mode="xla"),
} | from_memory("batch:0+height:8+width:9+channels:5+kernel:3.2")
