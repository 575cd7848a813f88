"""Keyword spotting: a second of sound to one of twelve words, as each framework's users write it.

Features and network in one: the framework's short-time Fourier transform, mel bands as an array, its cosine
transform, and a depthwise-separable CNN of its layers, with batch normalisation in inference. "dscnn-s" is
the paper's small network, which MLPerf Tiny runs, on a second at 16 kHz, in frames of 40 ms, 20 ms apart,
with 40 mel bands and 10 coefficients. The sound is synthesised (suites/mu_law.py): Speech Commands is not
shipped.
The page is long because it has three models.
"""

import numpy as np

from gaugeblock import Case, Contender
from reference.keyword_spotting import EPS, SHIFT, keyword_spotting, keyword_spotting_vjp
from reference.mel import mel_bands
from reference.window import window
from suites.mel import EDGES, cosines
from suites.mu_law import RATE, sound
from suites.spectrogram import TRACED, refuses


def inputs(rng, *, batch, time, frame, bands, channels, layers, words, kernel, regime="typical", **option):
    def convolution(*shape):
        return rng.normal(size=shape) * (2 / np.prod(shape[:-1])) ** 0.5

    def affine(*rows):
        return {
            "gamma": rng.uniform(0.5, 1.5, size=(*rows, channels)),
            "beta": 0.1 * rng.normal(size=(*rows, channels)),
        }

    def layer():
        D = rng.normal(size=(3, 3, channels, 1)) / 2
        return {"D": D, "P": convolution(channels, channels)} | affine(2)

    x = sound(rng, batch=batch, time=time)
    if regime == "quiet":
        x = x / 1024
    weights = {
        "first": {"W": convolution(*kernel, 1, channels)} | affine(),
        "layers": [layer() for _ in range(layers)],
        "end": {"W": rng.normal(size=(channels, words)), "b": 0.1 * rng.normal(size=words)},
    }
    mean = 0.5 * rng.normal(size=(1 + 2 * layers, channels))
    variance = rng.uniform(0.5, 2, size=mean.shape)
    mean[0], variance[0] = 3 * mean[0], 30 * variance[0]  # cepstra are larger than what follows
    M = mel_bands(frame // 2 + 1, bands, rate=RATE, **EDGES)
    labels = rng.integers(0, words, size=batch)
    given = {"window": window(x[0, :frame]), "bands": M, "mean": mean, "variance": variance}
    return weights, {"x": x, "labels": labels} | given


def torch_model(weights):
    import torch
    from torch import nn

    r, s, _, c = weights["first"]["W"].shape

    class Spotter(nn.Module):
        def __init__(self):
            super().__init__()
            each = range(len(weights["layers"]))
            self.first = nn.Conv2d(1, c, (r, s), 2, bias=False)
            self.norms = nn.ModuleList(nn.BatchNorm2d(c, EPS) for _ in range(1 + 2 * len(each)))
            self.deep = nn.ModuleList(nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False) for _ in each)
            self.point = nn.ModuleList(nn.Conv2d(c, c, 1, bias=False) for _ in each)
            self.end = nn.Linear(c, weights["end"]["W"].shape[1])

        def forward(self, images):
            size = zip(images.shape[:1:-1], (s, r), strict=True)
            total = [max((-(-n // 2) - 1) * 2 + k - n, 0) for n, k in size]  # of "same", last axis first
            margins = [m for t in total for m in (t // 2, t - t // 2)]
            h = torch.relu(self.norms[0](self.first(nn.functional.pad(images, margins))))
            for at, (deep, point) in enumerate(zip(self.deep, self.point, strict=True)):
                h = torch.relu(self.norms[1 + 2 * at](deep(h)))
                h = torch.relu(self.norms[2 + 2 * at](point(h)))
            return self.end(h.mean(dim=(2, 3)))

    return Spotter().eval()


def in_torch(weights, *, keep=10):
    import torch

    model = torch_model(weights)

    def run(params, x, labels, window, bands, mean, variance):
        X = torch.stft(
            x, len(window), round(SHIFT * len(window)), window=window, center=False, return_complex=True
        )
        y = torch.log((X.abs() ** 2).mT @ bands + 1e-6)
        u = y @ torch.asarray(cosines(bands.shape[1], keep), dtype=y.dtype, device=y.device)
        running = {f"norms.{at}.running_mean": each for at, each in enumerate(mean)}
        running |= {f"norms.{at}.running_var": each for at, each in enumerate(variance)}
        z = torch.func.functional_call(model, params | running, (u[:, None],))
        return {"p": torch.softmax(z, dim=1), "loss": torch.nn.functional.cross_entropy(z, labels)}

    first, end = weights["first"], weights["end"]
    params = {
        "first.weight": first["W"].transpose(3, 2, 0, 1),
        "end.weight": end["W"].T,
        "end.bias": end["b"],
    }
    params |= {"norms.0.weight": first["gamma"], "norms.0.bias": first["beta"]}
    for at, layer in enumerate(weights["layers"]):
        params |= {f"deep.{at}.weight": layer["D"].transpose(2, 3, 0, 1)}
        params |= {f"point.{at}.weight": layer["P"].T[:, :, None, None]}
        for half in (0, 1):
            norm = f"norms.{1 + 2 * at + half}"
            params |= {f"{norm}.weight": layer["gamma"][half], f"{norm}.bias": layer["beta"][half]}
    return params, run


def named(weights):
    """The weights by the names that Keras's and Flax's models give their layers."""
    first = weights["first"]
    yield "first", {"kernel": first["W"]}
    yield "norm_0", {"gamma": first["gamma"], "beta": first["beta"]}
    for at, layer in enumerate(weights["layers"]):
        yield f"deep_{at}", {"kernel": layer["D"]}
        yield f"point_{at}", {"kernel": layer["P"][None, None]}
        for half in (0, 1):
            yield f"norm_{1 + 2 * at + half}", {"gamma": layer["gamma"][half], "beta": layer["beta"][half]}
    yield "end", {"kernel": weights["end"]["W"], "bias": weights["end"]["b"]}


def keras_model(weights, images):
    import keras
    from keras import layers

    r, s, _, c = weights["first"]["W"].shape

    def block(h, convolution, at):
        return layers.ReLU()(layers.BatchNormalization(epsilon=EPS, name=f"norm_{at}")(convolution(h)))

    u = keras.Input(images)
    how = {"padding": "same", "use_bias": False}
    h = block(u, layers.Conv2D(c, (r, s), 2, name="first", **how), 0)
    for at in range(len(weights["layers"])):
        h = block(h, layers.DepthwiseConv2D(3, name=f"deep_{at}", **how), 1 + 2 * at)
        h = block(h, layers.Conv2D(c, 1, name=f"point_{at}", **how), 2 + 2 * at)
    end = layers.Dense(weights["end"]["W"].shape[1], name="end")
    return keras.Model(u, end(layers.GlobalAveragePooling2D()(h)))


def in_keras(weights, *, keep=10):
    import keras
    import tensorflow as tf

    model = keras_model(weights, (None, keep, 1))
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    arrays = {f"{name}/{kind}": each for name, group in named(weights) for kind, each in group.items()}

    def run(params, x, labels, window, bands, mean, variance):
        l = len(window)
        X = tf.signal.stft(x, l, round(SHIFT * l), l, window_fn=lambda n, dtype: window)
        y = tf.math.log(tf.tensordot(tf.abs(X) ** 2, bands, 1) + 1e-6)
        u = tf.signal.mfccs_from_log_mel_spectrograms(y)[..., :keep, None]
        running = [each[at] for at in range(len(mean)) for each in (mean, variance)]
        z = model.stateless_call(params, running, u, training=False)[0]
        return {"p": tf.nn.softmax(z), "loss": loss_of(labels, z)}

    return [arrays[variable.path] for variable in model.trainable_variables], run


def in_flax(weights, *, keep=10):
    import jax
    import jax.numpy as jnp
    import optax
    from flax import linen
    from jax.scipy.fft import dct

    r, s, _, c = weights["first"]["W"].shape

    class Spotter(linen.Module):
        @linen.compact
        def __call__(self, images):
            def block(h, name, at, size, **how):
                h = linen.Conv(c, size, use_bias=False, name=name, **how)(h)
                norm = linen.BatchNorm(use_running_average=True, epsilon=EPS, name=f"norm_{at}")
                return linen.relu(norm(h))

            h = block(images, "first", 0, (r, s), strides=2)
            for at in range(len(weights["layers"])):
                h = block(h, f"deep_{at}", 1 + 2 * at, (3, 3), feature_group_count=c)
                h = block(h, f"point_{at}", 2 + 2 * at, (1, 1))
            return linen.Dense(weights["end"]["W"].shape[1], name="end")(h.mean(axis=(1, 2)))

    def run(params, x, labels, window, bands, mean, variance):
        l = len(window)
        starts = jnp.arange(0, x.shape[1] - l + 1, round(SHIFT * l))
        X = jnp.fft.rfft(x[:, starts[:, None] + jnp.arange(l)] * window)
        y = jnp.log(jnp.abs(X) ** 2 @ bands + 1e-6)
        u = dct(y)[..., :keep, None] / (2 * y.shape[-1]) ** 0.5
        running = {f"norm_{at}": {"mean": mean[at], "var": variance[at]} for at in range(len(mean))}
        z = Spotter().apply({"params": params, "batch_stats": running}, u)
        loss = optax.losses.softmax_cross_entropy_with_integer_labels(z, labels).mean()
        return {"p": jax.nn.softmax(z), "loss": loss}

    params = {}
    for name, group in named(weights):
        if name.startswith("deep"):
            group = {"kernel": group["kernel"].transpose(0, 1, 3, 2)}
        if name.startswith("norm"):
            group = {"scale": group["gamma"], "bias": group["beta"]}
        params[name] = group
    return params, run


def flops(*, batch, time, frame, bands, channels, layers, words, kernel, keep=10, **_):
    """Two flops for each multiply-add of bands, cosines, convolutions and scores; 5/2 N log N a frame."""
    frames = 1 + (time - frame) // round(SHIFT * frame)
    transform = frames * (2.5 * frame * np.log2(frame) + 4 * (frame // 2 + 1))
    features = 2 * frames * bands * (frame // 2 + 1 + keep)
    places = -(-frames // 2) * -(-keep // 2)
    network = 2 * places * channels * (np.prod(kernel) + layers * (9 + channels) + 3 * (1 + 2 * layers))
    return batch * (transform + features + network + 2 * channels * words)


SMALL = {"time": 400, "frame": 64, "bands": 12, "channels": 5, "layers": 2, "words": 4, "kernel": (4, 3)}
PAPER = {
    "time": RATE,
    "frame": 640,
    "bands": 40,
    "channels": 64,
    "layers": 4,
    "words": 12,
    "kernel": (10, 4),
}

case = Case(
    name="keyword-spotting",
    title="Keyword spotting in a second of sound",
    reference=keyword_spotting,
    gradient=keyword_spotting_vjp,
    inputs=inputs,
    sizes={
        "small": SMALL | {"batch": 3},
        "one": SMALL | {"batch": 1},
        "dscnn-s": PAPER | {"batch": 1},
    },
    options={"plain": {}, "all-coefficients": {"keep": 12}},
    regimes={
        "typical": "sound that fills the range",
        "quiet": "sound near silence, where ε in the logarithm is as large as the power",
    },
    fixed=("window", "bands", "mean", "variance"),
    minor=True,
    contenders=(
        Contender("torch", "torch.nn.Conv2d", in_torch, refuses=[*TRACED, *refuses("FFT doesn't support")]),
        Contender("tensorflow", "keras.layers.DepthwiseConv2D", in_keras, refuses=refuses("ValueError")),
        Contender("jax", "flax.linen.Conv", in_flax, refuses=refuses("RFFT input must be")),
    ),
    items=lambda *, batch, **_: batch,
    unit="seconds of sound",
    flops=flops,
)
