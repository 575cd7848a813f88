"""Describes NVIDIA GPUs and their load, as their driver reports them."""

from collections.abc import Callable, Collection
from typing import Any

from bench.machine.variables import hashed

Record = dict[str, Any]
Asked = Callable[..., Any]


def gpus() -> list[Record]:
    """The permanent facts of every GPU, with its UUID hashed; empty if there is no driver.

    Clocks are the highest, in MHz; `cuda` is the newest version that the driver supports.
    """
    return _each(_facts)


def working(own: Collection[int] = ()) -> list[Record]:
    """The load of every GPU: clocks (MHz), temperature (°C), power (W), use (0 to 1) and processes.

    Processes with ids in `own` are counted separately, and their memory is not counted as memory of others.
    In a container the driver may report ids of the host; then our processes count as others.
    """
    return _each(lambda ask, handle: _now(ask, handle, own))


def _each(told: Callable[[Asked, Any], Record]) -> list[Record]:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no library, driver or permission: no usable GPU
        return []

    def ask(verb: str, *about: Any) -> Any:
        """The driver's answer; None if this GPU or this driver has none."""
        try:
            return getattr(pynvml, verb)(*about)
        except pynvml.NVMLError:
            return None

    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [told(ask, handle) for handle in handles]
    finally:
        pynvml.nvmlShutdown()


def _facts(ask: Asked, handle: Any) -> Record:
    memory, power = ask("nvmlDeviceGetMemoryInfo", handle), ask("nvmlDeviceGetEnforcedPowerLimit", handle)
    capability = ask("nvmlDeviceGetCudaComputeCapability", handle)
    uuid, cuda = _text(ask("nvmlDeviceGetUUID", handle)), ask("nvmlSystemGetCudaDriverVersion")
    return {
        "name": _text(ask("nvmlDeviceGetName", handle)),
        "uuid": uuid and hashed(uuid),
        "memory_gib": memory and round(memory.total / 2**30),
        "driver": _text(ask("nvmlSystemGetDriverVersion")),
        "cuda": cuda and f"{cuda // 1000}.{cuda % 1000 // 10}",
        "capability": capability and ".".join(map(str, capability)),
        "clocks": _clocks(ask, "nvmlDeviceGetMaxClockInfo", handle),
        "power_limit_w": power and round(power / 1000),
        "ecc": _on(ask("nvmlDeviceGetEccMode", handle)),
        "mig": _on(ask("nvmlDeviceGetMigMode", handle)),
        "persistence": _on(ask("nvmlDeviceGetPersistenceMode", handle)),
    }


def _now(ask: Asked, handle: Any, own: Collection[int]) -> Record:
    import pynvml

    memory, power = ask("nvmlDeviceGetMemoryInfo", handle), ask("nvmlDeviceGetPowerUsage", handle)
    use = ask("nvmlDeviceGetUtilizationRates", handle)
    kinds = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")
    # by id: a process that computes and renders is in both lists
    held = {each.pid: each.usedGpuMemory or 0 for kind in kinds for each in ask(kind, handle) or ()}
    others = [size for pid, size in held.items() if pid not in own]
    return {
        "clocks": _clocks(ask, "nvmlDeviceGetClockInfo", handle),
        "temperature": ask("nvmlDeviceGetTemperature", handle, pynvml.NVML_TEMPERATURE_GPU),
        "power_w": power and round(power / 1000),
        "use": use and use.gpu / 100,
        "memory_gib": memory and _gib(memory.total),
        "own": len(held) - len(others),
        "others": len(others),
        "others_gib": _gib(sum(others)),
    }


def _clocks(ask: Asked, verb: str, handle: Any) -> Record:
    import pynvml

    return {"sm": ask(verb, handle, pynvml.NVML_CLOCK_SM), "memory": ask(verb, handle, pynvml.NVML_CLOCK_MEM)}


def _on(mode: Any) -> bool | None:
    """Whether a mode is on now; the driver gives some modes as a pair of current and pending value."""
    current = mode[0] if isinstance(mode, list | tuple) else mode
    return None if current is None else bool(current)


def _gib(size: int) -> float:
    return round(size / 2**30, 2)


def _text(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
