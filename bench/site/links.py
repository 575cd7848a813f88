"""Makes addresses from the sources of known departures: a line of a released file, or an issue."""

import re
from collections.abc import Iterator

from bench.store.source import ISSUE, PATH

# each package's repository and the names of its releases, by the first folder of a path
PLACES = {
    "torch": ("pytorch/pytorch", "v{}"),
    "aten": ("pytorch/pytorch", "v{}"),
    "tools": ("pytorch/pytorch", "v{}"),
    "tensorflow": ("tensorflow/tensorflow", "v{}"),
    "keras": ("keras-team/keras", "v{}"),
    "jax": ("jax-ml/jax", "jax-v{}"),
    "flax": ("google/flax", "v{}"),
    "optax": ("google-deepmind/optax", "v{}"),
    "onnx": ("onnx/onnx", "v{}"),
    "onnxruntime": ("microsoft/onnxruntime", "v{}"),
    "src": ("huggingface/transformers", "v{}"),
    "xla": ("openxla/xla", "main"),  # which has no releases
}
# where a wheel has a file that its repository has elsewhere
PACKED = {
    "tensorflow/include/tensorflow/": "tensorflow/",
    "torchgen/packaged/autograd/": "tools/autograd/",
    "transformers/": "src/transformers/",
}
RELEASE = re.compile(r"\((\d+(?:\.\w+)+)\)")


def links(source: str, versions: str = "") -> Iterator[tuple[str, str]]:
    """The text and address of each file and issue that a source names, in the release that was measured.

    `versions` is the row's column: a package and its releases. A file of an unknown project has no address.
    """
    named = RELEASE.search(source) or re.search(r"(\d+\.\d+(?:\.\w+)*)", versions)
    for found in PATH.finditer(source):
        path = found["path"]
        for packed, there in PACKED.items():
            path = path.replace(packed, there) if path.startswith(packed) else path
        place = PLACES.get(path.partition("/")[0])
        if place and named:
            repository, tag = place
            line = f"#L{found['line']}" if found["line"] else ""
            where = f"{repository}/blob/{tag.format(named[1].partition('+')[0])}/{path}{line}"
            yield found[0], f"https://github.com/{where}"
    for found in ISSUE.finditer(source):
        yield found[0], f"https://github.com/{found['repository']}/issues/{found['number']}"
