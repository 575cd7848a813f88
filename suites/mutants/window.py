"""Planted faults of windows."""

from gaugeblock import Mutant

FRAME, BACK, WINDOW = "window.windowed", "window.windowed_vjp", "window.window"
HANN, HAMMING, BLACKMAN, BARTLETT = (f"window.{name}" for name in ("hann", "hamming", "blackman", "bartlett"))
PERIOD = "p = l if periodic else l - 1"

mutants = {
    "window": (
        Mutant("always-symmetric", "formula", WINDOW, PERIOD, "p = l - 1"),
        Mutant("always-periodic", "formula", WINDOW, PERIOD, "p = l", option="hann-symmetric"),
        Mutant("sine-not-squared", "formula", HANN, "np.sin(np.pi * m / p) ** 2", "np.sin(np.pi * m / p)"),
        Mutant("cosines-cancel", "unstable", HANN, "np.sin(np.pi * m / p) ** 2", "float32(1 - np.cos(2 * np.pi * m / p)) / 2"),
        Mutant("hamming-of-25-46ths", "formula", HAMMING, "0.08 + 0.92 * hann(m, p)", "4 / 46 + 42 / 46 * hann(m, p)", option="hamming"),
        Mutant("exact-blackman", "formula", BLACKMAN, "0.36 + 0.64 * hann(m, p)", "0.3544 + 0.6456 * hann(m, p)", option="blackman"),
        Mutant("triangle-without-zeros", "formula", BARTLETT, "2 * m / p", "(2 * m + 1) / (p + 1)", option="bartlett"),
        Mutant("not-falling", "mask", WINDOW, "np.minimum(np.arange(l), p - np.arange(l))", "np.arange(l) / 2"),
        Mutant("second-half-left-out", "mask", WINDOW, "w[:] = KINDS[kind](m, p)", "w[: l // 2] = KINDS[kind](m, p)[: l // 2]"),
        Mutant("window-of-the-rows", "layout", FRAME, "x * window(x, kind=kind, periodic=periodic)", "x * window(x.T, kind=kind, periodic=periodic)[:, None]"),
        Mutant("window-in-bfloat16", "precision", FRAME, "x * window(x, kind=kind, periodic=periodic)", "x * bfloat16(window(x, kind=kind, periodic=periodic))"),
        Mutant("frames-promote", "dtype", FRAME, "x * window", "x.astype(np.float64) * window"),
        Mutant("gradient-without-the-window", "gradient", BACK, "dy * window(x, kind=kind, periodic=periodic)", "dy"),
        Mutant("one-element-off-by-a-thousandth", "local", WINDOW, "    return w", "    w[1:2] *= 1.001\n    return w"),
    ),
}  # fmt: skip
