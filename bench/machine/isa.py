"""x86 instruction sets: which ones a library uses, and environment variables that restrict libraries.

With these variables a machine behaves like an older one, with exceptions that no variable controls:
TensorFlow's own kernels, ONNX Runtime's kernels, functions of the C library, and what compilers detect about
this CPU. Variables that the user has set are replaced; lists are joined.
"""

import os
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from bench.cache import folder
from bench.machine.pools import pools
from bench.machine.variables import flags_of

TOLD = "GAUGEBLOCK_ISA"  # the variable with the level of a process that was restricted
LEVELS = ("sse4", "avx2", "avx512")  # the narrowest first
VARIABLES = {  # the value for each level, as each library spells it
    "ATEN_CPU_CAPABILITY": ("default", "avx2", "avx512"),
    "MKL_ENABLE_INSTRUCTIONS": ("SSE4_2", "AVX2", "AVX512"),
    "ONEDNN_MAX_CPU_ISA": ("SSE41", "AVX2", "AVX512_CORE"),
    "OPENBLAS_CORETYPE": ("Nehalem", "Haswell", "SkylakeX"),
    "TF_ENABLE_ONEDNN_OPTS": ("0", "0", "0"),  # the default on CPUs without VNNI or AMX
    "XLA_FLAGS": tuple(f"--xla_cpu_max_isa={name}" for name in ("SSE4_2", "AVX2", "AVX512")),
}
JOINED = ("NPY_DISABLE_CPU_FEATURES", "XLA_FLAGS")  # lists, which are joined with the user's
# NumPy's features by the first level that has them; other names with AVX512 are beyond the widest level
FEATURES = {
    "sse4": ("SSSE3", "SSE41", "POPCNT", "SSE42", "X86_V2"),
    "avx2": ("AVX", "XOP", "FMA4", "F16C", "FMA3", "AVX2", "X86_V3"),
    "avx512": ("AVX512F", "AVX512CD", "AVX512_SKX", "X86_V4"),
}
WHOLE = {"sse4": {"SSE42", "X86_V2"}, "avx2": {"AVX2", "X86_V3"}, "avx512": {"AVX512_SKX", "X86_V4"}}
ATEN = {"DEFAULT": "sse4", "AVX2": "avx2", "AVX512": "avx512"}  # by torch's names
CORES = {  # OpenBLAS's kernels
    "sse4": ("Prescott", "Core2", "Penryn", "Nehalem", "Barcelona", "Atom"),
    "avx2": ("Haswell", "Zen", "Excavator"),
    "avx512": ("SkylakeX", "Cooperlake", "SapphireRapids"),
}


def available() -> tuple[str, ...]:
    """The levels of this machine that are enabled in NumPy; none if it is not x86."""
    widest = of_numpy()
    return LEVELS[: LEVELS.index(widest) + 1] if widest else ()


def narrowed(variables: Mapping[str, str], level: str) -> dict[str, str]:
    """Environment variables that restrict all libraries with such a variable to `level`.

    `variables` are the other variables of the process. Raises ValueError for a level that is not available,
    and if NPY_ENABLE_CPU_FEATURES is set.
    """
    if level not in available():
        known = ", ".join(available()) or "none: NumPy reports none for this CPU"
        raise ValueError(f"--isa: got {level!r}, should be one of {known}")
    place = LEVELS.index(level)
    ours = {name: values[place] for name, values in VARIABLES.items()}
    ours["NPY_DISABLE_CPU_FEATURES"] = " ".join(name for name in features() if _beyond(name, level))
    given = {**os.environ, **variables}
    if given.get("NPY_ENABLE_CPU_FEATURES"):
        raise ValueError("NPY_ENABLE_CPU_FEATURES: is set, should not be set with --isa; unset it")
    for name in JOINED:
        ours[name] = " ".join(filter(None, (flags_of(given.get(name, "")), ours[name])))
    # torch.compile would take kernels for wider vectors from its cache, and crash
    ours["TORCHINDUCTOR_CACHE_DIR"] = str(folder(f"inductor/{level}"))
    return {**variables, **{name: value for name, value in ours.items() if value}, TOLD: level}


def _beyond(feature: str, level: str) -> bool:
    """Whether only wider levels have this NumPy feature."""
    within = LEVELS[: LEVELS.index(level) + 1]
    if any(feature in FEATURES[each] for each in within):
        return False
    return feature.startswith("AVX512") or any(feature in names for names in FEATURES.values())


def of_numpy() -> str:
    """The level that NumPy's own loops use on this machine."""
    here = {*_simd()["baseline"], *features()}
    return widest(level for level, names in WHOLE.items() if names & here)


def of_aten(capability: str) -> str:
    """The level that torch reports for its own kernels; empty if this machine is not x86."""
    return ATEN.get(capability, "") if platform.machine().lower() in ("x86_64", "amd64") else ""


def of_llvm(features: Iterable[str]) -> str:
    """The level of code that was compiled for these features, in LLVM's names."""
    names = {"sse4.2": "sse4", "avx2": "avx2", "avx512f": "avx512"}
    return widest(names[each] for each in features if each in names)


def of_openblas() -> str:
    """The level of the widest OpenBLAS that this process has loaded; empty if unknown."""
    names = {pool.get("architecture") for pool in pools() if pool.get("internal_api") == "openblas"}
    return widest(level for level, cores in CORES.items() if names & {*cores})


def widest(levels: Iterable[str]) -> str:
    """The widest of these levels; empty if there are none."""
    return max(levels, key=LEVELS.index, default="")


def features() -> list[str]:
    """NumPy's features beyond its baseline that this CPU has and that are enabled."""
    return list(_simd().get("found", ()))


def _simd() -> Mapping[str, Any]:
    import numpy as np

    found: Any = np.show_config(mode="dicts")
    return {"baseline": [], **found.get("SIMD Extensions", {})}
