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


limits = {
    "strides-inside-phases": strided(
        792, "tensorflow.nn.depthwise_conv2d", "tensorflow.nn.depthwise_conv2d:explicit"
    )
}
