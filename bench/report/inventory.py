"""What there is to run: the cases, their options, sizes and contenders."""

from collections import Counter
from collections.abc import Iterable

from bench import noise
from bench.case import Case, Refusal
from bench.cells.catalogue import CATALOGUE, fitting, unfit
from bench.digits import count
from bench.report.table import GLYPHS, Section, Table
from bench.store.row import COLUMNS, STATUSES


def inventory(cases: Iterable[Case]) -> list[Section]:
    """One line a case."""
    found = list(cases)
    lines = []
    for case in found:
        backends = Counter(contender.backend for contender in case.contenders)
        who = ", ".join(name if number == 1 else f"{name} {number}" for name, number in backends.items())
        lines.append((case.name, ", ".join(case.options), ", ".join(case.sizes), who))
    columns = ("formula", "options", "sizes", "contenders")
    note = "`gaugeblock list NAME` shows one formula in full. `pytest suites/ -k NAME/` runs it."
    return [Table(count(len(found), "formula", "formulas"), columns, lines, note=note)]


def meanings() -> list[Section]:
    """Every status and every column of a row, in words."""
    statuses = [(GLYPHS[status], status, doc) for status, doc in STATUSES.items()]
    return [
        Table("Statuses", ("", "status", "means"), statuses),
        Table("Columns of a row", ("column", "holds"), list(COLUMNS.items())),
    ]


def kinds() -> Table:
    """The kinds of inputs that every formula takes, and which arrays each changes."""
    lines = [(name, each.of, each.why) for name, each in CATALOGUE.items()]
    return Table("Kinds of inputs", ("kind", "changes", "what it is"), lines)


def rules() -> list[Section]:
    """The functions of NumPy and SciPy that a reference may use, and what to write instead of others."""
    note = (
        "Operators, indexing, assignment by an index and loops over an array work too. "
        "einsum takes one or two operands and an explicit output; sums take no where= and no initial=."
    )
    groups = [(title, ", ".join(found)) for title, found in noise.usable().items()]
    return [
        Table("Functions that a reference may use", ("group", "functions"), groups, note=note),
        Table(
            "Functions without a rounding rule", ("function", "write instead"), list(noise.refused().items())
        ),
    ]


def about(case: Case) -> list[Section]:
    """Everything about one case."""

    def values(mapping: object) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in dict(mapping).items()) or "as it is"  # type: ignore[call-overload]  # a mapping

    lines = [("size", name, values(size)) for name, size in case.sizes.items()]
    lines += [("option", name, values(option)) for name, option in case.options.items()]
    lines += [("regime", name, reason) for name, reason in case.regimes.items()]
    fits = fitting(case, next(iter(case.options)))
    lines += [("kind of input", name, CATALOGUE[name].why) for name in fits]
    lines += [
        ("left out", name, why)
        for name in CATALOGUE
        if (why := unfit(case.name, next(iter(case.options)), name))
    ]
    lines += [("integers", name, f"whole numbers of {bits} bits") for name, bits in case.integers.items()]
    for contender in case.contenders:
        parts = [f"modes {', '.join(contender.modes)}" if contender.modes else "every mode"]
        parts += [f"{', '.join(contender.directions)} only"] if contender.directions else []
        parts += [f"without {name}: {reason}" for name, reason in contender.without.items()]
        parts += [f"refuses {each.cells}{_where(each)}: {each.words}" for each in contender.refuses]
        lines.append((contender.backend, str(contender), "; ".join(parts)))
    for limit in case.limits:
        at_fault = f"{limit.package} {', '.join(limit.releases)}".strip()
        lines.append(("limit", limit.name, f"{at_fault}: {limit.reason} ({limit.source})"))
    kind = "training" if case.training else "forward and gradient"
    return [Table(f"{case.name}: {case.title} ({kind}, in {case.unit})", ("what", "name", "is"), lines)]


def _where(known: Refusal) -> str:
    """The condition of a refusal in words; empty if it has none."""
    inputs = "" if known.regime == "*" else f" on {known.regime}"
    inputs += "" if known.size == "*" else f" at {known.size}"
    flags = (f" with {name}" if value else f" without {name}" for name, value in known.when.items())
    return inputs + "".join(flags)
