"""The command `gaugeblock`: each of its commands calls a room and prints the result."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.report.table import Section

app = typer.Typer(
    help="Check PyTorch, TensorFlow and JAX against NumPy references, and measure how fast they are.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Fast = Annotated[bool, typer.Option("--fast", help="Only read versions; import no framework.")]
Full = Annotated[
    bool, typer.Option("--full", help="Also measure the arithmetic of every dtype and mode, for minutes.")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, with every table.")]
Meanings = Annotated[
    bool,
    typer.Option("--meanings", help="Explain every status and column, and list what a reference may use."),
]
All = Annotated[bool, typer.Option("--all", help="Show every API of every workload, and every sentence.")]
Lenient = Annotated[
    bool, typer.Option("--lenient", help="Skip lines that are not valid rows, and count them.")
]


@app.command()
def doctor(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[BACKEND]...", help="Backends beside the four frameworks.")
    ] = None,
    fast: Fast = False,
    full: Full = False,
) -> None:
    """Show this machine's frameworks with their devices, threads and precision, and why one is absent."""
    from bench.report.doctor import findings

    with _refusals():
        _print(findings(names or [], fast=fast, full=full))


@app.command("list")
def list_(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases to show in full.")
    ] = None,
    meanings: Meanings = False,
    markdown: Markdown = False,
) -> None:
    """List the formulas with their options, sizes and APIs; with names, show everything about these."""
    from bench import pages
    from bench.report.inventory import about, inventory, rules
    from bench.report.inventory import meanings as words

    wrong = _wrong()
    with _refusals():
        if meanings:
            found = words() + rules()
        elif names:
            found = [section for name in names for section in about(pages.case(name))]
        else:
            found = inventory(pages.cases().values())
        _print(found, markdown)
    raise typer.Exit(wrong)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Run `pytest suites/` on the installed pages, from any folder. Every option goes to pytest.

    `pytest suites/ --help` lists the options under "gaugeblock". Select cells with -k attention, or with
    the node id that a row's command has.
    """
    import pytest

    from bench.run.pytest_plugin import arguments

    raise typer.Exit(int(pytest.main(arguments(context.args))))


@app.command()
def derive(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases (default: all).")
    ] = None,
    backends: Annotated[list[str] | None, typer.Option("--backend", help="Repeatable.")] = None,
    devices: Annotated[list[str] | None, typer.Option("--device", help="Repeatable.")] = None,
    dtypes: Annotated[list[str] | None, typer.Option("--dtype", help="Repeatable.")] = None,
    modes: Annotated[list[str] | None, typer.Option("--mode", help="Repeatable.")] = None,
    sizes: Annotated[list[str] | None, typer.Option("--size", help="Repeatable.")] = None,
    places: Annotated[
        list[str] | None,
        typer.Option("--place", metavar="CASE/OPTION/REGIME/SIZE", help="Only these inputs; repeatable."),
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="The limits that a smoke run needs.")] = False,
    full: Annotated[bool, typer.Option("--full", help="The limits that a full run needs.")] = False,
    full_inputs: Annotated[
        bool, typer.Option("--full-inputs", help="The limits that such a run needs.")
    ] = False,
    carry: Annotated[
        bool, typer.Option("--carry", help="Write those of headlines to suites/spreads, to commit them.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, help="Processes in parallel, one core each.")] = 1,
) -> None:
    """Derive the limits that a run will need, and cache them. Give it the same options as the run."""
    from bench import pages
    from bench.backends import SHIPPED
    from bench.backends.plugin import register
    from bench.cells.selection import Selection, cells
    from bench.run.derive import carry as carried
    from bench.run.derive import derive as derived
    from bench.run.derive import stale, wanted
    from bench.run.interrupts import interrupts
    from bench.run.workers import TIMEOUT

    with _refusals():
        broken = {"modes": modes or ("eager",), "dtypes": dtypes or ("float32",)}
        register(backends or (), threads=1, timeout=TIMEOUT, **broken)
        wrong = _wrong(*(backends or ()))
        selection = Selection(
            backends=tuple(backends or SHIPPED), devices=tuple(devices or ("cpu",)), dtypes=dtypes or None,
            modes=modes or None, sizes=sizes or None, smoke=smoke, full=full, full_inputs=full_inputs,
            speeds=carry,
        )  # fmt: skip
        every = [selection, *([replace(selection, speeds=False, growth=True)] if carry else [])]
        chosen = (cell for each in every for cell in cells(pages.chosen(names or []), each))
        mine = (cell for cell in chosen if not places or cell.place in places)
        limits = stale(mine) if carry else wanted(mine)
    faults = 0
    with interrupts():  # one that is told to end ends its processes
        for number, each in enumerate(derived(limits, processes, carried if carry else None), 1):
            faults += bool(each.fault)
            said = f": {each.fault}" if each.fault else ""
            typer.echo(f"{number} of {len(limits)}  {each.seconds:.1f} s  {each.cell}{said}", err=True)
    where = "beside the pages" if carry else "in the cache"
    typer.echo(f"{len(limits) - faults} of {len(limits)} limits are {where}")
    raise typer.Exit(bool(faults or wrong))


@app.command()
def campaign(
    folder: Annotated[Path, typer.Argument(help="Folder for its runs; an existing one is continued.")],
    seconds: Annotated[float, typer.Option(min=10, help="Time limit for the whole campaign.")] = 570,
    device: Annotated[str, typer.Option(help="cpu or gpu.")] = "gpu",
    backends: Annotated[
        list[str] | None, typer.Option("--backend", help="Repeatable (default: all that are installed).")
    ] = None,
    only: Annotated[str, typer.Option(help="Run only cells that match this expression of pytest's -k.")] = "",
    into: Annotated[Path | None, typer.Option(help="Folder for its two archives (default: FOLDER).")] = None,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Only check that this machine can run it.")
    ] = False,
) -> None:
    """Measure a machine that you have for minutes: verdicts, peak rates and speeds, most valuable first.

    It keeps to its time limit; the same command again continues. Exits 1 when no framework works here.
    """
    from bench.campaign.campaign import Campaign
    from bench.campaign.steps import able

    with _refusals():
        chosen = able(backends or [], device)
    asked = Campaign(folder, into or folder, chosen, device, seconds, only, typer.echo)
    raise typer.Exit(not asked.run(preflight_only=preflight))


@app.command()
def report(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Rows files, runs or folders of runs; several are shown together."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write pages for a browser to this folder.")
    ] = None,
    priced: Annotated[
        Path | None,
        typer.Option(
            "--prices", metavar="FILE", help="TOML: watts and prices of machines (docs/results.md)."
        ),
    ] = None,
    markdown: Markdown = False,
    every: All = False,
    lenient: Lenient = False,
) -> None:
    """Print the report on these runs (default: the newest in results/local, else the newest published)."""
    from bench.report import prices
    from bench.report import write as reports
    from bench.site.write import publish as publish_pages
    from bench.store import results

    wrong = _wrong()
    with _refusals():
        found = paths or [results.newest()]
        costs = prices.read(priced) if priced else {}
        if to:
            said = partial(typer.echo, err=True)
            typer.echo(publish_pages(found, to, lenient=lenient, said=said, prices=costs))
        elif markdown:
            typer.echo(reports.text(found, lenient=lenient, prices=costs), nl=False)
        else:
            reports.show(found, every=every, lenient=lenient, prices=costs)
    raise typer.Exit(wrong)


@app.command()
def draw(
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Write the pictures to this folder.")],
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[RUN]...", help="As for report.")] = None,
    dtype: Annotated[str, typer.Option(help="Draw this dtype only.")] = "",
    lenient: Lenient = False,
) -> None:
    """Draw these runs for a slide or a paper, as PNG and SVG: verdicts, speeds, growth, rooflines, bits."""
    from bench.report.pictures.write import draw as drawn
    from bench.store.results import newest

    wrong = _wrong()
    with _refusals():
        found = paths or [newest()]
        for file in drawn(found, to, dtype=dtype, lenient=lenient, told=_said):
            typer.echo(file)
    raise typer.Exit(wrong)


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A rows file, a run or a folder of runs: before.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The same: after.")],
    fail_on: Annotated[
        str, typer.Option(metavar="RULES", help="What is a regression, such as disagrees,bits:1,vanished.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="List every cell that changed.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE")] = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", metavar="FILE")] = None,
    lenient: Lenient = False,
) -> None:
    """Compare two runs cell by cell, except speeds. Exits 1 when a cell regressed, by --fail-on."""
    from bench.report import changes
    from bench.report.compare import compare as compared
    from bench.report.compare import read
    from bench.report.regressions import as_json, as_junit, regressions
    from bench.report.rules import USUAL, rules
    from bench.store.results import write

    _wrong()
    with _refusals():
        failing = rules(fail_on or USUAL)
        both = compared(read(a, lenient=lenient), read(b, lenient=lenient))
        found = regressions(both, failing)
        _print(changes.page(both, found, every=every), markdown)
        if json_file:
            write(json_file, as_json(found, str(a), str(b)))
        if junit_file:
            write(junit_file, as_junit(found))
    raise typer.Exit(found.status)


@app.command()
def gate(
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="PYTHON", help="Interpreter or environment to compare with; repeatable."),
    ] = None,
    against_rev: Annotated[
        str,
        typer.Option(metavar="REVISION", help="Git revision of a --backend's repository, or of this one."),
    ] = "",
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Variable of the new side; repeatable.")
    ] = None,
    words: Annotated[str, typer.Option("-k", metavar="EXPRESSION", help="As in pytest.")] = "",
    backends: Annotated[list[str] | None, typer.Option("--backend", help="Repeatable.")] = None,
    sizes: Annotated[list[str] | None, typer.Option("--size", help="Repeatable.")] = None,
    dtypes: Annotated[list[str] | None, typer.Option("--dtype", help="Repeatable.")] = None,
    modes: Annotated[list[str] | None, typer.Option("--mode", help="Repeatable.")] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads per framework (default: all).")] = 0,
    limit: Annotated[str, typer.Option(help="The slowdown that matters.")] = "5%",
    budget: Annotated[float, typer.Option(min=1, help="Seconds of timing, about.")] = 600,
    fail_on: Annotated[str, typer.Option(help="What of the numbers is a regression.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict-resolution", help="Exit 2 if a slowdown of the limit could hide.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE")] = None,
    markdown_file: Annotated[Path | None, typer.Option("--markdown", metavar="FILE")] = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", metavar="FILE")] = None,
    results: Annotated[Path, typer.Option(help="Folder for the rows of both sides.")] = Path("results/local"),
    accept: Annotated[
        str, typer.Option(metavar="CELL", help="Accept a regression of it (* and ? match), and end.")
    ] = "",
    why: Annotated[str, typer.Option(help="The reason, with --accept.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, with --accept.")] = "",
    accepted: Annotated[Path, typer.Option(help="The file of accepted regressions.")] = Path(
        "gaugeblock-accepted.toml"
    ),
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Record equal sides for --budget seconds, and test the gate.")
    ] = False,
    loaded: Annotated[bool, typer.Option("--loaded", help="With --self-test: keep one core busy.")] = False,
    live: Annotated[int, typer.Option(min=0, help="With --self-test: live slowdowns to find.")] = 0,
) -> None:
    """Compare this environment's numbers and speed with another one's, live, with a known error rate.

    Exits 0 when nothing regressed, 1 when something did, 2 for bad input and under --strict-resolution.
    """
    from bench.gate import accepted as acceptance
    from bench.gate.command import Asked, gated

    with _refusals():
        if accept:
            entry = acceptance.accept(accept, why, until, accepted)
            typer.echo(f"{accepted}: {entry.cell} is accepted until {entry.until.isoformat()}")
            return
        if self_test:
            from bench.gate.self_test import tested

            _print(tested(loaded, budget, live, threads or None, lambda text: typer.echo(text, err=True)))
            return
        _wrong()
        asked = Asked(
            against or (), against_rev, env or (), words, backends or (), sizes, dtypes, modes, threads,
            limit, budget, fail_on, strict, results, accepted,
        )  # fmt: skip
        files = {"json": json_file, "markdown": markdown_file, "junit": junit_file}
        found = gated(asked, files, lambda text: typer.echo(text, err=True))
        _print(found.sections)
        for path in found.written:
            typer.echo(path)
    raise typer.Exit(found.status)


@app.command()
def history(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Runs, or folders of runs (default: results).")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Folder for a drawing, history.svg.")] = None,
    markdown: Markdown = False,
    lenient: Lenient = False,
) -> None:
    """Show how each cell's speed and bits changed over the runs of a machine. It never fails."""
    from bench.report import history as over
    from bench.store.rows import load

    with _refusals():
        courses = over.courses(load(paths or [Path("results")], lenient=lenient))
        drawn = []
        if to:
            to.mkdir(parents=True, exist_ok=True)
            drawn = over.draw(courses, to)
        _print([*over.sections(courses), *drawn], markdown)


