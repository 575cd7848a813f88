"""Run as a script: each folder's repro.py in turn, in a process where this house cannot be imported.

python tests/replaying.py FOLDER... prints what each said.
"""

import contextlib
import io
import json
import os
import runpy
import sys


class Away:
    """No module of this house is found."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("bench", "reference", "suites", "tests"):
            raise ImportError(f"{name} is not here")


def main(*folders):
    sys.meta_path.insert(0, Away)
    said = []
    for folder in folders:
        sys.path[0] = folder
        sys.modules.pop("contender", None)
        if "keras" in sys.modules:  # a fresh process has no policy of the folder before
            from keras.src.backend.common import global_state

            global_state.set_global_attribute("dtype_policy", None)
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                runpy.run_path(os.path.join(folder, "repro.py"))
        except Exception as error:
            print(f"raised {type(error).__name__}: {error}", file=out)
        said.append(out.getvalue().strip())
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
