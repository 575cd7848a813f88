"""Planted faults of Huber's loss and the smooth L1."""

from gaugeblock import Mutant

HUBER, HUBER_BACK = "huber.huber", "huber.huber_vjp"
SMOOTH, SMOOTH_BACK = "huber.smooth_l1", "huber.smooth_l1_vjp"
BOTH = "huber._both"
NEAR, FAR = "e * e / 2", "delta * (a - delta / 2)"
CLIPPED = "np.minimum(np.maximum(p - y, -delta), delta)"
PIECES = f"np.where(a <= delta, {NEAR}, {FAR})"
L1_NEAR, L1_FAR = "a * a / (2 * beta)", "a - beta / 2)"
L1_PIECES = f"np.where(a < beta, {L1_NEAR}, {L1_FAR}"
SLOPE = "np.minimum(np.maximum(e / beta, -1), 1) if beta else np.sign(e)"
OFF = "(1 + 0.001 * (np.arange(p.size) == 0).reshape(p.shape)).astype(p.dtype)"
PAST = "+ delta * np.sign(e)) - delta * np.sign(e)"

targets = (
    Mutant("targets-without-gradient", "gradient", BOTH, "-dp", "0 * dp"),
    Mutant("targets-pulled-along", "gradient", BOTH, "-dp", "dp"),
)

