"""Known departures of mu-law companding."""

from gaugeblock import Limit

limits = {
    "compiled-expm1": Limit(
        "torch",
        "compiled for vectors, expm1(x) is exp(x) − 1, which cancels near zero",
        "torch/_inductor/codegen/cpp.py:1275 (2.13.0)",
        {"backend": "torch", "contender": "torch.log1p", "mode": "compile", "dtype": "float32"},
        always=False,
    ),
}