@app.command()
def coverage(
    results: Annotated[Path, typer.Option(help="Folder to write the table to.")] = Path("results"),
    every: All = False,
) -> None:
    """List every parameter of every tested API: covered, or why not. Exits 1 when one is neither."""
    from bench.studies.coverage import study, tables, write

    _wrong()
    found, faults = study()
    sections = tables(found)
    with _refusals():
        _print(sections if every else sections[:1])
        for path in write(found, results):
            typer.echo(path)
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(bool(faults))


@app.command()
def flops(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CASE]...", help="Cases to print; without one, all are printed and written."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder to write the table of all cases to.")] = Path(
        "results"
    ),
    every: All = False,
) -> None:
    """Compare each formula's flops and bytes with the frameworks' counters. Exits 1 on an unexplained gap."""
    from bench import pages
    from bench.studies.counters import study
    from bench.studies.flops import Known, faults, tables, write

    _wrong()
    left_out = pages.exemptions("flops")
    known = Known(left_out.REASONS, left_out.UNCONFIRMED)
    with _refusals():
        cases = pages.chosen(names or [])
        found = study(cases, left_out.SIZES)
        sections = tables(found, cases, known)
        _print(sections if every or names else sections[:2])
        for path in [] if names else write(found, cases, known, results):
            typer.echo(path)
    raise typer.Exit(bool(faults(found, cases, known)))


