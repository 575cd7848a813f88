"""Records the environment variables that change results or speed.

They are listed one by one, since records are published: CUDA_* or TF_* would include folders and host names.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

VARIABLES = (
    "ATEN_CPU_CAPABILITY", "BLIS_ARCH_TYPE", "BLIS_NUM_THREADS", "CUBLAS_EMULATE_DOUBLE_PRECISION",
    "CUBLAS_EMULATE_SINGLE_PRECISION", "CUBLAS_EMULATION_STRATEGY", "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_DEVICE_MAX_CONNECTIONS", "CUDA_DEVICE_ORDER", "CUDA_DISABLE_PTX_JIT", "CUDA_FORCE_PTX_JIT",
    "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_VISIBLE_DEVICES", "DNNL_CPU_ISA_HINTS",
    "DNNL_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "DNNL_PRIMITIVE_CACHE_CAPACITY", "GLIBC_TUNABLES",
    "GOMP_CPU_AFFINITY", "GOMP_SPINCOUNT", "GOTO_NUM_THREADS", "JAX_CPU_ENABLE_ASYNC_DISPATCH",
    "JAX_DEBUG_NANS", "JAX_DEFAULT_DTYPE_BITS", "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DEFAULT_PRNG_IMPL",
    "JAX_DISABLE_JIT", "JAX_DISABLE_MOST_OPTIMIZATIONS", "JAX_ENABLE_X64", "JAX_NUMPY_DTYPE_PROMOTION",
    "JAX_NUM_CPU_DEVICES", "JAX_PLATFORMS", "JAX_SOFTMAX_CUSTOM_JVP", "JAX_THREEFRY_PARTITIONABLE",
    "JAX_USE_DIRECT_LINEARIZE", "KERAS_BACKEND", "KERAS_NNX_ENABLED", "KERAS_TORCH_DEVICE", "KMP_AFFINITY",
    "KMP_BLOCKTIME", "MALLOC_ARENA_MAX", "MKL_CBWR", "MKL_DEBUG_CPU_TYPE", "MKL_DOMAIN_NUM_THREADS",
    "MKL_DYNAMIC", "MKL_ENABLE_INSTRUCTIONS", "MKL_NUM_STRIPES", "MKL_NUM_THREADS", "MKL_THREADING_LAYER",
    "NPROC", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "NPY_PROMOTION_STATE",
    "NUMPY_MADVISE_HUGEPAGE", "NVIDIA_TF32_OVERRIDE", "OMP_DYNAMIC", "OMP_MAX_ACTIVE_LEVELS", "OMP_NESTED",
    "OMP_NUM_THREADS", "OMP_PLACES", "OMP_PROC_BIND", "OMP_SCHEDULE", "OMP_STACKSIZE", "OMP_THREAD_LIMIT",
    "OMP_WAIT_POLICY", "ONEDNN_CPU_ISA_HINTS", "ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_MAIN_FREE",
    "OPENBLAS_NUM_THREADS", "OPENBLAS_THREAD_TIMEOUT", "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_JIT", "PYTORCH_NO_CUDA_MEMORY_CACHING", "PYTORCH_TUNABLEOP_ENABLED", "SCIPY_ARRAY_API",
    "TF_CUDNN_DETERMINISTIC", "TF_CUDNN_USE_AUTOTUNE", "TF_DETERMINISTIC_OPS",
    "TF_DISABLE_CUDNN_TENSOR_OP_MATH", "TF_ENABLE_AUTO_MIXED_PRECISION",
    "TF_ENABLE_CUBLAS_TENSOR_OP_MATH_FP32", "TF_ENABLE_CUDNN_TENSOR_OP_MATH_FP32", "TF_ENABLE_ONEDNN_OPTS",
    "TF_FORCE_GPU_ALLOW_GROWTH", "TF_FP16_CONV_USE_FP32_COMPUTE", "TF_FP16_MATMUL_USE_FP32_COMPUTE",
    "TF_GPU_ALLOCATOR", "TF_GPU_THREAD_COUNT", "TF_GPU_THREAD_MODE", "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_ONEDNN_ASSUME_FROZEN_WEIGHTS", "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS", "TORCHDYNAMO_DISABLE", "TORCHINDUCTOR_CPP_WRAPPER",
    "TORCHINDUCTOR_FREEZING", "TORCHINDUCTOR_MAX_AUTOTUNE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "TORCH_BLAS_PREFER_CUBLASLT", "TORCH_COMPILE_DISABLE", "TORCH_CUDNN_V8_API_DISABLED",
    "TORCH_LINALG_PREFER_CUSOLVER", "VECLIB_MAXIMUM_THREADS", "XLA_CLIENT_MEM_FRACTION", "XLA_FLAGS",
    "XLA_PYTHON_CLIENT_ALLOCATOR", "XLA_PYTHON_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_PREALLOCATE",
)  # fmt: skip

# values that may be published: numbers, booleans, and upper-case names such as those of instruction sets
_PLAIN = re.compile(r"-?[\d.]+|[Tt]rue|[Ff]alse|[A-Z0-9_]+")
_CARD = re.compile(r"\b(GPU|MIG)-[0-9a-fA-F-]+")


def variables(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that are set. Values that may be paths are hidden, and UUIDs of GPUs are hashed."""
    return {name: _public(name, given[name]) for name in VARIABLES if name in given}


def _public(name: str, value: str) -> str:
    if name in ("XLA_FLAGS", "TF_XLA_FLAGS"):
        return " ".join(map(_flag, value.split()))
    return "<path>" if "/" in value or "\\" in value else _CARD.sub(_hidden, value)


def _flag(text: str) -> str:
    """A flag, with its value hidden unless it is a number, a boolean or an upper-case name."""
    name, mark, value = text.partition("=")
    if not name.startswith("--"):
        return "<path>"
    return text if not mark or _PLAIN.fullmatch(value) else f"{name}=<path>"


def flags_of(value: str) -> str:
    """The flags in a value of XLA_FLAGS, or those in the file that the value names."""
    if not value or value.lstrip().startswith("-") or not Path(value).is_file():
        return value
    return " ".join(Path(value).read_text(encoding="utf-8").split())


def threads() -> int:
    """The default number of threads: OMP_NUM_THREADS, but at most the number of CPUs, which is its default.

    Raises ValueError if OMP_NUM_THREADS is not a positive number.
    """
    most, told = os.cpu_count() or 1, os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if not told:
        return most
    if not (told.isdecimal() and int(told)):
        raise ValueError(f"OMP_NUM_THREADS: got {told!r}, should be 1 to {most}; unset it, or give --threads")
    return min(int(told), most)  # a container may inherit the value of a larger host


def hashed(text: str) -> str:
    """Eight hexadecimal digits that stand for a private name."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _hidden(card: re.Match[str]) -> str:
    return f"{card[1]}-{hashed(card[0])}"