mutants = {
    "huber": (
        *targets,
        Mutant("half-left-out", "formula", HUBER, NEAR, "e * e"),
        Mutant("far-piece-not-joined", "formula", HUBER, FAR, "delta * a"),
        Mutant("bound-not-squared", "formula", HUBER, FAR, "(delta * a - delta / 2)", option="half"),
        Mutant("far-slope-of-one", "formula", HUBER, FAR, "a - delta / 2", option="half"),
        Mutant("divided-by-the-bound", "formula", HUBER, PIECES, f"{PIECES} / delta", option="half"),
        Mutant("smoothed", "formula", HUBER, PIECES, "delta**2 * (np.sqrt(1 + (a / delta) ** 2) - 1)"),
        Mutant("bound-of-the-square", "formula", HUBER, "a <= delta", "e * e <= delta", option="half"),
        Mutant("square-less-that-of-the-excess", "unstable", HUBER, PIECES, "(e * e - np.maximum(a - delta, 0) ** 2) / 2", regime="far"),
        Mutant("slope-by-way-of-the-bound", "unstable", HUBER_BACK, CLIPPED, f"(lambda e: np.where(np.abs(e) > delta, delta * np.sign(e), (e {PAST}))(p - y)", regime="near"),
        Mutant("errors-in-bfloat16", "precision", HUBER, "e = p - y", "e = bfloat16(p - y)"),
        Mutant("bound-in-float16", "precision", HUBER, "    a =", "    delta = float(np.float16(delta))\n    a =", option="tenth"),
        Mutant("errors-in-float32", "precision", HUBER, "e = p - y", "e = float32(p - y)"),
        Mutant("not-clipped", "gradient", HUBER_BACK, CLIPPED, "(p - y)"),
        Mutant("clipped-at-one", "gradient", HUBER_BACK, CLIPPED, "np.clip(p - y, -1, 1)", option="half"),
        Mutant("clipped-to-zero", "gradient", HUBER_BACK, CLIPPED, "np.where(np.abs(p - y) <= delta, p - y, 0)"),
        Mutant("far-errors-below-not-clipped", "gradient", HUBER_BACK, "np.maximum(p - y, -delta)", "(p - y)"),
        Mutant("shared-by-the-examples", "gradient", HUBER_BACK, "p.size", "len(p)"),
        Mutant("bound-belongs-to-neither", "mask", HUBER, PIECES, f"np.where(a < delta, {NEAR}, np.where(a > delta, {FAR}, 0))", regime="kink"),
        Mutant("bound-belongs-to-the-far-piece", "mask", HUBER, "a <= delta", "a < delta", regime="kink", equivalent="at the bound both pieces are δ²/2"),
        Mutant("last-example-left-out", "mask", HUBER, PIECES, f"{PIECES}[:-1]"),
        Mutant("targets-of-the-example-before", "layout", HUBER, "e = p - y", "e = p - np.roll(y, 1, axis=0)"),
        Mutant("bound-promotes", "dtype", HUBER, FAR, "np.float64(delta) * (a - delta / 2)"),
        Mutant("one-prediction-off-by-a-thousandth", "local", HUBER, "e = p - y", f"e = p * {OFF} - y"),
    ),
    "smooth-l1": (
        *targets,
        Mutant("hubers-scale", "formula", SMOOTH, f"{L1_NEAR}, {L1_FAR}", "a * a / 2, beta * (a - beta / 2))", option="half"),
        Mutant("near-curvature-of-one", "formula", SMOOTH, L1_NEAR, "a * a / 2", option="half"),
        Mutant("half-left-out", "formula", SMOOTH, L1_NEAR, "a * a / beta"),
        Mutant("far-piece-not-joined", "formula", SMOOTH, L1_FAR, "a - 0.5)", option="half"),
        Mutant("bound-inverted", "formula", SMOOTH, "    a =", "    beta = beta and 1 / beta\n    a =", option="ninth"),
        Mutant("square-at-a-bound-of-zero", "formula", SMOOTH, "reduced(a, reduction)", "reduced(a * a, reduction)", option="absolute"),
        Mutant("tiny-bound-for-none", "precision", SMOOTH, "        return reduced(a, reduction)", "        beta = 1e-8", option="absolute"),
        Mutant("square-less-that-of-the-excess", "unstable", SMOOTH, L1_PIECES, "(a * a - np.maximum(a - beta, 0) ** 2) / (2 * beta)", regime="far"),
        Mutant("slope-by-way-of-the-bound", "unstable", SMOOTH_BACK, SLOPE, f"np.where(np.abs(e) > beta, np.sign(e), ((e {PAST.replace('delta', 'beta')}) / beta)", regime="near"),
        Mutant("errors-in-bfloat16", "precision", SMOOTH, "np.abs(p - y)", "bfloat16(np.abs(p - y))"),
        Mutant("bound-in-float16", "precision", SMOOTH, "    a =", "    beta = float(np.float16(beta))\n    a =", option="ninth"),
        Mutant("errors-in-float32", "precision", SMOOTH, "np.abs(p - y)", "float32(np.abs(p - y))"),
        Mutant("not-clipped", "gradient", SMOOTH_BACK, SLOPE, "e / beta"),
        Mutant("curvature-of-one", "gradient", SMOOTH_BACK, SLOPE, "np.where(np.abs(e) < beta, e, np.sign(e))", option="half"),
        Mutant("clipped-at-the-bound", "gradient", SMOOTH_BACK, SLOPE, "np.clip(e, -beta, beta)", option="half"),
        Mutant("no-slope-without-a-bound", "gradient", SMOOTH_BACK, "else np.sign(e)", "else 0 * e", option="absolute"),
        Mutant("shared-by-the-examples", "gradient", SMOOTH_BACK, "p.size", "len(p)"),
        Mutant("slope-from-the-left-at-zero", "mask", SMOOTH_BACK, "else np.sign(e)", "else np.where(e > 0, 1, -1).astype(e.dtype)", option="absolute"),
        Mutant("divided-by-a-bound-of-zero", "mask", SMOOTH_BACK, SLOPE, "np.clip(e / (beta + 0 * e), -1, 1)", option="absolute"),
        Mutant("bound-belongs-to-neither", "mask", SMOOTH, L1_FAR, "np.where(a > beta, a - beta / 2, 0))", regime="kink"),
        Mutant("last-example-left-out", "mask", SMOOTH, L1_PIECES, f"{L1_PIECES}[:-1]"),
        Mutant("targets-of-the-example-before", "layout", SMOOTH, "p - y", "p - np.roll(y, 1, axis=0)"),
        Mutant("bound-promotes", "dtype", SMOOTH, L1_FAR, "a - np.float64(beta) / 2)"),
        Mutant("one-prediction-off-by-a-thousandth", "local", SMOOTH, "p - y", f"p * {OFF} - y"),
    ),
}  # fmt: skip