@app.command()
def conditioning(
    words: Annotated[
        str,
        typer.Option(
            "-k", metavar="WORDS", help="Only case/option/regime with all of these words; not written."
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder to write the table of all formulas to.")] = Path(
        "results"
    ),
) -> None:
    """Compare each formula's limits with what rounding its inputs causes. Exits 1 on an unexplained gap."""
    from bench.studies import conditioning as factors

    wrong = _wrong()
    with _refusals():
        found = []
        for mine in factors.study(factors.places(words)):
            worst = factors.ordered(mine)[0]
            typer.echo(f"{worst}  {factors.number(worst.factor)}", err=True)
            found += mine
        _print(factors.tables(found))
        for path in [] if words else factors.write(found, out):
            typer.echo(path)
    told = factors.faults(found, whole=not words)
    for fault in told:
        typer.echo(fault, err=True)
    raise typer.Exit(bool(told or wrong))


@app.command()
def mutants(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases (default: all).")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Stop at the first lane that finds each fault.")
    ] = False,
    results: Annotated[Path | None, typer.Option(help="A run's folder to write the outcome to.")] = None,
) -> None:
    """Plant faults in every formula and see which check finds each. Exits 1 when one survives."""
    from bench.mutation import matrix
    from bench.report import kill_matrix

    _wrong()
    with _refusals():
        found = matrix.run(names or [], quick, results, lambda text: typer.echo(text, err=True))
        _print(kill_matrix.matrix(found))
    raise typer.Exit(bool(kill_matrix.survivors(found)))


