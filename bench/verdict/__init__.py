"""Got against expected: whether rounding explains every difference, and what is a known departure."""

from bench.verdict.compare import Agreement as Agreement
from bench.verdict.judge import Judged as Judged
from bench.verdict.judge import run as run
