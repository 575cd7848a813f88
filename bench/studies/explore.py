"""Searches for cells that fail: Hypothesis draws sizes, options, kinds of inputs and modes."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.backends import Absent, backend
from bench.case import Case, Contender
from bench.cells.catalogue import fitting, ways
from bench.cells.cell import Cell
from bench.run.session import JUDGE
from bench.size import first, keep, spelled
from bench.verdict.judge import judge
from bench.worker import Died, Worker

# one, odd numbers, and numbers around powers of two, where kernels change
LENGTHS = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129)
MOST = 2**21  # elements of the product of all dimensions


@dataclass(frozen=True)
class Find:
    """A cell on which a contender failed, shrunk by Hypothesis."""

    cell: Cell
    why: str


def study(
    cases: Sequence[Case],
    backends: Sequence[str],
    *,
    dtype: str,
    examples: int,
    seed: int,
    told: Callable[[str], None],
) -> list[Find]:
    """Explore these cases, and add every find to the corpus, which each --full run judges."""
    finds = []
    for case in cases:
        finds += explore(case, backends, dtype=dtype, examples=examples, seed=seed, told=told)
        print(f"{case.name}: {examples} cells per contender", file=sys.stderr)
    if finds:
        kept = keep((find.cell.case, find.cell.option, find.cell.regime, find.cell.size) for find in finds)
        told(f"{len(finds)} added to {kept}")
    return finds


def explore(
    case: Case,
    backends: Sequence[str],
    *,
    dtype: str = "float32",
    examples: int = 30,
    seed: int = 0,
    told: Callable[[str], None] = print,
) -> list[Find]:
    """The simplest failing cell of each contender of the case. Needs Hypothesis (pip install hypothesis).

    A mode with a slow compiler is not drawn.
    """
    finds = []
    for name in backends:
        with _worker(name, dtype) as worker:
            if worker is None:
                told(f"{case.name}: {name} is absent")
                continue
            for contender in backend(name).contenders(case):
                cell = Cell(case.name, "", "", "", str(contender), name, "", "cpu", dtype, "", seed)
                if find := _search(case, contender, cell, worker, examples):
                    told(f"{find.cell}: {find.why}")
                    finds.append(find)
    return finds


def _search(case: Case, contender: Contender, cell: Cell, worker: Worker, examples: int) -> Find | None:
    from hypothesis import HealthCheck, Phase, assume, given, settings
    from hypothesis import seed as seeded

    failed: list[Find] = []
    directions = contender.directions or case.directions
    tried = replace(cell, **_simplest(case, contender, cell.backend))

    @seeded(cell.seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(_drawn(case, contender, cell.backend))
    def agree(fields: Mapping[str, Any]) -> None:
        nonlocal tried
        here = tried = replace(cell, **fields)
        assume(_possible(here, ways(case, here.regime, case.directions)))
        asked = ways(case, here.regime, directions)
        rows = worker.request(JUDGE, asdict(here), asked, False, False)["rows"]
        for direction, row in rows.items():
            if row["status"] in ("disagrees", "error"):
                failed.append(Find(replace(here, direction=direction), row["why"]))
                raise AssertionError(row["why"])

    try:
        agree()
    except AssertionError:
        return failed[-1]  # Hypothesis runs the smallest one last
    except Died as error:
        return Find(tried, str(error))
    return None


def _choices(case: Case, contender: Contender, name: str) -> tuple[list[str], list[str]]:
    """The options and modes that a contender has, the usual ones first."""
    found = backend(name)
    modes = [mode for mode in found.modes if mode in (contender.modes or found.modes)]
    light = [mode for mode in modes if mode not in found.heavy] or modes
    return [option for option in case.options if option not in contender.without], light


def _simplest(case: Case, contender: Contender, name: str) -> dict[str, Any]:
    options, modes = _choices(case, contender, name)
    return {
        "option": options[0],
        "regime": next(iter(case.regimes)),
        "mode": modes[0],
        "size": spelled(first(case)),
    }


def _drawn(case: Case, contender: Contender, name: str) -> Any:
    """A strategy that draws the fields of a cell; the first of each is the simplest."""
    from hypothesis import strategies as st

    options, modes = _choices(case, contender, name)

    def of(option: str) -> Any:
        regimes = [*case.regimes, *fitting(case, option)]
        return st.fixed_dictionaries(
            {
                "option": st.just(option),
                "regime": st.sampled_from(regimes),
                "mode": st.sampled_from(modes),
                "size": _sizes(case).map(spelled),
            }
        )

    return st.sampled_from(options).flatmap(of)


def _sizes(case: Case) -> Any:
    """A strategy that draws each integer of the first size; other values (a kernel's sides) are fixed."""
    from hypothesis import strategies as st

    lengths = st.sampled_from(LENGTHS)
    drawn = st.fixed_dictionaries(
        {
            name: lengths if type(value) is int and name != "steps" else st.just(value)
            for name, value in first(case).items()
        }
    )
    return drawn.filter(lambda dims: _volume(dims) <= MOST)


def _volume(dims: Mapping[str, Any]) -> int:
    product = 1
    for value in dims.values():
        product *= value if type(value) is int else 1
    return product


def _possible(cell: Cell, directions: Sequence[str]) -> bool:
    """Whether the reference accepts the size: heads divide the width, a kernel fits in its image."""
    own = replace(
        cell, backend="numpy", contender=str(backend("numpy").contenders(_case(cell))[0]), mode="eager"
    )
    return all(row.status == "agrees" for row in judge(own, directions).rows.values())


def _case(cell: Cell) -> Case:
    from bench import pages

    return pages.case(cell.case)


@contextmanager
def _worker(name: str, dtype: str) -> Iterator[Worker | None]:
    try:
        backend(name).installed()
    except Absent:
        yield None
        return
    worker = Worker(backend(name).environment(threads=1, dtype=dtype, device="cpu"))
    try:
        yield worker
    finally:
        worker.close()
