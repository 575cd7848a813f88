"""A GPU for machines without one: torch and JAX compute on the CPU and take it for the GPU, and NVIDIA's
driver tells of a card at work. Named as a plug-in, it stands in every process of a run."""

from types import SimpleNamespace

import pynvml

from bench.backends.jax import Jax
from bench.backends.torch import Torch
from bench.speed import peaks
from tests.cards import GIB, driver

BUSY = {"nvmlDeviceGetCurrentClocksEventReasons": lambda card: 0x4}
ROOM = GIB // 8  # bytes free on the card, so that streams are short
peaks.SIZES = peaks.SIZES[: peaks.LARGEST]  # a CPU takes minutes for the products that fill a GPU

driver(
    SimpleNamespace(setattr=lambda module, name, value: setattr(module, name, value)),
    nvmlDeviceGetCount=lambda: 1,
    nvmlDeviceGetMemoryInfo=lambda card: SimpleNamespace(total=80 * GIB, free=ROOM),
    nvmlDeviceGetTotalEnergyConsumption=None,
    **BUSY,
)
assert pynvml.nvmlDeviceGetCount() == 1


class FakeTorch(Torch):
    name = "fake-torch"
    devices = ("gpu",)

    def __init__(self, device, dtype):
        import torch

        torch.cuda.is_available = lambda: True
        torch.cuda.synchronize = torch.cuda.reset_peak_memory_stats = lambda: None
        torch.cuda.memory_allocated = torch.cuda.max_memory_allocated = lambda: 0
        super().__init__(device, dtype)
        self.place = torch.device("cpu")


class FakeJax(Jax):
    name = "fake-jax"
    devices = ("gpu",)

    @classmethod
    def environment(cls, *, threads, dtype, device):
        found = super().environment(threads=threads, dtype=dtype, device=device)
        flags = f"{found.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
        return {**found, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags.strip()}

    def __init__(self, device, dtype):
        import jax

        real = jax.devices
        if not getattr(jax, "faked", False):
            jax.faked, jax.devices = True, lambda name=None: [real()[1]] if name == "gpu" else real(name)
        super().__init__(device, dtype)


class FakeAbsent(FakeTorch):
    """A framework whose driver is too old."""

    name = "fake-absent"

    def __init__(self, device, dtype):
        from bench.backends import Absent

        raise Absent("no CUDA device here: the driver is too old")
