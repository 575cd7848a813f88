"""Transfers from host to device and back: the time of each framework's call, and that values do not change.

Only for devices other than the CPU. The timings of other pages exclude transfers. Convention: pageable NumPy
memory on the host, and a result that is complete when the call ends. JAX caches the NumPy copy of an array,
so its transfer back goes to a JAX array on the host.
"""

from gaugeblock import Case, Contender, Refusal
from reference.transfer import transfer

SIZES = {  # 4 bytes in float32, 4 KiB, 256 KiB and 16 MiB
    "small": {"n": 2**10},
    "one": {"n": 1},
    "medium": {"n": 2**16},
    "large": {"n": 2**22},
}
NO_BFLOAT16 = [Refusal("*/bfloat16/*", "can't convert np.ndarray of type ml_dtypes.bfloat16")]


def inputs(rng, *, n):
    return {}, {"x": rng.normal(size=n)}


def to_torch(weights):
    import torch

    place = torch.get_default_device()
    return {}, lambda params, x: {"y": torch.as_tensor(x).to(place)}


def from_torch(weights):
    return {}, lambda params, x: {"y": x.cpu()}


def to_tensorflow(weights):
    import tensorflow as tf

    return {}, lambda params, x: {"y": tf.constant(x)}


def from_tensorflow(weights):
    import tensorflow as tf

    def run(params, x):
        with tf.device("/CPU:0"):
            return {"y": tf.identity(x)}

    return {}, run


def to_jax(weights):
    import jax

    return {}, lambda params, x: {"y": jax.device_put(x)}


def from_jax(weights):
    import jax

    host = jax.devices("cpu")[0]
    return {}, lambda params, x: {"y": jax.device_put(x, host)}


COMMON = {
    "reference": transfer,
    "inputs": inputs,
    "sizes": SIZES,
    "devices": ("gpu",),
    "items": lambda *, n: n,
    "unit": "numbers",
    "flops": lambda **_: 0,  # a transfer only moves bytes
}
cases = (
    Case(
        name="host-to-device",
        title="Transfer to the device",
        on_host=True,
        contenders=(
            Contender("torch", "torch.Tensor.to", to_torch, modes=("eager",), refuses=NO_BFLOAT16),
            Contender("tensorflow", "tensorflow.constant", to_tensorflow, modes=("eager",)),
            Contender("jax", "jax.device_put", to_jax, modes=("eager",)),
        ),
        **COMMON,
    ),
    Case(
        name="device-to-host",
        title="Transfer to the host",
        contenders=(
            Contender("torch", "torch.Tensor.cpu", from_torch, modes=("eager",)),
            Contender("tensorflow", "tensorflow.identity", from_tensorflow, modes=("eager",)),
            Contender("jax", "jax.device_put", from_jax, modes=("eager",)),
        ),
        **COMMON,
    ),
)
