"""Transposed convolution: stride, padding, output padding, dilation, groups, against each framework's layers.

Convention: torch's, in which padding cuts both ends of an axis and output_padding keeps more at its end.
Keras has only 'valid' and 'same', so its users crop. TensorFlow derives the cut from the requested shape.
JAX's padding is that of the convolution it runs: the kernel's extent minus one minus the cut. "same" is
Keras's: torch cuts equally at both ends of an axis, so its users crop. Kernels are (r, s, o, c), those of the
convolution that is transposed; JAX flips them with transpose_kernel=True. The page is long because each API
cuts in its own way.
"""

from functools import partial

from gaugeblock import Case, Contender, Refusal, require
from reference.convolution import margins, pair
from reference.transposed import conv_transpose2d, conv_transpose2d_vjp, enlarged


def inputs(
    rng, *, batch, height, width, channels, outputs, kernel, groups=1, stride=1, bias=True,
    regime="typical", **option,
):  # fmt: skip
    r, s = kernel
    fan = max(r * s * channels // groups // (pair(stride)[0] * pair(stride)[1]), 1)
    W = rng.normal(size=(r, s, outputs // groups, channels)) / fan**0.5
    x = rng.normal(size=(batch, height, width, channels))
    if regime == "bright-pixel":
        x[:, 0, 0] *= 1000
    return {"W": W} | ({"b": rng.normal(size=outputs)} if bias else {}), {"x": x}


def torch_layout(weights):
    params = {"weight": weights["W"].transpose(3, 2, 0, 1)}  # (c, o/g, r, s)
    return params | ({"bias": weights["b"]} if "b" in weights else {})


def in_torch(weights, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1, **option):
    import torch

    def run(params, x):
        x, shape = x.permute(0, 3, 1, 2).contiguous(), x.shape[1:3]  # (n, c, p, q)
        cut, more = padding, output_padding
        if padding == "same":
            kernel = params["weight"].shape[2:]
            h, w = enlarged(shape, kernel, stride, "same")
            whole = enlarged(shape, kernel, stride, 0, 0, dilation)
            (top, _), (left, _) = margins((h, w), kernel, pair(stride), "same", pair(dilation))
            cut, more = 0, tuple(max(want - have, 0) for want, have in zip((h, w), whole, strict=True))
        y = torch.nn.functional.conv_transpose2d(
            x, params["weight"], params.get("bias"), stride, cut, more, groups, dilation
        )
        if padding == "same":
            y = y[:, :, top : top + h, left : left + w]
        return {"y": y.permute(0, 2, 3, 1)}

    return torch_layout(weights), run


def in_torch_layer(weights, *, stride=1, padding=0, output_padding=0, dilation=1, groups=1, **option):
    import torch

    r, s, e, c = weights["W"].shape
    how = {"output_padding": output_padding, "groups": groups, "dilation": dilation, "bias": "b" in weights}
    layer = torch.nn.ConvTranspose2d(c, e * groups, (r, s), stride, padding, **how)

    def run(params, x):
        y = torch.func.functional_call(layer, params, (x.permute(0, 3, 1, 2),))  # (n, o, h, w)
        return {"y": y.permute(0, 2, 3, 1)}

    return torch_layout(weights), run


def in_tensorflow(weights, *, stride=1, padding=0, output_padding=0, dilation=1, bias=True):
    import tensorflow as tf

    ends = "SAME" if padding == "same" else "VALID"
    if padding not in (0, "same"):
        ends = [[0, 0], *([p, p] for p in pair(padding)), [0, 0]]

    def run(params, x):
        W = params["W"]
        h, w = enlarged(x.shape[1:3], W.shape[:2], stride, padding, output_padding, dilation)
        shape = (x.shape[0], h, w, W.shape[2])
        y = tf.nn.conv2d_transpose(x, W, shape, stride, ends, dilations=dilation)
        return {"y": y + params["b"] if bias else y}

    return dict(weights), run


def in_keras(weights, *, stride=1, padding=0, output_padding=0, dilation=1, bias=True):
    import keras

    r, s, o, c = weights["W"].shape
    how, more, cut = "same", None, None
    if padding != "same":
        ends = [*zip(pair(padding), pair(output_padding), strict=True)]
        how, more = "valid", tuple(max(m - p, 0) for p, m in ends)
        more = more if any(more) else None  # Keras 3.8 takes no 0; no stride here exceeds its kernel
        cut = keras.layers.Cropping2D([(p, max(p - m, 0)) for p, m in ends])  # the layer does not cut
    option = {"output_padding": more, "dilation_rate": dilation, "use_bias": bias}
    layer = keras.layers.Conv2DTranspose(o, (r, s), stride, how, **option)
    layer.build((None, None, None, c))

    def run(params, x):
        y = layer.stateless_call(params, [], x)[0]
        return {"y": cut(y) if cut and padding else y}

    return list(weights.values()), run


def jax_padding(kernel, padding, output_padding, dilation):
    if padding == "same":
        return "SAME"
    axes = zip(kernel, pair(padding), pair(output_padding), pair(dilation), strict=True)
    return [((k - 1) * d - p, (k - 1) * d - p + more) for k, p, more, d in axes]


def in_jax(weights, *, stride=1, padding=0, output_padding=0, dilation=1, bias=True, consistent=False):
    import jax

    ends = jax_padding(weights["W"].shape[:2], padding, output_padding, dilation)
    option = {"rhs_dilation": pair(dilation), "transpose_kernel": True}
    if consistent:  # the padding is that of the convolution that is transposed
        require("jax.lax.conv_transpose", "use_consistent_padding")
        option["use_consistent_padding"] = True
        if padding != "same":
            ends = [(p, p - more) for p, more in zip(pair(padding), pair(output_padding), strict=True)]

    def run(params, x):
        y = jax.lax.conv_transpose(x, params["W"], pair(stride), ends, **option)
        return {"y": y + params["b"] if bias else y}

    return dict(weights), run


def in_flax(weights, *, stride=1, padding=0, output_padding=0, dilation=1, bias=True):
    import flax.linen

    W = weights["W"]
    ends = jax_padding(W.shape[:2], padding, output_padding, dilation)
    option = {"kernel_dilation": pair(dilation), "transpose_kernel": True, "param_dtype": W.dtype}
    option["use_bias"] = bias
    layer = flax.linen.ConvTranspose(W.shape[2], W.shape[:2], pair(stride), ends, **option)
    params = {"kernel": W} | ({"bias": weights["b"]} if bias else {})
    return params, lambda params, x: {"y": layer.apply({"params": params}, x)}


UNGROUPED = {"grouped": "has no groups"}
UNCUT = dict.fromkeys(("same", "gaps"), "cuts as much at both ends of an axis")
NO_ROOM = {"dilated-padded": "asks for a shape whose convolution has the input's: output_padding < stride"}
# Without XLA or oneDNN (float32, and no explicit padding) TensorFlow's CPU kernels have no dilation
# (tensorflow#28264). Keras refuses a stride together with a dilation.
TOO_WIDE = "dilation rates larger than 1"
UNDILATED = [Refusal(f"dilated*/{mode}/cpu/*", TOO_WIDE) for mode in ("eager", "function")]
UNDILATED_KERAS = [
    Refusal("dilated-strided/*", "not supported in conjunction with `dilation_rate > 1`"),
    *(
        Refusal(f"dilated*/{mode}/cpu/{dtype}/*", TOO_WIDE, when)
        for dtype, when in (("float64", {}), ("float16", {}), ("*", {"onednn": False}))
        for mode in ("eager", "function")
    ),
]
case = Case(
    name="conv2d-transpose",
    title="Transposed convolution of images",
    reference=conv_transpose2d,
    gradient=conv_transpose2d_vjp,
    inputs=inputs,
    sizes={
        "small": {"batch": 2, "height": 5, "width": 4, "channels": 4, "outputs": 6, "kernel": (3, 4)},
        "thin": {"batch": 1, "height": 1, "width": 9, "channels": 2, "outputs": 2, "kernel": (3, 3)},
        "wide": {"batch": 1, "height": 3, "width": 5, "channels": 258, "outputs": 34, "kernel": (3, 3)},
        "dcgan": {"batch": 2, "height": 16, "width": 16, "channels": 64, "outputs": 32, "kernel": (4, 4)},
    },
    options={
        "plain": {"stride": 2},
        "unit": {},
        "padded": {"stride": 2, "padding": (0, 1)},
        "output-padded": {"stride": (3, 2), "padding": 1, "output_padding": (2, 1)},
        "same": {"stride": 2, "padding": "same"},
        "gaps": {"stride": 5, "padding": "same"},
        "dilated": {"dilation": 2, "padding": (2, 1)},
        "dilated-padded": {"dilation": 2, "padding": 1, "output_padding": 1},
        "dilated-strided": {"dilation": (1, 2), "stride": 2, "padding": 1},
        "grouped": {"groups": 2, "stride": 2},
        "no-shift": {"stride": 2, "bias": False},
    },
    regimes={
        "typical": "seeded normal draws",
        "bright-pixel": "one corner times a thousand, which a transform of the whole image spreads over it",
    },
    rare=("bright-pixel",),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.functional.conv_transpose2d", in_torch),
        Contender("torch", "torch.nn.ConvTranspose2d", in_torch_layer, without=UNCUT),
        Contender(
            "tensorflow",
            "tensorflow.nn.conv2d_transpose",
            in_tensorflow,
            without=UNGROUPED | NO_ROOM,
            refuses=UNDILATED,
        ),
        Contender(
            "tensorflow",
            "keras.layers.Conv2DTranspose",
            in_keras,
            without=UNGROUPED,
            refuses=UNDILATED_KERAS,
        ),
        Contender("jax", "jax.lax.conv_transpose", in_jax, without=UNGROUPED),
        Contender(
            "jax",
            "jax.lax.conv_transpose",
            partial(in_jax, consistent=True),
            without=UNGROUPED,
            variant="use_consistent_padding",
        ),
        Contender("jax", "flax.linen.ConvTranspose", in_flax, without=UNGROUPED),
    ),
    items=lambda *, batch, **_: batch,
    unit="images",
    flops=lambda *, batch, height, width, channels, outputs, kernel, groups=1, **_: (
        2 * batch * height * width * channels * outputs // groups * kernel[0] * kernel[1]
    ),
)
