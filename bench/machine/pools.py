"""The thread pools of the libraries in this process: OpenMP's, and those of BLAS."""

from typing import Any


def pools() -> list[dict[str, Any]]:
    """What threadpoolctl finds; nothing if it is missing, as it may be in a contender's environment."""
    try:
        from threadpoolctl import threadpool_info
    except ModuleNotFoundError:
        return []
    return list(threadpool_info())
