"""Planted faults of log-mel spectra and of the mel cepstrum."""

from gaugeblock import Mutant

LOG, LOG_BACK, CEPSTRUM, CEPSTRUM_BACK = (
    f"mel.{name}" for name in ("log_mel", "log_mel_vjp", "cepstrum", "cepstrum_vjp")
)
COSINES = "mel._cosines"
SUM = "power @ bands"

mutants = {
    "log-mel": (
        Mutant("decibels", "formula", LOG, "np.log(power @ bands + eps)", "10 * np.log10(power @ bands + eps)"),
        Mutant("floor-for-the-sum", "formula", LOG, "power @ bands + eps", "np.maximum(power @ bands, eps)"),
        Mutant("of-the-amplitude", "formula", LOG, SUM, "np.sqrt(power) @ bands"),
        Mutant("log-of-each-frequency", "formula", LOG, "np.log(power @ bands + eps)", "np.log(power + eps) @ bands"),
        Mutant("eps-left-out", "formula", LOG, " + eps", "", regime="silence"),
        Mutant("bands-reversed", "layout", LOG, SUM, "power @ bands[:, ::-1]"),
        Mutant("frequencies-one-off", "mask", LOG, SUM, "power @ np.roll(bands, 1, axis=0)"),
        Mutant("every-second-frequency", "mask", LOG, SUM, "power[..., ::2] @ bands[::2]"),
        Mutant("power-in-bfloat16", "precision", LOG, SUM, "bfloat16(power) @ bands"),
        Mutant("power-in-float32", "dtype", LOG, SUM, "float32(power) @ bands"),
        Mutant("power-promotes", "dtype", LOG, SUM, "power.astype(np.float64) @ bands"),
        Mutant("gradient-without-eps", "gradient", LOG_BACK, " + eps", "", regime="silence"),
        Mutant("gradient-of-the-log-left-out", "gradient", LOG_BACK, "(dy / (power @ bands + eps))", "dy"),
        Mutant("one-band-off-by-a-thousandth", "local", LOG, SUM, "power @ (bands * (1 + 0.001 * (np.arange(bands.shape[1]) == 0)).astype(bands.dtype))"),
    ),
    "mel-cepstrum": (
        Mutant("orthonormal-first-coefficient", "formula", COSINES, "    return C", "    C[:, 0] /= math.sqrt(2)\n    return C"),
        Mutant("cosines-of-the-first-kind", "formula", COSINES, "2 * np.arange(B)[:, None] + 1", "2 * np.arange(B)[:, None]"),
        Mutant("not-scaled", "formula", COSINES, "math.sqrt(2 / B)", "2"),
        Mutant("scaled-by-the-length", "formula", COSINES, "math.sqrt(2 / B)", "1 / B"),
        Mutant("transposed", "layout", COSINES, "    return C", "    return C.T"),
        Mutant("first-coefficient-left-out", "mask", CEPSTRUM, "[:, :keep]", "[:, np.minimum(np.arange(1, len(_cosines(y)) + 1), len(_cosines(y)) - 1)[:keep]]"),
        Mutant("bands-reversed", "layout", CEPSTRUM, "y @", "y[..., ::-1] @"),
        Mutant("cosines-in-bfloat16", "precision", CEPSTRUM, "y @ _cosines(y)", "y @ bfloat16(_cosines(y))"),
        Mutant("result-in-float32", "dtype", CEPSTRUM, "y @ _cosines(y)[:, :keep]", "float32(y @ _cosines(y)[:, :keep])"),
        Mutant("logarithms-promote", "dtype", CEPSTRUM, "y @ _cosines(y)", "y.astype(np.float64) @ _cosines(y)"),
        Mutant("gradient-not-transposed", "gradient", CEPSTRUM_BACK, "dc @ _cosines(y)[:, :keep].T", "dc @ _cosines(y)[:dc.shape[-1]]"),
        Mutant("gradient-of-fewer-coefficients", "gradient", CEPSTRUM_BACK, "dc @ _cosines(y)[:, :keep].T", "dc[..., :-1] @ _cosines(y)[:, :keep][:, :-1].T"),
        Mutant("one-coefficient-off-by-a-thousandth", "local", COSINES, "    return C", "    C[:, -1] *= 1.001\n    return C"),
    ),
}  # fmt: skip
