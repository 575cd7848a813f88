"""Planted faults of transfers."""

from gaugeblock import Mutant

WAY, SAME = "transfer.transfer", "x + 0"

mutants = {
    name: (
        Mutant("in-bfloat16", "precision", WAY, SAME, "bfloat16(x)"),
        Mutant("in-float16", "precision", WAY, SAME, "float16(x)"),
        Mutant("in-float32", "dtype", WAY, SAME, "float32(x)"),
        Mutant("promotes", "dtype", WAY, SAME, "x.astype(np.float64)"),
        Mutant("last-number-left-out", "mask", WAY, SAME, "np.where(np.arange(x.size) < x.size - 1, x, 0)"),
        Mutant("one-place-late", "mask", WAY, SAME, "np.concatenate([x[:1], x[:-1]])"),
        Mutant("backwards", "layout", WAY, SAME, "x[::-1] + 0"),
        Mutant("every-second", "layout", WAY, SAME, "np.repeat(x[::2], 2)"),
        Mutant("sign-lost", "formula", WAY, SAME, "abs(x)"),
    )
    for name in ("host-to-device", "device-to-host")
}
