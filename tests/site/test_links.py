"""The source of a known departure becomes the address of that line in the release that was measured."""

import pytest

from bench import pages
from bench.site.links import links


@pytest.mark.parametrize(
    ("source", "versions", "addresses"),
    [
        (
            "flax/linen/normalization.py:142",
            "flax 0.12.8",
            ["https://github.com/google/flax/blob/v0.12.8/flax/linen/normalization.py#L142"],
        ),
        (
            "optax/schedules/_schedule.py:142, 315 and 476 (0.2.8)",
            "",
            ["https://github.com/google-deepmind/optax/blob/v0.2.8/optax/schedules/_schedule.py#L142"],
        ),
        (
            "aten/src/ATen/native/RNN.cpp:7",
            "torch 2.13.0+cpu",
            ["https://github.com/pytorch/pytorch/blob/v2.13.0/aten/src/ATen/native/RNN.cpp#L7"],
        ),
        ("jax/_src/lax/other.py:288", "jax 0.10.2", [
            "https://github.com/jax-ml/jax/blob/jax-v0.10.2/jax/_src/lax/other.py#L288"
        ]),
        ("torchgen/packaged/autograd/derivatives.yaml:1505", "torch 2.13.0", [
            "https://github.com/pytorch/pytorch/blob/v2.13.0/tools/autograd/derivatives.yaml#L1505"
        ]),
        ("tensorflow/include/tensorflow/core/kernels/xent_op.h:107", "tensorflow 2.21.0", [
            "https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/core/kernels/xent_op.h#L107"
        ]),
        ("onnxruntime/core/providers/cpu/tensor/gelu.cc, Gelu", "onnxruntime 1.23.2", [
            "https://github.com/microsoft/onnxruntime/blob/v1.23.2/onnxruntime/core/providers/cpu/tensor/gelu.cc"
        ]),
        ("xla/service/cpu/cpu_executable.cc: Flush", "jax 0.10.2", [
            "https://github.com/openxla/xla/blob/main/xla/service/cpu/cpu_executable.cc"
        ]),
        ("transformers/models/llama/modeling_llama.py:111", "transformers 5.24.0", [
            "https://github.com/huggingface/transformers/blob/v5.24.0/src/transformers/models/llama/"
            "modeling_llama.py#L111"
        ]),
        ("see pytorch/pytorch#1234", "", ["https://github.com/pytorch/pytorch/issues/1234"]),
        ("somewhere/else.py:3", "other 1.0", []),
        ("torch/a.py:3", "", []),
        ("javascript:alert(1)", "torch 2.13.0", []),
        ('" onclick="x', "torch 2.13.0", []),
    ],
)  # fmt: skip
def test_a_source_has_addresses(source, versions, addresses):
    assert [address for _, address in links(source, versions)] == addresses


def test_most_sources_of_the_pages_have_an_address():
    """Those of the references are of no release."""
    of_releases = [limit for case in pages.cases().values() for limit in case.limits]
    limits = [limit for limit in of_releases if limit.package != "numpy"]
    found = [limit for limit in limits if list(links(limit.source, "torch 2.13.0"))]
    assert len(found) > 0.95 * len(limits)
