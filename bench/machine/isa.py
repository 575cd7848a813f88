"""Instruction sets of x86: what a library uses, and environments in which libraries use fewer.

A machine can so be what an older one is, but for what is not told here: TensorFlow's own kernels and those
of ONNX Runtime, which choose for themselves, the C library's functions, and what a compiler is told of this
CPU. What a user has set of these variables is replaced, but for lists, which are joined.
"""

import os
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from bench.cache import folder
from bench.machine.variables import flags_of

TOLD = "GAUGEBLOCK_ISA"  # stands in the environment of a process that was narrowed to a level
LEVELS = ("sse4", "avx2", "avx512")  # the narrowest first
VARIABLES = {  # of each level in turn, as each library spells it
    "ATEN_CPU_CAPABILITY": ("default", "avx2", "avx512"),
    "MKL_ENABLE_INSTRUCTIONS": ("SSE4_2", "AVX2", "AVX512"),
    "ONEDNN_MAX_CPU_ISA": ("SSE41", "AVX2", "AVX512_CORE"),
    "OPENBLAS_CORETYPE": ("Nehalem", "Haswell", "SkylakeX"),
    "TF_ENABLE_ONEDNN_OPTS": ("0", "0", "0"),  # as on CPUs without units for networks (VNNI, AMX)
    "XLA_FLAGS": tuple(f"--xla_cpu_max_isa={name}" for name in ("SSE4_2", "AVX2", "AVX512")),
}
JOINED = ("NPY_DISABLE_CPU_FEATURES", "XLA_FLAGS")  # lists, to which what a user has set belongs too
# NumPy's features by the level that has them first; what begins with AVX512 and is not here is of a later one
FEATURES = {
    "sse4": ("SSSE3", "SSE41", "POPCNT", "SSE42", "X86_V2"),
    "avx2": ("AVX", "XOP", "FMA4", "F16C", "FMA3", "AVX2", "X86_V3"),
    "avx512": ("AVX512F", "AVX512CD", "AVX512_SKX", "X86_V4"),
}
WHOLE = {"sse4": {"SSE42", "X86_V2"}, "avx2": {"AVX2", "X86_V3"}, "avx512": {"AVX512_SKX", "X86_V4"}}
ATEN = {"DEFAULT": "sse4", "AVX2": "avx2", "AVX512": "avx512"}  # as torch names them
CORES = {  # OpenBLAS's kernels
    "sse4": ("Prescott", "Core2", "Penryn", "Nehalem", "Barcelona", "Atom"),
    "avx2": ("Haswell", "Zen", "Excavator"),
    "avx512": ("SkylakeX", "Cooperlake", "SapphireRapids"),
}


def available() -> tuple[str, ...]:
    """The levels of this machine, as far as NumPy was not told to leave them alone; none on other CPUs."""
    widest = of_numpy()
    return LEVELS[: LEVELS.index(widest) + 1] if widest else ()


def narrowed(variables: Mapping[str, str], level: str) -> dict[str, str]:
    """Environment variables under which no library that can be told uses more than `level`.

    `variables` are those that stand there otherwise. Raises ValueError for a level that is not available.
    """
    if level not in available():
        known = ", ".join(available()) or "none: NumPy names none of this CPU"
        raise ValueError(f"--isa: got {level!r}, should be one of {known}")
    place = LEVELS.index(level)
    ours = {name: values[place] for name, values in VARIABLES.items()}
    ours["NPY_DISABLE_CPU_FEATURES"] = " ".join(name for name in features() if _beyond(name, level))
    given = {**os.environ, **variables}
    if given.get("NPY_ENABLE_CPU_FEATURES"):
        raise ValueError("NPY_ENABLE_CPU_FEATURES: is set, should not be where NumPy is narrowed; unset it")
    for name in JOINED:
        ours[name] = " ".join(filter(None, (flags_of(given.get(name, "")), ours[name])))
    # torch.compile takes kernels from its cache that were made for wider vectors, and crashes
    ours["TORCHINDUCTOR_CACHE_DIR"] = str(folder(f"inductor/{level}"))
    return {**variables, **{name: value for name, value in ours.items() if value}, TOLD: level}


def _beyond(feature: str, level: str) -> bool:
    """Whether only wider levels have a feature of NumPy's."""
    within = LEVELS[: LEVELS.index(level) + 1]
    if any(feature in FEATURES[each] for each in within):
        return False
    return feature.startswith("AVX512") or any(feature in names for names in FEATURES.values())


def of_numpy() -> str:
    """The level that NumPy's own loops use here."""
    here = {*_simd()["baseline"], *features()}
    return widest(level for level, names in WHOLE.items() if names & here)


def of_aten(capability: str) -> str:
    """The level that torch's own kernels say they are of; empty on what is no x86."""
    return ATEN.get(capability, "") if platform.machine().lower() in ("x86_64", "amd64") else ""


def of_llvm(features: Iterable[str]) -> str:
    """The level of code that was compiled for these features, as LLVM names them."""
    names = {"sse4.2": "sse4", "avx2": "avx2", "avx512f": "avx512"}
    return widest(names[each] for each in features if each in names)


def of_openblas() -> str:
    """The level of the widest OpenBLAS that this process has loaded; empty where that is not known."""
    from threadpoolctl import threadpool_info

    names = {pool.get("architecture") for pool in threadpool_info() if pool.get("internal_api") == "openblas"}
    return widest(level for level, cores in CORES.items() if names & {*cores})


def widest(levels: Iterable[str]) -> str:
    """The widest of these levels; empty where there is none."""
    return max(levels, key=LEVELS.index, default="")


def features() -> list[str]:
    """NumPy's features beyond its baseline that this CPU has and that it was not told to leave alone."""
    return list(_simd().get("found", ()))


def _simd() -> Mapping[str, Any]:
    import numpy as np

    found: Any = np.show_config(mode="dicts")
    return {"baseline": [], **found.get("SIMD Extensions", {})}
