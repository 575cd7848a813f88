"""Runs stages in turn, within a time limit. A later campaign in the same folder continues them."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.campaign import runs
from bench.campaign.pack import pack
from bench.campaign.preflight import started
from bench.campaign.probes import probe
from bench.campaign.steps import PREFLIGHT, Stage, Step, preflight, stages
from bench.machine import nvml
from bench.machine.gpus import gpus
from bench.machine.variables import threads
from bench.run.workers import Workers
from bench.store.row import sentence

RESERVE = 25.0  # seconds before the end, to stop runs and pack them
SIDE_BY_SIDE = 8  # cores; with fewer, lanes run one after the other
PACK, LOOK, TICK = 20.0, 0.2, 0.2  # seconds between archives, GPU readings, checks of a thread


@dataclass
class Campaign:
    """One campaign: its runs go to folders in `folder`, two archives to `into`; it has `seconds` in all."""

    folder: Path
    into: Path
    backends: Sequence[str]
    device: str
    seconds: float
    only: str
    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    cut: list[str] = field(default_factory=list)  # steps that ran out of time
    broken: list[str] = field(default_factory=list)  # steps with an unexpected exit code
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def reserve(self) -> float:
        """Seconds reserved for the end; no step starts if less time than this is left."""
        return min(RESERVE, 0.1 * self.seconds)

    @property
    def left(self) -> float:
        """Seconds until runs must stop."""
        return self.began + self.seconds - self.reserve - time.monotonic()

    def run(self, *, preflight_only: bool = False) -> bool:
        """Run the campaign; True if the preflight passed and no step broke."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.into.mkdir(parents=True, exist_ok=True)
        with self._around():
            self.backends = self._preflight()
            todo = stages(self.backends, self.device, self.only)
            while todo and self.backends and not preflight_only:
                share = todo[0].share / sum(each.share for each in todo)  # of the time that is left
                self._stage(todo.pop(0), time.monotonic() + share * self.left)
        if self.cut:
            self.told(f"cut off: {', '.join(self.cut)}; the same command continues from here")
        return bool(self.backends) and not self.broken

    def told(self, text: str) -> None:
        """Print a line with the time, and append it to the log."""
        line = f"{time.monotonic() - self.began:4.0f} s  {text}"
        self.say(line)
        with (self.folder / "campaign.log").open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def _preflight(self) -> list[str]:
        """The backends that start, compute and can be timed on this machine."""
        cards = [f"{card['name']}, driver {card['driver']}" for card in gpus()]
        self.told(f"preflight: {', '.join(cards) or 'no NVIDIA GPU with a driver'}")
        with self._workers() as workers:
            found = started(self.backends, self.device, "float32", workers)
        for each in found:
            self.told(f"preflight: {each}")
        begun = [each.backend for each in found if not each.fault]
        faults = self._unfit(preflight(self.only), begun)
        if faults:  # other jobs can spoil a speed, and without a backend the campaign is worth little
            self.told(f"preflight: once more, because of {'; '.join(faults.values())}")
            faults = self._unfit(preflight(self.only, again=True), list(faults))
        for name, fault in faults.items():
            self.told(f"preflight: {name} is left out: {fault}")
        good = [name for name in begun if name not in faults]
        self.told(f"PREFLIGHT {'OK' if good else 'BAD'}: {', '.join(good) or 'no usable backend'}")
        return good

    def _unfit(self, step: Step, backends: Sequence[str]) -> dict[str, str]:
        """Why backends are not usable, after a preflight of them."""
        if backends:
            self._step(step, time.monotonic() + PREFLIGHT * self.seconds, backends)
        rows = [] if step.name in self.broken else runs.rows(step, self.folder)
        return {name: fault for name in backends if (fault := runs.unfit(name, rows))}

    def _stage(self, stage: Stage, end: float) -> None:
        """Run the lanes of a stage in parallel if there are enough cores, else in turn; then its probes."""
        over = threading.Event()

        def lane(steps: Sequence[Step], *stops: threading.Event) -> None:
            for step in steps:
                try:
                    self._step(step, end, self.backends, *stops)
                except Exception as error:  # a full disk, for example: only this step fails
                    self.broken.append(step.name)
                    self.told(f"{step.name}: {sentence(error)}")

        if self.crowded:
            for steps in stage.lanes:
                lane(steps)
        else:
            others = [_thread(lane, stage.beside, over)]
            _join([_thread(lane, steps) for steps in stage.lanes])
            over.set()
            _join(others)
        if stage.probes:
            with self._workers() as workers:
                probe(self.folder, self.backends, self.device, workers, self.told, lambda: self._until(end))

    def _step(self, step: Step, end: float, backends: Sequence[str], *stops: threading.Event) -> None:
        """Run a step until it ends or is stopped, and log its result."""
        if self._until(end) < self.reserve:
            self.cut.append(step.name)
            return self.told(f"{step.name}: no time left")
        start = time.monotonic()
        code = runs.run(step, self.folder, self.device, backends, end, [self.stop, *stops])
        said = [runs.counted(runs.rows(step, self.folder))] if step.command == "run" else []
        said = ["no such cells"] if code == runs.NOTHING else said
        said.append(f"{time.monotonic() - start:.0f} s")
        if code is None:
            said.append("then it was stopped")
            self.cut += [step.name] if step.command == "run" else []
        elif code not in runs.USUAL:
            said.append(f"exit code {code}: {runs.last_words(step, self.folder)}")
            self.broken.append(step.name)
        return self.told(f"{step.name}: {', '.join(said)}")

    def _until(self, end: float) -> float:
        return 0.0 if self.stop.is_set() else end - time.monotonic()

    @property
    def crowded(self) -> bool:
        """Whether there are too few cores to run lanes in parallel, or to pack during a run."""
        return (os.cpu_count() or 1) < SIDE_BY_SIDE

    @contextmanager
    def _workers(self) -> Iterator[Workers]:
        found = Workers(threads(), timeout=float(os.environ.get("GAUGEBLOCK_TIMEOUT") or runs.REQUEST))
        try:
            yield found
        finally:
            found.close()

    @contextmanager
    def _around(self) -> Iterator[None]:
        """Inside the block, watch the GPU and pack archives regularly; pack at the end and on Ctrl-C."""
        # a shell starts background jobs with SIGINT ignored, and the runs would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
        over = threading.Event()
        beside = [_thread(self._watch, over), *([] if self.crowded else [_thread(self._packing, over)])]
        try:
            yield
        except BaseException:
            self.stop.set()
            self.told("stopped: runs keep their rows; the same command continues from here")
            raise
        finally:
            over.set()
            _join(beside)
            pack(self.folder, self.into)
            self.told(f"archives: {self.into}")

    def _packing(self, over: threading.Event) -> None:
        while not over.wait(PACK):
            with suppress(OSError):  # the next try may succeed
                pack(self.folder, self.into)

    def _watch(self, over: threading.Event) -> None:
        """Log clock rate, power and throttle reasons five times a second, with the same times as samples."""
        look, file = nvml.watch(), self.folder / "clocks.csv"
        if self.device != "gpu" or look().sm_mhz is None:
            return
        with file.open("a", encoding="utf-8", buffering=1) as log:
            log.write("" if file.stat().st_size else "time,sm_mhz,power_w,throttled\n")
            while not over.wait(LOOK):
                clock, power, held = look()
                log.write(f"{time.time():.3f},{clock},{power},{held.replace(', ', ' and ')}\n")


def _thread(target: Callable[..., None], *given: object) -> threading.Thread:
    found = threading.Thread(target=target, args=given, daemon=True)
    found.start()
    return found


def _join(threads: Sequence[threading.Thread]) -> None:
    for each in threads:
        while each.is_alive():  # with a timeout, so that Ctrl-C is handled
            each.join(TICK)
