"""Planted faults of the short-time Fourier transform."""

from gaugeblock import Mutant

STFT, BACK = "spectrogram.spectrogram", "spectrogram.spectrogram_vjp"
STEPS, STEPS_BACK, TABLES = "spectrogram.fourier", "spectrogram.fourier_vjp", "spectrogram._tables"
FRAME, ENDS = "spectrogram._frame", "spectrogram._ends"
POWER, FRAMES = "real * real + imag * imag", "frames * w"
REFLECTED = "x[:, N // 2 : 0 : -1]"

mutants = {
    "spectrogram": (
        Mutant("turns-the-other-way", "formula", TABLES, "circle(-j, n)", "circle(j, n)"),
        Mutant("amplitude-for-power", "formula", STFT, POWER, f"np.sqrt({POWER})"),
        Mutant("power-of-the-real-part", "formula", STFT, POWER, "real * real"),
        Mutant("window-twice", "formula", STFT, FRAMES, f"{FRAMES} * w"),
        Mutant("no-window", "formula", STFT, FRAMES, "1.0 * frames"),
        Mutant("not-turned-between-the-steps", "formula", STEPS, "turn[0] * re - turn[1] * im, turn[0] * im + turn[1] * re", "re, im"),
        Mutant("steps-in-the-other-order", "layout", STEPS, "np.swapaxes(each, -1, -2).reshape", "each.reshape"),
        Mutant("frequencies-reversed", "layout", STEPS, "[..., :bins]", "[..., ::-1][..., :bins]", option="two-sided"),
        Mutant("frames-begin-with-their-last-sample", "mask", STFT, FRAMES, "np.roll(frames, 1, axis=2) * w"),
        Mutant("zeros-before-the-frame", "mask", STFT, "(0, N - len(w)))", "(N - len(w), 0))", option="zeros-after"),
        Mutant("window-at-the-end", "mask", FRAME, "(before, N - l - before)", "(N - l, 0)", option="zeros-around"),
        Mutant("ends-repeated", "mask", ENDS, REFLECTED, "x[:, N // 2 - 1 :: -1][:, : N // 2]", option="centered"),
        Mutant("last-sample-goes-on", "mask", ENDS, "(0, behind)))", '(0, behind)), mode="edge")', option="ends"),
        Mutant("scaled-by-the-length", "formula", "spectrogram._scale", "math.sqrt(N)", "N", option="orthonormal"),
        Mutant("divided-by-the-energy", "formula", "spectrogram._scale", "np.sum(window)", "np.sum(window * window)", option="by-window"),
        Mutant("angles-in-bfloat16", "precision", TABLES, "circle(-j, n)", "bfloat16(circle(-j, n)[0]), bfloat16(circle(-j, n)[1])"),
        Mutant("frames-in-float32", "dtype", STFT, FRAMES, f"float32({FRAMES})"),
        Mutant("signals-promote", "dtype", STFT, FRAMES, f"{FRAMES}.astype(np.float64)"),
        Mutant("power-without-its-factor", "gradient", BACK, "2 * X[part]", "X[part]"),
        Mutant("window-left-out-of-the-gradient", "gradient", BACK, "[..., : len(w)] * w", "[..., : len(w)]"),
        Mutant("overlap-not-added", "gradient", BACK, "+= du[:, f]", "= du[:, f]"),
        Mutant("reflection-detached", "gradient", BACK, "dx[:, 1 : c + 1] +=", "dx[:, 1 : c + 1] += 0 *", option="centered"),
        Mutant("conjugate-in-the-gradient", "gradient", STEPS_BACK, "turn[0] * re + turn[1] * im", "turn[0] * re - turn[1] * im"),
        Mutant("one-frequency-off-by-a-thousandth", "local", STFT, "    return {", "    real[..., 1:2] *= 1.001\n    return {"),
    ),
}  # fmt: skip