@app.command()
def same(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases (default: all).")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of published runs.")] = Path("results"),
) -> None:
    """Time every API against itself. Exits 1 when the clock sees a difference too often."""
    from bench.studies import aa as pairs

    _wrong()
    with _refusals():
        found = pairs.run(names or [], lambda text: typer.echo(text, err=True))
        _print(pairs.page(found, pairs.COMMAND))
        for file in [] if names else pairs.write(found, results):
            typer.echo(file)
    raise typer.Exit(not pairs.enough(found))


@app.command()
def overhead() -> None:
    """Compare the clock with loops written by hand. Exits 1 when it adds more than 2 %."""
    from bench.studies import overhead as added

    found = added.study(lambda text: typer.echo(text, err=True))
    _print([added.table(found)])
    raise typer.Exit(not added.enough(found))


@app.command()
def outside() -> None:
    """Compare the clock with those of torch and of scripts without Gaugeblock. Exits 1 beyond 3 %."""
    from bench.studies import outside as others

    found = others.study(lambda text: typer.echo(text, err=True))
    _print([others.table(found)])
    raise typer.Exit(not others.enough(found))


@app.command()
def scale(
    folder: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run to repeat.")] = None,
    rows: Annotated[list[int] | None, typer.Option(min=1, help="How many; repeatable.")] = None,
    markdown: Markdown = False,
) -> None:
    """Measure how long many rows take to load and to report (default: 10,000 and 100,000)."""
    from bench.store.results import newest
    from bench.studies import scale as many

    with _refusals():
        measured = many.study(
            folder or newest(), rows or [10_000, 100_000], lambda text: typer.echo(text, err=True)
        )
        _print([many.table(list(measured))], markdown)


