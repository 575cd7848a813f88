"""Worker processes: each runs functions by name and returns their results."""

from bench.worker.process import BOOT as BOOT
from bench.worker.process import Died as Died
from bench.worker.process import Worker as Worker
from bench.worker.process import pool as pool
from bench.worker.words import ROOT as ROOT
from bench.worker.words import WORDS as WORDS
from bench.worker.words import raised as raised
