"""Compares outputs with expectations: are all differences rounding error, or a known departure?"""

from bench.verdict.compare import Agreement as Agreement
from bench.verdict.judge import Judged as Judged
from bench.verdict.judge import run as run