@app.command()
def explore(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases (default: all).")
    ] = None,
    backends: Annotated[list[str] | None, typer.Option("--backend", help="Repeatable.")] = None,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float32",
    examples: Annotated[int, typer.Option(help="Cells to draw for each API.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn.")] = 0,
) -> None:
    """Judge every API on sizes, options, inputs and modes that Hypothesis draws.

    What fails joins every --full run.
    """
    from bench import pages
    from bench.backends import SHIPPED
    from bench.studies import explore as exploring

    _wrong()
    with _refusals():
        cases, who = pages.chosen(names or []), backends or list(SHIPPED)
        finds = exploring.study(cases, who, dtype=dtype, examples=examples, seed=seed, told=typer.echo)
    raise typer.Exit(bool(finds))


@app.command()
def publish(
    folder: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run's folder.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of published runs.")] = Path("results"),
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also of uncommitted code, or speeds of a busy machine.")
    ] = False,
) -> None:
    """Copy a finished run (default: the newest in results/local) to results/<machine>/<date>, to commit."""
    from bench.store.results import newest
    from bench.store.results import publish as publish_run

    with _refusals():
        typer.echo(publish_run(folder or newest(results), results, anyway=anyway))


@app.command()
def limits(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="Runs (default: the newest).")
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Write how far off they are to suites/limits/<page>.json.")
    ] = False,
) -> None:
    """Show the known departures and what these runs found; --measure records that as expected."""
    from bench.report.write import departures
    from bench.store.results import newest
    from bench.studies import limits as measured

    _wrong()
    with _refusals():
        found = runs or [newest()]
        if not measure:
            _print(departures(found))
            return
        written = measured.measure(found, lambda text: typer.echo(text, err=True))
    for file in written:
        typer.echo(file)
    if not written:
        typer.echo("gaugeblock: these runs have no failing cell that a Limit explains", err=True)
        raise typer.Exit(1)


@app.command()
def seeds(
    folder: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run with several seeds.")] = None,
    results: Annotated[Path, typer.Option(help="Folder of published runs.")] = Path("results"),
) -> None:
    """Summarize a run of several seeds per cell (default: the newest), to results/<machine>/."""
    from bench.store.results import newest
    from bench.store.rows import load
    from bench.studies.seeds import write

    with _refusals():
        run = folder or newest(results)
        for file in write(load(run), run, results):
            typer.echo(file)


def _wrong(*backends: str) -> bool:
    """Whether pages are left out, each of which is said on stderr; `backends` are plug-ins that were met."""
    from bench import pages
    from bench.backends.plugin import read
    from bench.store.row import plain
    from bench.verdict.known import leave_out

    read(backends)
    leave_out(backends)
    for page in pages.bad().values():
        typer.echo(f"gaugeblock: {plain(page.why)}", err=True)
    return bool(pages.bad())


def _said(text: str) -> None:
    from bench.store.row import plain

    typer.echo(f"gaugeblock: {plain(text)}", err=True)


def _print(sections: Sequence["Section"], markdown: bool = False) -> None:
    from bench.report import table

    if markdown:
        typer.echo(table.markdown(sections), nl=False)
    else:
        table.show(sections, table.console())


@contextmanager
def _refusals() -> Iterator[None]:
    """Print a bad argument, or a file that cannot be read or written, as one line, and exit with code 2."""
    from bench.store.row import plain

    try:
        yield
    except BrokenPipeError:  # the reader closed the pipe
        raise
    except (OSError, ValueError, RecursionError) as error:
        print(f"gaugeblock: {plain(_words(error))}", file=sys.stderr)
        raise typer.Exit(2) from None


def _words(error: Exception) -> str:
    """An error in one sentence; for an error of the system, the path comes first."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    return f"{error.filename or 'input or output'}: got {error.strerror[0].lower()}{error.strerror[1:]}"
