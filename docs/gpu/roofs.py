"""Every roof of one backend: python roofs.py BACKEND, each dtype in a process as a worker is started."""
import json, os, subprocess, sys
from bench.backends import TF32, backend
name = sys.argv[1]; cls = backend(name)
CODE = "import json,sys; from bench.backends import backend; from bench.speed.peaks import measure; n,d,m=sys.argv[1:]; print('ROOF '+json.dumps(measure(backend(n)('gpu',d), mode=m)))"
for dtype, mode in (("float32", cls.modes[0]), ("bfloat16", cls.modes[0]), ("float32", TF32), ("float64", cls.modes[0]), ("float16", cls.modes[0])):
    env = {**os.environ, **cls.environment(threads=os.cpu_count(), dtype=dtype, device="gpu")}
    try:
        done = subprocess.run([sys.executable, "-c", CODE, name, dtype, mode], env=env, capture_output=True, text=True, timeout=60)
        lines = [l[5:] for l in done.stdout.splitlines() if l.startswith("ROOF ")]
        print(lines[0] if lines else json.dumps({"backend": name, "dtype": dtype, "mode": mode, "error": done.stderr[-300:]}), flush=True)
    except subprocess.TimeoutExpired: print(json.dumps({"backend": name, "dtype": dtype, "mode": mode, "error": "60 s"}), flush=True)
